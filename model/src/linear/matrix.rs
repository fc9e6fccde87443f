//! The records as a linear map: scores of a point, and back, in one reading.

use std::ops::Range;

use ndarray::{Array2, ArrayView2};

use crate::counts::Counts;
use crate::linear::Linear;
use crate::linear::kernel::Kernel;
use crate::linear::layout::{Layout, row_chunks};
use crate::linear::tiles::Tile;
use crate::records::Records;
use crate::threads;

/// Records of one set of scales, for `vectors` weights a column, in the coordinates of a [`Layout`].
///
/// A point has shape (coordinates, vectors), scores and slopes (rows, vectors), row by row.
pub(super) struct Matrix<'r> {
    pub(super) layout: &'r Layout,
    records: &'r Records,
    pub(super) vectors: usize,
    kernel: Kernel<'r>,
    blocks: Vec<View<'r>>,
    /// Length of each row's single terms, where they are merged.
    singles: Vec<f64>,
    /// What the numbers of a coordinate are multiplied with: the column's scale, the length of single terms, 1. Shape (coordinates,).
    scales: Vec<f64>,
}

/// A block: its counts, the scale of each document, and the coordinate of its first column.
struct View<'r> {
    counts: &'r Counts,
    row_scales: &'r [f64],
    first: usize,
}

/// What the threads of a pass work in.
pub(super) struct Room(Vec<Own>);

/// What one thread works in.
struct Own {
    /// Beside the point's scaled numbers of a coordinate the sums, shape (coordinates, 2, vectors), so that who has read the ones has the
    /// others at hand. Between passes the sums are 0.
    pairs: Vec<f64>,
    /// Of a tile's rows, shape (rows, vectors).
    slopes: Vec<f64>,
    along: Vec<f64>,
}

impl<'r> Matrix<'r> {
    pub(super) fn new(layout: &'r Layout, records: &'r Records, vectors: usize) -> Self {
        let kernel = Kernel::new(records.term_frequency());
        let blocks = views(records, |block| layout.first(block));
        let mut matrix = Matrix { layout, records, vectors, kernel, blocks, singles: Vec::new(), scales: Vec::new() };
        if layout.singles().is_some() {
            let length = |row| {
                let mut squares = 0.0;
                matrix.single_terms(row, |_, value| squares += value * value);
                f64::sqrt(squares)
            };
            let of_chunk = |rows: Range<usize>| rows.map(length).collect::<Vec<f64>>();
            matrix.singles = threads::each(row_chunks(records, layout.workers()), of_chunk).concat();
        }
        matrix.scales.reserve_exact(layout.coordinates());
        for (block, &start) in records.starts()[..records.blocks().len()].iter().enumerate() {
            matrix.scales.extend(&records.column_scales()[start..start + layout.head(block)]);
        }
        matrix.scales.extend(&matrix.singles);
        matrix.scales.push(1.0);
        matrix
    }

    pub(super) fn rows(&self) -> usize {
        self.records.rows()
    }

    /// Number of a point's numbers.
    pub(super) fn dimensions(&self) -> usize {
        self.layout.coordinates() * self.vectors
    }

    pub(super) fn room(&self) -> Room {
        let rows = self.layout.chunks().iter().flatten().map(|tile| tile.rows.len()).max().unwrap_or(0);
        let [slopes, along] = [(); 2].map(|()| vec![0.0; rows * self.vectors]);
        let own = |_| Own { pairs: vec![0.0; 2 * self.dimensions()], slopes: slopes.clone(), along: along.clone() };
        Room((0..self.layout.workers()).map(own).collect())
    }

    /// Visits column and value of a row's terms that are merged.
    fn single_terms(&self, row: usize, mut visit: impl FnMut(usize, f64)) {
        let document = self.records.documents()[row] as usize;
        for (at, (block, &start)) in self.blocks.iter().zip(self.records.starts()).enumerate() {
            let (packed, head) = (block.counts.packed(document), self.layout.head(at));
            let scales = &self.records.column_scales()[start..];
            for (column, value, _) in self.kernel.entries(&packed[self.layout.hot(packed, row, at).len()..]) {
                if column >= head {
                    visit(start + column, block.row_scales[document] * scales[column] * value);
                }
            }
        }
    }

    /// Reads the records once, there and back. `run` gets every row, its scores of `point` (what `scores` holds, where there is
    /// none) and its numbers of `beside`, and leaves slopes; the sums over the rows of slope times value go to `sums`, shaped as a point.
    /// Gives the sum of what `run` gives.
    pub(super) fn pass(
        &self,
        room: &mut Room,
        point: Option<&[f64]>,
        [mut scores, mut beside]: [&mut [f64]; 2],
        sums: &mut [f64],
        run: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> f64 + Sync,
    ) -> f64 {
        let (mut total, workers) = (0.0, room.0.len());
        if let Some(point) = point {
            threads::each(room.0.iter_mut().collect(), |own: &mut Own| self.scale(point, &mut own.pairs));
        }
        sums.fill(0.0);
        for chunks in self.layout.chunks().chunks(workers) {
            let dealt = chunks.iter().zip(&mut room.0).map(|(tiles, own)| {
                let count = tiles.iter().map(|tile| tile.rows.len()).sum::<usize>() * self.vectors;
                let mut numbers = [&mut scores, &mut beside];
                let numbers = numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default());
                (tiles, numbers, own)
            });
            let done = threads::each(dealt.collect(), |(tiles, [mut scores, mut beside], own): (_, _, &mut Own)| {
                tiles.iter().fold(0.0, |total, tile: &Tile| {
                    let count = tile.rows.len() * self.vectors;
                    let mut numbers = [&mut scores, &mut beside];
                    let [scores, beside] = numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default());
                    if point.is_some() {
                        self.score(tile, own, scores);
                    }
                    let mut total = total;
                    let numbers = scores.chunks_exact(self.vectors).zip(beside.chunks_exact_mut(self.vectors));
                    let numbers = numbers.zip(own.slopes.chunks_exact_mut(self.vectors));
                    for (row, ((scores, beside), slopes)) in tile.rows.clone().zip(numbers) {
                        total += run(row, scores, beside, slopes);
                    }
                    self.spread(tile, own);
                    total
                })
            });
            total += done.into_iter().sum::<f64>();
            self.gather(&mut room.0[..chunks.len()], sums);
        }
        times(sums, &self.scales, self.vectors);
        total
    }

    /// `point` times the scales into `pairs`.
    fn scale(&self, point: &[f64], pairs: &mut [f64]) {
        if self.vectors == 1 {
            let (pairs, _) = pairs.as_chunks_mut::<2>();
            return pairs
                .iter_mut()
                .zip(point)
                .zip(&self.scales)
                .for_each(|((pair, point), scale)| pair[0] = point * scale);
        }
        let point = point.chunks_exact(self.vectors);
        for ((pair, point), scale) in pairs.chunks_exact_mut(2 * self.vectors).zip(point).zip(&self.scales) {
            pair.iter_mut().zip(point).for_each(|(pair, point)| *pair = point * scale);
        }
    }

    /// Scores of a tile's rows.
    fn score(&self, tile: &Tile, own: &mut Own, scores: &mut [f64]) {
        let vectors = self.vectors;
        let (pairs, documents) = (&own.pairs, &self.records.documents()[tile.rows.clone()]);
        let intercept = &pairs[pairs.len() - 2 * vectors..][..vectors];
        for (row, scores) in tile.rows.clone().zip(scores.chunks_exact_mut(vectors)) {
            scores.copy_from_slice(intercept);
            if let Some(singles) = self.layout.singles() {
                let own = &pairs[(singles + row) * 2 * vectors..];
                scores.iter_mut().zip(own).for_each(|(score, single)| *score += single);
            }
        }
        for (at, (block, cold)) in self.blocks.iter().zip(&tile.cold).enumerate() {
            let pairs = &pairs[block.first * 2 * vectors..];
            let along = &mut own.along[..scores.len()];
            along.fill(0.0);
            self.kernel.cold_dots(cold, pairs, vectors, along);
            let numbers = scores.chunks_exact_mut(vectors).zip(along.chunks_exact(vectors));
            for ((row, &document), (scores, along)) in tile.rows.clone().zip(documents).zip(numbers) {
                let packed = self.layout.hot(block.counts.packed(document as usize), row, at);
                let scale = block.row_scales[document as usize];
                match (&mut *scores, along) {
                    ([score], [along]) => *score += scale * (along + self.kernel.dot::<2>(packed, pairs)),
                    (scores, along) => {
                        scores.iter_mut().zip(along).for_each(|(score, along)| *score += scale * along);
                        self.kernel.dots(packed, scale, pairs, 2 * vectors, scores);
                    }
                }
            }
        }
    }

    /// A tile's slopes times the rows' values, into the sums.
    fn spread(&self, tile: &Tile, own: &mut Own) {
        let vectors = self.vectors;
        let Own { pairs, slopes, along } = own;
        let (count, documents) = (tile.rows.len() * vectors, &self.records.documents()[tile.rows.clone()]);
        let (slopes, along, intercept) = (&slopes[..count], &mut along[..count], pairs.len() - vectors);
        for slopes in slopes.chunks_exact(vectors) {
            pairs[intercept..].iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        if let Some(singles) = self.layout.singles() {
            for (row, slopes) in tile.rows.clone().zip(slopes.chunks_exact(vectors)) {
                pairs[((singles + row) * 2 + 1) * vectors..][..vectors].copy_from_slice(slopes);
            }
        }
        for (at, (block, cold)) in self.blocks.iter().zip(&tile.cold).enumerate() {
            let pairs = &mut pairs[block.first * 2 * vectors..];
            let numbers = slopes.chunks_exact(vectors).zip(along.chunks_exact_mut(vectors));
            for ((row, &document), (slopes, along)) in tile.rows.clone().zip(documents).zip(numbers) {
                let scale = block.row_scales[document as usize];
                along.iter_mut().zip(slopes).for_each(|(along, slope)| *along = scale * slope);
                if along.iter().all(|&along| along == 0.0) {
                    continue;
                }
                let packed = self.layout.hot(block.counts.packed(document as usize), row, at);
                match &*along {
                    [along] => self.kernel.add(packed, *along, pairs),
                    along => self.kernel.adds(packed, 1.0, along, pairs),
                }
            }
            self.kernel.cold_sums(cold, along, vectors, pairs);
        }
    }

    /// Adds what each thread has summed, in order, and leaves 0 behind.
    fn gather(&self, room: &mut [Own], mut sums: &mut [f64]) {
        let (vectors, workers, coordinates) = (self.vectors, self.layout.workers(), self.layout.coordinates());
        let mut rest: Vec<&mut [f64]> = room.iter_mut().map(|own| &mut own.pairs[..]).collect();
        let bound = |part: usize| coordinates * part / workers;
        let dealt = (0..workers).map(|part| {
            let count = (bound(part + 1) - bound(part)) * vectors;
            let own = sums.split_off_mut(..count).unwrap_or_default();
            let pairs = rest.iter_mut().map(|rest| rest.split_off_mut(..2 * count).unwrap_or_default());
            (own, pairs.collect::<Vec<_>>())
        });
        threads::each(dealt.collect(), |(sums, room): (&mut [f64], Vec<&mut [f64]>)| {
            for pairs in room {
                if vectors == 1 {
                    let (pairs, _) = pairs.as_chunks_mut::<2>();
                    sums.iter_mut().zip(pairs).for_each(|(sum, pair)| *sum += std::mem::take(&mut pair[1]));
                    continue;
                }
                for (sums, pair) in sums.chunks_exact_mut(vectors).zip(pairs.chunks_exact_mut(2 * vectors)) {
                    sums.iter_mut().zip(&mut pair[vectors..]).for_each(|(sum, of)| *sum += std::mem::take(of));
                }
            }
        });
    }

    /// A point as weights by column, shape (columns, vectors), and the intercepts.
    pub(super) fn expand(&self, point: &[f64]) -> (Array2<f64>, Vec<f64>) {
        let vectors = self.vectors;
        let mut weights = Array2::zeros((self.records.columns(), vectors));
        let flat = weights.as_slice_mut().unwrap_or_default();
        for (block, &start) in self.records.starts()[..self.records.blocks().len()].iter().enumerate() {
            let (from, count) = (self.layout.first(block) * vectors, self.layout.head(block) * vectors);
            flat[start * vectors..][..count].copy_from_slice(&point[from..][..count]);
        }
        if let Some(singles) = self.layout.singles() {
            for (row, &length) in self.singles.iter().enumerate().filter(|(_, length)| **length > 0.0) {
                let of_row = &point[(singles + row) * vectors..][..vectors];
                self.single_terms(row, |column, value| {
                    for (weight, merged) in flat[column * vectors..].iter_mut().zip(of_row) {
                        *weight = merged * value / length;
                    }
                });
            }
        }
        (weights, point[point.len() - vectors..].to_vec())
    }

    /// Vector `first` and those after it of a classifier as a point: the other way of [`expand`](Self::expand).
    pub(super) fn compress(&self, linear: &Linear, first: usize) -> Vec<f64> {
        let vectors = self.vectors;
        let mut point = vec![0.0; self.dimensions()];
        let weight = |column: usize, k: usize| linear.weights[(column, first + k)];
        for (block, &start) in self.records.starts()[..self.records.blocks().len()].iter().enumerate() {
            let (to, count) = (self.layout.first(block) * vectors, self.layout.head(block));
            for (column, point) in point[to..].chunks_exact_mut(vectors).take(count).enumerate() {
                point.iter_mut().enumerate().for_each(|(k, point)| *point = weight(start + column, k));
            }
        }
        if let Some(singles) = self.layout.singles() {
            for (row, &length) in self.singles.iter().enumerate().filter(|(_, length)| **length > 0.0) {
                self.single_terms(row, |column, value| {
                    for (k, point) in point[(singles + row) * vectors..][..vectors].iter_mut().enumerate() {
                        *point += weight(column, k) * value / length;
                    }
                });
            }
        }
        let end = point.len() - vectors;
        point[end..].iter_mut().enumerate().for_each(|(k, point)| *point = linear.intercept[first + k]);
        point
    }
}

/// Scores of weights of shape (columns, vectors), shape (rows, vectors).
pub(super) fn scores(records: &Records, weights: ArrayView2<f64>, intercept: &[f64]) -> Array2<f64> {
    let (kernel, vectors) = (Kernel::new(records.term_frequency()), intercept.len());
    let mut scaled: Vec<f64> = Vec::with_capacity(records.columns() * vectors);
    for (weights, scale) in weights.rows().into_iter().zip(records.column_scales().iter()) {
        scaled.extend(weights.iter().map(|weight| weight * scale));
    }
    let blocks = views(records, |block| records.starts()[block]);
    let of_rows = |rows: Range<usize>| {
        let mut scores = Vec::with_capacity(rows.len() * vectors);
        for &document in &records.documents()[rows] {
            let (own, document) = (scores.len(), document as usize);
            scores.extend(intercept);
            for block in &blocks {
                let (packed, scale) = (block.counts.packed(document), block.row_scales[document]);
                let weights = &scaled[block.first * vectors..];
                match &mut scores[own..] {
                    [score] => *score += scale * kernel.dot::<1>(packed, weights),
                    scores => kernel.dots(packed, scale, weights, vectors, scores),
                }
            }
        }
        scores
    };
    let scores = threads::each(row_chunks(records, threads::count()), of_rows).concat();
    Array2::from_shape_fn((records.rows(), vectors), |(row, vector)| scores[row * vectors + vector])
}

fn views(records: &Records, first: impl Fn(usize) -> usize) -> Vec<View<'_>> {
    let blocks = records.blocks().iter().enumerate();
    blocks
        .map(|(at, block)| View {
            counts: &block.counts,
            row_scales: records.row_scales(block.group),
            first: first(at),
        })
        .collect()
}

fn times(values: &mut [f64], scales: &[f64], vectors: usize) {
    if vectors == 1 {
        return values.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
    }
    for (values, scale) in values.chunks_exact_mut(vectors).zip(scales) {
        values.iter_mut().for_each(|value| *value *= scale);
    }
}
