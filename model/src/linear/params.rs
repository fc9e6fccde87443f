//! Parameters of a linear classifier, unchecked and checked.

use linfa::ParamGuard;
use linfa::traits::Fit;
use ndarray::Array1;

use crate::classifier::Dataset;
use crate::error::FitError;
use crate::linear::fit::fit;
use crate::linear::{Convergence, Linear, Watch};
use crate::records::Records;
use crate::settings::{ClassWeight, Loss, SettingError};

/// Parameters of a linear classifier, not checked yet.
///
/// | name | default | purpose | range |
/// | --- | --- | --- | --- |
/// | `loss` | logistic | what is minimised | |
/// | `c` | 1 | inverse strength of regularisation | above 0 |
/// | `class_weight` | none | weights of rows by class | |
/// | `max_iter` | 100 | most iterations | from 1 |
/// | `tol` | 1e-4 | greatest component of the mean objective's gradient at the end | above 0 |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearParams(LinearValidParams);

/// Checked parameters of a linear classifier.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LinearValidParams {
    pub(super) classes: usize,
    pub(super) loss: Loss,
    pub(super) c: f64,
    pub(super) class_weight: Option<ClassWeight>,
    pub(super) max_iter: u64,
    pub(super) tol: f64,
}

impl LinearParams {
    /// Defaults, for so many classes.
    pub fn new(classes: usize) -> Self {
        let (loss, class_weight) = (Loss::Logistic, None);
        LinearParams(LinearValidParams { classes, loss, c: 1.0, class_weight, max_iter: 100, tol: 1e-4 })
    }

    /// What is minimised.
    pub fn loss(mut self, loss: Loss) -> Self {
        self.0.loss = loss;
        self
    }

    /// Inverse strength of regularisation, as scikit-learn's `C`.
    pub fn c(mut self, c: f64) -> Self {
        self.0.c = c;
        self
    }

    /// Weights of rows by class.
    pub fn class_weight(mut self, class_weight: Option<ClassWeight>) -> Self {
        self.0.class_weight = class_weight;
        self
    }

    /// Most iterations.
    pub fn max_iter(mut self, max_iter: u64) -> Self {
        self.0.max_iter = max_iter;
        self
    }

    /// Greatest component of the mean objective's gradient at the end.
    pub fn tol(mut self, tol: f64) -> Self {
        self.0.tol = tol;
        self
    }
}

impl ParamGuard for LinearParams {
    type Checked = LinearValidParams;
    type Error = FitError;

    fn check_ref(&self) -> Result<&LinearValidParams, FitError> {
        let positive = |v: f64| v.is_finite() && v > 0.0;
        match self.0 {
            p if p.classes < 2 => Err(FitError::OneClass { classes: p.classes }),
            p if !positive(p.c) => Err(SettingError::new("C", p.c, "a finite number above 0").into()),
            p if !positive(p.tol) => Err(SettingError::new("tol", p.tol, "a finite number above 0").into()),
            p if p.max_iter == 0 => Err(SettingError::new("max_iter", 0, "1 or more").into()),
            _ => Ok(&self.0),
        }
    }

    fn check(self) -> Result<LinearValidParams, FitError> {
        self.check_ref().copied()
    }
}

impl LinearValidParams {
    /// Fits, from `start` where there is one (of the same vocabulary and classes), and tells how it went.
    pub fn fit_from(
        &self,
        dataset: &Dataset,
        start: Option<&Linear>,
        watch: Watch,
    ) -> Result<(Linear, Convergence), FitError> {
        fit(self, (dataset.records.clone(), &dataset.targets), start, watch)
    }

    /// The same; counts that only this dataset holds are let go of as what the solver reads is made of them.
    pub fn fit_taking(
        &self,
        dataset: Dataset,
        start: Option<&Linear>,
        watch: Watch,
    ) -> Result<(Linear, Convergence), FitError> {
        let Dataset { records, targets, .. } = dataset;
        fit(self, (records, &targets), start, watch)
    }
}

impl Fit<Records, Array1<usize>, FitError> for LinearValidParams {
    type Object = Linear;

    fn fit(&self, dataset: &Dataset) -> Result<Linear, FitError> {
        Ok(self.fit_from(dataset, None, Watch::default())?.0)
    }
}
