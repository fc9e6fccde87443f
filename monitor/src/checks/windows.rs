//! Comparisons of whole windows: what no single document's feature shows.

use std::collections::BTreeMap;

use super::{Comparison, Shown, mix};
use crate::baseline::Baseline;
use crate::constraints::ComparisonMethod;
use crate::describe::Contrast;
use crate::features::{ACCURACY, DOMAIN, LANGUAGE, LOG_ODDS, TERMS};
use crate::stats::{means, rates};

/// Those that can be made.
pub(super) fn all(baseline: &Baseline, shown: Shown) -> impl Iterator<Item = Comparison> {
    let made = [
        terms(baseline, shown),
        language(baseline, shown),
        log_odds(baseline, shown),
        domain(baseline, shown),
        estimate(baseline, shown),
        measured(baseline, shown),
    ];
    made.into_iter().flatten()
}

/// Threshold, and whether chance is asked about.
fn holding(baseline: &Baseline, name: &str) -> Option<(f64, bool)> {
    let holding = baseline.constraints.distribution(name)?;
    Some((holding.comparison_threshold, holding.comparison_method == ComparisonMethod::Robust))
}

fn terms(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let ((threshold, robust), p_value) = (holding(baseline, TERMS)?, shown.moved.p_value?);
    let named: Vec<String> = shown
        .moved
        .terms
        .iter()
        .take(3)
        .map(|t| format!("`{}` {:.1} %, baseline {:.1} %", t.term, t.window * 100.0, t.baseline * 100.0))
        .collect();
    let figures = match named.is_empty() {
        true => format!("none of {} tested moved", shown.moved.tested),
        false => format!("{} (share of documents)", named.join("; ")),
    };
    Some(Comparison {
        feature: TERMS,
        statistic: "largest_rate_difference",
        value: shown.moved.terms.first().map_or(0.0, |term| term.difference().abs()),
        threshold,
        p_value: robust.then_some(p_value),
        contrast: Contrast::new("Rate of every term", "Other words are used", figures),
    })
}

fn language(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let (threshold, robust) = holding(baseline, LANGUAGE)?;
    fn borrowed(counts: &BTreeMap<String, u64>) -> BTreeMap<&str, u64> {
        counts.iter().map(|(name, &count)| (name.as_str(), count)).collect()
    }
    let (found, counts) = mix(&borrowed(&baseline.info.languages), &borrowed(shown.languages))?;
    Some(Comparison {
        feature: LANGUAGE,
        statistic: "total_variation",
        value: found.distance,
        threshold,
        p_value: robust.then_some(found.p_value),
        contrast: Contrast::of_mix("Mix of languages", "Other languages are written", counts.into_iter()),
    })
}

/// Of several classes the one whose mean moved most.
fn log_odds(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let (threshold, robust) = holding(baseline, LOG_ODDS)?;
    let pairs = baseline.means.scores.iter().zip(shown.scores);
    let all: Vec<means::Apart> = pairs.filter_map(|(before, now)| means::compare(before, now)).collect();
    let most = all.iter().max_by(|a, b| a.standardised.abs().total_cmp(&b.standardised.abs()))?;
    let least = all.iter().map(|apart| apart.p_value).fold(1.0, f64::min);
    let first = shown.shifts.first()?;
    let shift = if first.change > 0.0 { "The model leans" } else { "The model leans away" };
    let figures = format!("mean log-odds of `{}` {:+.2} ± {:.2}", first.class, first.change, first.error);
    Some(Comparison {
        feature: LOG_ODDS,
        statistic: "standardised_mean_difference",
        value: most.standardised.abs(),
        threshold,
        p_value: robust.then_some((least * all.len() as f64).min(1.0)),
        contrast: Contrast::new("Mean score", shift, figures),
    })
}

fn domain(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let ((threshold, robust), found) = (holding(baseline, DOMAIN)?, shown.domain?);
    let (low, high) = found.classifier.interval;
    let words: Vec<String> = found.classifier.terms.iter().take(3).map(|t| format!("`{}`", t.term)).collect();
    let figures = format!("area {:.2} ({low:.2} to {high:.2}), most by {}", found.classifier.auc, words.join(", "));
    Some(Comparison {
        feature: DOMAIN,
        statistic: "classifier_auc",
        value: found.classifier.auc,
        threshold,
        p_value: robust.then_some(found.p_value),
        contrast: Contrast::new(
            "What a classifier can tell apart",
            "A classifier tells window and baseline apart",
            figures,
        ),
    })
}

/// What is estimated counts only where even its upper end is too low.
fn estimate(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let ((threshold, _), found) = (holding(baseline, ACCURACY)?, shown.estimate?);
    let before = baseline.info.accuracy.as_ref()?;
    let (low, high) = found.interval;
    let percent = |share: f64| format!("{:.0} %", share * 100.0);
    let figures = format!(
        "estimated {} ({} to {}), held out {}",
        percent(found.accuracy),
        percent(low),
        percent(high),
        percent(before.accuracy)
    );
    Some(Comparison {
        feature: ACCURACY,
        statistic: "estimated_loss",
        value: (before.accuracy - high).max(0.0),
        threshold,
        p_value: None,
        contrast: Contrast::new("Estimated accuracy", "Fewer predictions are right", figures),
    })
}

fn measured(baseline: &Baseline, shown: Shown) -> Option<Comparison> {
    let ((threshold, robust), (right, all)) = (holding(baseline, ACCURACY)?, shown.measured?);
    let before = baseline.info.accuracy.as_ref()?;
    let (share, was) = (right as f64 / all.max(1) as f64, (before.accuracy * before.documents as f64).round() as u64);
    let figures = format!("{:.1} % of {all} with labels, held out {:.1} %", share * 100.0, before.accuracy * 100.0);
    Some(Comparison {
        feature: ACCURACY,
        statistic: "measured_loss",
        value: (before.accuracy - share).max(0.0),
        threshold,
        p_value: robust.then(|| rates::p_value((was.min(before.documents), before.documents), (right, all))),
        contrast: Contrast::new("Measured accuracy", "Fewer predictions are right", figures),
    })
}
