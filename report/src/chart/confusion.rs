//! The confusion matrix: rows are what a document is, columns what was predicted.

use crate::number::{count, drawn};
use crate::page::{table, word};

/// More classes than these have no matrix that could be read, only their most frequent confusions.
const MOST_CLASSES: usize = 30;
/// Confusions that are listed.
const LISTED: usize = 15;

/// Cells are tinted by their share of the row: green where right, clay where wrong.
pub(crate) fn confusion(classes: &[String], matrix: &[Vec<u64>]) -> String {
    if classes.len() > MOST_CLASSES {
        return String::new();
    }
    let many = classes.len() > 6;
    let head: String = classes.iter().map(|class| format!("<th><div>{}</div></th>", word(class))).collect();
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
                    // Among hundreds of cells a zero is noise.
                    let shown = if many && documents == 0 { "·".into() } else { count(documents) };
                    format!("<td><div class=\"{kind}\" style=\"--w:{weight:.3}\">{shown}</div></td>")
                })
                .collect();
            format!("<tr><th>{}</th>{cells}</tr>\n", word(class))
        })
        .collect();
    let size = match classes.len() {
        0..=2 => " few",
        3..=6 => "",
        _ => " many",
    };
    format!(
        "<div class=\"scroll\"><table class=\"matrix{size}\">\n<thead><tr><th></th>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n"
    )
}

/// The fullest cells beside the diagonal, as a table; nothing of two classes, whose matrix has two of them.
pub(crate) fn frequent(classes: &[String], matrix: &[Vec<u64>]) -> String {
    if classes.len() <= 6 {
        return String::new();
    }
    let mut cells: Vec<(u64, usize, usize)> = Vec::new();
    for (actual, row) in matrix.iter().enumerate().take(classes.len()) {
        let wrong = row.iter().enumerate().take(classes.len()).filter(|&(predicted, &n)| predicted != actual && n > 0);
        cells.extend(wrong.map(|(predicted, &documents)| (documents, actual, predicted)));
    }
    cells.sort_by_key(|&(documents, actual, predicted)| (std::cmp::Reverse(documents), actual, predicted));
    let rows: Vec<Vec<String>> = cells
        .iter()
        .take(LISTED)
        .map(|&(documents, actual, predicted)| {
            vec![word(&classes[actual]), word(&classes[predicted]), count(documents)]
        })
        .collect();
    if rows.is_empty() {
        return String::new();
    }
    let list = table(&["Is", "Predicted", "Documents"], &[false, false, true], &rows);
    format!("<h3 class=\"apart\">Most frequent confusions</h3>\n{list}")
}
