//! The most confident wrong predictions, with the terms that led there.

use crate::escape::Html;
use crate::evaluation::{Evaluation, Mistake};
use crate::number::{decimals, percent};
use crate::page::{table, term, word};

pub(super) fn mistakes(e: &Evaluation) -> String {
    if e.mistakes.is_empty() {
        return "<p class=\"note\">None: every document was predicted right.</p>\n".into();
    }
    let decimals = decimals(e.mistakes.iter().flat_map(|mistake| &mistake.terms).map(|term| term.contribution));
    let rows: Vec<Vec<String>> = e
        .mistakes
        .iter()
        .map(|m| {
            let text = format!("<div class=\"quote\" dir=\"auto\">{}</div>{}", Html(&m.text), chips(m, decimals));
            vec![text, word(&m.actual), word(&m.predicted), percent(m.score)]
        })
        .collect();
    let legend = if e.mistakes.iter().all(|m| m.terms.is_empty()) {
        ""
    } else {
        "<p class=\"legend\"><span><i class=\"clay\"></i>spoke for the wrong class</span><span><i class=\"sage\"></i>spoke against it</span></p>\n"
    };
    format!("{legend}{}", table(&["Document", "Is", "Predicted", "Score"], &[false, false, false, true], &rows))
}

/// What each term added to the score of the predicted, wrong class.
fn chips(mistake: &Mistake, decimals: usize) -> String {
    if mistake.terms.is_empty() {
        return String::new();
    }
    let chips: String = mistake
        .terms
        .iter()
        .map(|shown| {
            let class = if shown.contribution > 0.0 { "led" } else { "held" };
            let amount = if shown.contribution.is_finite() {
                format!("{:+.decimals$}", shown.contribution)
            } else {
                "–".into()
            };
            format!("<span class=\"chip {class}\">{} {amount}</span> ", term(&shown.term))
        })
        .collect();
    format!("<div class=\"chips\">{chips}</div>")
}
