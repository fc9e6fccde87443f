//! A comparison in one sentence.

use crate::features::Numeric;
use crate::stats::sketch::Sketch;

/// What differs, in words for either way.
#[derive(Clone, Debug, PartialEq)]
pub struct Contrast {
    /// What is compared, for a sentence's beginning: "Length".
    subject: &'static str,
    /// The difference as a statement: "Documents are longer".
    shift: String,
    /// Window and baseline: "median 640 characters, baseline 96".
    figures: String,
}

impl Contrast {
    /// Of anything, already in words.
    pub fn new(subject: &'static str, shift: impl Into<String>, figures: String) -> Self {
        Self { subject, shift: shift.into(), figures }
    }

    /// Of two samples of numbers.
    pub fn of_numbers(feature: Numeric, baseline: &Sketch, window: &Sketch) -> Self {
        let quantile = |sketch: &Sketch, q: f64| sketch.quantile(q).unwrap_or(f64::NAN);
        let (before, now) = (quantile(baseline, 0.5), quantile(window, 0.5));
        let (subject, unit, lower, higher) = match feature {
            Numeric::TextLength => ("Length", " characters", "Documents are shorter", "Documents are longer"),
            Numeric::TermCount => {
                ("Number of terms", " terms", "Documents have fewer terms", "Documents have more terms")
            }
            Numeric::UnknownTerms => (
                "Share of unknown terms",
                "",
                "Fewer terms are unknown to the baseline",
                "More terms are unknown to the baseline",
            ),
            Numeric::Score => ("Score", "", "Predictions are less certain", "Predictions are more certain"),
        };
        let shift = match () {
            () if now < before => lower.to_string(),
            () if now > before => higher.to_string(),
            () => format!("{subject} is spread differently"),
        };
        let figure = |value: f64| match feature {
            Numeric::TextLength | Numeric::TermCount => format!("{value:.0}"),
            Numeric::UnknownTerms => format!("{:.1} %", value * 100.0),
            Numeric::Score => format!("{value:.3}"),
        };
        Self { subject, shift, figures: format!("median {}{unit}, baseline {}", figure(now), figure(before)) }
    }

    /// Of two mixes of labels: `(label, (baseline's documents, window's))`.
    pub fn of_labels<'l>(counts: impl Iterator<Item = (&'l str, (u64, u64))>) -> Self {
        Self::of_mix("Mix of predicted labels", "Other labels are predicted", counts)
    }

    /// Of two mixes of anything.
    pub fn of_mix<'l>(subject: &'static str, shift: &str, counts: impl Iterator<Item = (&'l str, (u64, u64))>) -> Self {
        let counts: Vec<(&str, (u64, u64))> = counts.collect();
        let (m, n) = counts.iter().fold((0, 0), |(m, n), (_, (b, w))| (m + b, n + w));
        let share = |count: u64, of: u64| count as f64 / of.max(1) as f64;
        let most = counts
            .iter()
            .map(|&(label, (b, w))| (label, share(b, m), share(w, n)))
            .max_by(|a, b| (a.2 - a.1).abs().total_cmp(&(b.2 - b.1).abs()));
        let figures = most.map_or_else(String::new, |(label, before, now)| {
            format!("`{label}` {:.1} %, baseline {:.1} %", now * 100.0, before * 100.0)
        });
        Self { subject, shift: shift.into(), figures }
    }

    /// The sentence for how it came out.
    pub fn sentence(&self, large: bool, beyond_chance: bool) -> String {
        let Self { subject, shift, figures } = self;
        match (large, beyond_chance) {
            (true, true) => format!("{shift}: {figures}."),
            (true, false) => format!("{subject} differs no more than chance allows: {figures}."),
            (false, _) => format!("{subject} is as in the baseline: {figures}."),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences() {
        let lengths = Contrast::of_numbers(Numeric::TextLength, &Sketch::of(&[96.0]), &Sketch::of(&[640.0]));
        let unknown = Contrast::of_numbers(Numeric::UnknownTerms, &Sketch::of(&[0.056]), &Sketch::of(&[0.21]));
        let score = Contrast::of_numbers(Numeric::Score, &Sketch::of(&[0.93]), &Sketch::of(&[0.71]));
        let labels = Contrast::of_labels([("0", (50, 9)), ("1", (50, 91))].into_iter());
        for (contrast, large, beyond_chance, want) in [
            (&lengths, true, true, "Documents are longer: median 640 characters, baseline 96."),
            (&lengths, false, true, "Length is as in the baseline: median 640 characters, baseline 96."),
            (&unknown, true, true, "More terms are unknown to the baseline: median 21.0 %, baseline 5.6 %."),
            (&score, true, false, "Score differs no more than chance allows: median 0.710, baseline 0.930."),
            (&labels, true, true, "Other labels are predicted: `1` 91.0 %, baseline 50.0 %."),
        ] {
            assert_eq!(contrast.sentence(large, beyond_chance), want);
        }
    }
}
