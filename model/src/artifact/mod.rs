//! The artifact.
pub mod manifest;
use crate::{ArtifactError, Classifier, NotLinear, Tfidf};
use manifest::{Manifest, Provenance};
use std::path::Path;
/// Text to class.
#[derive(Debug, Clone)]
pub struct TextClassifier {
    /// Text to records.
    pub tfidf: Tfidf,
    /// Records to probabilities.
    pub classifier: Classifier,
    /// Labels of the classes, ascending.
    pub classes: Vec<String>,
}
impl TextClassifier {
    /// Provisional.
    pub fn save(&self, _dir: &Path, _provenance: &Provenance) -> Result<(), ArtifactError> {
        unimplemented!()
    }
}
/// An opened artifact.
#[derive(Debug)]
pub struct Artifact {
    manifest: Manifest,
}
impl Artifact {
    /// Provisional.
    pub fn open(_dir: &Path) -> Result<Artifact, ArtifactError> {
        unimplemented!()
    }
    /// The manifest.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }
    /// Labels of the classes.
    pub fn classes(&self) -> &[String] {
        &self.manifest.classes
    }
    /// Number of terms.
    pub fn terms(&self) -> usize {
        0
    }
    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        0
    }
    /// Provisional.
    pub fn predict(&self, _text: &str) -> Prediction {
        unimplemented!()
    }
    /// Provisional.
    pub fn explain(&self, _text: &str, _k: usize) -> Result<Explanation, NotLinear> {
        unimplemented!()
    }
    /// Provisional.
    pub fn term_id(&self, _term: &str) -> Option<u32> {
        None
    }
    /// Provisional.
    pub fn tokens<'t>(&self, _text: &'t str, _visit: &mut dyn FnMut(&str)) {}
    /// Provisional.
    pub fn strongest_terms(&self, _k: usize) -> Vec<(String, Vec<(String, f64)>)> {
        Vec::new()
    }
}
/// The class of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the class.
    pub class: usize,
    /// In the order of the classes.
    pub probabilities: Vec<f64>,
}
impl Prediction {
    /// Probability of the class.
    pub fn score(&self) -> f64 {
        self.probabilities[self.class]
    }
}
/// Why.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Index of the class.
    pub class: usize,
    /// Score of an empty text.
    pub intercept: f64,
    /// The class's score before the link.
    pub total: f64,
    /// Strongest first.
    pub terms: Vec<Contribution>,
}
/// One term's part.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The term.
    pub term: String,
    /// Its value in the record.
    pub value: f64,
    /// Its weight.
    pub weight: f64,
    /// Their product.
    pub contribution: f64,
}
