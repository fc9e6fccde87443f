//! Every figure against scikit-learn's.

use serde::Deserialize;
use std::collections::BTreeMap;
use trainer::metrics::{Bootstrap, Measured, Outcome, intervals, measure};

#[derive(Deserialize)]
struct Golden {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    classes: Vec<String>,
    actual: Vec<usize>,
    predicted: Vec<usize>,
    probabilities: Vec<Vec<f64>>,
    expected: Expected,
    /// By figure: low and high ends of a numpy bootstrap of 10,000 resamples.
    intervals: Option<BTreeMap<String, (f64, f64)>>,
}

impl Case {
    fn outcomes(&self) -> Vec<Outcome> {
        let rows = self.actual.iter().zip(&self.predicted).zip(&self.probabilities);
        rows.map(|((&actual, &predicted), probabilities)| Outcome {
            actual,
            predicted,
            probabilities: probabilities.clone(),
        })
        .collect()
    }
}

/// Precision, recall, F1, support, ROC AUC, average precision.
type ExpectedOfClass = (f64, f64, f64, u64, Option<f64>, Option<f64>);

#[derive(Deserialize)]
struct Expected {
    accuracy: f64,
    average: report::evaluation::Average,
    precision: f64,
    recall: f64,
    f1: f64,
    log_loss: f64,
    per_class: Vec<ExpectedOfClass>,
    confusion: Vec<Vec<u64>>,
    balanced_accuracy: f64,
    #[serde(rename = "macro")]
    macro_average: [f64; 3],
    weighted: [f64; 3],
    micro: [f64; 3],
    brier: f64,
    matthews: f64,
    calibration_error: f64,
    roc_auc_macro: Option<f64>,
    roc_auc_weighted: Option<f64>,
    average_precision: Option<f64>,
    average_precision_weighted: Option<f64>,
}

fn cases() -> Vec<Case> {
    let golden: Golden = serde_json::from_str(include_str!("../golden/metrics/expected.json")).unwrap();
    golden.cases
}

#[test]
fn figures_are_scikit_learns() {
    assert_eq!(cases().len(), 12);
    for case in cases() {
        let Measured { metrics, quality, per_class, confusion, roc_curve, .. } =
            measure(&case.outcomes(), &case.classes);
        let want = &case.expected;
        let near = |what: &str, found: f64, want: f64| {
            assert!((found - want).abs() < 1e-9, "{}: {what} is {found}, scikit-learn says {want}", case.name);
        };
        let near_or_none = |what: &str, found: Option<f64>, want: Option<f64>| {
            assert_eq!(found.is_some(), want.is_some(), "{}: {what} is {found:?}, expected {want:?}", case.name);
            near(what, found.unwrap_or_default(), want.unwrap_or_default());
        };
        for (what, found, want) in [
            ("accuracy", metrics.accuracy, want.accuracy),
            ("precision", metrics.precision, want.precision),
            ("recall", metrics.recall, want.recall),
            ("f1", metrics.f1, want.f1),
            ("log_loss", metrics.log_loss, want.log_loss),
            ("balanced_accuracy", quality.balanced_accuracy, want.balanced_accuracy),
            ("brier", quality.brier, want.brier),
            ("matthews", quality.matthews, want.matthews),
            ("calibration_error", quality.calibration_error, want.calibration_error),
        ] {
            near(what, found, want);
        }
        for (what, found, want) in [
            ("macro", quality.macro_average, want.macro_average),
            ("weighted", quality.weighted, want.weighted),
            ("micro", quality.micro, want.micro),
        ] {
            for (found, want) in [found.precision, found.recall, found.f1].into_iter().zip(want) {
                near(what, found, want);
            }
        }
        near_or_none("roc_auc", metrics.roc_auc, want.roc_auc_macro);
        near_or_none("roc_auc_macro", quality.roc_auc_macro, want.roc_auc_macro);
        near_or_none("roc_auc_weighted", quality.roc_auc_weighted, want.roc_auc_weighted);
        near_or_none("average_precision", quality.average_precision, want.average_precision);
        near_or_none("average_precision_weighted", quality.average_precision_weighted, want.average_precision_weighted);
        assert_eq!(metrics.average, want.average, "{}", case.name);
        let two = case.classes.len() == 2 && want.roc_auc_macro.is_some();
        assert_eq!(roc_curve.is_some(), two, "{}", case.name);
        assert_eq!(confusion, want.confusion, "{}", case.name);
        assert_eq!(per_class.len(), want.per_class.len(), "{}", case.name);
        for (found, &(precision, recall, f1, support, area, average)) in per_class.iter().zip(&want.per_class) {
            near("precision of a class", found.precision, precision);
            near("recall of a class", found.recall, recall);
            near("f1 of a class", found.f1, f1);
            near_or_none("roc_auc of a class", found.roc_auc, area);
            near_or_none("average_precision of a class", found.average_precision, average);
            assert_eq!(found.support, support, "{}", case.name);
        }
    }
}

#[test]
fn intervals_are_those_of_copied_documents() {
    let mut compared = 0;
    for case in cases() {
        let Some(want) = &case.intervals else { continue };
        // As many resamples as numpy had: what is left is the chance of both.
        let found =
            intervals(&case.outcomes(), case.classes.len(), Bootstrap { resamples: 10_000, ..Bootstrap::seeded(3) });
        assert_eq!(found.len(), want.len(), "{}", case.name);
        for interval in found {
            let (low, high) = want[&interval.metric];
            // A step of the accuracy is one document.
            let room = 0.04 * (high - low) + 1.0 / case.actual.len() as f64;
            let near = (interval.low - low).abs() < room && (interval.high - high).abs() < room;
            assert!(near, "{}: numpy has {low} to {high}, found {interval:?}", case.name);
            assert!(interval.low <= interval.value && interval.value <= interval.high, "{}: {interval:?}", case.name);
            assert_eq!((interval.level, interval.resamples), (0.95, 10_000));
            compared += 1;
        }
    }
    assert_eq!(compared, 12);
}

#[test]
fn intervals_follow_the_seed_alone() {
    let case = cases().swap_remove(7);
    let outcomes = case.outcomes();
    let of = |seed| intervals(&outcomes, case.classes.len(), Bootstrap::seeded(seed));
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let by_threads = [1, 2, 4].map(|threads| {
        model::threads::set(threads);
        of(1)
    });
    model::threads::set(0);
    assert_eq!(by_threads, [of(1), of(1), of(1)]);
    assert_eq!(of(1).iter().map(|interval| interval.resamples).collect::<Vec<_>>(), [1000; 4]);
}

#[test]
fn resamples_that_are_all_alike_are_no_interval() {
    let certain = |right: f64| -> Vec<Outcome> {
        let of = |n: usize| (0..3).map(|c| if c == n % 3 { right } else { (1.0 - right) / 2.0 }).collect();
        (0..60).map(|n| Outcome::of(n % 3, of(n))).collect()
    };
    assert_eq!(intervals(&certain(1.0), 3, Bootstrap::seeded(1)), []);
    assert_eq!(intervals(&[], 3, Bootstrap::seeded(1)), []);
    let mut one_wrong = certain(0.8);
    one_wrong[0].actual = 1;
    let found = intervals(&one_wrong, 3, Bootstrap::seeded(1));
    assert_eq!(
        found.iter().map(|i| i.metric.as_str()).collect::<Vec<_>>(),
        ["accuracy", "macro_f1", "log_loss", "roc_auc"]
    );
}

/// `cargo test -p trainer --test it -- --ignored --nocapture speed_of`
#[test]
#[ignore = "a measurement"]
fn speed_of_intervals() {
    for (rows, classes) in [(25_000usize, 2usize), (7_507, 20), (1_000_000, 2)] {
        let outcomes: Vec<Outcome> = (0..rows)
            .map(|n| {
                let share = |c: usize| ((n * (c + 17)).wrapping_mul(2_654_435_761) % 1009 + 1) as f64;
                let sum: f64 = (0..classes).map(share).sum();
                Outcome::of(n % classes, (0..classes).map(|c| share(c) / sum).collect())
            })
            .collect();
        let clock = std::time::Instant::now();
        let found = intervals(&outcomes, classes, Bootstrap::seeded(1));
        println!("{rows} rows, {classes} classes: {:?}, {} resamples", clock.elapsed(), found[0].resamples);
    }
}
