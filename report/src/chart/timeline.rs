//! One figure over the slots of a window, with the baseline's as a dashed line.

use crate::escape::Html;

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 120.0;
const LEFT: f64 = 46.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 22.0;

/// What is drawn.
pub(crate) struct Line<'l> {
    /// For who cannot see it.
    pub(crate) title: &'l str,
    /// Start of each slot, as shown.
    pub(crate) times: &'l [String],
    /// A slot without one leaves a gap.
    pub(crate) values: Vec<Option<f64>>,
    /// Dashed.
    pub(crate) baseline: Option<f64>,
    /// How a value is written.
    pub(crate) shown: fn(f64) -> String,
}

impl Line<'_> {
    /// Nothing where there is no value.
    pub(crate) fn draw(&self) -> Option<String> {
        let known = || self.values.iter().chain([&self.baseline]).flatten().copied().filter(|v| v.is_finite());
        let (low, high) = (known().fold(f64::INFINITY, f64::min), known().fold(f64::NEG_INFINITY, f64::max));
        if !self.values.iter().any(Option::is_some) || low > high {
            return None;
        }
        let margin = ((high - low) * 0.12).max(high.abs() * 0.02).max(1e-9);
        let (low, high) = (low - margin, high + margin);
        let room = (WIDTH - LEFT) / self.values.len() as f64;
        let x = |at: usize| LEFT + room * (at as f64 + 0.5);
        let y = |value: f64| TOP + (HEIGHT - TOP - BOTTOM) * (1.0 - (value - low) / (high - low));
        let mut drawing = String::new();
        for value in [low + margin, high - margin] {
            drawing += &format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
                 <text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>\n",
                y(value),
                LEFT - 6.0,
                y(value) + 3.5,
                Html(&(self.shown)(value))
            );
        }
        if let Some(baseline) = self.baseline.filter(|v| v.is_finite()) {
            drawing += &format!(
                "<line class=\"chance\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\n",
                y(baseline)
            );
        }
        for run in self.runs() {
            let points: Vec<String> = run.iter().map(|(at, v)| format!("{:.1},{:.1}", x(*at), y(*v))).collect();
            drawing += &format!("<polyline class=\"curve\" points=\"{}\"/>\n", points.join(" "));
        }
        for (at, value) in self.values.iter().enumerate().filter_map(|(at, v)| Some((at, (*v)?))) {
            let tip = format!("{}: {}", self.times.get(at).map_or("", |t| t), (self.shown)(value));
            drawing += &format!(
                "<circle class=\"dot\" cx=\"{:.1}\" cy=\"{:.1}\" r=\"3\"><title>{}</title></circle>\n",
                x(at),
                y(value),
                Html(&tip)
            );
        }
        let ends = [(0, "start"), (self.times.len().saturating_sub(1), "end")];
        for (at, anchor) in ends.into_iter().take(if self.times.len() > 1 { 2 } else { 1 }) {
            let place = if anchor == "start" { LEFT } else { WIDTH };
            drawing += &format!(
                "<text x=\"{place:.1}\" y=\"{:.1}\" text-anchor=\"{anchor}\">{}</text>\n",
                HEIGHT - 5.0,
                Html(self.times.get(at).map_or("", |t| t))
            );
        }
        Some(format!(
            "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}\">\n{drawing}</svg>\n",
            Html(self.title)
        ))
    }

    /// Values without a gap between them.
    fn runs(&self) -> Vec<Vec<(usize, f64)>> {
        let mut runs = vec![Vec::new()];
        for (at, value) in self.values.iter().enumerate() {
            match (value, runs.last_mut()) {
                (Some(value), Some(run)) if value.is_finite() => run.push((at, *value)),
                _ => runs.push(Vec::new()),
            }
        }
        runs.retain(|run| run.len() > 1);
        runs
    }
}
