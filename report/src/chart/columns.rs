//! Two distributions side by side, baseline and window.

use crate::drift::{Bin, Distribution};
use crate::escape::Html;
use crate::number::{drawn, percent};

const WIDTH: f64 = 480.0;
const HEIGHT: f64 = 190.0;
const LEFT: f64 = 40.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 24.0;
/// Width of a character of a label, roughly.
const CHARACTER: f64 = 6.2;

/// What the colours mean, once a page.
pub(crate) fn legend() -> &'static str {
    "<p class=\"legend\"><span><i class=\"slate\"></i>baseline</span><span><i class=\"sage\"></i>window</span></p>\n"
}

/// Columns where the labels fit under them, else rows.
pub(crate) fn side_by_side(distribution: &Distribution) -> String {
    let bins = &distribution.bins;
    let room = (WIDTH - LEFT) / bins.len().max(1) as f64;
    let longest = bins.iter().map(|bin| bin.label.chars().count()).max().unwrap_or(0);
    if longest as f64 * CHARACTER <= room - 4.0 { columns(distribution) } else { rows(bins) }
}

fn columns(distribution: &Distribution) -> String {
    let bins = &distribution.bins;
    let top = ceiling(bins);
    let plot = HEIGHT - TOP - BOTTOM;
    let room = (WIDTH - LEFT) / bins.len().max(1) as f64;
    let bar = (room * 0.38).min(34.0);
    let y = |share: f64| TOP + plot * (1.0 - drawn(share / top));
    let mut drawing = String::new();
    for step in 0..=4 {
        let share = top * f64::from(step) / 4.0;
        drawing += &format!(
            "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{WIDTH}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
             <text x=\"{1}\" y=\"{2:.1}\" text-anchor=\"end\">{3}</text>\n",
            y(share),
            LEFT - 6.0,
            y(share) + 3.5,
            tick(share)
        );
    }
    for (place, bin) in bins.iter().enumerate() {
        let middle = LEFT + room * (place as f64 + 0.5);
        drawing += &column(middle - bar, y(bin.baseline), bar - 1.0, "slate", &tip(bin, "baseline", bin.baseline));
        drawing += &column(middle + 1.0, y(bin.window), bar - 1.0, "sage", &tip(bin, "window", bin.window));
        drawing += &format!(
            "<text x=\"{middle:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\n",
            HEIGHT - 7.0,
            Html(&bin.label)
        );
    }
    format!(
        "<svg viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"{}: baseline and window side by side\">\n{drawing}</svg>\n",
        Html(&distribution.title)
    )
}

fn column(x: f64, y: f64, width: f64, class: &str, tip: &str) -> String {
    let height = (HEIGHT - BOTTOM - y).max(0.0);
    format!(
        "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" rx=\"1.5\"><title>{}</title></rect>\n",
        Html(tip)
    )
}

/// A row a bin, its two shares under each other.
pub(crate) fn rows(bins: &[Bin]) -> String {
    let top = ceiling(bins);
    let rows: String = bins
        .iter()
        .map(|bin| {
            format!(
                "<bdi>{}</bdi><div><i class=\"bar thin slate\" style=\"width:{:.1}%\"></i><i class=\"bar thin\" style=\"width:{:.1}%\"></i></div>\
                 <span>{} → {}</span>\n",
                Html(&bin.label),
                drawn(bin.baseline / top) * 100.0,
                drawn(bin.window / top) * 100.0,
                percent(bin.baseline),
                percent(bin.window)
            )
        })
        .collect();
    format!("<div class=\"terms\">\n{rows}</div>\n")
}

fn tip(bin: &Bin, whose: &str, share: f64) -> String {
    format!("{}, {whose}: {}", bin.label, percent(share))
}

/// The top of the axis: a quarter of it is a round share.
fn ceiling(bins: &[Bin]) -> f64 {
    let highest = bins.iter().flat_map(|bin| [bin.baseline, bin.window]).filter(|s| s.is_finite()).fold(0.0, f64::max);
    [0.04, 0.08, 0.2, 0.4, 0.6, 0.8].into_iter().find(|&top| highest <= top).unwrap_or(1.0)
}

fn tick(share: f64) -> String {
    format!("{:.0} %", share * 100.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bin(label: &str, baseline: f64, window: f64) -> Bin {
        Bin { label: label.into(), baseline, window }
    }

    #[test]
    fn axis_holds_every_bar() {
        for (highest, top) in [(0.0, 0.04), (0.19, 0.2), (0.61, 0.8), (1.0, 1.0)] {
            assert_eq!(ceiling(&[bin("a", highest, 0.0)]), top, "highest share {highest}");
        }
    }

    #[test]
    fn long_labels_become_rows() {
        let of = |label: &str| {
            let bins = vec![bin(label, 0.5, 0.5), bin("b", 0.5, 0.5)];
            side_by_side(&Distribution { feature: "f".into(), title: "t".into(), bins, ..Distribution::default() })
        };
        assert!(of("0–9").starts_with("<svg"));
        assert!(of("a label that is far too long to stand under a column").starts_with("<div"));
    }
}
