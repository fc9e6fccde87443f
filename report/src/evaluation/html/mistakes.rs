//! The most confident wrong predictions, with the terms that led there.

use crate::escape::Html;
use crate::evaluation::{Evaluation, Mistake};
use crate::number::percent;
use crate::page::{table, word};

pub(super) fn mistakes(e: &Evaluation) -> String {
    if e.mistakes.is_empty() {
        return "<p class=\"note\">None: every document was predicted right.</p>\n".into();
    }
    let rows: Vec<Vec<String>> = e
        .mistakes
        .iter()
        .map(|m| {
            let text = format!("<div class=\"quote\" dir=\"auto\">{}</div>{}", Html(&m.text), chips(m));
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
fn chips(mistake: &Mistake) -> String {
    if mistake.terms.is_empty() {
        return String::new();
    }
    let chips: String = mistake
        .terms
        .iter()
        .map(|term| {
            let class = if term.contribution > 0.0 { "led" } else { "held" };
            let amount =
                if term.contribution.is_finite() { format!("{:+.2}", term.contribution) } else { "–".into() };
            format!("<span class=\"chip {class}\">{} {amount}</span> ", word(&term.term))
        })
        .collect();
    format!("<div class=\"chips\">{chips}</div>")
}
