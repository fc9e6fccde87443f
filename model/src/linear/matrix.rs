//! The records as a linear map: scores of a point, and back, in one reading.

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::counts::Counts;
use crate::linear::Linear;
use crate::linear::hot::{self, HOT};
use crate::linear::kernel::Kernel;
use crate::linear::layout::{Layout, row_chunks};
use crate::linear::tiles::Tile;
use crate::records::{Block, Records};
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

/// A block: the scale of each document, and the coordinate of its first column.
struct View<'r> {
    row_scales: &'r [f64],
    first: usize,
}

/// What a pass works in.
pub(super) struct Room {
    /// The point's numbers times their scales.
    scaled: Vec<f64>,
    own: Vec<Own>,
}

/// What one thread works in.
struct Own {
    /// Of a chunk that is not the first, shaped as a point; 0 between passes.
    sums: Vec<f64>,
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
            let chunks = layout.chunks();
            let rows = |chunk: &[Tile]| {
                chunk.first().map_or(0, |tile| tile.rows.start)..chunk.last().map_or(0, |tile| tile.rows.end)
            };
            matrix.singles = threads::map(chunks.len(), |chunk| of_chunk(rows(&chunks[chunk]))).concat();
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

    /// The mean square of each coordinate's values over the rows, shaped as a point: of the intercepts and of each block's most
    /// frequent columns; those of the rest, which are small, are left 0.
    pub(super) fn mean_squares(&self) -> Vec<f64> {
        let hot: Vec<usize> = (0..self.blocks.len()).map(|block| self.layout.head(block).min(HOT)).collect();
        let of_chunk = |chunk: usize| {
            let mut sums: Vec<Vec<f64>> = hot.iter().map(|&hot| vec![0.0; hot]).collect();
            for tile in &self.layout.chunks()[chunk] {
                for ((block, part), sums) in self.blocks.iter().zip(&tile.parts).zip(&mut sums) {
                    let documents = self.records.documents()[tile.rows.clone()].chunks(hot::rows(self.vectors));
                    for (hot, documents) in part.hot.iter().zip(documents) {
                        let square = |&document: &u32| block.row_scales[document as usize].powi(2);
                        let squares: Vec<f64> = documents.iter().map(square).collect();
                        self.kernel.hot_squares(hot, &squares, sums);
                    }
                }
            }
            sums
        };
        let mut means = vec![0.0; self.dimensions()];
        let end = means.len() - self.vectors;
        means[end..].fill(1.0);
        for sums in threads::map(self.layout.chunks().len(), of_chunk) {
            for (block, sums) in self.blocks.iter().zip(sums) {
                let of_block = means[block.first * self.vectors..].chunks_exact_mut(self.vectors).zip(sums);
                for ((means, sum), scale) in of_block.zip(&self.scales[block.first..]) {
                    means.iter_mut().for_each(|mean| *mean += sum * scale * scale / self.rows() as f64);
                }
            }
        }
        means
    }

    pub(super) fn room(&self) -> Room {
        let rows = self.layout.chunks().iter().flatten().map(|tile| tile.rows.len()).max().unwrap_or(0);
        // A part of a tile finds room for all the rows that it may have.
        let [slopes, along] = [0, hot::rows(self.vectors)].map(|more| vec![0.0; (rows + more) * self.vectors]);
        let own = |_| Own { sums: vec![0.0; self.dimensions()], slopes: slopes.clone(), along: along.clone() };
        Room { scaled: vec![0.0; self.dimensions()], own: (0..self.layout.workers()).map(own).collect() }
    }

    /// Visits column and value of a row's terms that are merged.
    fn single_terms(&self, row: usize, mut visit: impl FnMut(usize, f64)) {
        let document = self.records.documents()[row] as usize;
        for (at, (block, &start)) in self.blocks.iter().zip(self.records.starts()).enumerate() {
            let scales = &self.records.column_scales()[start..];
            for (column, value, _) in self.kernel.entries(self.layout.tail(row, at)) {
                visit(start + column, block.row_scales[document] * scales[column] * value);
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
        let Room { scaled, own } = room;
        if let Some(point) = point {
            self.ranges([scaled], |range, [scaled]| {
                scaled.copy_from_slice(&point[range.start * self.vectors..range.end * self.vectors]);
                times(scaled, &self.scales[range], self.vectors);
            });
        }
        sums.fill(0.0);
        let known = point.is_none();
        let (mut total, mut rest) = (0.0, self.layout.chunks());
        while !rest.is_empty() {
            let first = rest.len() == self.layout.chunks().len();
            let (round, after) = rest.split_at(own.len().min(rest.len()));
            rest = after;
            // The first chunk's sums are all that there is yet.
            let mut into = first.then_some(&mut *sums);
            let dealt = round.iter().zip(&mut *own).map(|(tiles, own)| {
                let count = tiles.iter().map(|tile| tile.rows.len()).sum::<usize>() * self.vectors;
                let mut numbers = [&mut scores, &mut beside];
                let numbers = numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default());
                let into = into.take().unwrap_or(&mut own.sums);
                (tiles, numbers, into, [&mut own.slopes, &mut own.along])
            });
            let done = threads::each(dealt.collect(), |(tiles, numbers, into, rows)| {
                self.read(tiles, (!known).then_some(scaled), numbers, into, rows, &run)
            });
            // One after the other: two sums of two would tell that there were two threads.
            done.into_iter().for_each(|of_chunk| total += of_chunk);
            self.gather(&mut own[usize::from(first)..round.len()], sums, rest.is_empty());
        }
        total
    }

    /// A chunk, tile after tile, there and back.
    fn read(
        &self,
        tiles: &[Tile],
        scaled: Option<&Vec<f64>>,
        [mut scores, mut beside]: [&mut [f64]; 2],
        into: &mut [f64],
        [slopes, along]: [&mut Vec<f64>; 2],
        run: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> f64,
    ) -> f64 {
        let (vectors, mut total) = (self.vectors, 0.0);
        for tile in tiles {
            let count = tile.rows.len() * vectors;
            let mut numbers = [&mut scores, &mut beside];
            let [scores, beside] = numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default());
            let slopes = &mut slopes[..count];
            if let Some(scaled) = scaled {
                self.score(tile, scaled, along, scores);
            }
            let numbers = scores.chunks_exact(vectors).zip(beside.chunks_exact_mut(vectors));
            for (row, ((scores, beside), slopes)) in
                tile.rows.clone().zip(numbers.zip(slopes.chunks_exact_mut(vectors)))
            {
                total += run(row, scores, beside, slopes);
            }
            self.spread(tile, slopes, along, into);
        }
        total
    }

    /// Scores of a tile's rows.
    fn score(&self, tile: &Tile, scaled: &[f64], along: &mut [f64], scores: &mut [f64]) {
        let (vectors, documents) = (self.vectors, &self.records.documents()[tile.rows.clone()]);
        let intercepts = &scaled[scaled.len() - vectors..];
        scores.chunks_exact_mut(vectors).for_each(|scores| scores.copy_from_slice(intercepts));
        if let Some(singles) = self.layout.singles() {
            let singles = &scaled[(singles + tile.rows.start) * vectors..];
            scores.iter_mut().zip(singles).for_each(|(score, single)| *score += single);
        }
        for (block, part) in self.blocks.iter().zip(&tile.parts) {
            let scaled = &scaled[block.first * vectors..];
            along.fill(0.0);
            self.kernel.cold_dots(&part.cold, scaled, vectors, along);
            for (hot, start) in part.hot.iter().zip((0..).step_by(hot::rows(vectors) * vectors)) {
                self.kernel.hot_dots(hot, scaled, vectors, &mut along[start..]);
            }
            let numbers = scores.chunks_exact_mut(vectors).zip(along.chunks_exact(vectors));
            for (&document, (scores, along)) in documents.iter().zip(numbers) {
                let scale = block.row_scales[document as usize];
                scores.iter_mut().zip(along).for_each(|(score, along)| *score += scale * along);
            }
        }
    }

    /// A tile's slopes times the rows' values, into the sums.
    fn spread(&self, tile: &Tile, slopes: &[f64], along: &mut [f64], into: &mut [f64]) {
        let (vectors, documents) = (self.vectors, &self.records.documents()[tile.rows.clone()]);
        let intercepts = into.len() - vectors;
        for slopes in slopes.chunks_exact(vectors) {
            into[intercepts..].iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        if let Some(singles) = self.layout.singles() {
            into[(singles + tile.rows.start) * vectors..][..slopes.len()].copy_from_slice(slopes);
        }
        for (block, part) in self.blocks.iter().zip(&tile.parts) {
            let into = &mut into[block.first * vectors..];
            let numbers = slopes.chunks_exact(vectors).zip(along.chunks_exact_mut(vectors));
            for (&document, (slopes, along)) in documents.iter().zip(numbers) {
                let scale = block.row_scales[document as usize];
                along.iter_mut().zip(slopes).for_each(|(along, slope)| *along = scale * slope);
            }
            for (hot, start) in part.hot.iter().zip((0..).step_by(hot::rows(vectors) * vectors)) {
                self.kernel.hot_sums(hot, &along[start..], vectors, into);
            }
            self.kernel.cold_sums(&part.cold, along, vectors, into);
        }
    }

    /// Adds what each thread has summed, in order, and leaves 0 behind; the `last` time multiplied with the scales.
    fn gather(&self, own: &mut [Own], sums: &mut [f64], last: bool) {
        for own in own {
            self.ranges([sums, &mut own.sums], |_, [sums, own]| {
                sums.iter_mut().zip(own).for_each(|(sum, own)| *sum += std::mem::take(own));
            });
        }
        if last {
            self.ranges([sums], |range, [sums]| times(sums, &self.scales[range], self.vectors));
        }
    }

    /// `run` on ranges of the coordinates with their numbers in `vectors` shaped as a point, several at a time.
    fn ranges<const N: usize>(&self, vectors: [&mut [f64]; N], run: impl Fn(Range<usize>, [&mut [f64]; N]) + Sync) {
        let (workers, coordinates, mut rest) = (self.layout.workers(), self.layout.coordinates(), vectors);
        let dealt = (0..workers).map(|part| {
            let range = coordinates * part / workers..coordinates * (part + 1) / workers;
            let count = range.len() * self.vectors;
            (range, rest.each_mut().map(|rest| rest.split_off_mut(..count).unwrap_or_default()))
        });
        threads::each(dealt.collect(), |(range, numbers)| run(range, numbers));
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
    let counts: Vec<Arc<Counts>> = records.blocks().iter().map(|block| block.counts.clone()).collect();
    let of_rows = |rows: Range<usize>| {
        let mut scores = Vec::with_capacity(rows.len() * vectors);
        for &document in &records.documents()[rows] {
            let (own, document) = (scores.len(), document as usize);
            scores.extend(intercept);
            for (block, counts) in blocks.iter().zip(&counts) {
                let (packed, scale) = (counts.packed(document), block.row_scales[document]);
                let weights = &scaled[block.first * vectors..];
                match &mut scores[own..] {
                    [score] => *score += scale * kernel.dot(packed, weights),
                    scores => kernel.dots(packed, scale, weights, scores),
                }
            }
        }
        scores
    };
    let scores = threads::each(row_chunks(records.documents(), &counts, threads::count()), of_rows).concat();
    Array2::from_shape_fn((records.rows(), vectors), |(row, vector)| scores[row * vectors + vector])
}

fn views(records: &Records, first: impl Fn(usize) -> usize) -> Vec<View<'_>> {
    let view = |(at, block): (usize, &'_ Block)| View { row_scales: records.row_scales(block.group), first: first(at) };
    records.blocks().iter().enumerate().map(view).collect()
}

fn times(values: &mut [f64], scales: &[f64], vectors: usize) {
    if vectors == 1 {
        return values.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
    }
    for (values, scale) in values.chunks_exact_mut(vectors).zip(scales) {
        values.iter_mut().for_each(|value| *value *= scale);
    }
}
