//! Counts of terms to the values of a record: the one way, at training and at serving.

use crate::tfidf::{Norm, TfidfParams};

/// Inverse document frequency `ln((n + s) / (df + s)) + 1`, `s` 1 where smoothed, else 0 (scikit-learn's).
/// `documents` is `n`, `df` the documents that hold the term, `1 ≤ df ≤ n`. At least 1.
pub(super) fn inverse_document_frequency(documents: usize, df: u32, smooth: bool) -> f64 {
    let smooth = f64::from(u8::from(smooth));
    ((documents as f64 + smooth) / (f64::from(df) + smooth)).ln() + 1.0
}

/// Term numbers of one document, repeated as often as they occur, to ascending (term, value).
///
/// `hits` is sorted in passing. `idf` gives the inverse document frequency of a term (1 where it is not used).
pub(crate) fn weigh(params: &TfidfParams, idf: impl Fn(u32) -> f64, hits: &mut [u32], row: &mut Vec<(u32, f64)>) {
    hits.sort_unstable();
    row.clear();
    row.extend(hits.chunk_by(|a, b| a == b).map(|same| (same[0], frequency(params, same.len() as f64) * idf(same[0]))));
    normalise(params, row);
}

fn frequency(params: &TfidfParams, count: f64) -> f64 {
    match (params.binary, params.sublinear_tf) {
        (true, _) => 1.0,
        (false, true) if count == 1.0 => 1.0,
        (false, true) => count.ln() + 1.0,
        (false, false) => count,
    }
}

fn normalise(params: &TfidfParams, row: &mut [(u32, f64)]) {
    let size = match params.norm {
        None => return,
        Some(Norm::L1) => row.iter().map(|(_, value)| value.abs()).sum::<f64>(),
        Some(Norm::L2) => row.iter().map(|(_, value)| value * value).sum::<f64>().sqrt(),
    };
    if size > 0.0 {
        row.iter_mut().for_each(|(_, value)| *value /= size);
    }
}
