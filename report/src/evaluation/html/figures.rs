//! Matrix, curves, figures a class, and what the probabilities are worth.

use crate::chart::{confusion, frequent, histogram, precision_recall, reliability, roc, small_curves};
use crate::escape::Html;
use crate::evaluation::{Averages, ClassMetrics, Evaluation, interval};
use crate::number::{count, figure, percent};
use crate::page::{facts, table, word};

/// The confusion matrix and, of two classes, the curves of the positive one.
pub(super) fn matrix_and_curves(e: &Evaluation) -> String {
    let matrix = confusion(&e.classes, &e.confusion);
    let matrix = if matrix.is_empty() {
        String::new()
    } else {
        format!(
            "<h3>Confusion matrix</h3>\n<p class=\"lead\">Rows: what it is. Columns: what was predicted.</p>\n{matrix}"
        )
    };
    let matrix = format!("<div>{matrix}{}</div>\n", frequent(&e.classes, &e.confusion));
    let Some(curve) = &e.roc_curve else { return matrix };
    let class = e.positive_class.as_deref().map(|class| format!(" of class {}", word(class))).unwrap_or_default();
    let area = e.metrics.roc_auc.map(|area| format!("<p class=\"lead\">Area {}</p>\n", figure(area, 4)));
    let roc = format!("<div><h3>ROC curve{class}</h3>\n{}{}</div>\n", area.unwrap_or_default(), roc(curve));
    let precision_recall = e.curves.first().map_or_else(String::new, |curves| {
        let average = e.quality.as_ref().and_then(|quality| quality.average_precision);
        let average = average.map(|area| format!("<p class=\"lead\">Average precision {}</p>\n", figure(area, 4)));
        let drawing = precision_recall(&curves.precision_recall);
        format!("<div><h3>Precision and recall{class}</h3>\n{}{drawing}</div>\n", average.unwrap_or_default())
    });
    format!("<div class=\"columns three\">\n{matrix}{roc}{precision_recall}</div>\n")
}

/// One row a class, then the means; areas where they were measured.
pub(super) fn per_class(e: &Evaluation) -> String {
    let areas = e.per_class.iter().any(|c| c.roc_auc.is_some() || c.average_precision.is_some());
    let area = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), |value| figure(value, 3));
    let row = |name: String, figures: [f64; 3], of_scores: [Option<f64>; 2], documents: u64| {
        let mut row = vec![name];
        row.extend(figures.map(percent));
        row.extend(of_scores.into_iter().filter(|_| areas).map(area));
        row.push(count(documents));
        row
    };
    let of_class = |c: &ClassMetrics| {
        row(word(&c.class), [c.precision, c.recall, c.f1], [c.roc_auc, c.average_precision], c.support)
    };
    let mut rows: Vec<Vec<String>> = e.per_class.iter().map(of_class).collect();
    if let Some(q) = &e.quality {
        let mean = |name: &str, of: &Averages, of_scores: [Option<f64>; 2]| {
            let of_scores = of_scores.map(|value| value.filter(|_| e.positive_class.is_none()));
            row(format!("<em>{name}</em>"), [of.precision, of.recall, of.f1], of_scores, e.rows)
        };
        let weighted = [q.roc_auc_weighted, q.average_precision_weighted];
        rows.push(mean("mean", &q.macro_average, [q.roc_auc_macro, q.average_precision]));
        rows.push(mean("mean by documents", &q.weighted, weighted));
        rows.push(mean("all decisions", &q.micro, [None, None]));
    }
    let (left, right) = (["Class", "Precision", "Recall", "F1"], "Documents");
    let head: Vec<&str> = if areas {
        left.into_iter().chain(["ROC AUC", "Average precision", right]).collect()
    } else {
        left.into_iter().chain([right]).collect()
    };
    table(&head, &[false, true, true, true, true, true, true], &rows)
}

/// Figures beside the headline ones, with their intervals.
pub(super) fn quality(e: &Evaluation) -> String {
    let Some(q) = &e.quality else { return String::new() };
    let brier = if e.positive_class.is_some() { "mean of (p − y)²; 0 is perfect" } else { "0 to 2; 0 is perfect" };
    let average = q.average_precision.map_or_else(|| "–".into(), |value| figure(value, 4));
    let rows = [
        ("accuracy", "Accuracy", figure(e.metrics.accuracy, 4), "share predicted right"),
        ("", "Balanced accuracy", figure(q.balanced_accuracy, 4), "mean recall of the classes"),
        ("macro_f1", "Macro F1", figure(q.macro_average.f1, 4), "mean F1 of the classes"),
        ("", "Weighted F1", figure(q.weighted.f1, 4), "the same, by documents"),
        ("", "Matthews correlation", figure(q.matthews, 4), "0 is chance, 1 perfect"),
        ("roc_auc", "ROC AUC", e.metrics.roc_auc.map_or_else(|| "–".into(), |v| figure(v, 4)), "0.5 is chance"),
        ("", "Average precision", average, "area under precision over recall"),
        ("log_loss", "Log loss", figure(e.metrics.log_loss, 4), "nats"),
        ("", "Brier score", figure(q.brier, 4), brier),
        ("", "Expected calibration error", figure(q.calibration_error, 4), "15 bins; 0 is perfect"),
    ];
    let rows: Vec<Vec<String>> = rows
        .into_iter()
        .map(|(metric, name, value, meaning)| {
            let within = interval(e, metric).map(|i| format!("{} to {}", figure(i.low, 4), figure(i.high, 4)));
            vec![name.to_owned(), value, within.unwrap_or_default(), format!("<span class=\"note\">{meaning}</span>")]
        })
        .collect();
    let level = e.intervals.first().map_or(0.95, |interval| interval.level);
    let resamples = e.intervals.first().map_or(0, |interval| interval.resamples);
    let head = format!("{:.0} % interval", level * 100.0);
    let method = if resamples == 0 {
        String::new()
    } else {
        format!(
            "<p class=\"note\">Intervals: bootstrap, {} resamples of the documents within each class, percentiles.</p>\n",
            count(resamples)
        )
    };
    format!("{}{method}", table(&["Figure", "Value", &head, ""], &[false, true, true, false], &rows))
}

/// Reliability diagram, histogram, and the calibration.
pub(super) fn probabilities(e: &Evaluation) -> String {
    if e.reliability.is_empty() {
        return String::new();
    }
    let error = e.quality.as_ref().map_or(f64::NAN, |quality| quality.calibration_error);
    let diagram = format!(
        "<div><h3>Reliability</h3>\n<p class=\"lead\">Expected calibration error {}; dots by documents</p>\n{}</div>\n",
        figure(error, 4),
        reliability(&e.reliability)
    );
    let spread = e.histogram.as_ref().map_or_else(String::new, |spread| {
        format!("<div><h3>Probabilities by actual class</h3>\n{}{}</div>\n", histogram(spread), calibration(e))
    });
    format!("<div class=\"columns\">\n{diagram}{spread}</div>\n")
}

fn calibration(e: &Evaluation) -> String {
    let Some(calibrated) = &e.calibration else { return String::new() };
    let change = |before: Option<f64>, after: Option<f64>| match (before, after) {
        (Some(before), Some(after)) => Some(format!("{} → {}", figure(before, 4), figure(after, 4))),
        _ => None,
    };
    let mut known = vec![("Calibration", format!("<code>{}</code>", Html(&calibrated.kind)))];
    let error = change(calibrated.calibration_error_before, calibrated.calibration_error_after);
    known.extend(error.map(|change| ("Calibration error, held-out folds", change)));
    let loss = change(calibrated.log_loss_before, calibrated.log_loss_after);
    known.extend(loss.map(|change| ("Log loss, held-out folds", change)));
    let parameters: Vec<String> =
        calibrated.parameters.iter().map(|(name, value)| format!("{} = {}", Html(name), figure(*value, 4))).collect();
    if !parameters.is_empty() {
        known.push(("Parameters", parameters.join(", ")));
    }
    format!("<div class=\"apart\">{}</div>\n", facts(&known))
}

/// Small curves, one a class; nothing of two classes.
pub(super) fn one_against_the_rest(e: &Evaluation) -> String {
    if e.positive_class.is_some() || e.curves.is_empty() {
        return String::new();
    }
    let average = |class: &str| e.per_class.iter().find(|c| c.class == class).and_then(|c| c.average_precision);
    small_curves(&e.curves, |curves| average(&curves.class).map_or_else(String::new, |value| figure(value, 3)))
}
