//! Numbers for a person.

/// `6920` as `6,920`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `count` and the noun, plural where it is one.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", count(number), if number == 1 { one } else { many })
}

/// A share of `[0, 1]` as a percentage of one decimal.
pub(crate) fn percent(share: f64) -> String {
    if share.is_finite() { format!("{:.1} %", share * 100.0) } else { "–".into() }
}

/// A figure with `digits` decimals; a dash where there is none.
pub(crate) fn figure(value: f64, digits: usize) -> String {
    if value.is_finite() { format!("{value:.digits$}") } else { "–".into() }
}

/// Decimals with which the greatest of `values` has three digits that say something: two to four.
pub(crate) fn decimals(values: impl Iterator<Item = f64>) -> usize {
    match values.filter(|value| value.is_finite()).fold(0.0f64, |most, value| most.max(value.abs())) {
        most if most >= 1.0 || most == 0.0 => 2,
        most if most >= 0.1 => 3,
        _ => 4,
    }
}

/// `0.8413 ± 0.0042`; the value alone where there is no error.
pub(crate) fn with_error(value: f64, error: Option<f64>) -> String {
    match error {
        Some(error) => format!("{} ± {}", figure(value, 4), figure(error, 4)),
        None => figure(value, 4),
    }
}

/// A probability: small ones by their power of ten.
pub(crate) fn probability(p: f64) -> String {
    match p {
        p if !p.is_finite() => "–".into(),
        p if p >= 0.0001 => format!("{p:.4}"),
        p if p < 1e-99 => "< 1e-99".into(),
        p => format!("{p:.0e}"),
    }
}

/// Bytes in the unit that suits them.
pub(crate) fn bytes(number: u64) -> String {
    match number {
        0..1_000 => format!("{number} B"),
        1_000..1_000_000 => format!("{:.1} kB", number as f64 / 1e3),
        1_000_000..1_000_000_000 => format!("{:.1} MB", number as f64 / 1e6),
        _ => format!("{:.1} GB", number as f64 / 1e9),
    }
}

/// A share as a CSS or SVG length in `[0, 1]`: what is drawn never leaves its frame.
pub(crate) fn drawn(share: f64) -> f64 {
    if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!([count(7), count(999), count(6920), count(1_234_567)], ["7", "999", "6,920", "1,234,567"]);
        assert_eq!(counted(1, "document", "documents"), "1 document");
        assert_eq!([percent(0.8125), percent(f64::NAN)], ["81.2 %", "–"]);
        assert_eq!([probability(0.03), probability(3.2e-7), probability(0.0)], ["0.0300", "3e-7", "< 1e-99"]);
        assert_eq!([bytes(12), bytes(727_710), bytes(33_000_000)], ["12 B", "727.7 kB", "33.0 MB"]);
        let of = |values: &[f64]| decimals(values.iter().copied());
        assert_eq!([of(&[]), of(&[0.5, -2.0]), of(&[0.5, f64::NAN]), of(&[0.01]), of(&[1e-9])], [2, 2, 3, 4, 4]);
        assert_eq!([drawn(2.0), drawn(f64::NAN), drawn(-1.0)], [1.0, 0.0, 0.0]);
    }
}
