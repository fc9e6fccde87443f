//! Numbers as a verdict says them.

use super::figure::Found;
use crate::stats::normal_quantile;

/// Rows with which a difference of `gap` would be shown, at the spread that was drawn.
pub(super) fn more_rows(gap: f64, alpha: f64, found: &Found) -> String {
    let (Some(error), true) = (found.error.filter(|error| *error > 0.0), gap > 0.0) else {
        return "more documents".into();
    };
    // The standard error falls with the root of the rows; a test needs the gap to be `z` of them.
    let rows = found.n as f64 * (normal_quantile(1.0 - alpha) * error / gap).powi(2);
    would_do((rows.ceil() as u64).max(found.n + 1), found)
}

pub(super) fn would_do(rows: u64, found: &Found) -> String {
    format!("about {rows} rows would do where {} are, at this difference", found.n)
}

/// Four digits that say something.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 0.01 => format!("{}", (value * 1e4).round() / 1e4),
        size if size >= 0.0001 => format!("{}", (value * 1e6).round() / 1e6),
        _ => format!("{value:.2e}"),
    }
}

pub(super) fn percent(share: f64) -> String {
    let percent = (share * 1000.0).round() / 10.0;
    format!("{percent} %")
}
