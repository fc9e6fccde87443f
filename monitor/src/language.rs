//! The mix of languages of texts.

use std::collections::BTreeMap;

use model::language::{UNDETERMINED, guess};

/// Texts whose language is guessed: a mix is known well enough by these.
const MOST: usize = 500;

/// Texts a language, of the first 500.
pub fn mix<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<String, u64> {
    let mut mix = BTreeMap::new();
    texts.take(MOST).for_each(|text| *mix.entry(guess(text).to_string()).or_default() += 1);
    mix
}

/// Texts of a known language, on either side, from which anything is said.
const LEAST: u64 = 30;
/// A language counts that so much of the window is in, and this many times as much as of the baseline: the guess is wrong
/// now and then.
const COUNTED: (f64, f64) = (0.1, 10.0);

/// Share of the window's texts that is in languages which the baseline hardly has. Those that say too little of their
/// language are taken for like the others.
pub fn foreign(baseline: &BTreeMap<String, u64>, window: &BTreeMap<String, u64>) -> f64 {
    let known =
        |mix: &BTreeMap<String, u64>| mix.iter().filter(|(name, _)| *name != UNDETERMINED).map(|(_, n)| n).sum();
    let (before, now): (u64, u64) = (known(baseline), known(window));
    if before < LEAST || now < LEAST {
        return 0.0;
    }
    let share =
        |mix: &BTreeMap<String, u64>, name: &str, all: u64| mix.get(name).copied().unwrap_or(0) as f64 / all as f64;
    let (much, times) = COUNTED;
    window
        .keys()
        .filter(|name| *name != UNDETERMINED)
        .map(|name| (share(window, name, now), share(baseline, name, before)))
        .filter(|(now, before)| *now >= much && *now > times * before)
        .map(|(now, _)| now)
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mix_of(counts: &[(&str, u64)]) -> BTreeMap<String, u64> {
        counts.iter().map(|(name, count)| (name.to_string(), *count)).collect()
    }

    #[test]
    fn foreign_is_what_the_baseline_hardly_has() {
        let english = mix_of(&[("eng", 280), ("fra", 5), (UNDETERMINED, 215)]);
        for (window, want) in [
            (mix_of(&[("eng", 400), ("fra", 8)]), 0.0),
            (mix_of(&[("fra", 300), ("eng", 100), (UNDETERMINED, 50)]), 0.75),
            (mix_of(&[("kor", 500)]), 1.0),
            // Single phrases are taken for anything.
            (mix_of(&[("eng", 60), ("ita", 5), ("nld", 4), (UNDETERMINED, 431)]), 0.0),
            (mix_of(&[("fra", 20), (UNDETERMINED, 480)]), 0.0),
        ] {
            assert_eq!(foreign(&english, &window), want, "{window:?}");
        }
        assert_eq!(foreign(&mix_of(&[(UNDETERMINED, 500)]), &mix_of(&[("fra", 500)])), 0.0);
    }
}
