//! Long vectors, worked on in chunks by all threads. The data fix the chunks, so that no result tells the number of threads.

use std::ops::Range;

use crate::threads;

/// Numbers whose sum is taken together.
const CHUNK: usize = 1 << 12;
/// Numbers from which on it is worth a thread to go through them.
const MANY: usize = 1 << 16;

/// `run` on chunks of vectors of one length, each of a multiple of `unit` numbers, with where they begin; what it gives, in order.
pub(super) fn sweep<T: Send, const N: usize>(
    unit: usize,
    mut vectors: [&mut [f64]; N],
    run: impl Fn(usize, [&mut [f64]; N]) -> T + Sync,
) -> Vec<T> {
    let (length, chunk) = (vectors[0].len(), (CHUNK / unit).max(1) * unit);
    let dealt = (0..length).step_by(chunk).map(|at| {
        let count = chunk.min(length - at);
        (at, vectors.each_mut().map(|rest| rest.split_off_mut(..count).unwrap_or_default()))
    });
    let run = |(at, chunk)| run(at, chunk);
    if length < MANY { dealt.map(run).collect() } else { threads::share(dealt.collect(), run) }
}

/// `a · b`.
pub(super) fn dot(a: &[f64], b: &[f64]) -> f64 {
    let length = a.len().min(b.len());
    let run = |range: Range<usize>| near_dot(&a[range.clone()], &b[range]);
    let dealt = chunks(length, CHUNK);
    if length < MANY { dealt.map(run).sum() } else { threads::share(dealt.collect(), run).into_iter().sum() }
}

/// `0..length` in chunks.
pub(super) fn chunks(length: usize, chunk: usize) -> impl Iterator<Item = Range<usize>> {
    (0..length).step_by(chunk).map(move |at| at..length.min(at + chunk))
}

/// Four sums side by side, always in the same order: the loop is not bound by the latency of one addition.
pub(super) fn near_dot(a: &[f64], b: &[f64]) -> f64 {
    let (a_fours, a_rest) = a.as_chunks::<4>();
    let (b_fours, b_rest) = b.as_chunks::<4>();
    let mut sums = [0.0; 4];
    for (a, b) in a_fours.iter().zip(b_fours) {
        for i in 0..4 {
            sums[i] += a[i] * b[i];
        }
    }
    let rest: f64 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f64>() + rest
}
