//! One opened artifact, with what answers need of it.

use crate::app::{Asked, Limits};
use crate::error::ApiError;
use crate::formats::output::{Answer, Labels};
use model::Artifact;

/// A model that is open.
#[derive(Debug)]
pub struct Served {
    artifact: Artifact,
    labels: Labels,
}

impl Served {
    /// Of this artifact.
    pub fn new(artifact: Artifact) -> Self {
        let labels = Labels::new(artifact.classes());
        Self { artifact, labels }
    }

    /// The artifact.
    pub fn artifact(&self) -> &Artifact {
        &self.artifact
    }

    /// Answers a body: every document's prediction, in order. Computes; see [`Limits::inline_bytes`] for where.
    pub fn answer(&self, asked: Asked, body: &[u8], limits: &Limits) -> Result<Vec<u8>, ApiError> {
        let documents = asked.input.documents(body, limits.documents)?;
        let mut answer = Answer::new(asked.output, &self.labels, documents.len());
        for text in documents.iter() {
            let explanation = match asked.explain {
                Some(terms) => Some(self.artifact.explain(text, terms.get())?),
                None => None,
            };
            answer.push(&self.artifact.predict(text)?, explanation.as_ref());
            if answer.len() > limits.answer_bytes {
                return Err(ApiError::AnswerTooLarge { limit: limits.answer_bytes });
            }
        }
        Ok(answer.finish())
    }
}
