//! From a value's text to its type; the error says what is expected.

use std::str::FromStr;

use model::{Algorithm, AnalyzerKind, ClassWeight, Frequency, Norm, Solver, StopWords, StripAccents};

use super::Tune;
use super::unavailable::not_available;

/// A value of a fixed set, by name; the names of `later` are refused as not available yet.
fn one_of<T: Clone>(value: &str, known: &[(&str, T)], later: &[&str]) -> Result<T, String> {
    let lower = value.to_lowercase();
    if let Some((_, typed)) = known.iter().find(|(name, _)| *name == lower) {
        return Ok(typed.clone());
    }
    let names = known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    if later.contains(&lower.as_str()) { Err(not_available(&names)) } else { Err(format!("expected one of {names}")) }
}

pub fn algorithm(value: &str) -> Result<Algorithm, String> {
    one_of(value, &[("logistic", Algorithm::Logistic), ("tree", Algorithm::Tree)], &["forest"])
}

pub fn solver(value: &str) -> Result<Solver, String> {
    one_of(value, &[("auto", Solver::Auto), ("linfa", Solver::Linfa), ("sparse", Solver::Sparse)], &[])
}

pub fn analyzer(value: &str) -> Result<AnalyzerKind, String> {
    let known = [("word", AnalyzerKind::Word), ("char", AnalyzerKind::Char), ("char_wb", AnalyzerKind::CharWb)];
    one_of(value, &known, &["word+char_wb"])
}

pub fn class_weight(value: &str) -> Result<Option<ClassWeight>, String> {
    one_of(value, &[("none", None), ("balanced", Some(ClassWeight::Balanced))], &[])
}

pub fn strip_accents(value: &str) -> Result<Option<StripAccents>, String> {
    let known = [("none", None), ("ascii", Some(StripAccents::Ascii)), ("unicode", Some(StripAccents::Unicode))];
    one_of(value, &known, &[])
}

pub fn stop_words(value: &str) -> Result<Option<StopWords>, String> {
    one_of(value, &[("none", None), ("english", Some(StopWords::English))], &[])
}

pub fn norm(value: &str) -> Result<Option<Norm>, String> {
    one_of(value, &[("l2", Some(Norm::L2)), ("l1", Some(Norm::L1)), ("none", None)], &[])
}

pub fn tune(value: &str) -> Result<Tune, String> {
    one_of(value, &[("auto", Tune::Auto), ("cv", Tune::Cv), ("none", Tune::None)], &[])
}

pub fn boolean(value: &str) -> Result<bool, String> {
    one_of(value, &[("true", true), ("false", false)], &[])
}

pub fn column(value: &str) -> Result<String, String> {
    if value.is_empty() { Err("expected the name of a column".into()) } else { Ok(value.into()) }
}

pub fn positive(value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(number) if number.is_finite() && number > 0.0 => Ok(number),
        _ => Err("expected a number above 0".into()),
    }
}

pub fn seed(value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| "expected an integer from 0".into())
}

/// An integer from 1.
pub fn count<T: FromStr + PartialOrd + From<u8>>(value: &str) -> Result<T, String> {
    match value.parse::<T>() {
        Ok(number) if number >= T::from(1) => Ok(number),
        _ => Err("expected an integer from 1".into()),
    }
}

/// The depths that the model can store.
pub fn depth(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(depth @ 1..=64) => Ok(depth),
        _ => Err("expected an integer from 1 to 64".into()),
    }
}

pub fn optional_count(value: &str) -> Result<Option<usize>, String> {
    if value.eq_ignore_ascii_case("none") {
        return Ok(None);
    }
    count(value).map(Some).map_err(|_| "expected an integer from 1, or none".into())
}

/// As scikit-learn: an integer counts documents, a number with a point is a proportion of them.
pub fn frequency(value: &str) -> Result<Frequency, String> {
    if let Ok(documents) = count::<u64>(value) {
        return Ok(Frequency::Count(documents));
    }
    match value.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) && value.contains(['.', 'e', 'E']) => {
            Ok(Frequency::Proportion(share))
        }
        _ => Err("expected a count of documents from 1, or a proportion from 0.0 to 1.0 with a point".into()),
    }
}

/// `1,2`, also as Python writes it: `(1, 2)` or `[1, 2]`.
pub fn ngram_range(value: &str) -> Result<(usize, usize), String> {
    let bare = value
        .strip_prefix('(')
        .and_then(|inner| inner.strip_suffix(')'))
        .or_else(|| value.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')))
        .unwrap_or(value);
    let bounds = bare.split_once(',').map(|(low, high)| (count::<usize>(low.trim()), count::<usize>(high.trim())));
    match bounds {
        Some((Ok(low), Ok(high))) if low <= high => Ok((low, high)),
        _ => Err("expected two integers from 1, the smaller first, such as 1,2".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ngram_ranges() {
        for (value, want) in [
            ("1,2", Some((1, 2))),
            ("(1, 2)", Some((1, 2))),
            ("[1,2]", Some((1, 2))),
            (" 3 , 3", Some((3, 3))),
            ("2,1", None),
            ("0,1", None),
            ("1", None),
            ("1,2,3", None),
            ("(1,2", None),
            ("", None),
        ] {
            assert_eq!(ngram_range(value.trim()).ok(), want, "{value}");
        }
    }

    #[test]
    fn frequencies() {
        for (value, want) in [
            ("1", Some(Frequency::Count(1))),
            ("2", Some(Frequency::Count(2))),
            ("0.01", Some(Frequency::Proportion(0.01))),
            ("1.0", Some(Frequency::Proportion(1.0))),
            ("1e-3", Some(Frequency::Proportion(0.001))),
            ("0.0", Some(Frequency::Proportion(0.0))),
            ("0", None),
            ("-1", None),
            ("1.5", None),
            ("NaN", None),
            ("few", None),
        ] {
            assert_eq!(frequency(value).ok(), want, "{value}");
        }
    }
}
