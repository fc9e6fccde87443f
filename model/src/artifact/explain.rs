//! Why a linear classifier predicts what it does: its score is a sum over the terms of the document.

use std::cmp::Ordering;

use crate::artifact::Artifact;
use crate::artifact::mapped::Checked;
use crate::artifact::record::with_scratch;
use crate::artifact::spans::Span;
use crate::artifact::tensors::{Model, float};
use crate::error::{ArtifactError, ExplainError, NotLinear};

/// A class, and the terms that speak for it, each with what one of it adds to the score ([`Artifact::strongest_terms`]).
pub type TermsOfClass = (String, Vec<(String, f64)>);

/// A prediction's score, term by term.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Index of the class that the score is for.
    pub class: usize,
    /// What an empty document scores for the class.
    pub intercept: f64,
    /// The class's score before the link and the calibration (log-odds or a margin for two classes, else one against the
    /// rest's or the softmax's exponent): the intercept and the contributions of all terms, not of the strongest alone.
    pub total: f64,
    /// What the terms add that are not among `terms`.
    pub rest: f64,
    /// The strongest contributions by magnitude, strongest first; of equals, the term that comes first in the text.
    pub terms: Vec<Contribution>,
}

/// What one term adds to the score of the class; above 0 speaks for the class.
///
/// With two classes there is one weight vector, that of the second class: where the first is explained, signs are turned.
#[derive(Debug, Clone, PartialEq)]
pub struct Contribution {
    /// The term.
    pub term: String,
    /// Its value in the document's record.
    pub value: f64,
    /// Its weight for the class.
    pub weight: f64,
    /// `weight · value`.
    pub contribution: f64,
    /// How often it comes in the text.
    pub count: u32,
    /// Where it stands in the text, in Unicode code points, ascending: the first [`MOST_SPANS`](crate::artifact::MOST_SPANS).
    pub spans: Vec<Span>,
}

impl Artifact {
    /// Why `text` is predicted as it is: the `k` strongest terms for and against the predicted class. Trees do not tell.
    pub fn explain(&self, text: &str, k: usize) -> Result<Explanation, ExplainError> {
        let Model::Linear { .. } = &self.tensors.model else { return Err(NotLinear.into()) };
        let class = self.predict(text)?.class;
        self.explain_class(text, class, k)
    }

    /// Likewise for and against any class, below the number of [`classes`](Self::classes).
    pub fn explain_class(&self, text: &str, class: usize, k: usize) -> Result<Explanation, ExplainError> {
        let Model::Linear { intercept } = &self.tensors.model else { return Err(NotLinear.into()) };
        let (vector, sign) = vector_of(class, intercept.len());
        let (Some(intercept), sets) = (intercept.get(vector), self.tensors.sets) else { return Err(NotLinear.into()) };
        let explained = with_scratch(|scratch| -> Checked<Explanation> {
            self.read(text, scratch)?;
            let mut values = Vec::new();
            self.values(scratch, vector.min(sets - 1), &mut values)?;
            let mut terms = Vec::with_capacity(values.len());
            let mut total = sign * intercept;
            for (&(row, count), value) in scratch.found.iter().zip(values) {
                let weight = sign * float(self.tensors.term(row)?[sets + vector]);
                total += weight * value;
                terms.push((row, count, value, weight));
            }
            let size = |&(_, _, value, weight): &(u32, u32, f64, f64)| (value * weight).abs();
            terms.sort_by(|a, b| size(b).partial_cmp(&size(a)).unwrap_or(Ordering::Equal));
            let rest = terms
                .split_off(k.min(terms.len()))
                .iter()
                .fold(0.0, |rest, (_, _, value, weight)| rest + weight * value);
            let rows: Vec<u32> = terms.iter().map(|&(row, ..)| row).collect();
            let contribution = |((row, count, value, weight), spans)| -> Checked<Contribution> {
                let term = self.vocabulary.term(row)?;
                Ok(Contribution { term, value, weight, contribution: weight * value, count, spans })
            };
            let terms = terms.into_iter().zip(self.spans(text, &rows)?).map(contribution).collect::<Checked<_>>()?;
            Ok(Explanation { class, intercept: sign * intercept, total, rest, terms })
        });
        Ok(explained.map_err(|e| *e)?)
    }

    /// Of each class, the `k` terms that speak most for it, strongest first: each with its scale times its weight (above 0),
    /// which is what it adds to the score where it stands once, before the document is normalised. The weight alone would
    /// not do: NB weighting has the sign in the scale, and TF-IDF the rarity. Empty where not linear.
    pub fn strongest_terms(&self, k: usize) -> Result<Vec<TermsOfClass>, ArtifactError> {
        let Model::Linear { intercept } = &self.tensors.model else { return Ok(Vec::new()) };
        let sets = self.tensors.sets;
        let of_class = |(class, label): (usize, &String)| {
            let (vector, sign) = vector_of(class, intercept.len());
            let (mut terms, mut least) = (Vec::new(), 0.0);
            for row in 0..self.terms() as u32 {
                let term = self.tensors.term(row)?;
                let weight = sign * float(term[vector.min(sets - 1)]) * float(term[sets + vector]);
                if weight > least {
                    terms.push((row, weight));
                }
                if terms.len() >= 2 * k.max(1024) {
                    strongest(&mut terms, k, |&(_, weight)| weight);
                    least = terms.last().map_or(f64::INFINITY, |&(_, weight)| weight);
                }
            }
            strongest(&mut terms, k, |&(_, weight)| weight);
            let named = |(row, weight)| Ok((self.vocabulary.term(row)?, weight));
            Ok((label.clone(), terms.into_iter().map(named).collect::<Checked<_>>()?))
        };
        let strongest = self.classes().iter().enumerate().map(of_class).collect::<Checked<_>>();
        strongest.map_err(|e| *e)
    }
}

/// A class's weight vector, and the sign it is to be taken with.
fn vector_of(class: usize, vectors: usize) -> (usize, f64) {
    match (vectors, class) {
        (1, 0) => (0, -1.0),
        (1, 1) => (0, 1.0),
        _ => (class, 1.0),
    }
}

/// Keeps the `k` greatest by `size`, greatest first; equals stay in their order.
fn strongest<T>(items: &mut Vec<T>, k: usize, size: impl Fn(&T) -> f64) {
    items.sort_by(|a, b| size(b).partial_cmp(&size(a)).unwrap_or(Ordering::Equal));
    items.truncate(k);
}
