//! What the moved terms do to the model's scores, exactly.
//!
//! A score is `intercept + Σ weight · value`, so its mean over documents is `intercept + Σ weight · mean value`, and the
//! change of the mean score is `Σ weight · change of the mean value`: every term's part of it, normalisation included.
//! A calibration by Platt's sigmoid or a temperature is linear in the score, so that all of this is said in calibrated
//! log-odds: of two classes the second's, of several each class's (of a temperature, and without calibration, the
//! exponent of the softmax).

use model::{Artifact, ArtifactError, Calibration};
use report::drift::{ScoreShift, TermImpact};

use crate::baseline::Means;
use crate::stats::means;
use crate::stats::sample::Moments;

/// Terms that a report names.
const NAMED: usize = 20;
/// Classes that a report has; those that moved most.
const CLASSES: usize = 20;

/// Slope and offset, a weight vector, that make calibrated log-odds of scores.
pub fn log_odds(artifact: &Artifact) -> Vec<(f64, f64)> {
    let vectors = artifact.intercepts().len();
    match &artifact.manifest().calibration {
        Calibration::Platt { a, b } => a.iter().copied().zip(b.iter().copied()).take(vectors).collect(),
        Calibration::Temperature { t } => vec![(1.0 / t, 0.0); vectors],
        Calibration::None => vec![(1.0, 0.0); vectors],
    }
}

/// Of each weight vector, the change of its mean log-odds and what it consists of; those that moved most first.
pub fn shifts(
    artifact: &Artifact,
    baseline: &Means,
    sums: &[f64],
    scores: &[Moments],
) -> Result<Vec<ScoreShift>, ArtifactError> {
    let (sets, vectors) = (artifact.value_sets(), artifact.intercepts().len());
    let documents = scores.first().map_or(0, |moments| moments.count);
    if documents == 0 || baseline.values.len() != sums.len() || baseline.scores.len() != vectors {
        return Ok(Vec::new());
    }
    let scales = log_odds(artifact);
    let mut of_vector: Vec<Parts> = (0..vectors).map(|_| Parts::default()).collect();
    for (term, (before, now)) in baseline.values.chunks_exact(sets).zip(sums.chunks_exact(sets)).enumerate() {
        if before.iter().chain(now).all(|value| *value == 0.0) {
            continue;
        }
        let weights = artifact.term_weights(term as u32)?;
        for (vector, (parts, weight)) in of_vector.iter_mut().zip(weights).enumerate() {
            let set = vector.min(sets - 1);
            let (weight, baseline, window) = (weight * scales[vector].0, before[set], now[set] / documents as f64);
            let contribution = weight * (window - baseline);
            parts.sum += contribution;
            parts.terms.push((term as u32, weight, baseline, window, contribution));
            if parts.terms.len() >= 4096 {
                parts.strongest();
            }
        }
    }
    let class = |vector: usize| artifact.classes()[if vectors == 1 { 1 } else { vector }].clone();
    let mut shifts = Vec::new();
    for (vector, mut parts) in of_vector.into_iter().enumerate() {
        parts.strongest();
        let named = |(term, weight, baseline, window, contribution)| {
            Ok(TermImpact { term: artifact.term(term)?, weight, baseline, window, contribution })
        };
        let terms: Vec<TermImpact> = parts.terms.into_iter().map(named).collect::<Result<_, ArtifactError>>()?;
        let (before, now, (slope, offset)) = (&baseline.scores[vector], &scores[vector], scales[vector]);
        shifts.push(ScoreShift {
            class: class(vector),
            baseline: slope * before.mean + offset,
            window: slope * now.mean + offset,
            change: slope * (now.mean - before.mean),
            error: means::compare(before, now).map_or(f64::MAX, |apart| slope.abs() * apart.error),
            rest: parts.sum - terms.iter().map(|term| term.contribution).sum::<f64>(),
            terms,
        });
    }
    shifts.sort_by(|a, b| b.change.abs().total_cmp(&a.change.abs()).then_with(|| a.class.cmp(&b.class)));
    shifts.truncate(CLASSES);
    Ok(shifts)
}

/// Of one weight vector: term, weight, mean values, contribution.
#[derive(Default)]
struct Parts {
    sum: f64,
    terms: Vec<(u32, f64, f64, f64, f64)>,
}

impl Parts {
    fn strongest(&mut self) {
        self.terms.sort_by(|a, b| b.4.abs().total_cmp(&a.4.abs()).then_with(|| a.0.cmp(&b.0)));
        self.terms.truncate(NAMED);
    }
}
