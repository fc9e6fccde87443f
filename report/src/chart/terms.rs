//! Terms with a bar each.

use crate::number::drawn;
use crate::page;

/// The longest bar of `terms`.
pub(crate) fn longest(terms: &[(&str, f64, String)]) -> f64 {
    terms.iter().map(|(_, value, _)| *value).filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max)
}

/// `(term, length of the bar, what stands at its end)`; a bar of length `longest` fills its room.
pub(crate) fn terms(terms: &[(&str, f64, String)], longest: f64) -> String {
    let rows: String = terms
        .iter()
        .map(|(term, value, shown)| {
            let width = drawn(value / longest) * 100.0;
            format!("{}<i class=\"bar\" style=\"width:{width:.1}%\"></i><span>{shown}</span>\n", page::term(term))
        })
        .collect();
    format!("<div class=\"terms\">\n{rows}</div>\n")
}
