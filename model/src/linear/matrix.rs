//! The records as a linear map between weights and scores, in the coordinates of a [`Layout`].

use std::ops::Range;
use std::sync::Arc;

use ndarray::{Array2, ArrayView2};

use crate::counts::Counts;
use crate::linear::Linear;
use crate::linear::hot;
use crate::linear::kernel::Kernel;
use crate::linear::layout::{Layout, Part, Tile, row_chunks};
use crate::linear::tiles::Cold;
use crate::records::{Block, Records};
use crate::threads;

/// Records of one set of scales, for `vectors` weights a column.
///
/// Coordinates have shape (coordinates, vectors), scores and slopes (rows, vectors), row by row.
pub(super) struct Matrix<'r> {
    pub(super) layout: &'r Layout,
    records: &'r Records,
    pub(super) vectors: usize,
    kernel: Kernel<'r>,
    blocks: Vec<View<'r>>,
    /// What the numbers of a coordinate are multiplied with: the column's scale, 1. Shape (coordinates,).
    scales: Vec<f64>,
    /// By lane: scales of its columns without coordinates, block after block.
    lanes: Vec<Vec<f64>>,
    /// Of each row the sum of the squares of its single terms; empty where there are none.
    singles: Vec<f64>,
}

/// A block: the scale of each document, and the coordinate of its first column.
struct View<'r> {
    row_scales: &'r [f64],
    first: usize,
}

/// What products work in.
pub(super) struct Room {
    /// The coordinates' numbers times their scales.
    scaled: Vec<f64>,
    /// Of each chunk.
    sums: Vec<Vec<f64>>,
    /// By block, shape (rows, vectors); by lane, shape (columns, vectors), where there are several tiles.
    along: Vec<Vec<f64>>,
    /// By lane and block, the same shape.
    back: Vec<Vec<f64>>,
}

impl<'r> Matrix<'r> {
    pub(super) fn new(layout: &'r Layout, records: &'r Records, vectors: usize) -> Self {
        let kernel = Kernel::new(records.term_frequency());
        let blocks = views(records, |block| layout.first(block));
        let starts = &records.starts()[..blocks.len()];
        let own = |block: usize, columns: Range<usize>| &records.column_scales()[starts[block]..][columns];
        let mut scales: Vec<f64> =
            (0..blocks.len()).flat_map(|block| own(block, 0..layout.hot(block))).copied().collect();
        scales.push(1.0);
        let lane = |columns: &Vec<Range<usize>>| {
            columns.iter().enumerate().flat_map(|(block, columns)| own(block, columns.clone())).copied().collect()
        };
        let lanes = layout.lanes().iter().map(lane).collect();
        let mut matrix = Matrix { layout, records, vectors, kernel, blocks, scales, lanes, singles: Vec::new() };
        if layout.singles() {
            let squares = |row| {
                let mut squares = 0.0;
                matrix.single_terms(row, |_, value| squares += value * value);
                squares
            };
            let of_chunk =
                |parts: &[Part]| parts.iter().flat_map(|part| part.rows.clone()).map(squares).collect::<Vec<f64>>();
            matrix.singles = threads::share(layout.chunks().collect(), of_chunk).concat();
        }
        matrix
    }

    pub(super) fn rows(&self) -> usize {
        self.records.rows()
    }

    /// Number of coordinates, of all vectors.
    pub(super) fn coordinates(&self) -> usize {
        self.layout.coordinates() * self.vectors
    }

    /// The mean square of each coordinate's values over the rows, shaped as coordinates.
    pub(super) fn mean_squares(&self) -> Vec<f64> {
        let of_chunk = |parts: &[Part]| {
            let mut sums = vec![0.0; self.layout.coordinates()];
            for part in parts {
                for (block, hot) in self.blocks.iter().zip(&part.hot) {
                    let square = |&document: &u32| block.row_scales[document as usize].powi(2);
                    let squares: Vec<f64> = self.records.documents()[part.rows.clone()].iter().map(square).collect();
                    self.kernel.hot_squares(hot, &squares, &mut sums[block.first..]);
                }
            }
            sums
        };
        let mut means = vec![0.0; self.coordinates()];
        for sums in threads::share(self.layout.chunks().collect(), of_chunk) {
            for ((means, sum), scale) in means.chunks_exact_mut(self.vectors).zip(sums).zip(&self.scales) {
                means.iter_mut().for_each(|mean| *mean += sum * scale * scale / self.rows() as f64);
            }
        }
        let intercepts = means.len() - self.vectors;
        means[intercepts..].fill(1.0);
        means
    }

    pub(super) fn room(&self) -> Room {
        let of = || vec![0.0; self.coordinates()];
        Room { scaled: of(), sums: self.layout.chunks().map(|_| of()).collect(), along: Vec::new(), back: Vec::new() }
    }

    /// Visits column and value of a row's single terms.
    fn single_terms(&self, row: usize, mut visit: impl FnMut(usize, f64)) {
        let document = self.records.documents()[row] as usize;
        for (at, (block, &start)) in self.blocks.iter().zip(self.records.starts()).enumerate() {
            let scales = &self.records.column_scales()[start..];
            for (column, value, _) in self.kernel.entries(self.layout.single_terms(row, at)) {
                visit(start + column, block.row_scales[document] * scales[column] * value);
            }
        }
    }

    /// Reads the columns that have coordinates, there and back. `run` gets every row, its scores, its numbers of `beside` and of `slopes`,
    /// which it leaves there; the sums over the rows of slope times value go to `sums`, shaped as coordinates. Gives the sum
    /// of what `run` gives.
    ///
    /// The scores are what `numbers` of the coordinates make of the columns, and what `image` says of the others (empty: nothing);
    /// where there are no numbers, what `scores` holds.
    pub(super) fn explicit(
        &self,
        room: &mut Room,
        numbers: Option<(&[f64], &[f64])>,
        [mut scores, mut beside, mut slopes]: [&mut [f64]; 3],
        sums: &mut [f64],
        run: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> f64 + Sync,
    ) -> f64 {
        let Room { scaled, sums: of_chunks, .. } = room;
        if let Some((numbers, _)) = numbers {
            scaled.copy_from_slice(numbers);
            times(scaled, &self.scales, self.vectors);
        }
        let given = numbers.map(|(_, image)| (&scaled[..], image));
        let dealt = self.layout.chunks().zip(of_chunks.iter_mut()).map(|(parts, sums)| {
            let count = parts.iter().map(|part| part.rows.len()).sum::<usize>() * self.vectors;
            let mut numbers = [&mut scores, &mut beside, &mut slopes];
            (parts, numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default()), sums)
        });
        let totals = threads::share(dealt.collect(), |(parts, numbers, sums)| {
            sums.fill(0.0);
            self.read(parts, given, numbers, sums, &run)
        });
        sums.fill(0.0);
        for of_chunk in of_chunks {
            sums.iter_mut().zip(of_chunk).for_each(|(sum, own)| *sum += *own);
        }
        times(sums, &self.scales, self.vectors);
        totals.into_iter().sum()
    }

    /// A chunk, part after part, there and back.
    fn read(
        &self,
        parts: &[Part],
        given: Option<(&[f64], &[f64])>,
        [mut scores, mut beside, mut slopes]: [&mut [f64]; 3],
        sums: &mut [f64],
        run: impl Fn(usize, &[f64], &mut [f64], &mut [f64]) -> f64,
    ) -> f64 {
        let (vectors, mut total) = (self.vectors, 0.0);
        let mut along = vec![0.0; hot::rows(vectors) * vectors];
        for part in parts {
            let count = part.rows.len() * vectors;
            let mut numbers = [&mut scores, &mut beside, &mut slopes];
            let [scores, beside, slopes] = numbers.each_mut().map(|of| of.split_off_mut(..count).unwrap_or_default());
            if let Some((scaled, image)) = given {
                scores
                    .chunks_exact_mut(vectors)
                    .for_each(|scores| scores.copy_from_slice(&scaled[scaled.len() - vectors..]));
                let image = image.get(part.rows.start * vectors..).unwrap_or_default();
                scores.iter_mut().zip(image).for_each(|(score, image)| *score += image);
                for (block, hot) in self.blocks.iter().zip(&part.hot) {
                    along.fill(0.0);
                    self.kernel.hot_dots(hot, &scaled[block.first * vectors..], vectors, &mut along);
                    self.add_scaled(block, &part.rows, &along, scores);
                }
            }
            let numbers = scores.chunks_exact(vectors).zip(beside.chunks_exact_mut(vectors));
            for (row, ((scores, beside), slopes)) in
                part.rows.clone().zip(numbers.zip(slopes.chunks_exact_mut(vectors)))
            {
                total += run(row, scores, beside, slopes);
                add(&mut sums[self.coordinates() - vectors..], slopes);
            }
            for (block, hot) in self.blocks.iter().zip(&part.hot) {
                self.scale(block, &part.rows, slopes, &mut along);
                self.kernel.hot_sums(hot, &along, vectors, &mut sums[block.first * vectors..]);
            }
        }
        total
    }

    /// `to += scale · from` of these rows, whose numbers both begin with.
    fn add_scaled(&self, block: &View, rows: &Range<usize>, from: &[f64], to: &mut [f64]) {
        let numbers = to.chunks_exact_mut(self.vectors).zip(from.chunks_exact(self.vectors));
        for (&document, (to, from)) in self.records.documents()[rows.clone()].iter().zip(numbers) {
            let scale = block.row_scales[document as usize];
            to.iter_mut().zip(from).for_each(|(to, from)| *to += scale * from);
        }
    }

    /// `to = scale · from`, as [`add_scaled`](Self::add_scaled).
    fn scale(&self, block: &View, rows: &Range<usize>, from: &[f64], to: &mut [f64]) {
        let numbers = to.chunks_exact_mut(self.vectors).zip(from.chunks_exact(self.vectors));
        for (&document, (to, from)) in self.records.documents()[rows.clone()].iter().zip(numbers) {
            let scale = block.row_scales[document as usize];
            to.iter_mut().zip(from).for_each(|(to, from)| *to = scale * from);
        }
    }

    /// `image = X Xᵀ rows` over the columns without coordinates, shapes (rows, vectors); the greatest number of `Xᵀ rows`, by magnitude
    /// (of a row's single terms their length).
    pub(super) fn implicit(&self, room: &mut Room, rows: &[f64], image: &mut [f64]) -> f64 {
        if rows.is_empty() {
            return 0.0;
        }
        let mut greatest = match self.layout.tiles() {
            [tile] => self.at_once(room, tile, rows, image),
            tiles => self.in_two(room, tiles, rows, image),
        };
        let of_rows = rows.chunks_exact(self.vectors).zip(image.chunks_exact_mut(self.vectors));
        for (square, (rows, image)) in self.singles.iter().zip(of_rows) {
            for (row, image) in rows.iter().zip(image) {
                *image += square * row;
                greatest = greatest.max(square.sqrt() * row.abs());
            }
        }
        greatest
    }

    /// A column goes back to the rows as soon as it was read.
    fn at_once(&self, room: &mut Room, tile: &Tile, rows: &[f64], image: &mut [f64]) -> f64 {
        let Room { along, back, .. } = room;
        along.resize_with(self.blocks.len(), Vec::new);
        for (block, along) in self.blocks.iter().zip(&mut *along) {
            along.resize(rows.len(), 0.0);
            self.scale(block, &tile.rows, rows, along);
        }
        back.resize_with(self.lanes.len() * self.blocks.len(), Vec::new);
        let lanes = tile.lanes.iter().zip(&self.lanes).zip(back.chunks_mut(self.blocks.len()));
        let greatest = threads::share(lanes.collect(), |((of_blocks, scales), back)| {
            let of_block = |((cold, along), back): ((&Cold, &Vec<f64>), &mut Vec<f64>)| {
                back.clear();
                back.resize(rows.len(), 0.0);
                self.kernel.cold_both(cold, scales, self.vectors, along, back)
            };
            of_blocks.iter().zip(&*along).zip(back).map(of_block).fold(0.0, f64::max)
        });
        image.fill(0.0);
        for (at, (block, sum)) in self.blocks.iter().zip(along).enumerate() {
            sum.fill(0.0);
            for back in back.iter().skip(at).step_by(self.blocks.len()) {
                add(sum, back);
            }
            self.add_scaled(block, &tile.rows, sum, image);
        }
        greatest.into_iter().fold(0.0, f64::max)
    }

    /// All columns' sums first, then what they do to the rows.
    fn in_two(&self, room: &mut Room, tiles: &[Tile], rows: &[f64], image: &mut [f64]) -> f64 {
        let vectors = self.vectors;
        let Room { along: lanes, .. } = room;
        lanes.resize_with(self.lanes.len(), Vec::new);
        let of_lanes = lanes.iter_mut().enumerate().zip(&self.lanes);
        let greatest = threads::share(of_lanes.collect(), |((lane, sums), scales)| {
            sums.clear();
            sums.resize(scales.len() * vectors, 0.0);
            self.lane_sums(lane, rows, sums);
            times(sums, scales, vectors);
            let greatest = sums.iter().fold(0.0f64, |greatest, sum| greatest.max(sum.abs()));
            times(sums, scales, vectors);
            greatest
        });
        let mut rest = image;
        let dealt =
            tiles.iter().map(|tile| (tile, rest.split_off_mut(..tile.rows.len() * vectors).unwrap_or_default()));
        threads::share(dealt.collect(), |(tile, image)| {
            let mut out = vec![0.0; image.len()];
            image.fill(0.0);
            for (at, block) in self.blocks.iter().enumerate() {
                out.fill(0.0);
                for (sums, of_blocks) in lanes.iter().zip(&tile.lanes) {
                    self.kernel.cold_dots(&of_blocks[at], vectors, sums, &mut out);
                }
                self.add_scaled(block, &tile.rows, &out, image);
            }
        });
        greatest.into_iter().fold(0.0, f64::max)
    }

    /// A lane's part of `Xᵀ rows`, not yet times its scales.
    fn lane_sums(&self, lane: usize, rows: &[f64], sums: &mut [f64]) {
        let mut along = Vec::new();
        for tile in self.layout.tiles() {
            let rows = &rows[tile.rows.start * self.vectors..tile.rows.end * self.vectors];
            along.resize(rows.len(), 0.0);
            for (block, cold) in self.blocks.iter().zip(&tile.lanes[lane]) {
                self.scale(block, &tile.rows, rows, &mut along);
                self.kernel.cold_sums(cold, self.vectors, &along, sums);
            }
        }
    }

    /// Numbers of the coordinates and of the rows as weights by column, shape (columns, vectors).
    pub(super) fn expand(&self, numbers: &[f64], rows: &[f64]) -> Array2<f64> {
        let (vectors, starts) = (self.vectors, self.records.starts());
        let mut weights = Array2::zeros((self.records.columns(), vectors));
        let flat = weights.as_slice_mut().unwrap_or_default();
        for (at, block) in self.blocks.iter().enumerate() {
            let count = self.layout.hot(at) * vectors;
            flat[starts[at] * vectors..][..count].copy_from_slice(&numbers[block.first * vectors..][..count]);
        }
        if rows.is_empty() {
            return weights;
        }
        let lanes = threads::share((0..self.lanes.len()).collect(), |lane| {
            let scales = &self.lanes[lane];
            let mut sums = vec![0.0; scales.len() * vectors];
            self.lane_sums(lane, rows, &mut sums);
            times(&mut sums, scales, vectors);
            sums
        });
        for (columns, sums) in self.layout.lanes().iter().zip(lanes) {
            let mut rest = &sums[..];
            for (columns, start) in columns.iter().zip(starts) {
                let (own, after) = rest.split_at(columns.len() * vectors);
                flat[(start + columns.start) * vectors..][..own.len()].copy_from_slice(own);
                rest = after;
            }
        }
        if self.layout.singles() {
            for (row, of_row) in rows.chunks_exact(vectors).enumerate() {
                self.single_terms(row, |column, value| {
                    for (weight, of_row) in flat[column * vectors..].iter_mut().zip(of_row) {
                        *weight = value * of_row;
                    }
                });
            }
        }
        weights
    }

    /// Weights as numbers of the coordinates and of the rows, shape (rows, vectors): the other way of [`expand`](Self::expand).
    ///
    /// Of the columns without coordinates, that is the multiple of `slopes` that comes nearest: the minimum of a loss with
    /// these slopes is one, and what is none is no minimum.
    pub(super) fn compress(&self, linear: &Linear, first: usize, slopes: Vec<f64>) -> [Vec<f64>; 2] {
        let vectors = self.vectors;
        let mut numbers = vec![0.0; self.coordinates()];
        for (at, (block, &start)) in self.blocks.iter().zip(self.records.starts()).enumerate() {
            for (column, numbers) in
                numbers[block.first * vectors..].chunks_exact_mut(vectors).take(self.layout.hot(at)).enumerate()
            {
                numbers
                    .iter_mut()
                    .enumerate()
                    .for_each(|(k, number)| *number = linear.weights[(start + column, first + k)]);
            }
        }
        let intercepts = numbers.len() - vectors;
        numbers[intercepts..].iter_mut().enumerate().for_each(|(k, number)| *number = linear.intercept[first + k]);
        if !self.layout.implicit() {
            return [numbers, Vec::new()];
        }
        let [mut rows, none] = [slopes, vec![0.0; self.coordinates()]];
        let span = self.expand(&none, &rows);
        for k in 0..vectors {
            let own = linear.weights.column(first + k);
            let (along, squares) =
                span.column(k).iter().zip(own).fold((0.0, 0.0), |(along, squares), (span, weight)| {
                    (along + span * weight, squares + span * span)
                });
            let share = if squares > 0.0 { along / squares } else { 0.0 };
            rows.iter_mut().skip(k).step_by(vectors).for_each(|row| *row *= share);
        }
        [numbers, rows]
    }
}

/// `to += from`.
fn add(to: &mut [f64], from: &[f64]) {
    to.iter_mut().zip(from).for_each(|(to, from)| *to += from);
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
