//! From a value's text to its type; the error says what is expected.

use std::str::FromStr;

use model::{Frequency, SettingError, StopWords};

use super::{Calibrate, OnBadRows, Tune};

/// A value of a fixed set, by name.
fn one_of<T: Clone>(value: &str, known: &[(&str, T)]) -> Result<T, String> {
    let lower = value.to_lowercase();
    let names = || known.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = known.iter().find(|(name, _)| *name == lower);
    found.map(|(_, typed)| typed.clone()).ok_or_else(|| format!("expected one of {}", names()))
}

/// A setting of the model's, by the names it has there.
pub fn setting<T: FromStr<Err = SettingError>>(value: &str) -> Result<T, String> {
    value.to_lowercase().parse().map_err(|error: SettingError| format!("expected one of {}", error.expected))
}

/// The same, or `none`.
pub fn optional_setting<T: FromStr<Err = SettingError>>(value: &str) -> Result<Option<T>, String> {
    if is_none(value) {
        return Ok(None);
    }
    setting(value).map(Some).map_err(|expected| format!("{expected}, none"))
}

fn is_none(value: &str) -> bool {
    value.eq_ignore_ascii_case("none")
}

pub fn stop_words(value: &str) -> Result<Option<StopWords>, String> {
    one_of(value, &[("none", None), ("english", Some(StopWords::English))])
}

pub fn tune(value: &str) -> Result<Tune, String> {
    one_of(value, &[("auto", Tune::Auto), ("cv", Tune::Cv), ("none", Tune::None)])
}

pub fn calibration(value: &str) -> Result<Calibrate, String> {
    let named = [("platt", Calibrate::Platt), ("temperature", Calibrate::Temperature)];
    one_of(value, &[("auto", Calibrate::Auto), ("none", Calibrate::None), named[0], named[1]])
}

pub fn on_bad_rows(value: &str) -> Result<OnBadRows, String> {
    one_of(value, &[("fail", OnBadRows::Fail), ("skip", OnBadRows::Skip)])
}

pub fn boolean(value: &str) -> Result<bool, String> {
    one_of(value, &[("true", true), ("false", false)])
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

/// A share of the whole.
pub fn share(value: &str) -> Result<f64, String> {
    match value.parse::<f64>() {
        Ok(share) if (0.0..=1.0).contains(&share) => Ok(share),
        _ => Err("expected a number from 0 to 1".into()),
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

/// The trees that one forest may have.
pub fn trees(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(trees @ 1..=10_000) => Ok(trees),
        _ => Err("expected an integer from 1 to 10000".into()),
    }
}

pub fn optional_count(value: &str) -> Result<Option<usize>, String> {
    if is_none(value) {
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

/// Bytes, or a number with a binary or decimal unit: `4GiB`, `512 MB`; at least 1 byte.
pub fn memory(value: &str) -> Result<Option<u64>, String> {
    if is_none(value) {
        return Ok(None);
    }
    let number = value.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let factor: Option<f64> = match value[number.len()..].to_ascii_lowercase().as_str() {
        "" | "b" => Some(1.0),
        "kb" => Some(1e3),
        "mb" => Some(1e6),
        "gb" => Some(1e9),
        "tb" => Some(1e12),
        "kib" => Some(1024.0),
        "mib" => Some(1024f64.powi(2)),
        "gib" => Some(1024f64.powi(3)),
        "tib" => Some(1024f64.powi(4)),
        _ => None,
    };
    match number.trim().parse::<f64>().ok().zip(factor).map(|(number, factor)| number * factor) {
        Some(bytes) if (1.0..1e18).contains(&bytes) => Ok(Some(bytes as u64)),
        _ => Err("expected bytes, or a size such as 4GiB".into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_sizes() {
        for (value, want) in [
            ("4GiB", Some(Some(4 << 30))),
            ("1073741824", Some(Some(1 << 30))),
            ("512 MB", Some(Some(512_000_000))),
            ("1.5gib", Some(Some(3 << 29))),
            ("none", Some(None)),
            ("lots", None),
            ("-1", None),
            ("0", None),
            ("NaN", None),
            ("inf", None),
            ("4GiBs", None),
            ("", None),
        ] {
            assert_eq!(memory(value).ok(), want, "{value}");
        }
    }

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
