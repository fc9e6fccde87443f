//! One opened artifact, with what answers need of it.

use crate::app::{App, Asked, Limits};
use crate::error::ApiError;
use crate::formats::documents::BadRecord;
use crate::formats::negotiate::OutputFormat;
use crate::formats::output::{Answer, Labels};
use model::{Algorithm, Artifact, Explanation, Prediction, threads};

/// Records that are predicted before any is answered: predictions are kept for no more.
const ROUND: usize = 1 << 10;
/// Records that are worth a thread.
const SHARE: usize = 128;

type Predicted = (Prediction, Option<Explanation>);

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
        let mut add = |record: Result<&str, &str>, predicted: Result<Option<Predicted>, ApiError>| {
            match (record, predicted?) {
                (Ok(text), Some((prediction, explanation))) => {
                    answer.push(&prediction, explanation.as_ref());
                    self.measure(text, &prediction, app)?;
                }
                (Err(why), _) => {
                    if refused.records == 0 {
                        refused.first = why.to_owned();
                    }
                    refused.records += 1;
                    answer.push_refused(why);
                }
                (Ok(_), None) => {}
            }
            match answer.len() > limits.answer_bytes {
                true => Err(ApiError::AnswerTooLarge { limit: limits.answer_bytes }),
                false => Ok(()),
            }
        };
        // A body that the thread which read it answers is for that thread alone.
        let threads = if body.len() > self.inline_bytes(asked, limits) { threads::count() } else { 1 };
        match threads.min(documents.len() / SHARE) {
            0 | 1 => documents.iter().try_for_each(|record| add(record, self.predict(record, asked, app)))?,
            threads => {
                let records: Vec<_> = documents.iter().collect();
                for records in records.chunks(ROUND) {
                    for (record, predicted) in records.iter().zip(self.predict_all(records, asked, app, threads)) {
                        add(*record, predicted)?;
                    }
                }
            }
        }
        if let Some(metrics) = app.metrics() {
            metrics.refused(refused.records);
        }
        Ok(Answered { bytes: answer.finish(), refused: Some(refused).filter(|refused| refused.records > 0) })
    }

    /// The prediction of each record that is a text, on so many threads.
    fn predict_all(
        &self,
        records: &[Result<&str, &str>],
        asked: Asked,
        app: &App,
        threads: usize,
    ) -> Vec<Result<Option<Predicted>, ApiError>> {
        let shares = records.chunks(records.len().div_ceil(threads)).collect();
        let predict = |record: &Result<&str, &str>| self.predict(*record, asked, app);
        threads::share(shares, |share: &[_]| share.iter().map(predict).collect::<Vec<_>>())
            .into_iter()
            .flatten()
            .collect()
    }

    /// The prediction of a record, where it is a text.
    fn predict(&self, record: Result<&str, &str>, asked: Asked, app: &App) -> Result<Option<Predicted>, ApiError> {
        let Ok(text) = record else { return Ok(None) };
        let prediction = self.artifact.predict(text)?;
        let prediction = match app.threshold() {
            Some(threshold) => threshold.applied(prediction),
            None => prediction,
        };
        let explanation = match asked.explain {
            Some(terms) => Some(self.artifact.explain_class(text, prediction.class, terms.get())?),
            None => None,
        };
        Ok(Some((prediction, explanation)))
    }

    fn measure(&self, text: &str, prediction: &Prediction, app: &App) -> Result<(), ApiError> {
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
