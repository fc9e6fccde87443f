//! The test channel predicted by the saved artifact: `evaluation.json`.

use model::{Artifact, ArtifactError, Prediction, threads};
use report::Evaluation;
use report::evaluation::{
    ClassTerms, DataFile, FORMAT, Golden, Mistake, TermContribution, TermWeight, Training, Tuning,
};

use crate::latency;
use crate::metrics::{self, Bootstrap, Measured, Outcome};

/// Documents whose predictions a deployment must repeat.
const GOLDEN: usize = 5;
/// Characters that such a document stays under, where any does.
const GOLDEN_CHARACTERS: usize = 2000;
/// Wrong predictions that are shown.
const MISTAKES: usize = 10;
/// Characters that are shown of each.
const MISTAKE_CHARACTERS: usize = 500;
/// Terms that are shown of each, with what they added.
const MISTAKE_TERMS: usize = 8;
/// Seed of the resamples where the settings have none.
const SEED: u64 = 42;
/// Heaviest terms shown a class.
const STRONGEST_TERMS: usize = 20;

/// Documents and their class indices.
pub struct Labelled<'a> {
    /// Documents in file order.
    pub texts: &'a [String],
    /// A class index each.
    pub targets: &'a [usize],
}

/// What is known of the training, as far as the evaluation tells it.
pub struct Background {
    /// What was fitted, on what.
    pub training: Training,
    /// The search, where there was one.
    pub tuning: Option<Tuning>,
    /// Every file that was read.
    pub data: Vec<DataFile>,
}

/// Predicts every document with the artifact that will be served; `predicted` is called after each.
pub fn predict(
    artifact: &Artifact,
    labelled: &Labelled<'_>,
    predicted: &(dyn Fn() + Sync),
) -> Result<Vec<Outcome>, ArtifactError> {
    let outcomes = threads::map(labelled.texts.len(), |row| {
        let Prediction { class, probabilities } = artifact.predict(&labelled.texts[row])?;
        predicted();
        Ok(Outcome { actual: labelled.targets[row], predicted: class, probabilities })
    });
    outcomes.into_iter().collect()
}

/// Measures the `test` channel; beside the evaluation, what was predicted for each row. What the data and the calibration have to tell (`warnings`, `dropped`, `calibration`) is the
/// caller's to add.
pub fn evaluate(
    artifact: &Artifact,
    test: &Labelled<'_>,
    background: Background,
    predicted: &(dyn Fn() + Sync),
) -> Result<(Evaluation, Vec<Outcome>), ArtifactError> {
    let classes = artifact.classes();
    let outcomes = predict(artifact, test, predicted)?;
    let Measured { metrics, quality, per_class, confusion, roc_curve, curves, reliability, histogram } =
        metrics::measure(&outcomes, classes);
    let seed = background.training.parameters.get("seed").and_then(|seed| seed.parse().ok()).unwrap_or(SEED);
    let intervals = metrics::intervals(&outcomes, classes.len(), Bootstrap::seeded(seed));
    let evaluation = Evaluation {
        format: FORMAT.into(),
        channel: "test".into(),
        rows: outcomes.len() as u64,
        classes: classes.to_vec(),
        positive_class: if let [_, positive] = classes { Some(positive.clone()) } else { None },
        metrics,
        per_class,
        confusion,
        roc_curve,
        strongest_terms: strongest_terms(artifact)?,
        mistakes: mistakes(test.texts, &outcomes, classes, &|text| moved_most(artifact, text)),
        golden: golden(test.texts, &outcomes, classes),
        training: background.training,
        tuning: background.tuning,
        data: background.data,
        quality: Some(quality),
        intervals,
        curves,
        reliability,
        histogram: Some(histogram),
        calibration: None,
        warnings: Vec::new(),
        dropped: Vec::new(),
        artifact: Some(latency::measure(artifact, test.texts)?),
    };
    Ok((evaluation, outcomes))
}

/// The terms that moved the score of the predicted class most; none of a classifier that is not linear.
fn moved_most(artifact: &Artifact, text: &str) -> Vec<TermContribution> {
    let Ok(explanation) = artifact.explain(text, MISTAKE_TERMS) else { return Vec::new() };
    let terms = explanation.terms.into_iter();
    terms.map(|term| TermContribution { term: term.term, contribution: term.contribution }).collect()
}

fn strongest_terms(artifact: &Artifact) -> Result<Vec<ClassTerms>, ArtifactError> {
    let weigh = |(term, weight)| TermWeight { term, weight };
    let strongest = artifact.strongest_terms(STRONGEST_TERMS)?.into_iter();
    Ok(strongest.map(|(class, terms)| ClassTerms { class, terms: terms.into_iter().map(weigh).collect() }).collect())
}

/// The most confident wrong predictions, worst first; of equals the first in the files.
fn mistakes(
    texts: &[String],
    outcomes: &[Outcome],
    classes: &[String],
    terms: &dyn Fn(&str) -> Vec<TermContribution>,
) -> Vec<Mistake> {
    let score = |row: usize| outcomes[row].probabilities[outcomes[row].predicted];
    let mut wrong: Vec<usize> =
        (0..outcomes.len()).filter(|&row| outcomes[row].predicted != outcomes[row].actual).collect();
    wrong.sort_by(|&a, &b| score(b).total_cmp(&score(a)));
    let show = |row: usize| Mistake {
        text: texts[row].chars().take(MISTAKE_CHARACTERS).collect(),
        actual: classes[outcomes[row].actual].clone(),
        predicted: classes[outcomes[row].predicted].clone(),
        score: score(row),
        terms: terms(&texts[row]),
    };
    wrong.into_iter().take(MISTAKES).map(show).collect()
}

/// The first short documents; where there is none, the shortest.
fn golden(texts: &[String], outcomes: &[Outcome], classes: &[String]) -> Vec<Golden> {
    let length = |row: &usize| texts[*row].chars().count();
    let mut rows: Vec<usize> = (0..texts.len()).filter(|row| length(row) < GOLDEN_CHARACTERS).take(GOLDEN).collect();
    if rows.is_empty() {
        rows.extend((0..texts.len()).min_by_key(length));
    }
    let show = |row: usize| Golden {
        text: texts[row].clone(),
        label: classes[outcomes[row].predicted].clone(),
        score: outcomes[row].probabilities[outcomes[row].predicted],
        probabilities: classes.iter().cloned().zip(outcomes[row].probabilities.iter().copied()).collect(),
    };
    rows.into_iter().map(show).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome(actual: usize, positive: f64) -> Outcome {
        Outcome { actual, predicted: usize::from(positive > 0.5), probabilities: vec![1.0 - positive, positive] }
    }

    fn classes() -> Vec<String> {
        vec!["0".into(), "1".into()]
    }

    #[test]
    fn mistakes_come_worst_first_and_are_cut() {
        let texts: Vec<String> = vec!["fine".into(), "mild".into(), "ö".repeat(600), "also mild".into()];
        let outcomes = [outcome(1, 0.9), outcome(0, 0.75), outcome(1, 0.125), outcome(0, 0.75)];
        let whole = |text: &str| vec![TermContribution { term: text.into(), contribution: 1.0 }];
        let mistakes = mistakes(&texts, &outcomes, &classes(), &whole);
        let shown: Vec<(&str, f64)> = mistakes.iter().map(|m| (m.text.as_str(), m.score)).collect();
        assert_eq!(shown, [("ö".repeat(500).as_str(), 0.875), ("mild", 0.75), ("also mild", 0.75)]);
        assert_eq!((mistakes[0].actual.as_str(), mistakes[0].predicted.as_str()), ("1", "0"));
        assert_eq!(mistakes[0].terms[0].term, texts[2], "the whole text is explained, not what is shown of it");
    }

    #[test]
    fn golden_documents_are_short_or_the_shortest() {
        let long = |n: usize| "é".repeat(n);
        let texts: Vec<String> = vec![long(2000), "a".into(), long(1999), "b".into()];
        let outcomes = vec![outcome(1, 0.9); 4];
        let chosen = |texts: &[String]| -> Vec<usize> {
            golden(texts, &outcomes, &classes()).iter().map(|golden| golden.text.chars().count()).collect()
        };
        assert_eq!(chosen(&texts), [1, 1999, 1]);
        assert_eq!(chosen(&[long(3000), long(2500), long(2500)]), [2500]);
    }
}
