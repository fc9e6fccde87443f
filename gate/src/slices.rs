//! Parts of the test channel: by its own columns, and by what can be seen of a text.

use std::collections::BTreeMap;

use model::{Artifact, ArtifactError};
use report::gate::{Estimate, SliceFigures};
use trainer::metrics::{self, Outcome};

use crate::{
    columns::{Columns, Partition},
    evidence::Slice,
    stats::{fisher, holm, newcombe, two_sided},
    words::words,
};

/// Words up to which a text is short, and up to which it is of medium length.
const SHORT: usize = 10;
const MEDIUM: usize = 50;

/// Words that turn a sentence round, in the languages whose texts are likeliest; `n't` is looked for apart.
const NEGATIONS: [&str; 32] = [
    "no", "not", "never", "none", "nobody", "nothing", "neither", "nor", "nowhere", "cannot", "without", "hardly",
    "nicht", "kein", "keine", "keinen", "nie", "niemals", "ohne", "ne", "pas", "jamais", "rien", "aucun", "aucune",
    "niet", "geen", "nooit", "nunca", "nada", "ningún", "senza",
];

/// Every slice of `texts`: the extra columns first, then those made from the texts.
pub fn slices(
    columns: Columns,
    texts: &[String],
    artifact: &Artifact,
) -> Result<(Vec<Slice>, Vec<String>), ArtifactError> {
    let (own, notes) = columns.partitions(texts);
    let mut automatic: BTreeMap<&str, Partition> = BTreeMap::new();
    for (row, text) in (0u32..).zip(texts) {
        let (_, unknown) = artifact.unknown_units(text)?;
        for (column, value) in [
            ("length", length(text)),
            ("language", model::language::guess(text)),
            ("negation", if negated(text) { "yes" } else { "no" }),
            ("unknown_words", if unknown > 0 { "yes" } else { "no" }),
        ] {
            automatic.entry(column).or_default().entry(value.to_owned()).or_default().push(row);
        }
    }
    // A column of the data's own is the better one.
    automatic.retain(|column, _| !own.contains_key(*column));
    let slice = |column: &str, values: Partition, automatic: bool| {
        let of = column.to_owned();
        values.into_iter().map(move |(value, rows)| Slice { column: of.clone(), automatic, value, rows })
    };
    let mut all: Vec<Slice> = own.into_iter().flat_map(|(column, values)| slice(&column, values, false)).collect();
    all.extend(automatic.into_iter().flat_map(|(column, values)| slice(column, values, true)));
    Ok((all, notes))
}

fn length(text: &str) -> &'static str {
    match words(text).take(MEDIUM + 1).count() {
        words if words <= SHORT => "short",
        words if words <= MEDIUM => "medium",
        _ => "long",
    }
}

fn negated(text: &str) -> bool {
    words(text).any(|(_, word)| {
        let word = word.to_lowercase();
        word.ends_with("n't") || word.ends_with("n’t") || NEGATIONS.contains(&word.as_str())
    })
}

/// Accuracy and more in each slice, and whether it differs from the rest; tests adjusted over all slices.
pub fn figures(slices: &[Slice], outcomes: &[Outcome], classes: &[String]) -> Vec<SliceFigures> {
    let right = |row: &u32| outcomes[*row as usize].actual == outcomes[*row as usize].predicted;
    let (all, all_right) = (outcomes.len() as u64, outcomes.iter().filter(|o| o.actual == o.predicted).count() as u64);
    let mut tests = Vec::new();
    let mut figures: Vec<SliceFigures> = slices
        .iter()
        .map(|slice| {
            let part: Vec<Outcome> = slice.rows.iter().map(|&row| outcomes[row as usize].clone()).collect();
            let (n, k) = (part.len() as u64, slice.rows.iter().filter(|row| right(row)).count() as u64);
            let (rest, rest_right) = (all - n, all_right - k);
            let accuracy = metrics::accuracy(&part);
            let (low, high) = two_sided(k as f64, n as f64, 0.95);
            let difference = (rest > 0).then(|| {
                tests.push(fisher(k, n, rest_right, rest));
                let (low, high) = newcombe((k, n), (rest_right, rest));
                Estimate { value: accuracy - rest_right as f64 / rest as f64, low, high }
            });
            SliceFigures {
                column: slice.column.clone(),
                automatic: slice.automatic,
                value: slice.value.clone(),
                rows: n,
                accuracy: Estimate { value: accuracy, low, high },
                macro_f1: metrics::measure(&part, classes).quality.macro_average.f1,
                log_loss: metrics::log_loss(&part),
                difference,
                adjusted_p: None,
            }
        })
        .collect();
    let mut adjusted = holm(&tests).into_iter();
    for slice in figures.iter_mut().filter(|slice| slice.difference.is_some()) {
        slice.adjusted_p = adjusted.next();
    }
    figures
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_text_shows_is_seen() {
        for (text, want) in [("I don't like it", true), ("Nicht gut", true), ("a notable knot", false), ("", false)] {
            assert_eq!(negated(text), want, "{text}");
        }
        for (words, want) in [(0, "short"), (10, "short"), (11, "medium"), (50, "medium"), (51, "long")] {
            assert!(length(&"word ".repeat(words)).starts_with(want), "{words}");
        }
    }
}
