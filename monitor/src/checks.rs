//! A window held against the baseline.

mod windows;

use std::collections::{BTreeMap, BTreeSet};

use report::drift::{Check, ScoreShift, Violation};

use crate::baseline::Baseline;
use crate::constraints::{ComparisonMethod, Switch};
use crate::describe;
use crate::domain::Found;
use crate::expected::Estimate;
use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::stats::sample::Moments;
use crate::stats::{categories, holm, ks};
use crate::terms::Moved;

/// Probability of even one false alarm in a window without drift, over all comparisons together.
pub const FAMILY_LEVEL: f64 = 0.01;

/// What was compared and what came of it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Findings {
    /// Every comparison.
    pub checks: Vec<Check>,
    /// Those that matter, and what no comparison can tell.
    pub violations: Vec<Violation>,
}

/// A comparison before the others are known.
struct Comparison {
    feature: &'static str,
    statistic: &'static str,
    value: f64,
    threshold: f64,
    /// None where the file asks for the threshold alone.
    p_value: Option<f64>,
    contrast: describe::Contrast,
}

/// What a window shows.
#[derive(Clone, Copy)]
pub struct Shown<'w> {
    /// Its features.
    pub columns: &'w Columns,
    /// Terms whose rates moved.
    pub moved: &'w Moved,
    /// Scores, a weight vector.
    pub scores: &'w [Moments],
    /// How the mean log-odds moved, the largest change first.
    pub shifts: &'w [ScoreShift],
    /// What tells it apart.
    pub domain: Option<&'w Found>,
    /// Languages of its sample.
    pub languages: &'w BTreeMap<String, u64>,
    /// Accuracy without labels.
    pub estimate: Option<&'w Estimate>,
    /// Right predictions and all whose labels came.
    pub measured: Option<(u64, u64)>,
}

/// All checks; none of an empty window.
pub fn compare(baseline: &Baseline, shown: Shown) -> Findings {
    let window = shown.columns;
    if window.documents == 0 {
        return Findings::default();
    }
    let comparisons: Vec<Comparison> = Numeric::ALL
        .iter()
        .filter_map(|&feature| number(baseline, window, feature))
        .chain(label(baseline, window))
        .chain(windows::all(baseline, shown))
        .collect();
    let checks = judge(comparisons);
    if baseline.constraints.monitoring_config.evaluate_constraints == Switch::Disabled {
        return Findings { checks, violations: Vec::new() };
    }
    let drift = checks.iter().filter(|check| check.violated).map(|check| Violation {
        feature_name: check.feature.clone(),
        constraint_check_type: "baseline_drift_check".into(),
        description: check.description.clone(),
    });
    let violations =
        missing(baseline, window).into_iter().chain(foreign_labels(baseline, window)).chain(drift).collect();
    Findings { violations, checks }
}

fn number(baseline: &Baseline, window: &Columns, feature: Numeric) -> Option<Comparison> {
    let holding = baseline.constraints.distribution(feature.name())?;
    let before = baseline.statistics.feature(feature.name())?.sketch()?;
    let now = window.values(feature).sketch();
    let found = ks::two_sample(&before, &now, feature.alternative())?;
    Some(Comparison {
        feature: feature.name(),
        statistic: "kolmogorov_smirnov",
        value: found.distance,
        threshold: holding.comparison_threshold,
        p_value: (holding.comparison_method == ComparisonMethod::Robust).then_some(found.p_value),
        contrast: describe::Contrast::of_numbers(feature, &before, &now),
    })
}

fn label(baseline: &Baseline, window: &Columns) -> Option<Comparison> {
    let holding = baseline.constraints.distribution(PREDICTED_LABEL)?;
    let before = baseline.statistics.feature(PREDICTED_LABEL)?.categories()?;
    let now: BTreeMap<&str, u64> = window.labels().iter().map(|(label, &n)| (label.as_str(), n)).collect();
    let (found, counts) = mix(&before, &now)?;
    Some(Comparison {
        feature: PREDICTED_LABEL,
        statistic: "total_variation",
        value: found.distance,
        threshold: holding.comparison_threshold,
        p_value: (holding.comparison_method == ComparisonMethod::Robust).then_some(found.p_value),
        contrast: describe::Contrast::of_labels(counts.into_iter()),
    })
}

type Counts<'l> = Vec<(&'l str, (u64, u64))>;

fn mix<'l>(before: &BTreeMap<&'l str, u64>, now: &BTreeMap<&'l str, u64>) -> Option<(categories::Mix, Counts<'l>)> {
    let labels: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    let count = |of: &BTreeMap<&str, u64>, label: &str| of.get(label).copied().unwrap_or(0);
    let counts: Vec<(u64, u64)> = labels.iter().map(|l| (count(before, l), count(now, l))).collect();
    let found = categories::compare(&counts)?;
    Some((found, labels.into_iter().zip(counts).collect()))
}

/// Each level depends on how many comparisons there are and on the p-values of the others.
fn judge(comparisons: Vec<Comparison>) -> Vec<Check> {
    let p_values: Vec<f64> = comparisons.iter().filter_map(|c| c.p_value).collect();
    let mut levels = holm::levels(&p_values, FAMILY_LEVEL).into_iter();
    comparisons
        .into_iter()
        .map(|c| {
            let alpha = c.p_value.and_then(|_| levels.next());
            let large = c.value > c.threshold;
            let beyond_chance = c.p_value.zip(alpha).is_none_or(|(p, alpha)| p < alpha);
            Check {
                feature: c.feature.into(),
                statistic: c.statistic.into(),
                value: c.value,
                threshold: c.threshold,
                p_value: c.p_value,
                alpha,
                violated: large && beyond_chance,
                description: c.contrast.sentence(large, beyond_chance),
            }
        })
        .collect()
}

/// Features that the baseline has and the window lacks, wholly or in part.
fn missing(baseline: &Baseline, window: &Columns) -> Vec<Violation> {
    let present = |name: &str| match Numeric::ALL.iter().find(|n| n.name() == name) {
        Some(&feature) => Some(window.values(feature).len()),
        None => (name == PREDICTED_LABEL).then(|| window.labelled()),
    };
    let violation = |name: &str, kind: &str, description: String| Violation {
        feature_name: name.into(),
        constraint_check_type: kind.into(),
        description,
    };
    let of = window.documents;
    baseline
        .constraints
        .features
        .iter()
        .filter_map(|feature| match present(&feature.name)? {
            0 => Some(violation(
                &feature.name,
                "missing_column_check",
                "No captured request has it; capture both the input and the output of the endpoint.".into(),
            )),
            present if (present as f64) < feature.completeness * of as f64 => Some(violation(
                &feature.name,
                "completeness_check",
                format!("{present} of {of} documents have it, expected a share of {}.", feature.completeness),
            )),
            _ => None,
        })
        .collect()
}

/// Labels outside the domain: another model answers.
fn foreign_labels(baseline: &Baseline, window: &Columns) -> Option<Violation> {
    let domains = &baseline.constraints.feature(PREDICTED_LABEL)?.string_constraints.as_ref()?.domains;
    let foreign: Vec<(&String, u64)> =
        window.labels().iter().filter(|(label, _)| !domains.contains(label)).map(|(l, &n)| (l, n)).collect();
    let documents: u64 = foreign.iter().map(|(_, n)| n).sum();
    let inside = 1.0 - documents as f64 / window.labelled().max(1) as f64;
    let (first, _) = foreign.first()?;
    (inside < baseline.constraints.monitoring_config.domain_content_threshold).then(|| Violation {
        feature_name: PREDICTED_LABEL.into(),
        constraint_check_type: "categorical_values_check".into(),
        description: format!(
            "{documents} of {} predictions are labels that the artifact does not have, such as `{first}`; its labels are {}.",
            window.labelled(),
            domains.join(", ")
        ),
    })
}
