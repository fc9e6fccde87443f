//! Small charts over the same times.

use crate::chart::Line;
use crate::escape::Html;

/// One for each title, its values, the dashed line beside them, and how they are written; none where there is no value.
pub(super) fn charts<'l>(
    times: &[String],
    lines: impl IntoIterator<Item = (&'l str, Vec<Option<f64>>, Option<f64>, fn(f64) -> String)>,
) -> String {
    let chart = |(title, values, baseline, shown)| {
        let drawn = Line { title, times, values, baseline, shown }.draw()?;
        Some(format!("<div><h3>{}</h3>\n{drawn}</div>\n", Html(title)))
    };
    let charts: String = lines.into_iter().filter_map(chart).collect();
    format!("<div class=\"columns\">\n{charts}</div>\n")
}
