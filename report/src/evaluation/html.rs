//! An evaluation as a page.

use super::{Average, Evaluation, Training, Tuning};
use crate::chart::{Whiskers, confusion, longest, roc, terms};
use crate::escape::Html;
use crate::number::{bytes, count, counted, figure, percent};
use crate::page::{facts, page, section, table, tiles, word};

/// One self-contained page, light or dark as the reader's system is.
pub fn html(evaluation: &Evaluation) -> String {
    let e = evaluation;
    let header = format!(
        "<p class=\"kicker\">Sagebrush · evaluation</p>\n<h1>{} of {} predicted right</h1>\n<p class=\"sub\">{}</p>\n{}",
        percent(e.metrics.accuracy),
        counted(e.rows, "document", "documents"),
        subtitle(e),
        headline(e)
    );
    let sections = [
        section("Where it is right and wrong", "", &matrix_and_curve(e)),
        section("Class by class", "", &per_class(e)),
        section(
            "Strongest terms",
            "The terms that speak most for a class, with their weight per unit of TF-IDF.",
            &strongest(e),
        ),
        section("Most confident mistakes", "Worst first; long documents are cut.", &mistakes(e)),
        e.tuning.as_ref().map(|tuning| section("Tuning", &tuning.reason, &candidates(tuning))).unwrap_or_default(),
        section("Training", "", &training(&e.training)),
        section("Data", "", &data(e)),
        format!("<footer>Sagebrush {} · {}</footer>\n", Html(&e.training.version), Html(&e.format)),
    ];
    page(&format!("Evaluation: accuracy {}", percent(e.metrics.accuracy)), &header, &sections)
}

fn subtitle(e: &Evaluation) -> String {
    let learned = format!("learned from {}", counted(e.training.rows, "document", "documents"));
    let algorithm = e.training.parameters.get("algorithm").map_or("classifier", String::as_str);
    let classes = counted(e.classes.len() as u64, "class", "classes");
    let channel = word(&e.channel);
    format!("Algorithm <code>{}</code> over {classes}, {learned}, measured on the channel {channel}.", Html(algorithm))
}

fn headline(e: &Evaluation) -> String {
    let m = &e.metrics;
    let of = match (m.average, &e.positive_class) {
        (Average::Binary, Some(class)) => format!("of class {class}"),
        (Average::Binary, None) => "of the positive class".into(),
        (Average::Macro, _) => "mean over classes".into(),
    };
    let mut shown = vec![
        ("Accuracy", percent(m.accuracy), "share predicted right"),
        ("Precision", percent(m.precision), of.as_str()),
        ("Recall", percent(m.recall), of.as_str()),
        ("F1", percent(m.f1), of.as_str()),
    ];
    if let Some(area) = m.roc_auc {
        shown.push(("ROC AUC", figure(area, 3), "1 is perfect"));
    }
    shown.push(("Log loss", figure(m.log_loss, 3), "nats; 0 is perfect"));
    tiles(&shown)
}

fn matrix_and_curve(e: &Evaluation) -> String {
    let matrix = format!(
        "<div><h3>Confusion matrix</h3>\n<p class=\"lead\">Rows: what it is. Columns: what was predicted.</p>\n{}</div>\n",
        confusion(&e.classes, &e.confusion)
    );
    let Some(curve) = &e.roc_curve else { return matrix };
    let class = e.positive_class.as_deref().map(|class| format!(" of class {}", word(class))).unwrap_or_default();
    format!("<div class=\"columns\">\n{matrix}<div><h3>ROC curve{class}</h3>\n{}</div>\n</div>\n", roc(curve))
}

fn per_class(e: &Evaluation) -> String {
    let rows: Vec<Vec<String>> = e
        .per_class
        .iter()
        .map(|c| vec![word(&c.class), percent(c.precision), percent(c.recall), percent(c.f1), count(c.support)])
        .collect();
    table(&["Class", "Precision", "Recall", "F1", "Documents"], &[false, true, true, true, true], &rows)
}

fn strongest(e: &Evaluation) -> String {
    if e.strongest_terms.is_empty() {
        return String::new();
    }
    let columns: String = e
        .strongest_terms
        .iter()
        .map(|class| {
            let bars: Vec<(&str, f64, String)> =
                class.terms.iter().map(|t| (t.term.as_str(), t.weight, figure(t.weight, 2))).collect();
            format!("<div><h3>{}</h3>\n{}</div>\n", word(&class.class), terms(&bars, longest(&bars)))
        })
        .collect();
    format!("<div class=\"columns\">\n{columns}</div>\n")
}

fn mistakes(e: &Evaluation) -> String {
    if e.mistakes.is_empty() {
        return "<p class=\"note\">None: every document was predicted right.</p>\n".into();
    }
    let rows: Vec<Vec<String>> = e
        .mistakes
        .iter()
        .map(|m| {
            let text = format!("<div class=\"quote\" dir=\"auto\">{}</div>", Html(&m.text));
            vec![text, word(&m.actual), word(&m.predicted), percent(m.score)]
        })
        .collect();
    table(&["Document", "Is", "Predicted", "Score"], &[false, false, false, true], &rows)
}

fn candidates(tuning: &Tuning) -> String {
    let whiskers = Whiskers::over(&tuning.candidates);
    let rows: Vec<Vec<String>> = tuning
        .candidates
        .iter()
        .enumerate()
        .map(|(place, c)| {
            let settings: Vec<String> =
                c.parameters.iter().map(|(name, value)| format!("{} = {}", Html(name), Html(value))).collect();
            let chosen = if place == tuning.chosen { "<span class=\"good-word\">✓ chosen</span>" } else { "" };
            let mean = format!("{} ± {}", figure(c.mean, 4), figure(c.standard_error, 4));
            vec![format!("<code>{}</code>", settings.join(", ")), mean, whiskers.draw(c), chosen.into()]
        })
        .collect();
    let measured =
        format!("Mean {} over {} ± standard error", Html(&tuning.metric), counted(tuning.folds, "fold", "folds"));
    table(&["Settings", &measured, "", ""], &[false, true, false, false], &rows)
}

fn training(t: &Training) -> String {
    let classes: Vec<String> =
        t.class_rows.iter().map(|(class, rows)| format!("{}: {}", word(class), count(*rows))).collect();
    let mut known = vec![
        ("Documents", count(t.rows)),
        ("A class", classes.join(" · ")),
        ("Vocabulary", counted(t.terms, "term", "terms")),
        ("Records", format!("{} stored", counted(t.non_zeros, "value", "values"))),
        ("Time", format!("{} s", figure(t.seconds, 2))),
    ];
    if let Some(iterations) = t.iterations {
        let end = match t.converged {
            Some(true) => ", converged",
            Some(false) => ", <span class=\"bad-word\">not converged</span>",
            None => "",
        };
        known.push(("Solver", format!("{}{end}", counted(iterations, "iteration", "iterations"))));
    }
    let settings: String = t
        .parameters
        .iter()
        .map(|(name, value)| format!("<dt><code>{}</code></dt><dd><code>{}</code></dd>\n", Html(name), Html(value)))
        .collect();
    format!(
        "<div class=\"columns\">\n<div><h3>What was fitted</h3>\n{}</div>\n<div><h3>Settings as used</h3>\n<dl>\n{settings}</dl>\n</div>\n</div>\n",
        facts(&known)
    )
}

fn data(e: &Evaluation) -> String {
    let rows: Vec<Vec<String>> = e
        .data
        .iter()
        .map(|file| {
            let digest = format!("<span class=\"mono digest\">{}</span>", Html(&file.sha256));
            vec![word(&file.channel), word(&file.name), count(file.rows), bytes(file.bytes), digest]
        })
        .collect();
    table(&["Channel", "File", "Documents", "Size", "SHA-256"], &[false, false, true, true, false], &rows)
}
