//! What the table of hyperparameters names and this version does not do yet: refused by name, never passed over.

use std::collections::BTreeMap;

use model::{Algorithm, Settings};

/// The end of a message about a value of a later version.
pub fn not_available(instead: &str) -> String {
    format!("is not available in this version; use {instead}")
}

/// A hyperparameter whose only value of this version is its default.
struct DefaultOnly {
    name: &'static str,
    default: &'static str,
    /// Whether a value is one the table knows.
    known: fn(&str) -> bool,
    expected: &'static str,
}

const DEFAULT_ONLY: [DefaultOnly; 8] = [
    DefaultOnly {
        name: "loss",
        default: "logistic",
        known: |value| value == "squared_hinge",
        expected: "logistic or squared_hinge",
    },
    DefaultOnly { name: "weighting", default: "tfidf", known: |value| value == "nb", expected: "tfidf or nb" },
    DefaultOnly {
        name: "beta",
        default: "1.0",
        known: |value| value.parse::<f64>().is_ok_and(|beta| (0.0..=1.0).contains(&beta)),
        expected: "a number from 0 to 1",
    },
    DefaultOnly {
        name: "token_pattern",
        default: "word",
        known: |value| value == "word_punct",
        expected: "word or word_punct",
    },
    DefaultOnly {
        name: "char_ngram_range",
        default: "3,6",
        known: |value| super::ngram_range(value).is_ok(),
        expected: "two integers from 1, the smaller first, such as 3,6",
    },
    DefaultOnly { name: "n_estimators", default: "100", known: is_count, expected: "an integer from 1" },
    DefaultOnly { name: "tree_features", default: "1000", known: is_count, expected: "an integer from 1" },
    DefaultOnly { name: "max_memory", default: "none", known: is_memory, expected: "bytes, or a size such as 4GiB" },
];

fn is_count(value: &str) -> bool {
    super::count::<u64>(value).is_ok()
}

/// Bytes, or a number with a binary or decimal unit: `4GiB`, `512 MB`.
fn is_memory(value: &str) -> bool {
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = value[number.len()..].to_ascii_lowercase();
    number.trim().parse::<f64>().is_ok_and(|size| size.is_finite() && size > 0.0)
        && ["", "b", "kb", "mb", "gb", "tb", "kib", "mib", "gib", "tib"].contains(&unit.as_str())
}

/// Whether two values mean the same: `1` and `1.0`, `(3, 6)` and `3,6`.
fn same(value: &str, default: &str) -> bool {
    let numbers = value.parse::<f64>().ok().zip(default.parse::<f64>().ok()).is_some_and(|(a, b)| a == b);
    let ranges = super::ngram_range(value).ok().zip(super::ngram_range(default).ok()).is_some_and(|(a, b)| a == b);
    value.eq_ignore_ascii_case(default) || numbers || ranges
}

/// Notes each value of a later version in `problems`; remarks for the log go to `notes`.
pub fn check(
    values: &BTreeMap<String, String>,
    settings: &Settings,
    problems: &mut Vec<String>,
    notes: &mut Vec<String>,
) {
    for row in &DEFAULT_ONLY {
        let Some(value) = values.get(row.name).map(|value| value.trim()) else { continue };
        if same(value, row.default) {
            continue;
        }
        let why = if (row.known)(value) {
            let instead = if row.name == "max_memory" { "a larger instance" } else { row.default };
            not_available(instead)
        } else {
            format!("expected {}", row.expected)
        };
        problems.push(format!("hyperparameter {} = {value:?}: {why}", row.name));
    }
    if settings.algorithm == Algorithm::Tree {
        notes.push("the choice of terms by tree_features is not available in this version: the tree sees all of them; set max_features for fewer".into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes() {
        for (value, want) in [
            ("4GiB", true),
            ("1073741824", true),
            ("512 MB", true),
            ("1.5gib", true),
            ("lots", false),
            ("-1", false),
            ("4GiBs", false),
            ("", false),
        ] {
            assert_eq!(is_memory(value), want, "{value}");
        }
    }
}
