//! Which terms moved: every term's rate held against the baseline's.
//!
//! A term is a token; its rate is the share of documents that hold it. Terms too rare to show anything are not tested (they
//! would only make the correction harsher); the others are, by [`rates::p_value`], and the p-values are adjusted for their
//! number by [`fdr::adjusted`], because a list of moved terms is useful where few of them are false, not only where none is.

use std::collections::HashMap;

use model::{Artifact, ArtifactError};
use report::drift::TermShift;

use crate::known_terms::KnownTerms;
use crate::stats::{fdr, rates};

/// The false discovery rate of the list.
pub const LEVEL: f64 = 0.01;
/// Fewest documents that the smaller side is expected to have of a term.
const LEAST_EXPECTED: f64 = 5.0;
/// Terms that a report names.
const NAMED: usize = 40;

/// What moved.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Moved {
    /// The largest differences of rates first, at most 40.
    pub terms: Vec<TermShift>,
    /// Terms tested.
    pub tested: u64,
    /// Terms that moved, also those that are not named.
    pub moved: u64,
    /// Probability of the least p-value where nothing moved, all tests considered (Simes 1986).
    pub p_value: Option<f64>,
}

/// Rates of `reference` baseline documents against those of a window's `texts`, of which `documents` hold each known token
/// and `new` each other one.
pub fn moved(
    artifact: &Artifact,
    known: &KnownTerms,
    reference: u64,
    texts: u64,
    documents: &[u32],
    new: &HashMap<String, u64>,
) -> Result<Moved, ArtifactError> {
    if reference == 0 || texts == 0 {
        return Ok(Moved::default());
    }
    let (m, n) = (reference, texts);
    let smaller = m.min(n) as f64 / (m + n) as f64;
    let names = known.names();
    // A token that was too rare to be kept may have had this many.
    let rare = u64::from(known.least().saturating_sub(1));
    let mut new: Vec<(&str, u64)> = new.iter().map(|(term, &documents)| (term.as_str(), documents)).collect();
    new.sort_unstable();
    let candidates: Vec<(&str, u64, u64)> = names
        .iter()
        .zip(known.counts())
        .zip(documents)
        .map(|((name, counts), &now)| (*name, u64::from(counts.reference), u64::from(now)))
        .filter(|(name, before, _)| *before > 0 || new.binary_search_by(|(term, _)| term.cmp(name)).is_err())
        .chain(new.iter().map(|&(name, now)| (name, rare.min(m), now)))
        .map(|(name, before, now)| (name, before.min(m), now.min(n)))
        .filter(|(_, before, now)| (before + now) as f64 * smaller >= LEAST_EXPECTED)
        .collect();
    let p_values: Vec<f64> = candidates.iter().map(|&(_, before, now)| rates::p_value((before, m), (now, n))).collect();
    let adjusted = fdr::adjusted(&p_values);
    let mut terms: Vec<TermShift> = candidates
        .iter()
        .zip(&adjusted)
        .filter(|(_, p)| **p <= LEVEL)
        .map(|(&(term, before, now), &p_value)| TermShift {
            term: term.into(),
            baseline: before as f64 / m as f64,
            window: now as f64 / n as f64,
            p_value,
            seen_by_model: true,
        })
        .collect();
    let moved = terms.len() as u64;
    terms.sort_by(|a, b| b.difference().abs().total_cmp(&a.difference().abs()).then_with(|| a.term.cmp(&b.term)));
    terms.truncate(NAMED);
    for term in &mut terms {
        term.seen_by_model = artifact.term_id(&term.term)?.is_some();
    }
    let p_value = adjusted.iter().copied().min_by(f64::total_cmp);
    Ok(Moved { terms, tested: candidates.len() as u64, moved, p_value })
}
