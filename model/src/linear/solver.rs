//! L-BFGS with a line search to the strong Wolfe conditions (Nocedal and Wright, *Numerical Optimization*, 2nd edition:
//! algorithms 7.4, 7.5, 3.5 and 3.6).

use crate::error::FitError;
use crate::linear::objective::Objective;

/// Steps remembered.
const MEMORY: usize = 10;
/// Sufficient decrease, and curvature, of the Wolfe conditions.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;
/// Relative differences of the objective that mean nothing.
const ROUNDING: f64 = 1e-12;
/// Evaluations a line search may take.
const SEARCH: usize = 40;

/// How a minimisation went.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Convergence {
    /// Steps taken.
    pub iterations: u64,
    /// Whether no component of the gradient is above the tolerance.
    pub converged: bool,
    /// The mean objective at the end.
    pub objective: f64,
    /// The greatest component of its gradient, by magnitude.
    pub gradient: f64,
}

/// Where a search stands: the step along the direction, the objective and its slope along the direction there.
#[derive(Clone, Copy)]
struct Trial {
    step: f64,
    value: f64,
    slope: f64,
}

/// Moves `point` to a minimum: until no component of the gradient is above `tol`, at most `max_iter` steps.
pub(super) fn minimise(
    objective: &Objective,
    point: &mut Vec<f64>,
    max_iter: u64,
    tol: f64,
) -> Result<Convergence, FitError> {
    let mut gradient = vec![0.0; point.len()];
    let mut value = objective.evaluate(point, &mut gradient);
    let mut memory = Memory::default();
    let mut iterations = 0;
    let mut direction = vec![0.0; point.len()];
    let (mut next, mut next_gradient) = (point.clone(), gradient.clone());
    while value.is_finite() && greatest(&gradient) > tol && iterations < max_iter {
        memory.direction(&gradient, &mut direction);
        if dot(&gradient, &direction) >= 0.0 {
            // Rounding has spoilt what is remembered: steepest descent, from scratch.
            memory = Memory::default();
            memory.direction(&gradient, &mut direction);
        }
        let first = if memory.is_empty() { (1.0 / dot(&gradient, &gradient).sqrt()).min(1.0) } else { 1.0 };
        let begin = Trial { step: 0.0, value, slope: dot(&gradient, &direction) };
        let mut search =
            Search { objective, point, direction: &direction, next: &mut next, gradient: &mut next_gradient };
        let Some(found) = search.run(begin, first) else {
            if memory.is_empty() {
                // Not even steepest descent descends: the objective is flat to the last bit.
                break;
            }
            memory = Memory::default();
            continue;
        };
        value = found.value;
        memory.remember(point, &next, &gradient, &next_gradient);
        std::mem::swap(point, &mut next);
        std::mem::swap(&mut gradient, &mut next_gradient);
        iterations += 1;
    }
    if !value.is_finite() {
        return Err(FitError::NotFinite { iteration: iterations });
    }
    let gradient = greatest(&gradient);
    Ok(Convergence { iterations, converged: gradient <= tol, objective: value, gradient })
}

/// The latest steps and changes of the gradient, oldest first.
#[derive(Default)]
struct Memory {
    pairs: Vec<(Vec<f64>, Vec<f64>)>,
}

impl Memory {
    fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    fn remember(&mut self, from: &[f64], to: &[f64], gradient: &[f64], next_gradient: &[f64]) {
        // The oldest pair's room is used again.
        let (mut step, mut change) = match self.pairs.len() {
            MEMORY => self.pairs.remove(0),
            _ => (vec![0.0; from.len()], vec![0.0; from.len()]),
        };
        difference(to, from, &mut step);
        difference(next_gradient, gradient, &mut change);
        // Positive curvature keeps the direction one of descent; the line search ensures it, rounding aside.
        if dot(&step, &change) > f64::EPSILON * dot(&change, &change) {
            self.pairs.push((step, change));
        }
    }

    /// Minus the inverse Hessian, as far as it is known, times the gradient (the two-loop recursion).
    fn direction(&self, gradient: &[f64], direction: &mut [f64]) {
        for (direction, gradient) in direction.iter_mut().zip(gradient) {
            *direction = -gradient;
        }
        let mut factors = [0.0; MEMORY];
        for (factor, (step, change)) in factors.iter_mut().zip(&self.pairs).rev() {
            *factor = dot(step, direction) / dot(step, change);
            add(-*factor, change, direction);
        }
        if let Some((step, change)) = self.pairs.last() {
            let scale = dot(step, change) / dot(change, change);
            direction.iter_mut().for_each(|d| *d *= scale);
        }
        for (factor, (step, change)) in factors.iter().zip(&self.pairs) {
            add(factor - dot(change, direction) / dot(step, change), step, direction);
        }
    }
}

/// One line search.
struct Search<'s, 'd> {
    objective: &'s Objective<'d>,
    point: &'s [f64],
    direction: &'s [f64],
    next: &'s mut [f64],
    gradient: &'s mut [f64],
}

impl Search<'_, '_> {
    fn at(&mut self, step: f64) -> Trial {
        for ((next, point), direction) in self.next.iter_mut().zip(self.point).zip(self.direction) {
            *next = point + step * direction;
        }
        let value = self.objective.evaluate(self.next, self.gradient);
        Trial { step, value, slope: dot(self.gradient, self.direction) }
    }

    /// A step to the strong Wolfe conditions, with `next` and `gradient` left there; none where nothing descends.
    fn run(&mut self, begin: Trial, first: f64) -> Option<Trial> {
        let mut before = begin;
        let mut step = first;
        for evaluations in 1..SEARCH {
            let trial = self.at(step);
            if level(&begin, &trial) {
                return Some(trial);
            }
            if !acceptable(&begin, &trial) || (evaluations > 1 && trial.value >= before.value) {
                return self.zoom(begin, before, trial, SEARCH - evaluations);
            }
            if trial.slope.abs() <= -CURVATURE * begin.slope {
                return Some(trial);
            }
            if trial.slope >= 0.0 {
                return self.zoom(begin, trial, before, SEARCH - evaluations);
            }
            before = trial;
            step *= 2.0;
        }
        // Downhill all the way: what is reached is better than the begin.
        (before.value < begin.value).then(|| self.at(before.step))
    }

    /// Narrows between `low`, the best so far, and `high` until the conditions hold.
    fn zoom(&mut self, begin: Trial, mut low: Trial, mut high: Trial, evaluations: usize) -> Option<Trial> {
        for _ in 0..evaluations {
            let trial = self.at(between(&low, &high));
            if level(&begin, &trial) {
                return Some(trial);
            }
            if !acceptable(&begin, &trial) || trial.value >= low.value {
                high = trial;
            } else {
                if trial.slope.abs() <= -CURVATURE * begin.slope {
                    return Some(trial);
                }
                if trial.slope * (high.step - low.step) >= 0.0 {
                    high = low;
                }
                low = trial;
            }
            if (high.step - low.step).abs() <= f64::EPSILON * low.step.abs() {
                break;
            }
        }
        (low.value < begin.value).then(|| self.at(low.step))
    }
}

/// Near a minimum the decrease drowns in rounding; the slopes then tell alone (Hager and Zhang 2005, the approximate Wolfe
/// conditions).
fn level(begin: &Trial, trial: &Trial) -> bool {
    trial.value <= begin.value + ROUNDING * begin.value.abs()
        && trial.slope <= (2.0 * DECREASE - 1.0) * begin.slope
        && trial.slope.abs() <= -CURVATURE * begin.slope
}

/// Sufficient decrease; never so where the value is not a number.
fn acceptable(begin: &Trial, trial: &Trial) -> bool {
    trial.value <= begin.value + DECREASE * trial.step * begin.slope
}

/// The minimum of the cubic through both ends, kept a tenth away from either; the middle where there is none.
fn between(low: &Trial, high: &Trial) -> f64 {
    let width = high.step - low.step;
    let d1 = low.slope + high.slope - 3.0 * (low.value - high.value) / (low.step - high.step);
    let root = (d1 * d1 - low.slope * high.slope).sqrt() * width.signum();
    let step = high.step - width * (high.slope + root - d1) / (high.slope - low.slope + 2.0 * root);
    let share = (step - low.step) / width;
    match share {
        share if share.is_finite() => low.step + share.clamp(0.1, 0.9) * width,
        _ => low.step + 0.5 * width,
    }
}

fn greatest(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |greatest, value| greatest.max(value.abs()))
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

fn add(scale: f64, of: &[f64], to: &mut [f64]) {
    for (to, of) in to.iter_mut().zip(of) {
        *to += scale * of;
    }
}

fn difference(a: &[f64], b: &[f64], into: &mut [f64]) {
    for ((into, a), b) in into.iter_mut().zip(a).zip(b) {
        *into = a - b;
    }
}
