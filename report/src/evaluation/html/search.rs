//! The search for settings as a table: what differs between candidates has a column.

use crate::chart::Whiskers;
use crate::escape::Html;
use crate::evaluation::{Candidate, Tuning};
use crate::number::{count, counted, figure, with_error};
use crate::page::table;

/// Candidates shown; the others stand in `evaluation.json`.
const SHOWN: usize = 40;
/// Most columns of settings; with more that differ, they stand together in one.
const SETTINGS: usize = 5;

pub(super) fn search(tuning: &Tuning) -> String {
    let differing = tuning.differing();
    let apart = differing.len() <= SETTINGS;
    let whiskers = Whiskers::over(tuning);
    let order = tuning.ranked();
    let any = |present: fn(&Candidate) -> bool| tuning.candidates.iter().any(present);
    let (losses, costs) = (any(|c| c.log_loss.is_some()), any(|c| c.cost_seconds.is_some()));
    let seen = any(|c| c.folds_seen.is_some());
    let mut head: Vec<String> = Vec::new();
    let mut numeric = Vec::new();
    let mut column = |name: String, number: bool| {
        head.push(name);
        numeric.push(number);
    };
    if apart {
        differing.iter().for_each(|name| column(format!("<code>{}</code>", Html(name)), false));
    } else {
        column("Settings".into(), false);
    }
    column(format!("Mean {}", Html(&tuning.metric)), true);
    column("± standard error".into(), false);
    if losses {
        column("Log loss".into(), true);
    }
    if seen {
        column("Folds".into(), true);
    }
    if costs {
        column("CPU s".into(), true);
    }
    column(String::new(), false);
    let dash = || "–".to_owned();
    let row = |&place: &usize| {
        let c = &tuning.candidates[place];
        let value = |name: &&str| c.parameters.get(*name).map_or_else(dash, |value| Html(value).to_string());
        let mut row: Vec<String> = if apart {
            differing.iter().map(|name| format!("<code>{}</code>", value(name))).collect()
        } else {
            let own = differing.iter().filter(|name| c.parameters.contains_key(**name));
            let all: Vec<String> = own.map(|name| format!("<code>{} = {}</code>", Html(name), value(name))).collect();
            vec![all.join(" ")]
        };
        row.push(with_error(c.mean, c.error(tuning.folds)));
        row.push(whiskers.draw(c.mean, c.error(tuning.folds)));
        if losses {
            row.push(c.log_loss.map_or_else(dash, |loss| figure(loss, 4)));
        }
        if seen {
            row.push(c.folds_seen.map_or_else(dash, count));
        }
        if costs {
            row.push(c.cost_seconds.map_or_else(dash, |seconds| figure(seconds, 2)));
        }
        row.push(fate(c, place == tuning.chosen));
        row
    };
    let rows: Vec<Vec<String>> = order.iter().take(SHOWN).map(row).collect();
    let head: Vec<&str> = head.iter().map(String::as_str).collect();
    let kind = if apart { "search" } else { "search together" };
    format!("<div class=\"{kind}\">{}</div>\n{}", table(&head, &numeric, &rows), footnote(tuning, &order))
}

fn fate(candidate: &Candidate, chosen: bool) -> String {
    let word = match candidate.eliminated_after {
        _ if chosen => "<span class=\"good-word\">✓ chosen</span>".into(),
        Some(folds) => format!("out after {}", counted(folds, "fold", "folds")),
        None => String::new(),
    };
    match &candidate.reason {
        Some(reason) if !chosen && reason.starts_with("after ") => {
            format!("out <span class=\"note\">{}</span>", Html(reason))
        }
        Some(reason) => format!("{word} <span class=\"note\">{}</span>", Html(reason)),
        None => word,
    }
}

fn footnote(tuning: &Tuning, order: &[usize]) -> String {
    let mut said = vec![format!(
        "{}, {}",
        counted(order.len() as u64, "candidate", "candidates"),
        counted(tuning.folds, "fold", "folds")
    )];
    if order.len() > SHOWN {
        said.push(format!("the {} not shown stand in evaluation.json", order.len() - SHOWN));
    }
    said.extend(tuning.rows.map(|rows| format!("measured on {}", counted(rows, "row", "rows"))));
    said.extend(tuning.cost_seconds.map(|seconds| format!("{} CPU seconds", figure(seconds, 1))));
    said.extend(tuning.cost_in_fits.map(|fits| format!("as much as {} fits of the winner", figure(fits, 1))));
    format!("<p class=\"note\">{}.</p>\n", said.join("; "))
}
