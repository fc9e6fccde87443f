//! A document as the numbers that a classifier sees, for those who watch texts rather than classify them.

use crate::artifact::Artifact;
use crate::artifact::mapped::Checked;
use crate::artifact::record::with_scratch;
use crate::artifact::tensors::{Model, float};
use crate::error::ArtifactError;

/// A document's record, and what a linear classifier makes of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DocumentValues {
    /// Numbers of the document's terms, each once, in the order of their first occurrence.
    pub terms: Vec<u32>,
    /// Their values, normalised as for a prediction, shape (terms, sets): one set, or one a class
    /// ([`Artifact::value_sets`]).
    pub values: Vec<f64>,
    /// `intercept + Σ weight · value` of each weight vector; empty where the classifier is not linear.
    pub scores: Vec<f64>,
}

impl Artifact {
    /// Sets of scales, and so of values a term: 1, or one a class (NB weighting of more than two).
    pub fn value_sets(&self) -> usize {
        self.tensors.sets
    }

    /// The intercept of each weight vector: of the second of two classes, else of each; empty where not linear.
    pub fn intercepts(&self) -> &[f64] {
        match &self.tensors.model {
            Model::Linear { intercept } => intercept,
            Model::Trees(_) => &[],
        }
    }

    /// The weights of the term with this number, below [`terms`](Self::terms), one a weight vector; none where not linear.
    pub fn term_weights(&self, term: u32) -> Result<Vec<f64>, ArtifactError> {
        let weights = self.tensors.term(term).map_err(|e| *e)?;
        Ok(weights[self.tensors.sets..].iter().map(|&weight| float(weight)).collect())
    }

    /// Leaves the document's terms, values and scores in `into`.
    pub fn document_values(&self, text: &str, into: &mut DocumentValues) -> Result<(), ArtifactError> {
        let DocumentValues { terms, values, scores } = into;
        let (sets, intercepts) = (self.tensors.sets, self.intercepts());
        terms.clear();
        scores.clear();
        scores.extend(intercepts);
        let read = with_scratch(|scratch| -> Checked<()> {
            self.read(text, scratch)?;
            terms.extend(scratch.found.iter().map(|&(term, _)| term));
            let mut of_set = Vec::new();
            values.clear();
            values.resize(terms.len() * sets, 0.0);
            for set in 0..sets {
                self.values(scratch, set, &mut of_set)?;
                of_set.iter().enumerate().for_each(|(at, &value)| values[at * sets + set] = value);
            }
            for (&term, values) in terms.iter().zip(values.chunks_exact(sets)) {
                let weights = &self.tensors.term(term)?[sets..];
                for (vector, (score, &weight)) in scores.iter_mut().zip(weights).enumerate() {
                    *score += float(weight) * values[vector.min(sets - 1)];
                }
            }
            Ok(())
        });
        read.map_err(|e| *e)
    }

    /// Probabilities of the classes from a linear classifier's `scores`, as a prediction has them.
    ///
    /// # Panics
    /// Where there is not a score a weight vector: the caller's mistake.
    pub fn probabilities_of(&self, scores: &[f64]) -> Vec<f64> {
        assert_eq!(scores.len(), self.intercepts().len(), "a score a weight vector");
        let mut probabilities = vec![0.0; self.classes().len()];
        self.link(scores, &mut probabilities);
        probabilities
    }
}
