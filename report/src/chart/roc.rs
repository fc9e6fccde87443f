//! The ROC curve.

use crate::evaluation::RocCurve;
use crate::number::drawn;

const SIDE: f64 = 300.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;

/// True positives over false positives, with the diagonal of a coin.
pub(crate) fn roc(curve: &RocCurve) -> String {
    let x = |rate: f64| LEFT + SIDE * drawn(rate);
    let y = |rate: f64| TOP + SIDE * (1.0 - drawn(rate));
    let points: String = curve
        .false_positive_rates
        .iter()
        .zip(&curve.true_positive_rates)
        .map(|(&f, &t)| format!("{:.1},{:.1} ", x(f), y(t)))
        .collect();
    let grid: String = (0..=4)
        .map(|step| {
            let rate = f64::from(step) / 4.0;
            format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
                 <line class=\"grid\" y1=\"{TOP}\" y2=\"{bottom}\" x1=\"{1:.1}\" x2=\"{1:.1}\"/>\
                 <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{rate}</text>\
                 <text x=\"{1:.1}\" y=\"{4}\" text-anchor=\"middle\">{rate}</text>\n",
                y(rate),
                x(rate),
                LEFT - 6.0,
                y(rate) + 3.5,
                TOP + SIDE + 15.0,
                right = LEFT + SIDE,
                bottom = TOP + SIDE,
            )
        })
        .collect();
    format!(
        "<svg class=\"roc\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"ROC curve\">\n{grid}\
         <line class=\"chance\" x1=\"{LEFT}\" y1=\"{bottom}\" x2=\"{right}\" y2=\"{TOP}\"/>\n\
         <polygon class=\"area\" points=\"{LEFT},{bottom} {points}{right},{bottom}\"/>\n\
         <polyline class=\"curve\" points=\"{points}\"/>\n\
         <text x=\"{middle}\" y=\"{label}\" text-anchor=\"middle\">false positive rate</text>\n\
         <text transform=\"translate(11 {upright}) rotate(-90)\" text-anchor=\"middle\">true positive rate</text>\n</svg>\n",
        width = LEFT + SIDE + 8.0,
        height = TOP + SIDE + BOTTOM,
        bottom = TOP + SIDE,
        right = LEFT + SIDE,
        middle = LEFT + SIDE / 2.0,
        label = TOP + SIDE + 34.0,
        upright = TOP + SIDE / 2.0,
    )
}
