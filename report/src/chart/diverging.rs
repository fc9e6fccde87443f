//! Values below and above nothing, a bar each from the middle.

use crate::escape::Html;
use crate::number::drawn;
use crate::page;

/// `(term, value, what stands at its end)`; the largest bar fills its half.
pub(crate) fn diverging(terms: &[(&str, f64, String)]) -> String {
    let longest = terms.iter().map(|(_, v, _)| v.abs()).filter(|v| v.is_finite()).fold(f64::MIN_POSITIVE, f64::max);
    let rows: String = terms
        .iter()
        .map(|(term, value, shown)| {
            let width = drawn(value.abs() / longest) * 50.0;
            let (class, left) = if *value < 0.0 { ("below", 50.0 - width) } else { ("above", 50.0) };
            format!(
                "{}<div class=\"both\"><i class=\"{class}\" style=\"left:{left:.1}%;width:{width:.1}%\"></i></div><span>{}</span>\n",
                page::term(term),
                Html(shown)
            )
        })
        .collect();
    format!("<div class=\"terms\">\n{rows}</div>\n")
}
