//! Accuracy without labels: what the artifact's own confidence says, and how far that can be believed.
//!
//! Two estimates bracket it. *Confidence*: the held-out accuracy, moved by the change of the mean confidence (Guillory et
//! al. 2021, "difference of confidences"); where the shift makes the artifact wrongly sure, it is too high. *Snippets*:
//! the chance of being right is learned from the held-out documents and from pieces cut out of them, by confidence and by
//! how many terms are known; that a piece keeps its document's label though what made it so may be cut off is learned
//! with it ([`Learner`], `noise`) and taken out. The estimate is their middle; of the part of the text that has become
//! unknown, or is in a language that the baseline does not have, it says only chance. `docs/monitoring.md` has what was
//! measured, and how this was chosen.

mod noise;

use model::{Artifact, ArtifactError, DocumentValues, SplitMix64};
use serde::{Deserialize, Serialize};

use crate::known_terms::TextFeatures;
use crate::stats::interval::{Z95, wilson};
use crate::stats::sample::Moments;
use noise::Case;

/// Words of the pieces that are cut out of each held-out document.
const PIECES: [(usize, usize); 4] = [(1, 2), (3, 6), (7, 20), (21, 60)];
/// Fewest held-out documents that anything is learned from.
pub const LEAST: u64 = 30;
/// Kinds of cases: whole documents, then the pieces.
const KINDS: usize = 1 + PIECES.len();
/// Coefficients: of 1, of the log-odds of the confidence, of the logarithm of the number of known terms, of both.
const COEFFICIENTS: usize = 4;

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
    /// Log-odds of being right; see the module.
    pub coefficients: [f64; COEFFICIENTS],
}

/// Collects cases from held-out documents.
pub struct Learner {
    cases: Vec<Case>,
    confidence: Moments,
    right: Moments,
    unknown: Moments,
    random: SplitMix64,
    document: DocumentValues,
}

impl Default for Learner {
    fn default() -> Self {
        Self {
            cases: Vec::new(),
            confidence: Moments::default(),
            right: Moments::default(),
            unknown: Moments::default(),
            random: SplitMix64::new(42, 0),
            document: DocumentValues::default(),
        }
    }
}

impl Learner {
    /// A held-out document, its label and its share of unknown tokens.
    pub fn add(&mut self, artifact: &Artifact, text: &str, label: &str, unknown: f64) -> Result<(), ArtifactError> {
        let Some(class) = artifact.classes().iter().position(|name| name == label) else { return Ok(()) };
        let (confidence, right) = self.case(artifact, text, class, 0)?;
        self.confidence.add(confidence);
        self.right.add(f64::from(u8::from(right)));
        self.unknown.add(unknown);
        let words: Vec<&str> = text.split_whitespace().collect();
        for (kind, (shortest, longest)) in (1..).zip(PIECES) {
            let length = (shortest + self.random.below(longest - shortest + 1)).min(words.len());
            let start = self.random.below(words.len() - length + 1);
            self.case(artifact, &words[start..start + length].join(" "), class, kind)?;
        }
        Ok(())
    }

    fn case(
        &mut self,
        artifact: &Artifact,
        text: &str,
        class: usize,
        kind: usize,
    ) -> Result<(f64, bool), ArtifactError> {
        artifact.document_values(text, &mut self.document)?;
        let (predicted, confidence) = predicted(artifact, &self.document);
        let right = predicted == class;
        self.cases.push(Case { features: features(confidence, self.document.terms.len()), right, kind });
        Ok((confidence, right))
    }

    /// What was learned; none from too few documents, or where the classifier is not linear.
    pub fn finish(self) -> Option<AccuracyBaseline> {
        if self.right.count < LEAST {
            return None;
        }
        let coefficients = noise::learn(&self.cases)?;
        Some(AccuracyBaseline {
            documents: self.right.count,
            accuracy: self.right.mean,
            confidence: self.confidence.mean,
            unknown: self.unknown.mean,
            coefficients,
        })
    }
}

/// Class and probability.
fn predicted(artifact: &Artifact, document: &DocumentValues) -> (usize, f64) {
    let probabilities = artifact.probabilities_of(&document.scores);
    let mut best = (0, f64::NEG_INFINITY);
    for (class, &p) in probabilities.iter().enumerate() {
        if p > best.1 {
            best = (class, p);
        }
    }
    best
}

fn features(confidence: f64, terms: usize) -> [f64; COEFFICIENTS] {
    let p = confidence.clamp(1e-6, 1.0 - 1e-6);
    let (z, known) = ((p / (1.0 - p)).ln(), (terms as f64).ln_1p());
    [1.0, z, known, z * known]
}

/// What a window's documents say.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Evidence {
    confidence: Moments,
    snippets: Moments,
    unknown: Moments,
}

/// An estimate of the accuracy of a window's predictions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Estimate {
    /// The estimate.
    pub accuracy: f64,
    /// Between both methods, and the error of either sample beside.
    pub interval: (f64, f64),
    /// By confidence alone.
    pub by_confidence: f64,
    /// By what snippets taught.
    pub by_snippets: f64,
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
        let (_, confidence) = predicted(artifact, document);
        let features = features(confidence, document.terms.len());
        let z: f64 = features.iter().zip(baseline.coefficients).map(|(feature, c)| feature * c).sum();
        let snippets = 1.0 / (1.0 + (-z).exp());
        let unknown = text.unknown_share();
        self.confidence.add(confidence);
        self.snippets.add(snippets);
        self.unknown.add(unknown);
        let by_confidence = confidence - baseline.confidence + baseline.accuracy;
        Some(mixed((by_confidence + snippets) / 2.0, baseline.lost(unknown), artifact.classes().len()))
    }

    /// Those of both.
    pub fn merge(&mut self, other: &Evidence) {
        self.confidence.merge(&other.confidence);
        self.snippets.merge(&other.snippets);
        self.unknown.merge(&other.unknown);
    }

    /// None of a window without texts.
    /// `foreign`: the share of the documents that is in languages which the baseline does not have.
    pub fn estimate(&self, baseline: Option<&AccuracyBaseline>, classes: usize, foreign: f64) -> Option<Estimate> {
        let baseline = baseline.filter(|_| self.confidence.count > 0)?;
        // What is foreign has its share of what is unknown.
        let lost = foreign + (1.0 - foreign) * baseline.lost(self.unknown.mean);
        let by_confidence = mixed(baseline.accuracy + self.confidence.mean - baseline.confidence, lost, classes);
        let by_snippets = mixed(self.snippets.mean, lost, classes);
        let accuracy = (by_confidence + by_snippets) / 2.0;
        // Wilson's, for of few held-out documents all may be right.
        let (least, most) = wilson((baseline.accuracy * baseline.documents as f64).round() as u64, baseline.documents);
        let held_out = (baseline.accuracy - least).max(most - baseline.accuracy);
        let window = Z95 * (accuracy * (1.0 - accuracy) / self.confidence.count as f64).sqrt();
        let error = window.hypot(held_out);
        let (low, high) = (by_confidence.min(by_snippets), by_confidence.max(by_snippets));
        let interval = ((low - error).max(0.0), (high + error).min(1.0));
        Some(Estimate { accuracy, interval, by_confidence, by_snippets, unknown: self.unknown.mean })
    }
}

impl AccuracyBaseline {
    /// Share of the text that has become unknown since.
    fn lost(&self, unknown: f64) -> f64 {
        ((unknown - self.unknown) / (1.0 - self.unknown).max(1e-9)).clamp(0.0, 1.0)
    }
}

/// An accuracy of which the part `lost` is chance.
fn mixed(accuracy: f64, lost: f64, classes: usize) -> f64 {
    ((1.0 - lost) * accuracy + lost / classes.max(1) as f64).clamp(0.0, 1.0)
}
