//! Classifiers.
use crate::{FitError, Records, Settings};
use ndarray::{Array1, Array2};
/// Records and targets: class indices `0..classes`.
pub type Dataset = linfa::DatasetBase<Records, Array1<usize>>;
/// Linear.
#[derive(Debug, Clone)]
pub struct Logistic;
/// Tree.
#[derive(Debug, Clone)]
pub struct Tree;
/// A fitted classifier.
#[derive(Debug, Clone)]
pub enum Classifier {
    /// Logistic regression.
    Logistic(Logistic),
    /// A decision tree.
    Tree(Tree),
}
/// A classifier and how its fit went.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The classifier.
    pub classifier: Classifier,
    /// `linfa`, `sparse` or `tree`.
    pub solver: &'static str,
    /// Iterations.
    pub iterations: Option<u64>,
    /// Converged.
    pub converged: Option<bool>,
}
/// Provisional.
pub fn fit_classifier(
    _settings: &Settings,
    _dataset: &Dataset,
    _classes: usize,
    _start: Option<&Classifier>,
) -> Result<Fitted, FitError> {
    unimplemented!()
}
impl Classifier {
    /// Provisional.
    pub fn probabilities(&self, _records: &Records) -> Array2<f64> {
        unimplemented!()
    }
}
