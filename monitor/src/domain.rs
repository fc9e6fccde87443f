//! Can a classifier tell documents of the window from those of the baseline? If it can, something differs, whatever it is.
//!
//! Documents are bags of tokens, present or not, scaled to unit length; the classifier is this project's own logistic
//! regression. The area under its ROC curve is measured on documents that it has not learned from, in five parts.

use std::collections::{BTreeMap, BTreeSet};

use model::{ClassWeight, Linear};
use report::drift::{DomainClassifier, DomainTerm};

use crate::fit;
use crate::stats::auc;
use crate::stats::interval::Z95;
use crate::stats::means::normal_tail;

/// Fewest documents of either side.
pub const LEAST: usize = 100;
/// Parts that take turns at being measured.
const PARTS: usize = 5;
/// Fewest documents that hold a token which is learned from.
const LEAST_DOCUMENTS: usize = 3;
/// Terms that explain it, on either side.
const TERMS: usize = 8;

/// Tokens of a document, each once, ascending.
pub type Bag = Vec<Box<str>>;

/// What was found, and how likely chance alone finds as much.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// For the report.
    pub classifier: DomainClassifier,
    /// Probability of an area at least this large where nothing differs.
    pub p_value: f64,
}

/// None where there are too few documents, or nothing to learn from.
pub fn compare(baseline: &[Bag], window: &[Bag]) -> Option<Found> {
    if baseline.len() < LEAST || window.len() < LEAST {
        return None;
    }
    let mut documents: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    baseline.iter().flatten().for_each(|token| documents.entry(token).or_default().0 += 1);
    window.iter().flatten().for_each(|token| documents.entry(token).or_default().1 += 1);
    documents.retain(|_, (b, w)| *b + *w >= LEAST_DOCUMENTS);
    let numbers: BTreeMap<&str, u32> = documents.keys().copied().zip(0..).collect();
    let row = |bag: &Bag| -> Vec<(u32, f64)> {
        let columns: Vec<u32> = bag.iter().filter_map(|token| numbers.get(&**token).copied()).collect();
        let value = 1.0 / (columns.len().max(1) as f64).sqrt();
        columns.into_iter().map(|column| (column, value)).collect()
    };
    let rows: Vec<(Vec<(u32, f64)>, usize)> =
        baseline.iter().map(|bag| (row(bag), 0)).chain(window.iter().map(|bag| (row(bag), 1))).collect();
    // Both sides come in random order, so that every part has its share of either.
    let part = |at: usize| at % PARTS;
    let mut areas = Vec::new();
    for held in 0..PARTS {
        let learned = rows.iter().enumerate().filter(|(at, _)| part(*at) != held).map(|(_, row)| row);
        let linear = fit(numbers.len(), learned)?;
        let mut scores = [Vec::new(), Vec::new()];
        for (_, (row, side)) in rows.iter().enumerate().filter(|(at, _)| part(*at) == held) {
            scores[*side].push(row.iter().map(|(column, value)| linear.weights[(*column as usize, 0)] * value).sum());
        }
        areas.push(auc::delong(&scores[1], &scores[0])?);
    }
    let area = areas.iter().map(|a| a.area).sum::<f64>() / PARTS as f64;
    let error = (areas.iter().map(|a| a.variance).sum::<f64>() / (PARTS * PARTS) as f64).sqrt();
    // What is told apart without a mistake has no variance of its own; chance would still have this much.
    let (m, n) = (baseline.len() as f64, window.len() as f64);
    let of_chance = ((m + n + 1.0) / (12.0 * m * n)).sqrt();
    let whole = fit(numbers.len(), rows.iter())?;
    let classifier = DomainClassifier {
        auc: area,
        interval: ((area - Z95 * error).max(0.0), (area + Z95 * error).min(1.0)),
        baseline_documents: baseline.len() as u64,
        window_documents: window.len() as u64,
        terms: terms(&whole, &documents, (m, n), &rows),
    };
    Some(Found { classifier, p_value: normal_tail((area - 0.5) / of_chance.max(error)) })
}

fn fit<'r>(columns: usize, rows: impl Iterator<Item = &'r (Vec<(u32, f64)>, usize)> + Clone) -> Option<Linear> {
    let targets = rows.clone().map(|(_, side)| *side).collect();
    fit::two_classes(columns, rows.map(|(row, _)| row.iter().copied()), targets, (1.0, Some(ClassWeight::Balanced)))
}

/// Those whose weight times the difference of their mean values is the largest.
fn terms(
    linear: &Linear,
    documents: &BTreeMap<&str, (usize, usize)>,
    (m, n): (f64, f64),
    rows: &[(Vec<(u32, f64)>, usize)],
) -> Vec<DomainTerm> {
    let mut means = vec![0.0; documents.len()];
    for (row, side) in rows {
        let share = if *side == 1 { 1.0 / n } else { -1.0 / m };
        row.iter().for_each(|(column, value)| means[*column as usize] += share * value);
    }
    let mut terms: Vec<DomainTerm> = documents
        .keys()
        .zip(means.iter().enumerate())
        .map(|(term, (column, mean))| {
            let contribution = linear.weights[(column, 0)] * mean.abs();
            DomainTerm { term: term.to_string(), contribution }
        })
        .collect();
    terms.sort_by(|a, b| b.contribution.abs().total_cmp(&a.contribution.abs()).then_with(|| a.term.cmp(&b.term)));
    let side = |more: bool| terms.iter().filter(move |t| (t.contribution > 0.0) == more && t.contribution != 0.0);
    side(true).take(TERMS).chain(side(false).take(TERMS)).cloned().collect()
}

/// The bag of a text's tokens.
pub fn bag(tokens: &dyn crate::known_terms::Tokens, text: &str) -> Bag {
    let mut bag: BTreeSet<Box<str>> = BTreeSet::new();
    tokens.each(text, &mut |token| {
        if !bag.contains(token) {
            bag.insert(token.into());
        }
    });
    bag.into_iter().collect()
}
