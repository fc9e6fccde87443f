//! How probabilities are spread, by actual class.

use crate::escape::Html;
use crate::evaluation::{ScoreHistogram, ScoreSeries};
use crate::number::{count, drawn, percent};
use crate::page::word;

const WIDTH: f64 = 352.0;
const HEIGHT: f64 = 170.0;
const LEFT: f64 = 44.0;
const BOTTOM: f64 = 40.0;
const TOP: f64 = 10.0;

/// Two classes over one another as columns, more as rows of tinted cells.
pub(crate) fn histogram(histogram: &ScoreHistogram) -> String {
    match (&histogram.of, &histogram.series[..]) {
        (Some(of), [first, second]) => columns(of, first, second),
        _ => strips(&histogram.series),
    }
}

fn columns(of: &str, first: &ScoreSeries, second: &ScoreSeries) -> String {
    let highest = first.documents.iter().chain(&second.documents).copied().max().unwrap_or(0).max(1) as f64;
    let bins = first.documents.len().max(1) as f64;
    let (room, plot) = ((WIDTH - LEFT - 8.0) / bins, HEIGHT - TOP - BOTTOM);
    let bars = |series: &ScoreSeries, class: &str, shift: f64| -> String {
        let bar = |(place, &documents): (usize, &u64)| {
            let height = plot * drawn(documents as f64 / highest);
            let tip = format!(
                "{} of class {} between {} and {}",
                count(documents),
                series.class,
                percent(place as f64 / bins),
                percent((place + 1) as f64 / bins)
            );
            format!(
                "<rect class=\"{class}\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"><title>{}</title></rect>\n",
                LEFT + room * (place as f64 + shift) + 0.5,
                TOP + plot - height,
                room / 2.0 - 0.8,
                Html(&tip)
            )
        };
        series.documents.iter().enumerate().map(bar).collect()
    };
    let ticks: String = (0..=4)
        .map(|step| {
            let share = f64::from(step) / 4.0;
            let at = LEFT + (WIDTH - LEFT - 8.0) * share;
            format!("<text x=\"{at:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{share}</text>\n", HEIGHT - BOTTOM + 15.0)
        })
        .collect();
    let label = format!("probability of class {of}");
    format!(
        "<p class=\"legend\"><span><i class=\"clay\"></i>is {}</span><span><i class=\"sage\"></i>is {}</span></p>\n\
         <svg class=\"square\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" aria-label=\"documents by probability\">\n\
         <line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{floor}\" y2=\"{floor}\"/>\n{}{}{ticks}\
         <text x=\"{}\" y=\"{TOP}\" dy=\"8\" text-anchor=\"end\">{}</text>\n\
         <text x=\"{middle}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n</svg>\n",
        word(&first.class),
        word(&second.class),
        bars(first, "clay", 0.0),
        bars(second, "sage", 0.5),
        LEFT - 6.0,
        count(highest as u64),
        HEIGHT - 6.0,
        Html(&label),
        right = WIDTH - 8.0,
        floor = HEIGHT - BOTTOM,
        middle = (LEFT + WIDTH - 8.0) / 2.0,
    )
}

/// Each row is one class's documents by the probability given to that class, from 0 to 1.
fn strips(series: &[ScoreSeries]) -> String {
    let rows: String = series
        .iter()
        .map(|series| {
            let all = series.documents.iter().sum::<u64>();
            let most = series.documents.iter().copied().max().unwrap_or(0).max(1) as f64;
            let bins = series.documents.len() as f64;
            let cells: String = series
                .documents
                .iter()
                .enumerate()
                .map(|(place, &documents)| {
                    let (low, high) = (percent(place as f64 / bins), percent((place + 1) as f64 / bins));
                    let weight = drawn(documents as f64 / most);
                    let tip = format!("{} between {low} and {high}", count(documents));
                    format!("<i class=\"cell\" style=\"--w:{weight:.3}\" title=\"{}\"></i>", Html(&tip))
                })
                .collect();
            format!("{}<div>{cells}</div><span>{}</span>\n", word(&series.class), count(all))
        })
        .collect();
    format!(
        "<div class=\"strips\">\n{rows}<span></span><div class=\"axis\"><small>0</small><small>probability of its own class</small><small>1</small></div><span></span>\n</div>\n"
    )
}
