//! The confusion matrix: rows are what a document is, columns what was predicted.

use crate::number::{count, drawn};
use crate::page::word;

/// Cells are tinted by their share of the row: green where right, clay where wrong.
pub(crate) fn confusion(classes: &[String], matrix: &[Vec<u64>]) -> String {
    let head: String = classes.iter().map(|class| format!("<th>{}</th>", word(class))).collect();
    let rows: String = classes
        .iter()
        .zip(matrix)
        .enumerate()
        .map(|(actual, (class, row))| {
            let sum = row.iter().sum::<u64>().max(1) as f64;
            let cells: String = row
                .iter()
                .enumerate()
                .map(|(predicted, &documents)| {
                    let kind = if actual == predicted { "right" } else { "wrong" };
                    let weight = drawn(documents as f64 / sum);
                    format!("<td><div class=\"{kind}\" style=\"--w:{weight:.3}\">{}</div></td>", count(documents))
                })
                .collect();
            format!("<tr><th>{}</th>{cells}</tr>\n", word(class))
        })
        .collect();
    let many = match classes.len() {
        0..=2 => " few",
        3..=6 => "",
        _ => " many",
    };
    format!(
        "<div class=\"scroll\"><table class=\"matrix{many}\">\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}
