//! The minimiser: Newton's method, each step by conjugate gradients, cut short (Nash & Sofer 1990; Lin, Weng & Keerthi 2008),
//! and a search along it for where the slope is all but gone.
//!
//! What is minimised is the mean objective `Σ sᵢ lossᵢ / Σ sᵢ + ½ penalty ‖w‖²`. Weights without coordinates ([`layout`](super::layout))
//! are sums of rows, and so are the gradient's and the step's parts there: a step of the conjugate gradients reads the records once,
//! the search along the line reads the scores alone, and fourteen vectors as long as the scores are held, none as long as the
//! vocabulary. Sums are taken in chunks that the data fix, so that no result tells the number of threads.

use std::ops::Range;

use crate::error::FitError;
use crate::linear::Linear;
use crate::linear::layout::ROWS;
use crate::linear::loss::Losses;
use crate::linear::matrix::{Matrix, Room};
use crate::linear::precondition::{Means, Preconditioner};
use crate::linear::vectors::{chunks, dot, sweep};
use crate::linear::watch::{Progress, Watch};
use crate::threads;

/// The conjugate gradients end where what is left of the gradient is this share of it (measured: with 0.3 the end is found one step
/// later on 1,000,000 synthetic rows, with 0.15 no sooner).
const FORCING: f64 = 0.2;
/// Share of the losses' curvature at a score of 0 that counts beside the penalty's (measured from 0.03 to 0.1; Hsia et al. take 0.01
/// of that at the point).
const BENT: f64 = 0.05;
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

/// Weights: a point, a step or a direction.
pub(super) struct Weights {
    /// Of the coordinates, shape (coordinates, vectors).
    pub(super) own: Vec<f64>,
    /// Of the other columns `Xᵀ rows`, shape (rows, vectors); empty where there are none.
    pub(super) rows: Vec<f64>,
    /// What those do to the scores, `X Xᵀ rows`.
    pub(super) image: Vec<f64>,
}

/// Minus the gradient of the quadratic.
pub(super) struct Residual {
    pub(super) own: Vec<f64>,
    /// Of the columns without coordinates, as [`Weights`].
    pub(super) rows: Vec<f64>,
    pub(super) image: Vec<f64>,
    /// What the preconditioner knows of it.
    pub(super) means: Vec<f64>,
    /// Its greatest component.
    greatest: f64,
}

impl Objective<'_> {
    /// No weights.
    pub(super) fn zero(&self) -> Weights {
        let rows = if self.matrix.layout.implicit() { self.scores() } else { 0 };
        Weights { own: vec![0.0; self.matrix.coordinates()], rows: vec![0.0; rows], image: vec![0.0; rows] }
    }

    /// Those of the vectors from `first` on of a classifier, or as near as rows come to them.
    pub(super) fn weights(&self, linear: &Linear, first: usize, scores: &[f64]) -> Weights {
        let (mut slopes, mut curvature) = (vec![0.0; scores.len()], vec![0.0; self.matrix.vectors]);
        let of_rows = scores.chunks_exact(self.matrix.vectors).zip(slopes.chunks_exact_mut(self.matrix.vectors));
        for (row, (scores, slopes)) in of_rows.enumerate() {
            self.losses.slopes(row, scores, slopes, &mut curvature);
        }
        let [own, rows] = self.matrix.compress(linear, first, slopes);
        let mut image = vec![0.0; rows.len()];
        self.matrix.implicit(&mut self.matrix.room(), &rows, &mut image);
        Weights { own, rows, image }
    }

    /// Moves `point` to the minimum.
    pub(super) fn minimise(&self, point: &mut Weights, bounds: Bounds, watch: Watch) -> Result<Convergence, FitError> {
        let [mut score, mut curvature, mut change, mut slopes, mut moved] = [(); 5].map(|()| vec![0.0; self.scores()]);
        let (mut step, mut direction) = (self.zero(), self.zero());
        let Weights { own, rows, image } = self.zero();
        let mut residual = Residual { own, rows, image, means: Vec::new(), greatest: 0.0 };
        let (mut room, mut sums) = (self.matrix.room(), vec![0.0; self.matrix.coordinates()]);
        let mut passes = 0;
        let mut preconditioner = match self.losses.kind.curvature(self.matrix.vectors) {
            Some(bent) => {
                passes += 1;
                let rows = [&mut change[..], &mut curvature, &mut slopes];
                self.preconditioner(bent, &mut room, rows, &mut sums)
            }
            None => self.plain(),
        };
        let enough = self.losses.kind.gain();
        // The scores are 0 where the point is, and later moved along with it.
        let mut unknown = point.own.iter().chain(&point.rows).any(|&number| number != 0.0);
        let mut iterations = 0;
        // What the last step left to gain, as far as its conjugate gradients tell; unknown before there is one.
        let mut gain = f64::INFINITY;
        let mut before = f64::INFINITY;
        loop {
            let given = std::mem::take(&mut unknown).then_some((&point.own[..], &point.image[..]));
            let rows = [&mut score[..], &mut curvature, &mut slopes];
            let losses = self.matrix.explicit(&mut room, given, rows, &mut sums, |row, score, curvature, slopes| {
                self.losses.slopes(row, score, slopes, curvature)
            });
            passes += 1;
            let objective = losses + 0.5 * self.penalty * self.product(point, point);
            let bends = self.losses.bends(&curvature, self.matrix.vectors);
            preconditioner.intercepts(bends.len(), bends.iter().sum::<f64>() / bends.len() as f64 + self.penalty);
            let mut left = self.steepest(&mut room, point, [&sums, &slopes], &preconditioner, &mut residual);
            let gradient = residual.greatest;
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
            for numbers in [&mut step.own, &mut step.rows, &mut step.image, &mut moved] {
                numbers.fill(0.0);
            }
            let mut lengths = self.turn(&mut direction, &residual, &preconditioner, 0.0);
            for inner in 0..MOST_STEPS {
                if inner > 0 && watch.stopped() {
                    break; // What there is of the step descends.
                }
                let given = Some((&direction.own[..], &direction.image[..]));
                let rows = [&mut change[..], &mut curvature, &mut slopes];
                let bent = self.matrix.explicit(&mut room, given, rows, &mut sums, |row, change, curvature, slopes| {
                    slopes.copy_from_slice(change);
                    self.losses.curve(row, curvature, slopes)
                }) + self.penalty * lengths;
                if bent.partial_cmp(&0.0) != Some(std::cmp::Ordering::Greater) {
                    break; // Flat as far as numbers tell.
                }
                let share = left / bent;
                predicted += 0.5 * share * left;
                self.along(share, &direction, &change, &mut step, &mut moved);
                passes += 1;
                let last = left;
                left = self.advance(&mut room, share, &direction, [&sums, &slopes], &preconditioner, &mut residual);
                if left <= FORCING * FORCING * whole || !left.is_finite() {
                    break;
                }
                lengths = self.turn(&mut direction, &residual, &preconditioner, left / last);
            }

            if passes - begun > PATIENCE {
                preconditioner = self.plain();
            }
            if small && predicted <= enough * objective.abs() {
                return end(true, passes); // A start that is as good as the minimum is left as it is.
            }
            let Some(length) = self.search(point, &step, &score, &moved) else {
                // Nothing descends: the objective is flat to the last bit.
                return end(small, passes);
            };
            self.along(length, &step, &moved, point, &mut score);
            self.settle([&mut step, point], [&mut score, &mut moved, &mut curvature, &mut slopes]);
            iterations += 1;
            gain = left / whole;
            before = objective;
        }
    }

    /// Number of scores.
    fn scores(&self) -> usize {
        self.matrix.rows() * self.matrix.vectors
    }

    /// Number of coordinates that are penalised: all but unpenalised intercepts, which are the last.
    fn penalised(&self) -> usize {
        let intercepts = if self.intercept_penalised { 0 } else { self.matrix.vectors };
        self.matrix.coordinates() - intercepts
    }

    /// `a · b` of what is penalised.
    fn product(&self, a: &Weights, b: &Weights) -> f64 {
        let own = self.penalised();
        dot(&a.own[..own], &b.own[..own]) + dot(&a.rows, &b.image)
    }

    /// None but the penalty.
    fn plain(&self) -> Preconditioner {
        Preconditioner::new(vec![self.penalty; self.matrix.coordinates()], self.penalty, None)
    }

    /// From the losses' curvature at a score of 0, where steps begin. The columns without coordinates, whose values are few, are taken
    /// to have the penalty's alone. Reads the records once; `numbers` and `sums` as [`explicit`](Matrix::explicit) has them.
    fn preconditioner(
        &self,
        curvature: f64,
        room: &mut Room,
        [change, beside, slopes]: [&mut [f64]; 3],
        sums: &mut [f64],
    ) -> Preconditioner {
        let vectors = self.matrix.vectors;
        let mut diagonal = self.matrix.mean_squares();
        let intercepts = diagonal.len() - vectors;
        for (place, square) in diagonal.iter_mut().enumerate() {
            let share = if place < intercepts { BENT } else { 1.0 };
            // Values without a finite square are told of where the losses are taken.
            let own = if square.is_finite() { share * curvature * *square } else { 0.0 };
            *square = self.penalty + own;
        }
        self.matrix.explicit(room, None, [&mut *change, beside, slopes], sums, |row, _, _, slopes| {
            slopes.fill(self.losses.weight(row));
            0.0
        });
        let first = |of: &[f64]| of.iter().step_by(vectors).copied().collect();
        let means = if self.matrix.layout.implicit() {
            self.matrix.implicit(room, slopes, change);
            Means::new(sums.to_vec(), vectors, first(slopes), first(change))
        } else {
            Means::new(sums.to_vec(), vectors, Vec::new(), Vec::new())
        };
        Preconditioner::new(diagonal, self.penalty, Some(means))
    }

    /// Minus the gradient at a point, from the losses' slopes and what they are by coordinate; its preconditioned square.
    fn steepest(
        &self,
        room: &mut Room,
        point: &Weights,
        [sums, slopes]: [&[f64]; 2],
        preconditioner: &Preconditioner,
        residual: &mut Residual,
    ) -> f64 {
        let penalised = self.penalised();
        for (place, own) in residual.own.iter_mut().enumerate() {
            let penalty = if place < penalised { self.penalty } else { 0.0 };
            *own = -(sums[place] + penalty * point.own[place]);
        }
        sweep(1, [&mut residual.rows], |at, [rows]| {
            for ((row, slope), point) in rows.iter_mut().zip(&slopes[at..]).zip(&point.rows[at..]) {
                *row = -(slope + self.penalty * point);
            }
        });
        self.square(room, residual, preconditioner)
    }

    /// The residual after a `share` of the direction, from Hessian times direction; its preconditioned square.
    fn advance(
        &self,
        room: &mut Room,
        share: f64,
        direction: &Weights,
        [sums, slopes]: [&[f64]; 2],
        preconditioner: &Preconditioner,
        residual: &mut Residual,
    ) -> f64 {
        let penalised = self.penalised();
        for (place, own) in residual.own.iter_mut().enumerate() {
            let penalty = if place < penalised { self.penalty } else { 0.0 };
            *own -= share * (sums[place] + penalty * direction.own[place]);
        }
        sweep(1, [&mut residual.rows], |at, [rows]| {
            for ((row, slope), direction) in rows.iter_mut().zip(&slopes[at..]).zip(&direction.rows[at..]) {
                *row -= share * (slope + self.penalty * direction);
            }
        });
        self.square(room, residual, preconditioner)
    }

    /// The residual's preconditioned square. Its image and its greatest component are made here.
    fn square(&self, room: &mut Room, residual: &mut Residual, preconditioner: &Preconditioner) -> f64 {
        let Residual { own, rows, image, greatest, .. } = residual;
        let greatest_own = own.iter().fold(0.0f64, |greatest, own| greatest.max(own.abs()));
        *greatest = self.matrix.implicit(room, rows, image).max(greatest_own);
        preconditioner.square(residual, self.matrix.vectors)
    }

    /// The next direction, and its square, of what is penalised.
    fn turn(&self, direction: &mut Weights, residual: &Residual, preconditioner: &Preconditioner, keep: f64) -> f64 {
        let squares = preconditioner.turn(direction, residual, self.matrix.vectors, keep);
        let own = &direction.own[..self.penalised()];
        dot(own, own) + squares
    }

    /// Adds a `share` of weights, and of what all of them do to the scores.
    fn along(&self, share: f64, from: &Weights, change: &[f64], to: &mut Weights, scores: &mut [f64]) {
        let add = |to: &mut [f64], from: &[f64]| to.iter_mut().zip(from).for_each(|(to, from)| *to += share * from);
        add(&mut to.own, &from.own);
        sweep(1, [&mut to.rows, &mut to.image], |at, [rows, images]| {
            add(rows, &from.rows[at..]);
            add(images, &from.image[at..]);
        });
        sweep(1, [scores], |at, [scores]| add(scores, &change[at..]));
    }

    /// Moves the intercepts to where the objective is least, or nearer, by what the scores alone tell.
    fn settle(&self, [step, point]: [&mut Weights; 2], [score, moved, curvature, slopes]: [&mut [f64]; 4]) {
        let vectors = self.matrix.vectors;
        for numbers in [&mut step.own, &mut step.rows, &mut step.image] {
            numbers.fill(0.0);
        }
        let sums = sweep(vectors, [&mut *curvature, &mut *slopes], |at, [curvature, slopes]| {
            let mut sums = vec![0.0; vectors];
            let rows = curvature.chunks_exact_mut(vectors).zip(slopes.chunks_exact_mut(vectors));
            for (row, (curvature, slopes)) in (at / vectors..).zip(rows) {
                self.losses.slopes(row, self.own(score, row), slopes, curvature);
                sums.iter_mut().zip(&*slopes).for_each(|(sum, slope)| *sum += slope);
            }
            sums
        });
        let first = step.own.len() - vectors;
        let bends = self.losses.bends(curvature, vectors);
        for (vector, (step, bend)) in step.own[first..].iter_mut().zip(bends).enumerate() {
            *step = -sums.iter().map(|sums| sums[vector]).sum::<f64>() / (bend + self.penalty);
        }
        if vectors > 1 {
            // To add the same to all intercepts changes nothing: they sum up to what they did.
            let mean = step.own[first..].iter().sum::<f64>() / vectors as f64;
            step.own[first..].iter_mut().for_each(|step| *step -= mean);
        }
        moved.chunks_exact_mut(vectors).for_each(|moved| moved.copy_from_slice(&step.own[first..]));
        if let Some(length) = self.search(point, step, score, moved) {
            self.along(length, step, moved, point, score);
        }
    }

    /// How far to go along `step`: to where the slope is [`SLOPE`] of what it is here, or less. The objective is convex, so that the
    /// slope only grows along the line. `moved` is what the whole step does to the scores.
    fn search(&self, point: &Weights, step: &Weights, score: &[f64], moved: &[f64]) -> Option<f64> {
        let (across, squares) = (self.product(point, step), self.product(step, step));
        let slope = |length: f64| {
            let sums = threads::share(chunks(self.matrix.rows(), ROWS).collect(), |rows: Range<usize>| {
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
}
