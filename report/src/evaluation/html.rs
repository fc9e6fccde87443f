//! An evaluation as a page.

mod figures;
mod mistakes;
mod search;

use super::{Average, Evaluation, Training, interval};
use crate::chart::{longest, terms};
use crate::escape::Html;
use crate::number::{bytes, count, counted, decimals, figure, percent};
use crate::page::{facts, page, section, table, tiles, word};

/// Terms shown a class where there are more than four classes.
const TERMS_OF_MANY: usize = 8;

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
        section("About the data", "", &warnings(e)),
        section("Where it is right and wrong", "", &figures::matrix_and_curves(e)),
        section("Class by class", "", &figures::per_class(e)),
        section("Further figures", "", &figures::quality(e)),
        section(
            "What the probabilities are worth",
            "On the dashed line a prediction of 80 % is right 80 times in 100.",
            &figures::probabilities(e),
        ),
        section("One class against the rest", "Precision over recall.", &figures::one_against_the_rest(e)),
        section(
            "Strongest terms",
            "The terms that speak most for a class, with what each adds to its score where it stands once, before the document is normalised.",
            &strongest(e),
        ),
        section("Most confident mistakes", "Worst first; long documents are cut.", &mistakes::mistakes(e)),
        e.tuning
            .as_ref()
            .map(|tuning| {
                section("Tuning", &format!("Why the chosen one: {}.", tuning.reason), &search::search(tuning))
            })
            .unwrap_or_default(),
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
    let within = |metric: &str, meaning: &str, share: bool| match interval(e, metric) {
        Some(found) if share => format!("{}–{}", figure(found.low * 100.0, 1), percent(found.high)),
        Some(found) => format!("{}–{}", figure(found.low, 3), figure(found.high, 3)),
        None => meaning.to_owned(),
    };
    let (accuracy, area, loss) = (
        within("accuracy", "share predicted right", true),
        within("roc_auc", "1 is perfect", false),
        within("log_loss", "nats; 0 is perfect", false),
    );
    let mut shown = vec![
        ("Accuracy", percent(m.accuracy), accuracy.as_str()),
        ("Precision", percent(m.precision), of.as_str()),
        ("Recall", percent(m.recall), of.as_str()),
        ("F1", percent(m.f1), of.as_str()),
    ];
    if let Some(value) = m.roc_auc {
        shown.push(("ROC AUC", figure(value, 3), &area));
    }
    shown.push(("Log loss", figure(m.log_loss, 3), &loss));
    tiles(&shown)
}

/// What was odd and what was left out; nothing where nothing was.
fn warnings(e: &Evaluation) -> String {
    let examples = |examples: &[String]| -> String {
        let shown: Vec<String> = examples.iter().map(|example| format!("<code>{}</code>", word(example))).collect();
        shown.join(", ")
    };
    let odd = e.warnings.iter().map(|warning| {
        vec![Html(&warning.kind.replace('_', " ")).to_string(), count(warning.count), examples(&warning.examples)]
    });
    let dropped = e.dropped.iter().map(|dropped| {
        let what = format!("left out of {}: {}", word(&dropped.channel), Html(&dropped.reason));
        vec![what, count(dropped.rows), examples(&dropped.examples)]
    });
    let rows: Vec<Vec<String>> = odd.chain(dropped).collect();
    if rows.is_empty() { String::new() } else { table(&["What", "Rows", "For example"], &[false, true, false], &rows) }
}

fn strongest(e: &Evaluation) -> String {
    if e.strongest_terms.is_empty() {
        return String::new();
    }
    let most = if e.strongest_terms.len() > 4 { TERMS_OF_MANY } else { usize::MAX };
    let decimals = decimals(e.strongest_terms.iter().flat_map(|class| &class.terms).map(|term| term.weight));
    let columns: String = e
        .strongest_terms
        .iter()
        .map(|class| {
            let bars: Vec<(&str, f64, String)> = class
                .terms
                .iter()
                .take(most)
                .map(|t| (t.term.as_str(), t.weight, figure(t.weight, decimals)))
                .collect();
            format!("<div><h3>{}</h3>\n{}</div>\n", word(&class.class), terms(&bars, longest(&bars)))
        })
        .collect();
    format!("<div class=\"columns\">\n{columns}</div>\n")
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
