//! Records to probabilities: the choice among the classifiers, and what they share.

use linfa::ParamGuard;
use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2};

use crate::error::FitError;
pub use crate::forest::Forest;
use crate::linear::{self, Convergence, LinearParams};
pub use crate::linear::{Linear, Link, Progress, Watch};
use crate::records::Records;
use crate::settings::{Algorithm, Loss, Settings, Solver};
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
    /// A random forest.
    Forest(Forest),
}

/// A classifier, and how its fit went.
#[derive(Debug, Clone, PartialEq)]
pub struct Fitted {
    /// The classifier.
    pub classifier: Classifier,
    /// Who fitted it: `linfa`, `sparse`, `tree` or `forest`.
    pub solver: &'static str,
    /// Steps of the solver, where it tells (`sparse`).
    pub iterations: Option<u64>,
    /// Whether the gradient came under the tolerance, where there is one.
    pub converged: Option<bool>,
    /// What was done otherwise than asked, and why, a sentence each.
    pub notes: Vec<String>,
}

/// What a fit has beside its settings and data.
#[derive(Debug, Clone, Copy, Default)]
pub struct FitOptions<'o> {
    /// Of the same vocabulary and classes: where the sparse solver starts from; the others have no use for one. Best from a fit of
    /// near settings with `beta` 1.
    pub start: Option<&'o Classifier>,
    /// Who watches the sparse solver.
    pub watch: Watch<'o>,
}

/// [`fit_classifier_with`] a start, unwatched.
pub fn fit_classifier(
    settings: &Settings,
    dataset: &Dataset,
    classes: usize,
    start: Option<&Classifier>,
) -> Result<Fitted, FitError> {
    fit_classifier_with(settings, dataset.clone(), classes, FitOptions { start, ..FitOptions::default() })
}

/// Fits what `settings` ask for to `dataset`, whose targets are below `classes` and hold each class.
///
/// The weights of a linear classifier come back interpolated by `beta` ([`Linear::interpolated`]). Counts that no other records
/// hold are let go of while the sparse solver makes of them what it reads.
pub fn fit_classifier_with(
    settings: &Settings,
    dataset: Dataset,
    classes: usize,
    options: FitOptions,
) -> Result<Fitted, FitError> {
    settings.check()?;
    let grown = |(classifier, notes), solver| Fitted { classifier, solver, iterations: None, converged: None, notes };
    match settings.algorithm {
        Algorithm::Logistic => {}
        Algorithm::Tree => {
            let (tree, notes) = Tree::fit(settings, &dataset, classes)?;
            return Ok(grown((Classifier::Tree(tree), notes), "tree"));
        }
        Algorithm::Forest => {
            let (forest, notes) = Forest::fit(settings, &dataset, classes)?;
            return Ok(grown((Classifier::Forest(forest), notes), "forest"));
        }
    }
    let tiny = classes == 2 && dataset.records().dense_bytes() <= AUTO_DENSE_BYTES.min(settings.dense_memory_limit);
    let tiny = tiny && settings.class_weight.is_none() && settings.loss == Loss::Logistic && options.start.is_none();
    let mut fitted = match settings.solver {
        Solver::Linfa => fit_linfa(settings, &dataset, classes),
        Solver::Auto if tiny => {
            match fit_linfa(settings, &dataset, classes) {
                // linfa's line search gives up on some data that ours manages.
                Err(FitError::LinfaLogistic(_) | FitError::NotFinite { .. }) => {
                    fit_sparse(settings, dataset, classes, options)
                }
                fitted => fitted,
            }
        }
        Solver::Auto | Solver::Sparse => fit_sparse(settings, dataset, classes, options),
    }?;
    if let Classifier::Linear(linear) = &fitted.classifier
        && settings.beta != 1.0
    {
        fitted.classifier = Classifier::Linear(linear.interpolated(settings.beta));
    }
    Ok(fitted)
}

fn fit_linfa(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<Fitted, FitError> {
    let (logistic, converged) = linear::fit_linfa(settings, dataset, classes)?;
    let classifier = Classifier::Linear(logistic);
    Ok(Fitted { classifier, solver: "linfa", iterations: None, converged: Some(converged), notes: Vec::new() })
}

fn fit_sparse(settings: &Settings, dataset: Dataset, classes: usize, options: FitOptions) -> Result<Fitted, FitError> {
    let start = match options.start {
        None => None,
        Some(Classifier::Linear(start)) => Some(start),
        Some(Classifier::Tree(_) | Classifier::Forest(_)) => {
            let (found, expected) = ("decision trees".into(), "a linear classifier".into());
            return Err(FitError::Start { found, expected });
        }
    };
    let params = LinearParams::new(classes)
        .loss(settings.loss)
        .c(settings.c)
        .class_weight(settings.class_weight)
        .max_iter(settings.max_iter)
        .tol(settings.tol)
        .check()?;
    let (logistic, Convergence { iterations, converged, .. }) = params.fit_taking(dataset, start, options.watch)?;
    Ok(Fitted {
        classifier: Classifier::Linear(logistic),
        solver: "sparse",
        iterations: Some(iterations),
        converged: Some(converged),
        notes: Vec::new(),
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
            Classifier::Forest(forest) => forest.probabilities(records),
        }
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        match self {
            Classifier::Linear(logistic) => logistic.classes(),
            Classifier::Tree(tree) => tree.classes(),
            Classifier::Forest(forest) => forest.classes(),
        }
    }
}

impl PredictInplace<Records, Array1<usize>> for Classifier {
    fn predict_inplace<'a>(&'a self, records: &'a Records, classes: &mut Array1<usize>) {
        match self {
            Classifier::Linear(logistic) => logistic.predict_inplace(records, classes),
            Classifier::Tree(tree) => tree.predict_inplace(records, classes),
            Classifier::Forest(forest) => forest.predict_inplace(records, classes),
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
