//! An evaluation as Markdown, for the summary of a CI job.

use super::{Average, Evaluation};
use crate::escape::Markdown;
use crate::number::{bytes, count, counted, figure, percent};

/// Headline figures, confusion matrix, classes, tuning and data; GitHub's dialect.
pub fn markdown(evaluation: &Evaluation) -> String {
    let e = evaluation;
    [headline(e), confusion(e), per_class(e), mistakes(e), tuning(e), data(e)].concat()
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

fn confusion(e: &Evaluation) -> String {
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

fn tuning(e: &Evaluation) -> String {
    let Some(tuning) = &e.tuning else { return String::new() };
    let rows: String = tuning
        .candidates
        .iter()
        .enumerate()
        .map(|(place, c)| {
            let settings: Vec<String> = c.parameters.iter().map(|(n, v)| format!("{n} = {v}")).collect();
            let chosen = if place == tuning.chosen { " ✓" } else { "" };
            let (mean, error) = (figure(c.mean, 4), figure(c.standard_error, 4));
            format!("| {} | {mean} ± {error}{chosen} |\n", Markdown(&settings.join(", ")))
        })
        .collect();
    let folds = counted(tuning.folds, "fold", "folds");
    let (metric, reason) = (Markdown(&tuning.metric), Markdown(&tuning.reason));
    format!("### Tuning\n\n{reason}\n\n| Settings | Mean {metric} over {folds} |\n| --- | ---: |\n{rows}\n")
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
