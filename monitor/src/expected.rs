//! Accuracy without labels: what the artifact's own confidence says, and how far that can be believed.
//!
//! *Confidence*: the held-out accuracy, moved by the change of the mean confidence (Guillory et al. 2021, "difference of
//! confidences"). Two things make an artifact wrongly sure of other text, and neither needs labels to be seen. Words of
//! which it has learned little: a weight that few documents taught is drawn to nothing, so that what it would say is
//! missing; the share of the text that has become *unlearned* says only chance. And words that it takes for another class's:
//! then it predicts other classes than before. Whether the classes really changed cannot be seen, but a change of their
//! shares by `d` lets no classifier tell the texts apart by more than about `d`; the more it can, the more the shares
//! are taken to be as they were (`mix`). Text in a language that the baseline does not have says only chance.
//! `docs/monitoring.md` has what was measured, and how this was chosen.

mod mix;

use model::linear::most_probable;
use model::{Artifact, ArtifactError, DocumentValues, threads};
use serde::{Deserialize, Serialize};

use crate::domain::Found;
use crate::known_terms::TextFeatures;
use crate::stats::interval::{Z95, wilson};
use crate::stats::sample::Moments;

/// Fewest held-out documents that anything is learned from.
pub const LEAST: u64 = 30;

/// What held-out documents say of confidence: a part of `baseline.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AccuracyBaseline {
    /// Held-out documents with labels.
    pub documents: u64,
    /// Share predicted rightly.
    pub accuracy: f64,
    /// Mean probability of the predicted class.
    pub confidence: f64,
    /// Mean share of unknown tokens.
    pub unknown: f64,
    /// Mean share of the tokens that is not learned.
    pub unlearned: f64,
    /// Mean probability of each class.
    pub mix: Vec<f64>,
}

/// Collects what held-out documents say.
#[derive(Default)]
pub struct Learner {
    confidence: Moments,
    right: Moments,
    unknown: Moments,
    unlearned: Moments,
    /// Sums of probabilities.
    mix: Vec<f64>,
    document: DocumentValues,
}

impl Learner {
    /// A held-out document, its label and its tokens.
    pub fn add(
        &mut self,
        artifact: &Artifact,
        text: &str,
        label: &str,
        features: &TextFeatures,
    ) -> Result<(), ArtifactError> {
        let Some(class) = artifact.classes().iter().position(|name| name == label) else { return Ok(()) };
        artifact.document_values(text, &mut self.document)?;
        let probabilities = artifact.probabilities_of(&self.document.scores);
        let (predicted, confidence) = most(&probabilities);
        self.confidence.add(confidence);
        self.right.add(f64::from(u8::from(predicted == class)));
        self.unknown.add(features.unknown_share());
        self.unlearned.add(features.unlearned_share());
        self.mix.resize(probabilities.len(), 0.0);
        self.mix.iter_mut().zip(probabilities).for_each(|(sum, p)| *sum += p);
        Ok(())
    }

    /// What was learned; none from too few documents.
    pub fn finish(self) -> Option<AccuracyBaseline> {
        let documents = self.right.count;
        (documents >= LEAST).then(|| AccuracyBaseline {
            documents,
            accuracy: self.right.mean,
            confidence: self.confidence.mean,
            unknown: self.unknown.mean,
            unlearned: self.unlearned.mean,
            mix: self.mix.into_iter().map(|sum| sum / documents as f64).collect(),
        })
    }
}

/// Class and probability.
fn most(probabilities: &[f64]) -> (usize, f64) {
    let class = most_probable(probabilities);
    (class, probabilities[class])
}

/// Probabilities of the classes, a row a text.
pub fn probabilities(artifact: &Artifact, texts: &[String]) -> Result<Vec<Vec<f64>>, ArtifactError> {
    let rows = threads::map(texts.len(), |at| artifact.predict(&texts[at]).map(|prediction| prediction.probabilities));
    rows.into_iter().collect()
}

/// What a window's documents say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    confidence: Moments,
    unknown: Moments,
    unlearned: Moments,
}

/// What is known of the window besides.
#[derive(Clone, Debug, Default)]
pub struct Beside<'a> {
    /// Share of the documents that is in languages which the baseline does not have.
    pub foreign: f64,
    /// Probabilities of the classes for some of its documents.
    pub sample: Vec<Vec<f64>>,
    /// How well its texts can be told from the baseline's.
    pub domain: Option<&'a Found>,
}

/// An estimate of the accuracy of a window's predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub accuracy: f64,
    /// From all that is unlearned being chance to none, and the error of either sample beside.
    pub interval: (f64, f64),
    /// By confidence alone.
    pub by_confidence: f64,
    /// If the classes are as frequent as on the held-out documents.
    pub by_mix: f64,
    /// Mean share of unknown tokens.
    pub unknown: f64,
}

impl Evidence {
    /// One more document; back comes the chance that it is predicted rightly.
    pub fn add(
        &mut self,
        artifact: &Artifact,
        baseline: Option<&AccuracyBaseline>,
        document: &DocumentValues,
        text: &TextFeatures,
    ) -> Option<f64> {
        let baseline = baseline?;
        let (_, confidence) = most(&artifact.probabilities_of(&document.scores));
        let unlearned = text.unlearned_share();
        self.confidence.add(confidence);
        self.unknown.add(text.unknown_share());
        self.unlearned.add(unlearned);
        let moved = baseline.accuracy + confidence - baseline.confidence;
        Some(mixed(moved, baseline.lost(unlearned), artifact.classes().len()))
    }

    /// Those of both.
    pub fn merge(&mut self, other: &Evidence) {
        self.confidence.merge(&other.confidence);
        self.unknown.merge(&other.unknown);
        self.unlearned.merge(&other.unlearned);
    }

    /// None of a window without texts.
    pub fn estimate(&self, baseline: &AccuracyBaseline, classes: usize, beside: &Beside) -> Option<Estimate> {
        if self.confidence.count == 0 {
            return None;
        }
        // What is foreign has its share of what is unlearned.
        let lost = beside.foreign + (1.0 - beside.foreign) * baseline.lost(self.unlearned.mean);
        let confident = baseline.accuracy + self.confidence.mean - baseline.confidence;
        let (as_was, moved) = match beside.sample.is_empty() {
            true => (confident, 0.0),
            false => {
                let (as_is, restored) = mix::right(&beside.sample, &baseline.mix);
                (confident + restored - as_is, mix::distance(&mix::mean(&beside.sample), &baseline.mix))
            }
        };
        // Twice the area less one is at least the largest difference of any share that the classifier can see.
        let told_apart = beside.domain.map_or(0.0, |found| 2.0 * found.classifier.interval.0 - 1.0);
        let other_than_mix = if told_apart > moved { 1.0 - moved / told_apart } else { 0.0 };
        let (by_confidence, by_mix) = (mixed(confident, lost, classes), mixed(as_was, lost, classes));
        let accuracy = by_confidence + other_than_mix * (by_mix - by_confidence);
        // Wilson's, for of few held-out documents all may be right.
        let (least, most) = wilson((baseline.accuracy * baseline.documents as f64).round() as u64, baseline.documents);
        let held_out = (baseline.accuracy - least).max(most - baseline.accuracy);
        let window = Z95 * (accuracy * (1.0 - accuracy) / self.confidence.count as f64).sqrt();
        let error = window.hypot(held_out);
        let (low, high) = (by_confidence.min(by_mix), mixed(confident.max(as_was), beside.foreign, classes));
        let interval = ((low - error).max(0.0), (high.max(accuracy) + error).min(1.0));
        Some(Estimate { accuracy, interval, by_confidence, by_mix, unknown: self.unknown.mean })
    }
}

impl AccuracyBaseline {
    /// Share of the text that has become unlearned since.
    fn lost(&self, unlearned: f64) -> f64 {
        ((unlearned - self.unlearned) / (1.0 - self.unlearned).max(1e-9)).clamp(0.0, 1.0)
    }
}

/// An accuracy of which the part `lost` is chance.
fn mixed(accuracy: f64, lost: f64, classes: usize) -> f64 {
    ((1.0 - lost) * accuracy + lost / classes.max(1) as f64).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use report::drift::DomainClassifier;

    use super::*;

    const BEFORE: fn() -> AccuracyBaseline = || AccuracyBaseline {
        documents: 1000,
        accuracy: 0.85,
        confidence: 0.86,
        unknown: 0.02,
        unlearned: 0.2,
        mix: vec![0.5, 0.5],
    };

    /// A hundred documents that are all predicted with 0.8, so many of them as the first class.
    fn estimate(first: usize, area: f64, unlearned: f64, foreign: f64) -> Estimate {
        let row = |first: bool| if first { vec![0.8, 0.2] } else { vec![0.2, 0.8] };
        let moments = |value: f64| {
            let mut moments = Moments::default();
            (0..100).for_each(|_| moments.add(value));
            moments
        };
        let evidence = Evidence { confidence: moments(0.8), unknown: moments(0.02), unlearned: moments(unlearned) };
        let classifier = DomainClassifier {
            auc: area,
            interval: (area, area),
            baseline_documents: 100,
            window_documents: 100,
            terms: vec![],
        };
        let found = Found { classifier, p_value: 0.0 };
        let sample = (0..100).map(|at| row(at < first)).collect();
        evidence.estimate(&BEFORE(), 2, &Beside { foreign, sample, domain: Some(&found) }).unwrap()
    }

    #[test]
    fn less_confidence_is_as_much_less_accuracy() {
        let alike = estimate(50, 0.5, 0.2, 0.0);
        assert!((alike.accuracy - 0.79).abs() < 1e-9 && (alike.by_mix - alike.by_confidence).abs() < 1e-9, "{alike:?}");
    }

    #[test]
    fn what_is_unlearned_and_what_is_foreign_is_chance() {
        // A quarter of what was learned no longer is: 0.75 of 0.79 and 0.25 of a half.
        let unlearned = estimate(50, 0.5, 0.4, 0.0);
        assert!((unlearned.accuracy - (0.75 * 0.79 + 0.125)).abs() < 1e-9, "{unlearned:?}");
        assert!(unlearned.interval.1 > 0.79, "it may do no harm");
        assert!((estimate(50, 0.5, 0.2, 1.0).accuracy - 0.5).abs() < 1e-9);
    }

    #[test]
    fn other_shares_of_the_classes_are_doubted_as_far_as_the_texts_differ() {
        // 90 of 100 are called the first class: on the mean 0.74 of it instead of a half.
        let mixed = |area| estimate(90, area, 0.2, 0.0);
        let (same, little, other) = (mixed(0.5), mixed(0.6), mixed(0.99));
        assert_eq!(
            (same.accuracy, little.accuracy),
            (same.by_confidence, same.by_confidence),
            "the classes have changed"
        );
        assert!(
            other.by_mix < 0.65 && other.accuracy < same.accuracy - 0.05 && other.accuracy > other.by_mix,
            "{other:?}"
        );
    }
}
