//! linfa-logistic on dense records: the same minimum by another hand.

use linfa::prelude::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_logistic::{LogisticRegression, MultiLogisticRegression};
use ndarray::{Array1, Axis};

use crate::classifier::{Dataset, to_dense};
use crate::error::FitError;
use crate::linear::{Linear, LinearParams, Link, Watch, count_rows};
use crate::settings::{Loss, SettingError, Settings};

/// Fits with linfa-logistic; also whether the gradient has come under the tolerance.
///
/// It minimises `Σ lossᵢ + ½ α ‖w‖²`, which is this crate's objective over `C` where `α = 1 / C`. Its tolerance is the
/// length of that gradient, ours the greatest component of the mean's: `tol · rows` is never the laxer. It starts from zero
/// always, since its data is small.
pub(crate) fn fit_linfa(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<(Linear, bool), FitError> {
    if settings.class_weight.is_some() {
        return Err(FitError::Unsupported {
            algorithm: "solver=linfa",
            setting: "class_weight",
            instead: "use solver=sparse, or solver=auto, which then chooses it",
        });
    }
    if settings.loss != Loss::Logistic {
        return Err(FitError::Unsupported {
            algorithm: "solver=linfa",
            setting: "loss but logistic",
            instead: "use solver=sparse, or solver=auto, which then chooses it",
        });
    }
    if dataset.records().sets() > 1 {
        return Err(FitError::Unsupported {
            algorithm: "solver=linfa",
            setting: "weighting=nb of more than two classes",
            instead: "use solver=sparse, or solver=auto, which then chooses it",
        });
    }
    count_rows(dataset.records(), &dataset.targets, classes)?;
    let dense = to_dense("solver=linfa", dataset.records(), settings.dense_memory_limit)?;
    let dense = DatasetBase::new(dense, dataset.targets.clone());
    let (alpha, tolerance) = (1.0 / settings.c, settings.tol * dataset.targets.len() as f64);
    if !tolerance.is_finite() || !alpha.is_finite() {
        return Err(SettingError::new("C", settings.c, "a number that can be inverted").into());
    }
    let logistic = if classes == 2 {
        let params = LogisticRegression::default();
        let params = params.alpha(alpha).max_iterations(settings.max_iter).gradient_tolerance(tolerance);
        let fitted = params.fit(&dense)?;
        // Which of the classes linfa takes for the positive one depends on their order and number.
        let sign = if fitted.labels().pos.class == 1 { 1.0 } else { -1.0 };
        Linear {
            link: Link::Logistic,
            weights: (fitted.params() * sign).insert_axis(Axis(1)),
            intercept: Array1::from_elem(1, fitted.intercept() * sign),
        }
    } else {
        let params = MultiLogisticRegression::default();
        let params = params.alpha(alpha).max_iterations(settings.max_iter).gradient_tolerance(tolerance);
        let fitted = params.fit(&dense)?;
        Linear { link: Link::Softmax, weights: fitted.params().to_owned(), intercept: fitted.intercept().to_owned() }
    };
    let mut params = LinearParams::new(classes).c(settings.c).tol(settings.tol).check()?;
    params.max_iter = 0; // What linfa left is looked at, not bettered.
    let (_, convergence) = params.fit_from(dataset, Some(&logistic), Watch::default())?;
    Ok((logistic, convergence.converged))
}
