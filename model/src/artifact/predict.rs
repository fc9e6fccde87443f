//! Text to prediction on the mapped files.

use std::cell::Cell;

use ndarray::ArrayViewMut1;

use crate::analyzer;
use crate::artifact::Artifact;
use crate::artifact::tensors::Model;
use crate::linear::{link, most_probable};
use crate::tfidf::weigh::weigh;
use crate::tree::descend;

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

/// Buffers a thread keeps between documents.
#[derive(Default)]
pub(super) struct Scratch {
    pub(super) analyzer: analyzer::Scratch,
    hits: Vec<u32>,
    row: Vec<(u32, f64)>,
}

thread_local! {
    static SCRATCH: Cell<Scratch> = Cell::default();
}

/// Runs with this thread's buffers; within it, another call has buffers of its own.
pub(super) fn with_scratch<R>(run: impl FnOnce(&mut Scratch) -> R) -> R {
    let mut scratch = SCRATCH.take();
    let result = run(&mut scratch);
    // A giant document's buffers are not kept.
    if scratch.hits.capacity() <= 1 << 20 && scratch.analyzer.capacity() <= 1 << 22 {
        SCRATCH.set(scratch);
    }
    result
}

impl Artifact {
    /// The prediction for `text`. A text without a known term is predicted by the intercept, or the tree's leaf for it.
    pub fn predict(&self, text: &str) -> Prediction {
        let mut probabilities = vec![0.0; self.classes().len()];
        self.with_row(text, |row| match &self.tensors.model {
            Model::Logistic { .. } => {
                link(self.scores(row).into_iter(), ArrayViewMut1::from(&mut probabilities[..]));
            }
            Model::Tree { .. } => {
                let value = |term| row.binary_search_by_key(&term, |&(term, _)| term).map_or(0.0, |at| row[at].1);
                let leaf = descend(|node| self.tensors.split(node), value, |_| ());
                for (class, probability) in probabilities.iter_mut().enumerate() {
                    *probability = self.tensors.share(leaf, class);
                }
                let sum: f64 = probabilities.iter().sum();
                probabilities.iter_mut().for_each(|probability| *probability /= sum);
            }
        });
        Prediction { class: most_probable(&probabilities), probabilities }
    }

    /// The record of `text`: ascending (term, value).
    pub(super) fn with_row<R>(&self, text: &str, run: impl FnOnce(&[(u32, f64)]) -> R) -> R {
        with_scratch(|scratch| {
            let Scratch { analyzer, hits, row } = scratch;
            hits.clear();
            self.analyzer.terms(text, analyzer, |term| hits.extend(self.vocabulary.find(term.as_bytes())));
            weigh(&self.manifest.tfidf, |term| self.tensors.idf(term), hits, row);
            run(row)
        })
    }

    /// `intercept + Σ weight · value` of each weight vector, terms ascending; nothing where the model is not linear.
    pub(super) fn scores(&self, row: &[(u32, f64)]) -> Vec<f64> {
        let Model::Logistic { weights, intercept, vectors } = &self.tensors.model else { return Vec::new() };
        let mut scores: Vec<f64> = (0..*vectors).map(|vector| self.tensors.float(intercept, vector)).collect();
        for &(term, value) in row {
            let first = term as usize * vectors;
            for (vector, score) in scores.iter_mut().enumerate() {
                *score += self.tensors.float(weights, first + vector) * value;
            }
        }
        scores
    }
}
