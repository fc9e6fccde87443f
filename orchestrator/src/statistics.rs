//! An evaluation in the schema that the model registry shows (`ModelMetrics.ModelQuality.Statistics`).

use report::Evaluation;
use serde_json::{Map, Value, json};

/// `binary_classification_metrics` of two classes, else `multiclass_classification_metrics`.
pub fn model_quality(evaluation: &Evaluation) -> Value {
    let mut all = Map::new();
    all.insert("confusion_matrix".into(), confusion(evaluation));
    let metrics = &evaluation.metrics;
    all.insert("accuracy".into(), figure(metrics.accuracy));
    if evaluation.positive_class.is_none() {
        for (name, value) in weighted(evaluation) {
            all.insert(name.into(), figure(value));
        }
        return json!({ "multiclass_classification_metrics": all });
    }
    for (name, value) in [("recall", metrics.recall), ("precision", metrics.precision), ("f1", metrics.f1)] {
        all.insert(name.into(), figure(value));
    }
    if let Some(area) = metrics.roc_auc {
        all.insert("auc".into(), figure(area));
    }
    let [[true_negatives, false_positives], [false_negatives, true_positives]] = two_by_two(evaluation);
    for (name, part, other) in [
        ("true_positive_rate", true_positives, false_negatives),
        ("true_negative_rate", true_negatives, false_positives),
        ("false_positive_rate", false_positives, true_negatives),
        ("false_negative_rate", false_negatives, true_positives),
    ] {
        // Of a class that the files do not hold there is no rate.
        if part + other > 0 {
            all.insert(name.into(), figure(part as f64 / (part + other) as f64));
        }
    }
    if let Some(curve) = &evaluation.roc_curve {
        let (x, y) = (&curve.false_positive_rates, &curve.true_positive_rates);
        let curve = json!({ "false_positive_rates": x, "true_positive_rates": y });
        all.insert("receiver_operating_characteristic_curve".into(), curve);
    }
    json!({ "binary_classification_metrics": all })
}

/// One measurement has no deviation; the schema spells that "NaN".
fn figure(value: f64) -> Value {
    json!({ "value": value, "standard_deviation": "NaN" })
}

fn confusion(evaluation: &Evaluation) -> Value {
    let row = |counts: &Vec<u64>| -> Map<String, Value> {
        evaluation.classes.iter().cloned().zip(counts.iter().map(|n| json!(n))).collect()
    };
    let rows = evaluation.classes.iter().zip(&evaluation.confusion);
    rows.map(|(class, counts)| (class.clone(), Value::Object(row(counts)))).collect::<Map<String, Value>>().into()
}

fn two_by_two(evaluation: &Evaluation) -> [[u64; 2]; 2] {
    let cell = |i: usize, j: usize| evaluation.confusion.get(i).and_then(|row| row.get(j)).copied().unwrap_or(0);
    [[cell(0, 0), cell(0, 1)], [cell(1, 0), cell(1, 1)]]
}

/// Per-class figures averaged by the class's documents.
fn weighted(evaluation: &Evaluation) -> [(&'static str, f64); 3] {
    let total: u64 = evaluation.per_class.iter().map(|class| class.support).sum();
    let mean = |figure: fn(&report::evaluation::ClassMetrics) -> f64| {
        evaluation.per_class.iter().map(|class| figure(class) * class.support as f64).sum::<f64>() / total.max(1) as f64
    };
    [
        ("weighted_recall", mean(|class| class.recall)),
        ("weighted_precision", mean(|class| class.precision)),
        ("weighted_f1", mean(|class| class.f1)),
    ]
}
