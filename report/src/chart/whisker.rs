//! A value with its standard error as a dot on a line, one a table row, all on one scale.

use crate::evaluation::Tuning;
use crate::number::drawn;

const WIDTH: f64 = 180.0;
const MARGIN: f64 = 6.0;

/// The scale that a table's rows share.
pub(crate) struct Whiskers {
    low: f64,
    span: f64,
}

impl Whiskers {
    /// From the lowest end of a whisker to the highest.
    pub(crate) fn over(tuning: &Tuning) -> Self {
        let ends = || {
            tuning.candidates.iter().flat_map(|candidate| {
                let error = candidate.error(tuning.folds).unwrap_or(0.0);
                [candidate.mean - error, candidate.mean + error]
            })
        };
        let low = ends().filter(|end| end.is_finite()).fold(f64::INFINITY, f64::min);
        let high = ends().filter(|end| end.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        Self { low, span: (high - low).max(f64::MIN_POSITIVE) }
    }

    /// One row's drawing: a dot, and a line over `mean - error ..= mean + error` where there is an error.
    pub(crate) fn draw(&self, mean: f64, error: Option<f64>) -> String {
        let x = |value: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * drawn((value - self.low) / self.span);
        let (line, label) = match error {
            Some(error) => (
                format!(
                    "<line class=\"whisker\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"8\" y2=\"8\"/>",
                    x(mean - error),
                    x(mean + error)
                ),
                "mean and standard error",
            ),
            None => (String::new(), "of one fold"),
        };
        format!(
            "<svg class=\"whiskers\" viewBox=\"0 0 {WIDTH} 16\" role=\"img\" aria-label=\"{label}\">\
             {line}<circle class=\"sage\" cx=\"{:.1}\" cy=\"8\" r=\"4.5\"/></svg>",
            x(mean)
        )
    }
}
