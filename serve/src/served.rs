//! One opened artifact, with what answers need of it.

use crate::app::{App, Asked, Limits};
use crate::error::ApiError;
use crate::formats::documents::BadRecord;
use crate::formats::negotiate::OutputFormat;
use crate::formats::output::{Answer, Labels};
use model::{Algorithm, Artifact};

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

    /// Length of the bodies that are answered by the thread that read them: shorter where a document costs more than its
    /// sum of weights, that is for trees and explanations.
    pub(crate) fn inline_bytes(&self, asked: Asked, limits: &Limits) -> usize {
        match asked.explain.is_some() || self.artifact.manifest().algorithm != Algorithm::Logistic {
            true => limits.inline_bytes / 8,
            false => limits.inline_bytes,
        }
    }

    /// Answers a body: every document's prediction, in order. Computes; see [`Limits::inline_bytes`](crate::Limits) for
    /// where.
    pub fn answer(&self, asked: Asked, body: &[u8], app: &App) -> Result<Answered, ApiError> {
        let limits = app.limits();
        let bad = match asked.output {
            OutputFormat::Csv => BadRecord::RefusesAll,
            OutputFormat::Json | OutputFormat::JsonLines => BadRecord::KeepsPlace,
        };
        let documents = asked.input.documents(body, limits.documents, bad)?;
        let mut answer = Answer::new(asked.output, &self.labels, documents.len());
        let mut refused = Refused { records: 0, of: documents.len(), first: String::new() };
        for record in documents.iter() {
            match record {
                Ok(text) => self.predict(text, asked, app, &mut answer)?,
                Err(why) => {
                    if refused.records == 0 {
                        refused.first = why.to_owned();
                    }
                    refused.records += 1;
                    answer.push_refused(why);
                }
            }
            if answer.len() > limits.answer_bytes {
                return Err(ApiError::AnswerTooLarge { limit: limits.answer_bytes });
            }
        }
        if let Some(metrics) = app.metrics() {
            metrics.refused(refused.records);
        }
        Ok(Answered { bytes: answer.finish(), refused: Some(refused).filter(|refused| refused.records > 0) })
    }

    fn predict(&self, text: &str, asked: Asked, app: &App, answer: &mut Answer<'_>) -> Result<(), ApiError> {
        let prediction = self.artifact.predict(text)?;
        let prediction = match app.threshold() {
            Some(threshold) => threshold.applied(prediction),
            None => prediction,
        };
        let explanation = match asked.explain {
            Some(terms) => Some(self.artifact.explain_class(text, prediction.class, terms.get())?),
            None => None,
        };
        answer.push(&prediction, explanation.as_ref());
        if let Some(metrics) = app.metrics()
            && metrics.document(prediction.class, prediction.score())
        {
            let (units, unknown) = self.artifact.unknown_units(text)?;
            metrics.vocabulary(units, unknown);
        }
        Ok(())
    }
}

/// A body's answer.
#[derive(Debug)]
pub struct Answered {
    /// As the client asked for it.
    pub bytes: Vec<u8>,
    /// What of it is no prediction.
    pub refused: Option<Refused>,
}

/// Records that were answered with what is wrong with them.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{records} of {of} records were refused; the first: {first}")]
pub struct Refused {
    records: usize,
    of: usize,
    first: String,
}
