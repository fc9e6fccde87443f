//! Why a linear classifier predicts what it does: its score is a sum over the terms of the document.

use std::cmp::Ordering;

use crate::artifact::Artifact;
use crate::artifact::tensors::Model;
use crate::error::NotLinear;
use crate::linear::{link, most_probable};

/// A prediction's score, term by term.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Index of the predicted class.
    pub class: usize,
    /// What an empty document scores for the class.
    pub intercept: f64,
    /// The class's score before the link (log-odds for two classes, else the softmax's exponent): the intercept and the
    /// contributions of all terms, not of the strongest alone.
    pub total: f64,
    /// The strongest contributions by magnitude, strongest first; of equals, the term that comes first.
    pub terms: Vec<Contribution>,
}

/// What one term adds to the score of the predicted class; above 0 speaks for the class.
///
/// With two classes there is one weight vector, that of the second class: where the first is predicted, signs are turned.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The term.
    pub term: String,
    /// Its TF-IDF value in the document.
    pub value: f64,
    /// Its weight for the class.
    pub weight: f64,
    /// `weight · value`.
    pub contribution: f64,
}

impl Artifact {
    /// Why `text` is predicted as it is: the `k` strongest terms. A tree does not tell.
    pub fn explain(&self, text: &str, k: usize) -> Result<Explanation, NotLinear> {
        let Model::Logistic { weights, intercept, vectors } = &self.tensors.model else { return Err(NotLinear) };
        self.with_row(text, |row| {
            let scores = self.scores(row);
            let mut probabilities = vec![0.0; self.classes().len()];
            link(scores.iter().copied(), probabilities.as_mut_slice().into());
            let class = most_probable(&probabilities);
            let (vector, sign) = vector_of(class, *vectors);
            let mut terms: Vec<(u32, f64, f64)> = row
                .iter()
                .map(|&(term, value)| {
                    (term, value, sign * self.tensors.float(weights, term as usize * vectors + vector))
                })
                .collect();
            strongest(&mut terms, k, |&(_, value, weight)| (value * weight).abs());
            let contribution = |(term, value, weight): (u32, f64, f64)| Contribution {
                term: self.vocabulary.term(term).unwrap_or_default().to_owned(),
                value,
                weight,
                contribution: weight * value,
            };
            Ok(Explanation {
                class,
                intercept: sign * self.tensors.float(intercept, vector),
                total: sign * scores[vector],
                terms: terms.into_iter().map(contribution).collect(),
            })
        })
    }

    /// Of each class, the `k` terms of the greatest weight for it (above 0), greatest first. Empty where not linear.
    pub fn strongest_terms(&self, k: usize) -> Vec<(String, Vec<(String, f64)>)> {
        let Model::Logistic { weights, vectors, .. } = &self.tensors.model else { return Vec::new() };
        let of_class = |(class, label): (usize, &String)| {
            let (vector, sign) = vector_of(class, *vectors);
            let mut terms: Vec<(u32, f64)> = (0..self.terms() as u32)
                .map(|term| (term, sign * self.tensors.float(weights, term as usize * vectors + vector)))
                .filter(|&(_, weight)| weight > 0.0)
                .collect();
            strongest(&mut terms, k, |&(_, weight)| weight);
            let named = |(term, weight)| (self.vocabulary.term(term).unwrap_or_default().to_owned(), weight);
            (label.clone(), terms.into_iter().map(named).collect())
        };
        self.classes().iter().enumerate().map(of_class).collect()
    }
}

/// A class's weight vector, and the sign it is to be taken with.
fn vector_of(class: usize, vectors: usize) -> (usize, f64) {
    match (vectors, class) {
        (1, 0) => (0, -1.0),
        (1, _) => (0, 1.0),
        _ => (class, 1.0),
    }
}

/// Keeps the `k` greatest by `size`, greatest first; equals stay in their order.
fn strongest<T>(items: &mut Vec<T>, k: usize, size: impl Fn(&T) -> f64) {
    items.sort_by(|a, b| size(b).partial_cmp(&size(a)).unwrap_or(Ordering::Equal));
    items.truncate(k);
}
