//! What a rule can be about.

use std::fmt;

use report::evaluation::{Averages, ClassMetrics};
use serde::Deserialize;
use trainer::metrics::{self, Measured, Outcome};

/// Every metric and its name in the settings.
const NAMES: [(Metric, &str); 23] = [
    (Metric::Accuracy, "accuracy"),
    (Metric::BalancedAccuracy, "balanced_accuracy"),
    (Metric::Precision, "precision"),
    (Metric::Recall, "recall"),
    (Metric::F1, "f1"),
    (Metric::MacroF1, "macro_f1"),
    (Metric::WeightedF1, "weighted_f1"),
    (Metric::LogLoss, "log_loss"),
    (Metric::RocAuc, "roc_auc"),
    (Metric::AveragePrecision, "average_precision"),
    (Metric::Brier, "brier"),
    (Metric::Matthews, "matthews"),
    (Metric::CalibrationError, "calibration_error"),
    (Metric::ExpectedCost, "expected_cost"),
    (Metric::ArtifactBytes, "artifact_bytes"),
    (Metric::LatencyP50Ms, "latency_p50_ms"),
    (Metric::LatencyP99Ms, "latency_p99_ms"),
    (Metric::DroppedShare, "dropped_share"),
    (Metric::DuplicateShare, "duplicate_share"),
    (Metric::CounterfactualChanged, "counterfactual_changed"),
    (Metric::DemographicParityDifference, "demographic_parity_difference"),
    (Metric::EqualOpportunityDifference, "equal_opportunity_difference"),
    (Metric::DisparateImpact, "disparate_impact"),
];

/// A figure that a rule can be about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Metric {
    /// Share predicted right.
    Accuracy,
    /// Mean recall of the classes.
    BalancedAccuracy,
    /// Of a class: of the predicted, the share that is.
    Precision,
    /// Of a class: of those that are, the share found.
    Recall,
    /// Of a class.
    F1,
    /// Mean over the classes.
    MacroF1,
    /// Mean by documents.
    WeightedF1,
    /// Nats.
    LogLoss,
    /// Area under the ROC curve.
    RocAuc,
    /// Area under precision over recall.
    AveragePrecision,
    /// Mean squared error of the probabilities.
    Brier,
    /// Correlation.
    Matthews,
    /// Expected calibration error, 15 bins.
    CalibrationError,
    /// Of a document, by the cost matrix.
    ExpectedCost,
    /// Size of the artifact.
    ArtifactBytes,
    /// Median time of a document in the job, milliseconds.
    LatencyP50Ms,
    /// Of a hundred documents, the slowest takes this.
    LatencyP99Ms,
    /// Rows left out of all rows read.
    DroppedShare,
    /// Test rows whose text stands in the training channel.
    DuplicateShare,
    /// Documents whose class changes when an identity term is swapped.
    CounterfactualChanged,
    /// Of a column's groups.
    DemographicParityDifference,
    /// Of a column's groups.
    EqualOpportunityDifference,
    /// Of a column's groups.
    DisparateImpact,
}

/// What a metric is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A share of documents, which has exact bounds.
    Share,
    /// The documents together: bounds by bootstrap.
    Documents,
    /// Known as it is.
    Fact,
    /// A share of something else than test documents: exact bounds too.
    OtherShare,
    /// The groups of a column.
    Groups,
}

impl Metric {
    /// Its name in the settings.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(metric, _)| *metric == self).map_or("", |(_, name)| name)
    }

    /// What it is made of.
    pub fn source(self) -> Source {
        match self {
            Metric::Accuracy | Metric::Precision | Metric::Recall => Source::Share,
            Metric::ArtifactBytes | Metric::LatencyP50Ms | Metric::LatencyP99Ms => Source::Fact,
            Metric::DroppedShare | Metric::DuplicateShare | Metric::CounterfactualChanged => Source::OtherShare,
            Metric::DemographicParityDifference | Metric::EqualOpportunityDifference | Metric::DisparateImpact => {
                Source::Groups
            }
            _ => Source::Documents,
        }
    }

    /// Whether it is of one class.
    pub fn of_class(self) -> bool {
        use Metric::{AveragePrecision, F1, Precision, Recall, RocAuc};
        matches!(self, Precision | Recall | F1 | RocAuc | AveragePrecision)
    }

    /// Whether less is better.
    pub fn less_is_better(self) -> bool {
        use Metric::{Brier, CalibrationError, ExpectedCost, LogLoss};
        matches!(self, LogLoss | Brier | CalibrationError | ExpectedCost)
    }

    /// The figure of `outcomes` over `classes`, of the class `of` where it is of one; none where it has no value.
    pub fn measure(self, outcomes: &[&Outcome], classes: &[String], of: Option<usize>) -> Option<f64> {
        let counted = || metrics::counted(outcomes.iter().map(|outcome| (outcome.actual, outcome.predicted)), classes);
        let whole = || outcomes.iter().map(|&outcome| outcome.clone()).collect::<Vec<Outcome>>();
        let averaged = |class: fn(&ClassMetrics) -> f64, mean: fn(&Averages) -> f64| {
            let counted = counted();
            let class = of.and_then(|of| counted.per_class.get(of)).map(class);
            class.unwrap_or_else(|| mean(&counted.macro_average))
        };
        match self {
            Metric::Accuracy => Some(metrics::accuracy(&whole())),
            Metric::LogLoss => Some(metrics::log_loss(&whole())),
            Metric::Brier => Some(metrics::brier(&whole())),
            Metric::CalibrationError => Some(metrics::calibration_error(&metrics::bins(&whole()))),
            Metric::BalancedAccuracy => Some(counted().balanced_accuracy),
            Metric::MacroF1 => Some(counted().macro_average.f1),
            Metric::WeightedF1 => Some(counted().weighted.f1),
            Metric::Matthews => Some(counted().matthews),
            Metric::Precision => Some(averaged(|class| class.precision, |mean| mean.precision)),
            Metric::Recall => Some(averaged(|class| class.recall, |mean| mean.recall)),
            Metric::F1 => Some(averaged(|class| class.f1, |mean| mean.f1)),
            Metric::RocAuc | Metric::AveragePrecision => {
                let Measured { metrics, quality, per_class, .. } = metrics::measure(&whole(), classes);
                let class = of.and_then(|of| per_class.get(of));
                match self {
                    Metric::RocAuc => class.map_or(metrics.roc_auc, |class| class.roc_auc),
                    _ => class.map_or(quality.average_precision, |class| class.average_precision),
                }
            }
            _ => None,
        }
    }
}

/// Which end of its interval is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The figure as measured.
    Value,
    /// What it is above, with the gate's confidence.
    Lower,
    /// What it is below.
    Upper,
}

/// A metric or an end of its interval: `accuracy`, `lower(accuracy)`, `upper(log_loss)`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Figure {
    /// The metric.
    pub metric: Metric,
    /// The end.
    pub end: End,
}

impl TryFrom<String> for Figure {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let inside = |of: &str| text.strip_prefix(of)?.strip_suffix(')');
        let (end, name) = match (inside("lower("), inside("upper(")) {
            (Some(name), _) => (End::Lower, name),
            (_, Some(name)) => (End::Upper, name),
            _ => (End::Value, text.as_str()),
        };
        let found = NAMES.iter().find(|(_, known)| *known == name.trim());
        let Some(&(metric, name)) = found else {
            let known: Vec<&str> = NAMES.iter().map(|(_, name)| *name).collect();
            return Err(format!(
                "metric {text:?} is unknown; known are {}, and lower(…) and upper(…) of those that have bounds",
                known.join(", ")
            ));
        };
        if end != End::Value && matches!(metric.source(), Source::Fact | Source::Groups) {
            return Err(format!("metric {text:?}: {name} has no confidence bound; name it alone"));
        }
        Ok(Figure { metric, end })
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.metric.name();
        match self.end {
            End::Value => f.write_str(name),
            End::Lower => write!(f, "lower({name})"),
            End::Upper => write!(f, "upper({name})"),
        }
    }
}
