//! Every figure against scikit-learn's.

use serde::Deserialize;
use trainer::metrics::{Outcome, measure};

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
}

#[derive(Deserialize)]
struct Expected {
    accuracy: f64,
    average: report::evaluation::Average,
    precision: f64,
    recall: f64,
    f1: f64,
    log_loss: f64,
    roc_auc: Option<f64>,
    /// Precision, recall, F1, support a class.
    per_class: Vec<(f64, f64, f64, u64)>,
    confusion: Vec<Vec<u64>>,
}

#[test]
fn figures_are_scikit_learns() {
    let golden: Golden = serde_json::from_str(include_str!("../golden/metrics/expected.json")).unwrap();
    assert!(golden.cases.len() > 5);
    for case in golden.cases {
        let outcomes: Vec<Outcome> = (0..case.actual.len())
            .map(|row| Outcome {
                actual: case.actual[row],
                predicted: case.predicted[row],
                probabilities: case.probabilities[row].clone(),
            })
            .collect();
        let found = measure(&outcomes, &case.classes);
        let want = case.expected;
        let near = |what: &str, found: f64, want: f64| {
            assert!((found - want).abs() < 1e-9, "{}: {what} is {found}, scikit-learn says {want}", case.name);
        };
        near("accuracy", found.metrics.accuracy, want.accuracy);
        near("precision", found.metrics.precision, want.precision);
        near("recall", found.metrics.recall, want.recall);
        near("f1", found.metrics.f1, want.f1);
        near("log_loss", found.metrics.log_loss, want.log_loss);
        assert_eq!(found.metrics.average, want.average, "{}", case.name);
        assert_eq!(found.metrics.roc_auc.is_some(), want.roc_auc.is_some(), "{}", case.name);
        assert_eq!(found.roc_curve.is_some(), want.roc_auc.is_some(), "{}", case.name);
        if let (Some(found), Some(want)) = (found.metrics.roc_auc, want.roc_auc) {
            near("roc_auc", found, want);
        }
        assert_eq!(found.confusion, want.confusion, "{}", case.name);
        assert_eq!(found.per_class.len(), want.per_class.len(), "{}", case.name);
        for (found, (precision, recall, f1, support)) in found.per_class.iter().zip(want.per_class) {
            near("precision of a class", found.precision, precision);
            near("recall of a class", found.recall, recall);
            near("f1 of a class", found.f1, f1);
            assert_eq!(found.support, support, "{}", case.name);
        }
    }
}
