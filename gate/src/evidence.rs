//! What rules are held against: every document of the test channel with what the new artifact and the champion predict.

use std::collections::HashMap;

use model::{Artifact, ArtifactError, threads};
use trainer::{
    metrics::Outcome,
    predictions::{Predictions, digest},
};

use crate::{columns::Columns, slices};

/// A part of the documents.
#[derive(Clone, Debug, PartialEq)]
pub struct Slice {
    /// What parts them.
    pub column: String,
    /// Whether that was made from the text.
    pub automatic: bool,
    /// Its value here.
    pub value: String,
    /// Their places, ascending.
    pub rows: Vec<u32>,
}

/// The champion on the same documents.
#[derive(Clone, Debug)]
pub struct Rival {
    /// Its model package.
    pub package: String,
    /// Its training job, where that is known.
    pub job: Option<String>,
    /// What it predicts, over [`Evidence::classes`].
    pub outcomes: Vec<Outcome>,
    /// Rows that it was trained on, ascending; none where that is not known.
    pub seen: Option<Vec<u32>>,
}

/// All documents.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The artifact's classes, then those that only the champion has.
    pub classes: Vec<String>,
    /// How many of them are the artifact's own.
    pub own: usize,
    /// Texts, in the order of the channel.
    pub texts: Vec<String>,
    /// What the new artifact predicts.
    pub outcomes: Vec<Outcome>,
    /// What the champion predicts.
    pub rival: Option<Rival>,
    /// Parts.
    pub slices: Vec<Slice>,
    /// What could not be done.
    pub notes: Vec<String>,
}

impl Evidence {
    /// The job's `predictions` beside the `texts` they are of. Where they are not of these texts, or an artifact is damaged,
    /// the reason.
    pub fn gather(
        predictions: Predictions,
        texts: Vec<String>,
        artifact: &Artifact,
        champion: Option<(String, Option<String>, &Artifact)>,
        columns: Columns,
    ) -> Result<Self, String> {
        let same = predictions.digests.iter().map(String::as_str).eq(texts.iter().map(|text| digest(text)));
        if !same {
            return Err(format!(
                "the job predicted {} documents, and they are not the {} that the test files hold now",
                predictions.digests.len(),
                texts.len()
            ));
        }
        let mut classes = predictions.classes;
        let own = classes.len();
        if let Some((_, _, champion)) = &champion {
            let others: Vec<String> = champion.classes().iter().filter(|c| !classes.contains(c)).cloned().collect();
            classes.extend(others);
        }
        let mut outcomes = predictions.outcomes;
        for outcome in &mut outcomes {
            outcome.probabilities.resize(classes.len(), 0.0);
        }
        let actual: Vec<usize> = outcomes.iter().map(|outcome| outcome.actual).collect();
        let rival = champion.map(|(package, job, champion)| {
            let outcomes = outcomes_of(champion, &texts, &actual, &classes)
                .map_err(|e| format!("the champion {package} predicts nothing: {e}"))?;
            Ok::<_, String>(Rival { package, job, outcomes, seen: None })
        });
        let rival = rival.transpose()?;
        let (slices, notes) = slices::slices(columns, &texts, artifact).map_err(|e| e.to_string())?;
        Ok(Evidence { classes, own, texts, outcomes, rival, slices, notes })
    }

    /// Every row.
    pub(crate) fn all(&self) -> Vec<u32> {
        (0..self.outcomes.len() as u32).collect()
    }
}

/// What `artifact` predicts for `texts`, in `classes`, among which its own are.
pub fn outcomes_of(
    artifact: &Artifact,
    texts: &[String],
    actual: &[usize],
    classes: &[String],
) -> Result<Vec<Outcome>, ArtifactError> {
    let places: HashMap<&str, usize> =
        classes.iter().enumerate().map(|(place, class)| (class.as_str(), place)).collect();
    let place_of: Vec<usize> =
        artifact.classes().iter().map(|class| places.get(class.as_str()).copied().unwrap_or(0)).collect();
    let outcomes = threads::map(texts.len(), |row| {
        let predicted = artifact.predict(&texts[row])?;
        let mut probabilities = vec![0.0; classes.len()];
        for (&place, probability) in place_of.iter().zip(predicted.probabilities) {
            probabilities[place] = probability;
        }
        Ok(Outcome { actual: actual[row], predicted: place_of[predicted.class], probabilities })
    });
    outcomes.into_iter().collect()
}
