//! Records to probabilities: the choice among the classifiers, and what they share.

use linfa::ParamGuard;
use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2};

use crate::error::FitError;
use crate::linear::{self, Convergence, LinearParams};
pub use crate::linear::{Linear, Link};
use crate::records::Records;
use crate::settings::{Algorithm, Settings, Solver};
pub use crate::tree::Tree;

/// Records and their targets, class indices `0..classes`.
pub type Dataset = linfa::DatasetBase<Records, Array1<usize>>;

/// `solver=auto` takes linfa for two classes where dense records are no larger: there it is as good as ours.
pub const AUTO_DENSE_BYTES: u64 = 8 << 20;

/// A fitted classifier.
#[derive(Debug, Clone, PartialEq)]
pub enum Classifier {
    /// A linear classifier.
    Linear(Linear),
    /// A decision tree.
    Tree(Tree),
}

/// A classifier, and how its fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The classifier.
    pub classifier: Classifier,
    /// Who fitted it: `linfa`, `sparse` or `tree`.
    pub solver: &'static str,
    /// Steps of the solver, where it tells (`sparse`).
    pub iterations: Option<u64>,
    /// Whether the gradient came under the tolerance, where there is one.
    pub converged: Option<bool>,
}

/// Fits what `settings` ask for to `dataset`, whose targets are below `classes` and hold each class.
///
/// `start`, of the same vocabulary and classes, is where the sparse solver starts from; the others have no use for one.
pub fn fit_classifier(
    settings: &Settings,
    dataset: &Dataset,
    classes: usize,
    start: Option<&Classifier>,
) -> Result<Fitted, FitError> {
    settings.check()?;
    if settings.algorithm == Algorithm::Tree {
        let tree = Tree::fit(settings, dataset, classes)?;
        return Ok(Fitted { classifier: Classifier::Tree(tree), solver: "tree", iterations: None, converged: None });
    }
    let tiny = classes == 2 && dataset.records().dense_bytes() <= AUTO_DENSE_BYTES.min(settings.dense_memory_limit);
    match settings.solver {
        Solver::Linfa => fit_linfa(settings, dataset, classes),
        Solver::Auto if tiny && settings.class_weight.is_none() && start.is_none() => {
            match fit_linfa(settings, dataset, classes) {
                // linfa's line search gives up on some data that ours manages.
                Err(FitError::LinfaLogistic(_) | FitError::NotFinite { .. }) => {
                    fit_sparse(settings, dataset, classes, start)
                }
                fitted => fitted,
            }
        }
        Solver::Auto | Solver::Sparse => fit_sparse(settings, dataset, classes, start),
    }
}

fn fit_linfa(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<Fitted, FitError> {
    let (logistic, converged) = linear::fit_linfa(settings, dataset, classes)?;
    let classifier = Classifier::Linear(logistic);
    Ok(Fitted { classifier, solver: "linfa", iterations: None, converged: Some(converged) })
}

fn fit_sparse(
    settings: &Settings,
    dataset: &Dataset,
    classes: usize,
    start: Option<&Classifier>,
) -> Result<Fitted, FitError> {
    let start = match start {
        None => None,
        Some(Classifier::Linear(start)) => Some(start),
        Some(Classifier::Tree(_)) => {
            let (found, expected) = ("a decision tree".into(), "a logistic regression".into());
            return Err(FitError::Start { found, expected });
        }
    };
    let params = LinearParams::new(classes)
        .c(settings.c)
        .class_weight(settings.class_weight)
        .max_iter(settings.max_iter)
        .tol(settings.tol)
        .check()?;
    let (logistic, Convergence { iterations, converged, .. }) = params.fit_from(dataset, start)?;
    Ok(Fitted {
        classifier: Classifier::Linear(logistic),
        solver: "sparse",
        iterations: Some(iterations),
        converged: Some(converged),
    })
}

impl Classifier {
    /// Probabilities of the classes, shape `(rows, classes)`; rows sum to 1.
    ///
    /// # Panics
    /// Where `records` are of another vocabulary.
    pub fn probabilities(&self, records: &Records) -> Array2<f64> {
        match self {
            Classifier::Linear(logistic) => logistic.probabilities(records),
            Classifier::Tree(tree) => tree.probabilities(records),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Classifier::Linear(logistic) => logistic.classes(),
            Classifier::Tree(tree) => tree.classes(),
        }
    }
}

impl PredictInplace<Records, Array1<usize>> for Classifier {
    fn predict_inplace<'a>(&'a self, records: &'a Records, classes: &mut Array1<usize>) {
        match self {
            Classifier::Linear(logistic) => logistic.predict_inplace(records, classes),
            Classifier::Tree(tree) => tree.predict_inplace(records, classes),
        }
    }

    fn default_target(&self, records: &Records) -> Array1<usize> {
        Array1::zeros(records.rows())
    }
}

/// Dense records for an algorithm of linfa's, where they fit.
pub(crate) fn to_dense(algorithm: &'static str, records: &Records, limit: u64) -> Result<Array2<f64>, FitError> {
    match records.dense_bytes() {
        bytes if bytes > limit => {
            let (rows, columns) = (records.rows(), records.columns());
            Err(FitError::DenseTooLarge { algorithm, rows, columns, bytes, limit })
        }
        _ => Ok(records.to_dense()),
    }
}
