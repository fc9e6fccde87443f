//! Terms with a bar each.

use crate::number::drawn;
use crate::page::word;

/// `(term, length of the bar, what stands at its end)`; bars are relative to the longest.
pub(crate) fn terms(terms: &[(&str, f64, String)]) -> String {
    let longest = terms.iter().map(|(_, value, _)| *value).filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let rows: String = terms
        .iter()
        .map(|(term, value, shown)| {
            let width = drawn(value / longest) * 100.0;
            format!("{}<i class=\"bar\" style=\"width:{width:.1}%\"></i><span>{shown}</span>\n", word(term))
        })
        .collect();
    format!("<div class=\"terms\">\n{rows}</div>\n")
}
