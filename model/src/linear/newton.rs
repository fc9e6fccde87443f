//! The minimiser: Newton's method, each step by conjugate gradients, cut short (Nash & Sofer 1990; Lin, Weng & Keerthi 2008),
//! and a search along it for where the slope is all but gone.
//!
//! The conjugate gradients are preconditioned by a part of the Hessian's diagonal: columns that nearly every row has are bent far
//! more than those of a few (Hsia, Chiang & Lin 2018, who mix the diagonal with 1 as here).
//!
//! What is minimised is the mean objective `Σ sᵢ lossᵢ / Σ sᵢ + ½ penalty ‖w‖²`. A step of the conjugate gradients reads the
//! records once; the search along the line reads the scores alone. Six vectors as long as the point, two more a thread, and four as long
//! as the scores are all that is held. Sums are taken in chunks that the data fix, so that no result tells the number of threads.

use std::ops::Range;

use crate::error::FitError;
use crate::linear::layout::ROWS;
use crate::linear::loss::Losses;
use crate::linear::matrix::Matrix;
use crate::linear::watch::{Progress, Watch};
use crate::threads;

/// Numbers of a point whose sum is taken together.
const CHUNK: usize = 1 << 12;
/// The conjugate gradients end where what is left of the gradient is this share of it (measured on imdb: 0.1 takes a third more
/// passes, 0.5 as many with more steps).
const FORCING: f64 = 0.3;
/// Share of the curvature of the losses that counts beside the penalty's in the preconditioner (Hsia et al. take as much; measured:
/// imdb's fit takes 21 passes in place of 25, 100,000 synthetic rows 22 in place of 34; with 0.1 more, with 0.001 as well).
const BENT: f64 = 0.01;
/// Steps of the conjugate gradients from which on they are better off without the preconditioner (measured: text takes up to 12;
/// words drawn at random, with a C of 10,000, take hundreds with it and a quarter of that without).
const PATIENCE: u64 = 30;
/// Steps of the conjugate gradients, and of the search along a line.
const MOST_STEPS: usize = 300;
const MOST_TRIALS: usize = 60;
/// The search ends where this share of the slope is left.
const SLOPE: f64 = 0.1;

/// How a minimisation went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Newton steps taken.
    pub iterations: u64,
    /// Times that the records were read.
    pub passes: u64,
    /// Whether no component of the gradient is above the tolerance.
    pub converged: bool,
    /// The mean objective at the end.
    pub objective: f64,
    /// The greatest component of its gradient, by magnitude.
    pub gradient: f64,
}

pub(super) struct Objective<'m> {
    pub(super) matrix: &'m Matrix<'m>,
    pub(super) losses: Losses<'m>,
    pub(super) penalty: f64,
    /// Whether the intercept is penalised as the weights are.
    pub(super) intercept_penalised: bool,
}

/// When to end.
#[derive(Clone, Copy)]
pub(super) struct Bounds {
    pub(super) max_iter: u64,
    /// Greatest component of the gradient.
    pub(super) tol: f64,
}

impl Objective<'_> {
    /// Moves `point` to the minimum.
    pub(super) fn minimise(&self, point: &mut [f64], bounds: Bounds, watch: Watch) -> Result<Convergence, FitError> {
        let (dimensions, scores) = (point.len(), self.matrix.rows() * self.matrix.vectors);
        let [mut step, mut residual, mut direction, mut buffer] = [(); 4].map(|()| vec![0.0; dimensions]);
        let [mut score, mut curvature, mut change, mut moved] = [(); 4].map(|()| vec![0.0; scores]);
        let mut room = self.matrix.room();
        let mut inverse = self.preconditioner();
        let enough = self.losses.kind.gain();
        let mut passes = 0;
        // The scores are 0 where the point is, and later moved along with it.
        let mut unknown = point.iter().any(|&weight| weight != 0.0);
        let mut iterations = 0;
        // What the last step left to gain, as far as its conjugate gradients tell; unknown before there is one.
        let mut gain = f64::INFINITY;
        let mut before = f64::INFINITY;
        loop {
            let start = std::mem::take(&mut unknown).then_some(&*point);
            let rows = [&mut score[..], &mut curvature];
            let losses = self.matrix.pass(&mut room, start, rows, &mut buffer, |row, score, curvature, slopes| {
                self.losses.slopes(row, score, slopes, curvature)
            });
            passes += 1;
            let [squares, ..] = self.products(point, point);
            let objective = losses + 0.5 * self.penalty * squares;
            let (gradient, mut left) = self.steepest(point, &buffer, &inverse, &mut residual);
            if !objective.is_finite() || !left.is_finite() {
                return Err(FitError::NotFinite { iteration: iterations });
            }
            watch.report(Progress { iteration: iterations, objective, gradient });
            let small = gradient <= bounds.tol;
            let end = |converged, passes| Ok(Convergence { iterations, passes, converged, objective, gradient });
            // The quadratic's part that is not yet gained goes with the residual's square.
            if small && gain * (before - objective).max(0.0) <= enough * objective.abs() {
                return end(true, passes);
            }
            // A stop waits for one step, were it a short one: before it nothing is learned.
            if iterations >= bounds.max_iter || iterations > 0 && watch.stopped() {
                return end(small, passes);
            }

            let (whole, mut predicted, begun) = (left, 0.0, passes);
            step.fill(0.0);
            moved.fill(0.0);
            self.sweep(CHUNK, [&mut direction], |at, [direction]| {
                let steepest = inverse[at..].iter().zip(&residual[at..]);
                direction
                    .iter_mut()
                    .zip(steepest)
                    .for_each(|(direction, (inverse, residual))| *direction = inverse * residual);
            });
            for inner in 0..MOST_STEPS {
                if inner > 0 && watch.stopped() {
                    break; // What there is of the step descends.
                }
                let [lengths, ..] = self.products(&direction, &direction);
                let rows = [&mut change[..], &mut curvature];
                let bent = self.matrix.pass(
                    &mut room,
                    Some(&direction),
                    rows,
                    &mut buffer,
                    |row, change, curvature, slopes| {
                        slopes.copy_from_slice(change);
                        self.losses.curve(row, curvature, slopes)
                    },
                ) + self.penalty * lengths;
                if bent.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                    break; // Flat as far as numbers tell.
                }
                let share = left / bent;
                predicted += 0.5 * share * left;
                self.sweep(CHUNK, [&mut moved], |at, [moved]| {
                    moved.iter_mut().zip(&change[at..]).for_each(|(moved, change)| *moved += share * change);
                });
                passes += 1;
                let last = left;
                left = self.advance(share, [&direction, &buffer, &inverse], &mut step, &mut residual);
                if left <= FORCING * FORCING * whole || !left.is_finite() {
                    break;
                }
                self.sweep(CHUNK, [&mut direction], |at, [direction]| {
                    let steepest = inverse[at..].iter().zip(&residual[at..]);
                    for (direction, (inverse, residual)) in direction.iter_mut().zip(steepest) {
                        *direction = inverse * residual + left / last * *direction;
                    }
                });
            }

            if passes - begun > PATIENCE {
                inverse.fill(1.0 / self.penalty);
            }
            if small && predicted <= enough * objective.abs() {
                return end(true, passes); // A start that is as good as the minimum is left as it is.
            }
            let Some(length) = self.search(point, &step, &score, &moved) else {
                // Nothing descends: the objective is flat to the last bit.
                return end(small, passes);
            };
            self.sweep(CHUNK, [point], |at, [point]| {
                point.iter_mut().zip(&step[at..]).for_each(|(point, step)| *point += length * step);
            });
            self.sweep(CHUNK, [&mut score], |at, [score]| {
                score.iter_mut().zip(&moved[at..]).for_each(|(score, moved)| *score += length * moved);
            });
            iterations += 1;
            gain = left / whole;
            before = objective;
        }
    }

    /// Penalty's share of a place in the point: none of an unpenalised intercept.
    fn penalised(&self) -> usize {
        let intercepts = if self.intercept_penalised { 0 } else { self.matrix.vectors };
        self.matrix.dimensions() - intercepts
    }

    /// One over what the Hessian's diagonal is taken for, shaped as a point: at a score of 0, where steps begin.
    fn preconditioner(&self) -> Vec<f64> {
        let Some(curvature) = self.losses.kind.curvature(self.matrix.vectors) else {
            return vec![1.0 / self.penalty; self.matrix.dimensions()];
        };
        let mut inverse = self.matrix.mean_squares();
        self.sweep(CHUNK, [&mut inverse], |_, [inverse]| {
            for square in inverse {
                // Values without a finite square are told of where the losses are taken.
                let own = if square.is_finite() { BENT * curvature * *square } else { 0.0 };
                *square = 1.0 / (self.penalty + own);
            }
        });
        inverse
    }

    /// Minus the gradient into `residual`, from the losses' part of it: its greatest component and its preconditioned square.
    fn steepest(&self, point: &[f64], losses: &[f64], inverse: &[f64], residual: &mut [f64]) -> (f64, f64) {
        let penalised = self.penalised();
        let parts = self.sweep(CHUNK, [residual], |at, [residual]| {
            let (mut greatest, mut squares) = (0.0f64, 0.0);
            for (place, residual) in (at..).zip(residual.iter_mut()) {
                let penalty = if place < penalised { self.penalty } else { 0.0 };
                *residual = -(losses[place] + penalty * point[place]);
                greatest = greatest.max(residual.abs());
                squares += inverse[place] * *residual * *residual;
            }
            (greatest, squares)
        });
        parts.into_iter().fold((0.0, 0.0), |(greatest, sum), part| (part.0.max(greatest), sum + part.1))
    }

    /// One step of the conjugate gradients, from the losses' part of Hessian times direction; the residual's new preconditioned
    /// square.
    fn advance(
        &self,
        share: f64,
        [direction, losses, inverse]: [&[f64]; 3],
        step: &mut [f64],
        residual: &mut [f64],
    ) -> f64 {
        let penalised = self.penalised();
        let squares = self.sweep(CHUNK, [step, residual], |at, [step, residual]| {
            let mut squares = 0.0;
            for ((place, step), residual) in (at..).zip(step.iter_mut()).zip(residual.iter_mut()) {
                let penalty = if place < penalised { self.penalty } else { 0.0 };
                *step += share * direction[place];
                *residual -= share * (losses[place] + penalty * direction[place]);
                squares += inverse[place] * *residual * *residual;
            }
            squares
        });
        squares.into_iter().sum()
    }

    /// `a·a`, `a·b`, `b·b` of what is penalised.
    fn products(&self, a: &[f64], b: &[f64]) -> [f64; 3] {
        let sums = self.chunks(self.penalised(), CHUNK, |range| {
            let (a, b) = (&a[range.clone()], &b[range]);
            [dot(a, a), dot(a, b), dot(b, b)]
        });
        let add = |sum: [f64; 3], part: [f64; 3]| [sum[0] + part[0], sum[1] + part[1], sum[2] + part[2]];
        sums.into_iter().fold([0.0; 3], add)
    }

    /// How far to go along `step`: to where the slope is [`SLOPE`] of what it is here, or less. The objective is convex, so that the
    /// slope only grows along the line. `moved` is what the whole step does to the scores.
    fn search(&self, point: &[f64], step: &[f64], score: &[f64], moved: &[f64]) -> Option<f64> {
        let [_, across, squares] = self.products(point, step);
        let slope = |length: f64| {
            let sums = self.chunks(self.matrix.rows(), ROWS, |rows| {
                let mut room = vec![0.0; 2 * self.matrix.vectors];
                rows.fold([0.0; 2], |sum, row| {
                    let (score, moved) = (self.own(score, row), self.own(moved, row));
                    let [slope, curvature] = self.losses.along(row, score, moved, length, &mut room);
                    [sum[0] + slope, sum[1] + curvature]
                })
            });
            let [slope, curvature] = sums.into_iter().fold([0.0; 2], |sum, part| [sum[0] + part[0], sum[1] + part[1]]);
            (slope + self.penalty * (across + length * squares), curvature + self.penalty * squares)
        };
        let (begin, _) = slope(0.0);
        if begin.partial_cmp(&0.0) != Some(std::cmp::Ordering::Less) {
            return None;
        }
        let (mut low, mut high, mut length) = (0.0, f64::INFINITY, 1.0);
        for _ in 0..MOST_TRIALS {
            let (here, curvature) = slope(length);
            if here.abs() <= -SLOPE * begin {
                return Some(length);
            }
            if here < 0.0 {
                low = length
            } else {
                high = length
            }
            let newton = length - here / curvature;
            length = match newton {
                inside if inside > low && inside < high.min(10.0 * length) => inside,
                _ if high.is_infinite() => 10.0 * length,
                _ => 0.5 * (low + high),
            };
        }
        (low > 0.0).then_some(low)
    }

    /// A row's numbers in a vector of the scores' shape.
    fn own<'v>(&self, values: &'v [f64], row: usize) -> &'v [f64] {
        &values[row * self.matrix.vectors..(row + 1) * self.matrix.vectors]
    }

    /// `run` on chunks of vectors of one length, with where they begin; what it gives, in order.
    fn sweep<T: Send, const N: usize>(
        &self,
        chunk: usize,
        vectors: [&mut [f64]; N],
        run: impl Fn(usize, [&mut [f64]; N]) -> T + Sync,
    ) -> Vec<T> {
        let (length, mut rest) = (vectors[0].len(), vectors);
        let dealt = self.parts(length, chunk).into_iter().map(|range| {
            let count = range.len();
            (range.start, rest.each_mut().map(|rest| rest.split_off_mut(..count).unwrap_or_default()))
        });
        let results = threads::each(dealt.collect(), |(mut at, mut rest): (usize, [&mut [f64]; N])| {
            let mut results = Vec::with_capacity(rest[0].len().div_ceil(chunk));
            while !rest[0].is_empty() {
                let count = chunk.min(rest[0].len());
                results.push(run(at, rest.each_mut().map(|rest| rest.split_off_mut(..count).unwrap_or_default())));
                at += count;
            }
            results
        });
        results.into_iter().flatten().collect()
    }

    /// `run` on chunks of `0..length`; what it gives, in order.
    fn chunks<T: Send>(&self, length: usize, chunk: usize, run: impl Fn(Range<usize>) -> T + Sync) -> Vec<T> {
        let results = threads::each(self.parts(length, chunk), |range| {
            range.clone().step_by(chunk).map(|at| run(at..range.end.min(at + chunk))).collect::<Vec<T>>()
        });
        results.into_iter().flatten().collect()
    }

    /// Whole chunks of `0..length` for each thread.
    fn parts(&self, length: usize, chunk: usize) -> Vec<Range<usize>> {
        let (parts, count) = (self.matrix.layout.workers(), length.div_ceil(chunk));
        let bound = |part: usize| length.min(count * part / parts * chunk);
        (0..parts).map(|part| bound(part)..bound(part + 1)).collect()
    }
}

/// Four sums side by side, always in the same order: the loop is not bound by the latency of one addition.
fn dot(a: &[f64], b: &[f64]) -> f64 {
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
