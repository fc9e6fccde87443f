//! An evaluation as Markdown, for the summary of a CI job.

use super::{Average, Evaluation, Interval};
use crate::escape::Markdown;
use crate::number::{bytes, count, counted, figure, percent, with_error};

/// Headline figures, confusion matrix, classes, tuning and data; GitHub's dialect.
pub fn markdown(evaluation: &Evaluation) -> String {
    let e = evaluation;
    [headline(e), intervals(e), further(e), warnings(e), confusion(e), per_class(e), mistakes(e), tuning(e), data(e)]
        .concat()
}

fn headline(e: &Evaluation) -> String {
    let m = &e.metrics;
    let of = match (m.average, &e.positive_class) {
        (Average::Binary, Some(class)) => format!(" (class {})", Markdown(class)),
        (Average::Binary, None) => String::new(),
        (Average::Macro, _) => " (mean over classes)".into(),
    };
    let (area, area_rule, area_head) = match m.roc_auc {
        Some(area) => (format!(" {} |", figure(area, 3)), " ---: |", " ROC AUC |"),
        None => (String::new(), "", ""),
    };
    format!(
        "## {} of {} predicted right\n\n\
         | Accuracy | Precision{of} | Recall{of} | F1{of} |{area_head} Log loss |\n\
         | ---: | ---: | ---: | ---: |{area_rule} ---: |\n\
         | **{}** | {} | {} | {} |{area} {} |\n\n",
        percent(m.accuracy),
        counted(e.rows, "document", "documents"),
        percent(m.accuracy),
        percent(m.precision),
        percent(m.recall),
        percent(m.f1),
        figure(m.log_loss, 3)
    )
}

fn intervals(e: &Evaluation) -> String {
    let Some(first) = e.intervals.first() else { return String::new() };
    let one = |i: &Interval| {
        let ends = match i.metric.as_str() {
            "log_loss" | "roc_auc" => format!("{} to {}", figure(i.low, 3), figure(i.high, 3)),
            _ => format!("{} to {}", percent(i.low), percent(i.high)),
        };
        format!("{} {ends}", Markdown(&i.metric.replace('_', " ")))
    };
    let all: Vec<String> = e.intervals.iter().map(one).collect();
    let level = first.level * 100.0;
    format!("{level:.0} % intervals ({} resamples): {}.\n\n", count(first.resamples), all.join(", "))
}

fn further(e: &Evaluation) -> String {
    let Some(q) = &e.quality else { return String::new() };
    let mut cells = vec![
        ("Balanced accuracy", percent(q.balanced_accuracy)),
        ("Macro F1", percent(q.macro_average.f1)),
        ("Weighted F1", percent(q.weighted.f1)),
        ("Matthews", figure(q.matthews, 3)),
        ("Brier", figure(q.brier, 4)),
        ("Calibration error", figure(q.calibration_error, 4)),
    ];
    cells.extend(q.average_precision.map(|area| ("Average precision", figure(area, 3))));
    let head: String = cells.iter().map(|(name, _)| format!(" {name} |")).collect();
    let values: String = cells.iter().map(|(_, value)| format!(" {value} |")).collect();
    format!("|{head}\n|{}\n|{values}\n\n", " ---: |".repeat(cells.len()))
}

/// What was odd about the data and what was left out; nothing where nothing was.
fn warnings(e: &Evaluation) -> String {
    let odd = e.warnings.iter().map(|w| (w.kind.replace('_', " "), w.count));
    let dropped = e.dropped.iter().map(|d| (format!("left out of {}: {}", d.channel, d.reason), d.rows));
    let rows: String =
        odd.chain(dropped).map(|(what, rows)| format!("| {} | {} |\n", Markdown(&what), count(rows))).collect();
    if rows.is_empty() { rows } else { format!("### About the data\n\n| What | Rows |\n| --- | ---: |\n{rows}\n") }
}

/// More classes than these make no table that could be read.
const MOST_CLASSES: usize = 30;

fn confusion(e: &Evaluation) -> String {
    if e.classes.len() > MOST_CLASSES {
        return String::new();
    }
    let head: String = e.classes.iter().map(|class| format!(" {} |", Markdown(class))).collect();
    let rule = " ---: |".repeat(e.classes.len());
    let rows: String = e
        .classes
        .iter()
        .zip(&e.confusion)
        .map(|(class, row)| {
            let cells: String = row.iter().map(|&documents| format!(" {} |", count(documents))).collect();
            format!("| **{}** |{cells}\n", Markdown(class))
        })
        .collect();
    format!("### Confusion matrix\n\n| is ↓ predicted → |{head}\n| --- |{rule}\n{rows}\n")
}

fn per_class(e: &Evaluation) -> String {
    let rows: String = e
        .per_class
        .iter()
        .map(|c| {
            let class = Markdown(&c.class);
            let [precision, recall, f1] = [c.precision, c.recall, c.f1].map(percent);
            format!("| {class} | {precision} | {recall} | {f1} | {} |\n", count(c.support))
        })
        .collect();
    format!(
        "### Class by class\n\n| Class | Precision | Recall | F1 | Documents |\n| --- | ---: | ---: | ---: | ---: |\n{rows}\n"
    )
}

fn mistakes(e: &Evaluation) -> String {
    if e.mistakes.is_empty() {
        return String::new();
    }
    let rows: String = e
        .mistakes
        .iter()
        .take(5)
        .map(|m| {
            let text: String = m.text.chars().take(160).collect();
            let (actual, predicted) = (Markdown(&m.actual), Markdown(&m.predicted));
            format!("| {} | {actual} | {predicted} | {} |\n", Markdown(&text), percent(m.score))
        })
        .collect();
    format!(
        "### Most confident mistakes\n\n| Document | Is | Predicted | Score |\n| --- | --- | --- | ---: |\n{rows}\n"
    )
}

/// Candidates shown; the others stand in `evaluation.json`.
const CANDIDATES: usize = 20;

fn tuning(e: &Evaluation) -> String {
    let Some(tuning) = &e.tuning else { return String::new() };
    let (order, differing) = (tuning.ranked(), tuning.differing());
    let row = |&place: &usize| {
        let c = &tuning.candidates[place];
        let value = |name: &&str| c.parameters.get(*name).map(|value| format!("{name} = {value}"));
        let settings: Vec<String> = differing.iter().filter_map(value).collect();
        let fate = match c.eliminated_after {
            _ if place == tuning.chosen => " ✓".to_owned(),
            Some(folds) => format!(", out after {}", counted(folds, "fold", "folds")),
            None => String::new(),
        };
        let mean = with_error(c.mean, c.error(tuning.folds));
        format!("| {} | {mean}{fate} |\n", Markdown(&settings.join(", ")))
    };
    let rows: String = order.iter().take(CANDIDATES).map(row).collect();
    let more = match order.len() {
        ..=CANDIDATES => String::new(),
        all => format!("The {} not shown stand in `evaluation.json`.\n\n", all - CANDIDATES),
    };
    let folds = counted(tuning.folds, "fold", "folds");
    let (metric, reason) = (Markdown(&tuning.metric), Markdown(&tuning.reason));
    format!("### Tuning\n\n{reason}\n\n| Settings | Mean {metric} over {folds} |\n| --- | ---: |\n{rows}\n{more}")
}

fn data(e: &Evaluation) -> String {
    let rows: String = e
        .data
        .iter()
        .map(|file| {
            let (channel, name) = (Markdown(&file.channel), Markdown(&file.name));
            let digest: String = file.sha256.chars().take(12).collect();
            let (rows, size) = (count(file.rows), bytes(file.bytes));
            format!("| {channel} | {name} | {rows} | {size} | {} |\n", Markdown(&digest))
        })
        .collect();
    format!(
        "### Data\n\n| Channel | File | Documents | Size | SHA-256 |\n| --- | --- | ---: | ---: | --- |\n{rows}\n\
         Sagebrush {}\n",
        Markdown(&e.training.version)
    )
}
