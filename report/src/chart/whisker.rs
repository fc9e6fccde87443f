//! A value with its standard error as a dot on a line, one a table row, all on one scale.

use crate::evaluation::Candidate;
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
    pub(crate) fn over(candidates: &[Candidate]) -> Self {
        let ends = || candidates.iter().flat_map(|c| [c.mean - c.standard_error, c.mean + c.standard_error]);
        let low = ends().filter(|end| end.is_finite()).fold(f64::INFINITY, f64::min);
        let high = ends().filter(|end| end.is_finite()).fold(f64::NEG_INFINITY, f64::max);
        Self { low, span: (high - low).max(f64::MIN_POSITIVE) }
    }

    /// One row's drawing.
    pub(crate) fn draw(&self, candidate: &Candidate) -> String {
        let x = |value: f64| MARGIN + (WIDTH - 2.0 * MARGIN) * drawn((value - self.low) / self.span);
        let (mean, error) = (candidate.mean, candidate.standard_error);
        format!(
            "<svg class=\"whiskers\" viewBox=\"0 0 {WIDTH} 16\" role=\"img\" aria-label=\"mean and standard error\">\
             <line class=\"whisker\" x1=\"{:.1}\" x2=\"{:.1}\" y1=\"8\" y2=\"8\"/><circle class=\"sage\" cx=\"{:.1}\" cy=\"8\" r=\"4.5\"/></svg>",
            x(mean - error),
            x(mean + error),
            x(mean)
        )
    }
}
