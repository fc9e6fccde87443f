//! The records as a linear map: scores of a point, and back.

use ndarray::{Array2, ArrayView2};

use crate::linear::Linear;
use crate::linear::kernel::Kernel;
use crate::linear::layout::Layout;
use crate::records::Records;
use crate::threads;

/// Records of one set of scales, for `vectors` weights a column, in the coordinates of a [`Layout`].
///
/// A point has shape (coordinates, vectors), scores and what goes back (rows, vectors), row by row.
pub(super) struct Matrix<'r> {
    pub(super) layout: &'r Layout,
    records: &'r Records,
    pub(super) vectors: usize,
    kernel: Kernel<'r>,
    /// Length of each row's single terms, where they are merged.
    singles: Vec<f64>,
}

impl<'r> Matrix<'r> {
    pub(super) fn new(layout: &'r Layout, records: &'r Records, vectors: usize) -> Self {
        let kernel = Kernel::new(records.term_frequency());
        let mut matrix = Matrix { layout, records, vectors, kernel, singles: Vec::new() };
        if layout.singles().is_some() {
            let length = |row| matrix.single_terms(row).map(|(_, value)| value * value).sum::<f64>().sqrt();
            let of_part = |rows: std::ops::Range<usize>| rows.map(length).collect::<Vec<f64>>();
            matrix.singles = threads::each(layout.rows().to_vec(), of_part).concat();
        }
        matrix
    }

    pub(super) fn rows(&self) -> usize {
        self.records.rows()
    }

    /// Number of a point's numbers.
    pub(super) fn dimensions(&self) -> usize {
        self.layout.coordinates() * self.vectors
    }

    /// (column, value) of a row's terms that are merged.
    fn single_terms(&self, row: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
        let document = self.records.documents()[row] as usize;
        let blocks = self.records.blocks().iter().zip(self.records.starts()).enumerate();
        blocks.flat_map(move |(at, (block, &start))| {
            let row_scale = self.records.row_scales(block.group)[document];
            let tail = self.layout.share(block.counts.packed(document), row, at, self.layout.parts());
            self.kernel.entries(tail).map(move |(column, value, _)| {
                (start + column, row_scale * self.records.column_scales()[start + column] * value)
            })
        })
    }

    /// What the numbers of a part's pieces are multiplied with: the columns' scales, the lengths of single terms.
    fn scales(&self, part: usize, piece: usize) -> &[f64] {
        match self.records.starts() {
            starts if piece + 1 < starts.len() => {
                let columns = self.layout.columns(piece, part);
                &self.records.column_scales()[starts[piece] + columns.start..starts[piece] + columns.end]
            }
            _ => &self.singles[self.layout.rows()[part].clone()],
        }
    }

    /// `point` times the scales into `scaled`: what [`forward`](Self::forward) takes.
    pub(super) fn scale(&self, point: &[f64], scaled: &mut [f64]) {
        scaled.copy_from_slice(point);
        self.multiply(scaled);
    }

    fn multiply(&self, values: &mut [f64]) {
        let parts = self.layout.deal(values, self.vectors).into_iter().enumerate().collect();
        threads::each(parts, |(part, pieces): (usize, Vec<&mut [f64]>)| {
            for (piece, values) in pieces.into_iter().enumerate() {
                times(values, self.scales(part, piece), self.vectors);
            }
        });
    }

    /// Scores of the point whose scaled numbers are given.
    pub(super) fn forward(&self, scaled: &[f64], scores: &mut [f64]) {
        let mut parts = Vec::new();
        let mut rest = scores;
        for rows in self.layout.rows() {
            let (part, after) = rest.split_at_mut(rows.len() * self.vectors);
            parts.push((rows.clone(), part));
            rest = after;
        }
        let intercepts = &scaled[scaled.len() - self.vectors..];
        threads::each(parts, |(rows, scores)| {
            for (row, scores) in rows.zip(scores.chunks_exact_mut(self.vectors)) {
                scores.copy_from_slice(intercepts);
                if let Some(singles) = self.layout.singles() {
                    let at = (singles + row) * self.vectors;
                    scores.iter_mut().zip(&scaled[at..]).for_each(|(score, single)| *score += single);
                }
                let document = self.records.documents()[row] as usize;
                for (at, block) in self.records.blocks().iter().enumerate() {
                    let packed = self.layout.kept(block.counts.packed(document), row, at);
                    let row_scale = self.records.row_scales(block.group)[document];
                    let weights = &scaled[self.layout.first(at) * self.vectors..];
                    match &mut *scores {
                        [score] => *score += row_scale * self.kernel.dot(packed, weights),
                        scores => self.kernel.dots(packed, row_scale, weights, scores),
                    }
                }
            }
        });
    }

    /// The transpose: `Σ` over the rows of `slopes` (rows, vectors) times the row's values into `sums`, shaped as a point.
    pub(super) fn backward(&self, slopes: &[f64], sums: &mut [f64]) {
        let vectors = self.vectors;
        sums.fill(0.0);
        let end = sums.len() - vectors;
        for slopes in slopes.chunks_exact(vectors) {
            sums[end..].iter_mut().zip(slopes).for_each(|(sum, slope)| *sum += slope);
        }
        let parts = self.layout.deal(sums, vectors).into_iter().enumerate().collect();
        threads::each(parts, |(part, mut pieces): (usize, Vec<&mut [f64]>)| {
            for (row, slopes) in slopes.chunks_exact(vectors).enumerate() {
                if slopes.iter().all(|&slope| slope == 0.0) {
                    continue;
                }
                let document = self.records.documents()[row] as usize;
                for (at, block) in self.records.blocks().iter().enumerate() {
                    let packed = self.layout.share(block.counts.packed(document), row, at, part);
                    let row_scale = self.records.row_scales(block.group)[document];
                    let first = self.layout.columns(at, part).start;
                    match slopes {
                        [slope] => self.kernel.add(packed, row_scale * slope, pieces[at], first),
                        slopes => self.kernel.adds(packed, row_scale, slopes, pieces[at], first),
                    }
                }
            }
            if self.layout.singles().is_some() {
                let rows = &self.layout.rows()[part];
                let own = &slopes[rows.start * vectors..rows.end * vectors];
                pieces[self.records.blocks().len()].copy_from_slice(own);
            }
            for (piece, sums) in pieces.into_iter().enumerate() {
                times(sums, self.scales(part, piece), vectors);
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
                for (column, value) in self.single_terms(row) {
                    for (weight, merged) in flat[column * vectors..].iter_mut().zip(of_row) {
                        *weight = merged * value / length;
                    }
                }
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
                for (column, value) in self.single_terms(row) {
                    for (k, point) in point[(singles + row) * vectors..][..vectors].iter_mut().enumerate() {
                        *point += weight(column, k) * value / length;
                    }
                }
            }
        }
        let end = point.len() - vectors;
        point[end..].iter_mut().enumerate().for_each(|(k, point)| *point = linear.intercept[first + k]);
        point
    }
}

/// Scores of weights of shape (columns, vectors), shape (rows, vectors).
pub(super) fn scores(records: &Records, weights: ArrayView2<f64>, intercept: &[f64]) -> Array2<f64> {
    let vectors = intercept.len();
    let layout = Layout::plain(records, vectors);
    let matrix = Matrix::new(&layout, records, vectors);
    let mut scaled: Vec<f64> = Vec::with_capacity(matrix.dimensions());
    for (weights, scale) in weights.rows().into_iter().zip(records.column_scales().iter()) {
        scaled.extend(weights.iter().map(|weight| weight * scale));
    }
    scaled.extend(intercept);
    let mut scores = Array2::zeros((records.rows(), vectors));
    matrix.forward(&scaled, scores.as_slice_mut().unwrap_or_default());
    scores
}

fn times(values: &mut [f64], scales: &[f64], vectors: usize) {
    if vectors == 1 {
        return values.iter_mut().zip(scales).for_each(|(value, scale)| *value *= scale);
    }
    for (values, scale) in values.chunks_exact_mut(vectors).zip(scales) {
        values.iter_mut().for_each(|value| *value *= scale);
    }
}
