//! Whether probabilities mean what they say.

use report::evaluation::{ReliabilityBin, ScoreHistogram, ScoreSeries};

use super::Outcome;

/// Bins of the reliability diagram and of the expected calibration error.
const BINS: usize = 15;

/// Bins of the histogram.
const HISTOGRAM_BINS: usize = 20;

/// Documents by the probability of their predicted class, 15 bins `(k/15, (k+1)/15]`; 0 falls into the first.
pub fn bins(outcomes: &[Outcome]) -> Vec<ReliabilityBin> {
    let mut sums = [(0u64, 0.0, 0u64); BINS];
    for outcome in outcomes {
        let confidence = outcome.probabilities[outcome.predicted];
        let (documents, confidences, right) = &mut sums[bin(confidence, BINS)];
        *documents += 1;
        *confidences += confidence;
        *right += u64::from(outcome.actual == outcome.predicted);
    }
    let edge = |k: usize| k as f64 / BINS as f64;
    let whole = |(k, (documents, confidences, right)): (usize, (u64, f64, u64))| ReliabilityBin {
        low: edge(k),
        high: edge(k + 1),
        documents,
        confidence: confidences / documents.max(1) as f64,
        accuracy: right as f64 / documents.max(1) as f64,
    };
    sums.into_iter().enumerate().map(whole).collect()
}

/// Expected calibration error: mean of `|accuracy - mean confidence|` over `bins`, weighted by documents (Guo et al. 2017);
/// 0 of no documents.
pub fn calibration_error(bins: &[ReliabilityBin]) -> f64 {
    let all: u64 = bins.iter().map(|bin| bin.documents).sum();
    let gap = |bin: &ReliabilityBin| bin.documents as f64 * (bin.accuracy - bin.confidence).abs();
    bins.iter().map(gap).sum::<f64>() / all.max(1) as f64
}

/// Brier score: of two classes the mean of `(p - y)²` of the second, of more the mean of the sum over all classes; 0 of no
/// outcomes.
pub fn brier(outcomes: &[Outcome]) -> f64 {
    let square = |outcome: &Outcome, class: usize| {
        (outcome.probabilities[class] - f64::from(u8::from(outcome.actual == class))).powi(2)
    };
    let score = |outcome: &Outcome| match outcome.probabilities.len() {
        2 => square(outcome, 1),
        classes => (0..classes).map(|class| square(outcome, class)).sum(),
    };
    outcomes.iter().map(score).sum::<f64>() / outcomes.len().max(1) as f64
}

/// By actual class: of two classes the second's probability, of more the document's own class's; 20 bins.
pub fn histogram(outcomes: &[Outcome], classes: &[String]) -> ScoreHistogram {
    let mut documents = vec![vec![0u64; HISTOGRAM_BINS]; classes.len()];
    for outcome in outcomes {
        let of = if classes.len() == 2 { 1 } else { outcome.actual };
        documents[outcome.actual][bin(outcome.probabilities[of], HISTOGRAM_BINS)] += 1;
    }
    let series = |(class, documents): (&String, Vec<u64>)| ScoreSeries { class: class.clone(), documents };
    ScoreHistogram {
        of: if let [_, positive] = classes { Some(positive.clone()) } else { None },
        series: classes.iter().zip(documents).map(series).collect(),
    }
}

/// The bin `(k/bins, (k+1)/bins]` of a probability; what is no probability falls into the nearest.
fn bin(probability: f64, bins: usize) -> usize {
    let above = (probability * bins as f64).ceil();
    (above.max(1.0) as usize - 1).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_closed_above() {
        for (probability, want) in
            [(0.0, 0), (0.05, 0), (0.050_000_1, 1), (0.1, 1), (1.0, 19), (1.000_001, 19), (-1.0, 0), (f64::NAN, 0)]
        {
            assert_eq!(bin(probability, 20), want, "{probability}");
        }
    }
}
