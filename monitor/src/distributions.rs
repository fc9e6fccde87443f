//! Baseline and window side by side, in bins that a person can read.

use std::collections::{BTreeMap, BTreeSet};

use report::drift::{Bin, Distribution};

use crate::baseline::Baseline;
use crate::features::{Columns, LANGUAGE, Numeric, PREDICTED_LABEL};
use crate::stats::divergence;
use crate::stats::sketch::Sketch;

/// Most bins of a chart.
const BINS: f64 = 10.0;

/// One a feature that both sides have; `languages` are those of the window's sample.
pub fn side_by_side(baseline: &Baseline, window: &Columns, languages: &BTreeMap<String, u64>) -> Vec<Distribution> {
    let number = |&feature: &Numeric| {
        let before = baseline.statistics.feature(feature.name())?.sketch()?;
        numbers(feature, &before, &window.values(feature).sketch())
    };
    let language = || {
        (!languages.is_empty() && !baseline.info.languages.is_empty())
            .then(|| mixes(LANGUAGE, "language, guessed", &borrowed(&baseline.info.languages), &borrowed(languages)))
    };
    Numeric::ALL.iter().filter_map(number).chain(labels(baseline, window)).chain(language()).collect()
}

fn numbers(feature: Numeric, baseline: &Sketch, window: &Sketch) -> Option<Distribution> {
    let ends = |q: f64| Some((baseline.quantile(q)?, window.quantile(q)?));
    let (low, high) = (ends(0.01)?, ends(0.99)?);
    let cuts = cuts(low.0.min(low.1), high.0.max(high.1), if feature.is_integral() { 1.0 } else { 0.01 });
    let edges: Vec<f64> = [f64::NEG_INFINITY].into_iter().chain(cuts.iter().copied()).chain([f64::INFINITY]).collect();
    let share = |sketch: &Sketch, low, high| sketch.between(low, high) as f64 / sketch.count() as f64;
    let bins = edges
        .windows(2)
        .map(|edge| Bin {
            label: label(feature, edge[0], edge[1]),
            baseline: share(baseline, edge[0], edge[1]),
            window: share(window, edge[0], edge[1]),
        })
        .collect();
    Some(distribution(feature.name(), feature.title(), bins))
}

/// Where bins meet: round numbers at even distances, or in the steps 1, 2, 5, 10 where values span decades.
fn cuts(low: f64, high: f64, finest: f64) -> Vec<f64> {
    if low > 0.0 && high / low > 50.0 {
        return decades().filter(|&cut| cut > low && cut < high).collect();
    }
    let step =
        decades().map(|step| step * 1e-6).find(|&step| step >= finest * 0.999 && (high - low) / step <= BINS - 1.0);
    let Some(step) = step else { return Vec::new() };
    let first = (low / step).floor() as i64 + 1;
    (first..first + BINS as i64).map(|k| k as f64 * step).filter(|&cut| cut <= high).collect()
}

/// 1, 2, 5, 10, 20, … up to 5·10¹⁵.
fn decades() -> impl Iterator<Item = f64> {
    (0..16).flat_map(|power| [1.0, 2.0, 5.0].map(|digit| digit * 10f64.powi(power)))
}

fn label(feature: Numeric, low: f64, high: f64) -> String {
    let (scale, unit) = if feature.is_integral() { (1.0, "") } else { (100.0, " %") };
    let shown = |value: f64| format!("{}", (value * scale).round());
    match (low.is_finite(), high.is_finite()) {
        (false, false) => "all".into(),
        (false, true) => format!("< {}{unit}", shown(high)),
        (true, false) => format!("≥ {}{unit}", shown(low)),
        (true, true) if feature.is_integral() && high - low <= 1.0 => shown(low),
        (true, true) if feature.is_integral() => format!("{}–{}", shown(low), shown(high - 1.0)),
        (true, true) => format!("{}–{}", shown(low), shown(high)),
    }
}

fn labels(baseline: &Baseline, window: &Columns) -> Option<Distribution> {
    let before = baseline.statistics.feature(PREDICTED_LABEL)?.categories()?;
    Some(mixes(PREDICTED_LABEL, "predicted label", &before, &borrowed(window.labels())))
}

fn borrowed(counts: &BTreeMap<String, u64>) -> BTreeMap<&str, u64> {
    counts.iter().map(|(name, &count)| (name.as_str(), count)).collect()
}

fn mixes(feature: &str, title: &str, before: &BTreeMap<&str, u64>, now: &BTreeMap<&str, u64>) -> Distribution {
    let names: BTreeSet<&str> = before.keys().chain(now.keys()).copied().collect();
    let share = |of: &BTreeMap<&str, u64>, name: &str| {
        of.get(name).copied().unwrap_or(0) as f64 / of.values().sum::<u64>().max(1) as f64
    };
    let bin = |name: &&str| Bin { label: name.to_string(), baseline: share(before, name), window: share(now, name) };
    distribution(feature, title, names.iter().map(bin).collect())
}

fn distribution(feature: &str, title: &str, bins: Vec<Bin>) -> Distribution {
    let shares: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.baseline, bin.window)).collect();
    Distribution {
        feature: feature.into(),
        title: title.into(),
        psi: divergence::psi(&shares),
        jensen_shannon: divergence::jensen_shannon(&shares),
        bins,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_round_and_few() {
        for (low, high, finest, want) in [
            (8.0, 260.0, 1.0, vec![50.0, 100.0, 150.0, 200.0, 250.0]),
            (3.0, 3000.0, 1.0, vec![5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0]),
            (2.0, 6.0, 1.0, vec![3.0, 4.0, 5.0, 6.0]),
            (4.0, 4.0, 1.0, vec![]),
        ] {
            assert_eq!(cuts(low, high, finest), want, "{low} to {high}");
        }
    }

    #[test]
    fn every_document_is_in_one_bin() {
        let (before, now) = (Sketch::of(&[0.0, 0.1, 0.1, 0.3, 1.0]), Sketch::of(&[0.2, 0.5]));
        let found = numbers(Numeric::UnknownTerms, &before, &now).unwrap();
        let sum = |side: fn(&Bin) -> f64| found.bins.iter().map(side).sum::<f64>();
        assert!((sum(|b| b.baseline) - 1.0).abs() < 1e-12 && (sum(|b| b.window) - 1.0).abs() < 1e-12, "{found:?}");
        assert_eq!(found.bins[0].label, "< 20 %");
        assert_eq!(numbers(Numeric::Score, &before, &Sketch::of(&[])), None);
    }
}
