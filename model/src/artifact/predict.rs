//! Text to prediction on the mapped files.

use crate::artifact::Artifact;
use crate::artifact::mapped::{Checked, Numbers};
use crate::artifact::record::{Scratch, Tf, with_scratch};
use crate::artifact::tensors::{Model, Tensors, float};
use crate::calibration::Calibration;
use crate::error::ArtifactError;
use crate::linear::most_probable;
use crate::tfidf::Norm;

/// Terms whose numbers are read together.
const BATCH: usize = 32;

/// The class of a text.
#[derive(Debug, Clone, PartialEq)]
pub struct Prediction {
    /// Index of the most probable class; the first of equals.
    pub class: usize,
    /// Of each class, in the order of [`Artifact::classes`]; they sum to 1.
    pub probabilities: Vec<f64>,
}

impl Prediction {
    /// Probability of the predicted class.
    pub fn score(&self) -> f64 {
        self.probabilities.get(self.class).copied().unwrap_or(f64::NAN)
    }
}

impl Artifact {
    /// The prediction for `text`. A text without a known term is predicted by the intercept, or the tree's leaf for it.
    ///
    /// What is read of the files for the first time is verified; where it was damaged, that is the error.
    pub fn predict(&self, text: &str) -> Result<Prediction, ArtifactError> {
        with_scratch(|scratch| {
            self.read(text, scratch)?;
            let mut probabilities = vec![0.0; self.classes().len()];
            match &self.tensors.model {
                Model::Linear { intercept } => {
                    self.scores(intercept, scratch)?;
                    self.link(&scratch.scores, &mut probabilities);
                }
                Model::Trees(nodes) => {
                    let mut values = Vec::new();
                    self.values(scratch, 0, &mut values)?;
                    let mut row: Vec<(u32, f64)> =
                        scratch.found.iter().zip(values).map(|(&(row, _), value)| (row, value)).collect();
                    row.sort_unstable_by_key(|&(row, _)| row);
                    let value = |term| row.binary_search_by_key(&term, |&(term, _)| term).map_or(0.0, |at| row[at].1);
                    nodes.shares(&self.tensors.file, value, &mut probabilities)?;
                }
            }
            if let Some(damaged) = probabilities.iter().find(|p| !p.is_finite()) {
                return Err(self.tensors.file.refuse(format!("its numbers make a probability of {damaged}")));
            }
            Ok(Prediction { class: most_probable(&probabilities), probabilities })
        })
        .map_err(|e| *e)
    }

    /// Scores to probabilities: as they were calibrated, else as they were fitted.
    pub(super) fn link(&self, scores: &[f64], probabilities: &mut [f64]) {
        match (&self.manifest.calibration, self.manifest.link) {
            (Calibration::None, Some(link)) => link.apply(scores, probabilities),
            (calibration, _) => calibration.apply(scores, probabilities),
        }
    }

    /// Leaves `intercept + Σ weight · value` of each weight vector in `scratch.scores`.
    fn scores(&self, intercept: &[f64], scratch: &mut Scratch) -> Checked<()> {
        let (tf, sets, vectors) = (&self.tf, self.tensors.sets, intercept.len());
        let Scratch { scores, sums, sizes, found, groups, .. } = scratch;
        scores.clear();
        scores.extend(intercept);
        let mut start = 0;
        for &end in &*groups {
            sums.clear();
            sums.resize(vectors, 0.0);
            sizes.clear();
            sizes.resize(sets, 0.0);
            let found = &found[start..end];
            match (&mut sums[..], &mut sizes[..]) {
                ([sum], [size]) => self.one_vector(found, tf, sum, size)?,
                (sums, sizes) => self.vectors(found, tf, sums, sizes)?,
            }
            for (vector, (score, sum)) in scores.iter_mut().zip(&*sums).enumerate() {
                *score += sum * self.row_scale(sizes[vector.min(sets - 1)]);
            }
            start = end;
        }
        match scores.iter().find(|score| !score.is_finite()) {
            None => Ok(()),
            Some(score) => Err(self.tensors.file.refuse(format!("its numbers make a score of {score}"))),
        }
    }

    /// Adds the weighted values of terms that have one scale and one weight, and the values' sizes.
    fn one_vector(&self, found: &[(u32, u32)], tf: &Tf, sum: &mut f64, size: &mut f64) -> Checked<()> {
        let Tensors { file, terms, .. } = &self.tensors;
        let absolute = self.manifest.tfidf.norm == Some(Norm::L1);
        (*sum, *size) = match file.sound(*terms) {
            Some(terms) => weighted(terms, found, tf, absolute)?,
            None => weighted(file.looked(*terms), found, tf, absolute)?,
        };
        Ok(())
    }

    /// Likewise of several weights, with one scale or one a weight.
    fn vectors(&self, found: &[(u32, u32)], tf: &Tf, sums: &mut [f64], sizes: &mut [f64]) -> Checked<()> {
        for &(row, count) in found {
            let (scales, weights) = self.tensors.term(row)?.split_at(sizes.len());
            let tf = tf.of(count);
            if let ([scale], [size]) = (scales, &mut *sizes) {
                let value = float(*scale) * tf;
                *size += self.size(value);
                sums.iter_mut().zip(weights).for_each(|(sum, &weight)| *sum += float(weight) * value);
            } else {
                for (((sum, size), &scale), &weight) in sums.iter_mut().zip(&mut *sizes).zip(scales).zip(weights) {
                    let value = float(scale) * tf;
                    *size += self.size(value);
                    *sum += float(weight) * value;
                }
            }
        }
        Ok(())
    }
}

/// The sum of the weighted values of terms, of which `numbers` hold a scale and a weight each, and the values' sizes.
#[inline(always)]
fn weighted<'m>(numbers: impl Numbers<'m, 4>, found: &[(u32, u32)], tf: &Tf, absolute: bool) -> Checked<(f64, f64)> {
    let (mut sum, mut size) = (0.0, 0.0);
    for found in found.chunks(BATCH) {
        // Read together, so that what memory is slow to give comes at once.
        let mut terms = [[0.0f32; 2]; BATCH];
        for (term, &(row, _)) in terms.iter_mut().zip(found) {
            let [scale, weight] = numbers.run(row as usize * 2)?;
            *term = [f32::from_le_bytes(*scale), f32::from_le_bytes(*weight)];
        }
        for ([scale, weight], &(_, count)) in terms.iter().zip(found) {
            let value = f64::from(*scale) * tf.of(count);
            size += if absolute { value.abs() } else { value * value };
            sum += f64::from(*weight) * value;
        }
    }
    Ok((sum, size))
}
