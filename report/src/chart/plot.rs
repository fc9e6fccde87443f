//! The unit square with axes, and what is drawn on it: curves and the reliability diagram.

use crate::escape::Html;
use crate::evaluation::{ClassCurves, PrecisionRecallCurve, ReliabilityBin, RocCurve};
use crate::number::{count, drawn, figure, percent};
use crate::page::word;

const SIDE: f64 = 300.0;
const LEFT: f64 = 44.0;
const TOP: f64 = 10.0;
const BOTTOM: f64 = 40.0;
/// Radius of the dot of a bin that holds every document.
const RADIUS: f64 = 22.0;
/// Side of a small curve.
const SMALL: f64 = 100.0;

fn x(share: f64) -> f64 {
    LEFT + SIDE * drawn(share)
}

fn y(share: f64) -> f64 {
    TOP + SIDE * (1.0 - drawn(share))
}

/// True positives over false positives, with the diagonal of a coin.
pub(crate) fn roc(curve: &RocCurve) -> String {
    let points: String =
        curve.false_positive_rates.iter().zip(&curve.true_positive_rates).map(|(&f, &t)| point(f, t)).collect();
    let drawing = format!("{}{}", line((0.0, 0.0), (1.0, 1.0)), under(&points, 0.0, 1.0));
    square("ROC curve", "false positive rate", "true positive rate", &drawing)
}

/// Precision over recall, with the share of positives as the line of a coin.
pub(crate) fn precision_recall(curve: &PrecisionRecallCurve) -> String {
    let points: String = curve.recalls.iter().zip(&curve.precisions).map(|(&r, &p)| point(r, p)).collect();
    let prevalence = curve.precisions.last().copied().unwrap_or(0.0);
    let drawing = format!("{}{}", line((0.0, prevalence), (1.0, prevalence)), under(&points, 0.0, 1.0));
    square("Precision-recall curve", "recall", "precision", &drawing)
}

/// A dot a bin, its area the bin's share of the documents; on the diagonal probabilities are what they say.
pub(crate) fn reliability(bins: &[ReliabilityBin]) -> String {
    let all: u64 = bins.iter().map(|bin| bin.documents).sum();
    let dots: String = bins
        .iter()
        .filter(|bin| bin.documents > 0)
        .map(|bin| {
            let radius = (RADIUS * drawn(bin.documents as f64 / all.max(1) as f64).sqrt()).max(2.0);
            let tip = format!(
                "{} documents between {} and {}: mean probability {}, right {}",
                count(bin.documents),
                figure(bin.low, 3),
                figure(bin.high, 3),
                figure(bin.confidence, 3),
                percent(bin.accuracy)
            );
            let (cx, cy) = (x(bin.confidence), y(bin.accuracy));
            format!(
                "<line class=\"gap\" x1=\"{cx:.1}\" x2=\"{cx:.1}\" y1=\"{cy:.1}\" y2=\"{:.1}\"/>\
                 <circle class=\"dot\" cx=\"{cx:.1}\" cy=\"{cy:.1}\" r=\"{radius:.1}\"><title>{}</title></circle>\n",
                y(bin.confidence),
                Html(&tip)
            )
        })
        .collect();
    let drawing = format!("{}{dots}", line((0.0, 0.0), (1.0, 1.0)));
    square("Reliability diagram", "probability of the predicted class", "share right", &drawing)
}

/// Small precision-recall curves side by side, one class against the rest each; `figures` stands under the class's name.
pub(crate) fn small_curves(curves: &[ClassCurves], figures: impl Fn(&ClassCurves) -> String) -> String {
    let one = |curves: &ClassCurves| {
        let at = |r: f64, p: f64| format!("{:.1},{:.1} ", SMALL * drawn(r), SMALL * (1.0 - drawn(p)));
        let curve = &curves.precision_recall;
        let points: String = curve.recalls.iter().zip(&curve.precisions).map(|(&r, &p)| at(r, p)).collect();
        format!(
            "<figure><svg viewBox=\"-1 -1 102 102\" role=\"img\" aria-label=\"precision over recall of {name}\">\
             <rect class=\"frame\" width=\"{SMALL}\" height=\"{SMALL}\"/>\
             <polygon class=\"area\" points=\"0,{SMALL} {points}{SMALL},{SMALL}\"/>\
             <polyline class=\"curve\" points=\"{points}\"/></svg>\n<figcaption>{} <span>{}</span></figcaption></figure>\n",
            word(&curves.class),
            figures(curves),
            name = Html(&curves.class),
        )
    };
    format!("<div class=\"small\">\n{}</div>\n", curves.iter().map(one).collect::<String>())
}

fn point(horizontal: f64, vertical: f64) -> String {
    format!("{:.1},{:.1} ", x(horizontal), y(vertical))
}

fn line(from: (f64, f64), to: (f64, f64)) -> String {
    let (x1, y1, x2, y2) = (x(from.0), y(from.1), x(to.0), y(to.1));
    format!("<line class=\"chance\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>\n")
}

fn under(points: &str, from: f64, to: f64) -> String {
    let (from, to, floor) = (x(from), x(to), y(0.0));
    format!(
        "<polygon class=\"area\" points=\"{from:.1},{floor:.1} {points}{to:.1},{floor:.1}\"/>\n\
         <polyline class=\"curve\" points=\"{points}\"/>\n"
    )
}

fn square(title: &str, horizontal: &str, vertical: &str, drawing: &str) -> String {
    let grid: String = (0..=4)
        .map(|step| {
            let share = f64::from(step) / 4.0;
            format!(
                "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{0:.1}\" y2=\"{0:.1}\"/>\
                 <line class=\"grid\" y1=\"{TOP}\" y2=\"{bottom}\" x1=\"{1:.1}\" x2=\"{1:.1}\"/>\
                 <text x=\"{2}\" y=\"{3:.1}\" text-anchor=\"end\">{share}</text>\
                 <text x=\"{1:.1}\" y=\"{4}\" text-anchor=\"middle\">{share}</text>\n",
                y(share),
                x(share),
                LEFT - 6.0,
                y(share) + 3.5,
                TOP + SIDE + 15.0,
                right = LEFT + SIDE,
                bottom = TOP + SIDE,
            )
        })
        .collect();
    format!(
        "<svg class=\"square\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"{title}\">\n{grid}{drawing}\
         <text x=\"{middle}\" y=\"{label}\" text-anchor=\"middle\">{horizontal}</text>\n\
         <text transform=\"translate(11 {upright}) rotate(-90)\" text-anchor=\"middle\">{vertical}</text>\n</svg>\n",
        width = LEFT + SIDE + 8.0,
        height = TOP + SIDE + BOTTOM,
        middle = LEFT + SIDE / 2.0,
        label = TOP + SIDE + 34.0,
        upright = TOP + SIDE / 2.0,
    )
}
