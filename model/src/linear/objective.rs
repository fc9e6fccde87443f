//! scikit-learn's objective `C · Σ sᵢ · lossᵢ + ½ ‖w‖²`, and its gradient.
//!
//! What is minimised is that divided by `C · Σ sᵢ`, the mean loss and its penalty, so that the tolerance of the gradient
//! means the same for data of any size (as scikit-learn does since 1.4). The intercept is not penalised.
//! A point is the weights, shape (terms, vectors) row by row, then the intercept.

use ndarray::{Array1, Array2};

use crate::classifier::Dataset;
use crate::error::FitError;
use crate::linear::link::{logistic, softplus};
use crate::linear::{Linear, Link, vectors_of};
use crate::records::Records;
use crate::settings::ClassWeight;

/// The objective on one data set.
pub(super) struct Objective<'d> {
    records: &'d Records,
    targets: &'d Array1<usize>,
    /// `sᵢ` of a row, by its class.
    class_weights: Vec<f64>,
    /// `Σ sᵢ`.
    total_weight: f64,
    c: f64,
    vectors: usize,
}

impl<'d> Objective<'d> {
    /// Checks that there are targets for all rows, all below `classes`, and each class at least once.
    pub(super) fn new(
        dataset: &'d Dataset,
        classes: usize,
        c: f64,
        class_weight: Option<ClassWeight>,
    ) -> Result<Self, FitError> {
        let (records, targets) = (dataset.records(), &dataset.targets);
        let rows = count_rows(records, targets, classes)?;
        let class_weights: Vec<f64> = match class_weight {
            None => vec![1.0; classes],
            Some(ClassWeight::Balanced) => {
                rows.iter().map(|&rows| targets.len() as f64 / (classes as f64 * rows as f64)).collect()
            }
        };
        let total_weight = class_weights.iter().zip(&rows).map(|(weight, &rows)| weight * rows as f64).sum();
        Ok(Objective { records, targets, class_weights, total_weight, c, vectors: vectors_of(classes) })
    }

    /// Number of weights and intercepts.
    pub(super) fn dimensions(&self) -> usize {
        (self.records.columns() + 1) * self.vectors
    }

    /// The mean objective at `point`; its gradient goes to `gradient`, of the same length.
    pub(super) fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let penalty = 1.0 / (self.c * self.total_weight);
        let weights = self.records.columns() * self.vectors;
        for (gradient, weight) in gradient[..weights].iter_mut().zip(&point[..weights]) {
            *gradient = penalty * weight;
        }
        gradient[weights..].fill(0.0);
        let squares: f64 = point[..weights].iter().map(|w| w * w).sum();
        let loss = if self.vectors == 1 { self.binary(point, gradient) } else { self.multinomial(point, gradient) };
        loss / self.total_weight + 0.5 * penalty * squares
    }

    /// `Σ sᵢ ln(1 + exp(-yᵢ zᵢ))` for `y` -1 or 1; adds its gradient over `Σ sᵢ`.
    fn binary(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let (weights, intercept) = point.split_at(self.records.columns());
        let (gradient, intercept_gradient) = gradient.split_at_mut(self.records.columns());
        let mut loss = 0.0;
        for (i, &target) in self.targets.iter().enumerate() {
            let score = self.records.row(i).map(|(column, value)| value * weights[column]).sum::<f64>() + intercept[0];
            let weight = self.class_weights[target];
            let sign = if target == 1 { 1.0 } else { -1.0 };
            loss += weight * softplus(-sign * score);
            let slope = -sign * logistic(-sign * score) * weight / self.total_weight;
            self.records.row(i).for_each(|(column, value)| gradient[column] += slope * value);
            intercept_gradient[0] += slope;
        }
        loss
    }

    /// `Σ sᵢ (ln Σₖ exp(zᵢₖ) - zᵢ,ₜ)`; adds its gradient over `Σ sᵢ`.
    fn multinomial(&self, point: &[f64], gradient: &mut [f64]) -> f64 {
        let vectors = self.vectors;
        let (weights, intercept) = point.split_at(self.records.columns() * vectors);
        let (gradient, intercept_gradient) = gradient.split_at_mut(self.records.columns() * vectors);
        let mut slopes = vec![0.0; vectors];
        let mut loss = 0.0;
        for (i, &target) in self.targets.iter().enumerate() {
            slopes.copy_from_slice(intercept);
            for (column, value) in self.records.row(i) {
                let at = column * vectors;
                for (score, weight) in slopes.iter_mut().zip(&weights[at..at + vectors]) {
                    *score += value * weight;
                }
            }
            let greatest = slopes.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let of_target = slopes[target] - greatest;
            let mut sum = 0.0;
            for slope in &mut slopes {
                *slope = (*slope - greatest).exp();
                sum += *slope;
            }
            let weight = self.class_weights[target];
            loss += weight * (sum.ln() - of_target);
            let scale = weight / self.total_weight;
            slopes.iter_mut().for_each(|slope| *slope *= scale / sum);
            slopes[target] -= scale;
            for (column, value) in self.records.row(i) {
                let at = column * vectors;
                for (gradient, slope) in gradient[at..at + vectors].iter_mut().zip(&slopes) {
                    *gradient += value * slope;
                }
            }
            for (gradient, slope) in intercept_gradient.iter_mut().zip(&slopes) {
                *gradient += slope;
            }
        }
        loss
    }

    /// A point as a classifier.
    pub(super) fn split(&self, point: &[f64]) -> Linear {
        let terms = self.records.columns();
        Linear {
            weights: Array2::from_shape_fn((terms, self.vectors), |(term, k)| point[term * self.vectors + k]),
            intercept: point[terms * self.vectors..].iter().copied().collect(),
            link: if self.vectors == 1 { Link::Logistic } else { Link::Softmax },
        }
    }

    /// A classifier as a point.
    pub(super) fn join(&self, logistic: &Linear, point: &mut [f64]) {
        let all = logistic.weights.iter().chain(&logistic.intercept);
        for (coordinate, &value) in point.iter_mut().zip(all) {
            *coordinate = value;
        }
    }
}

/// Rows of each class, every one at least once, every target below `classes`.
pub(crate) fn count_rows(records: &Records, targets: &Array1<usize>, classes: usize) -> Result<Vec<usize>, FitError> {
    if classes < 2 {
        return Err(FitError::OneClass { classes });
    }
    if records.rows() != targets.len() {
        return Err(FitError::Mismatch { rows: records.rows(), targets: targets.len() });
    }
    let mut rows = vec![0; classes];
    for (row, &target) in targets.iter().enumerate() {
        *rows.get_mut(target).ok_or(FitError::UnknownTarget { row, target, classes })? += 1;
    }
    match rows.iter().position(|&rows| rows == 0) {
        Some(class) => Err(FitError::EmptyClass { class, classes }),
        None => Ok(rows),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Records of 4 terms with a target each below `classes`, every class there.
    fn data(classes: usize) -> impl Strategy<Value = Dataset> {
        let row = proptest::collection::vec(prop_oneof![Just(0.0), -2.0..2.0], 4);
        proptest::collection::vec((row, 0..classes), classes..12).prop_map(move |rows| {
            let sparse = |(row, _): &(Vec<f64>, usize)| (0..).zip(row.clone()).filter(|(_, value)| *value != 0.0);
            let records = Records::from_rows(4, rows.iter().map(sparse));
            let targets = rows.iter().enumerate().map(|(i, (_, t))| if i < classes { i } else { *t }).collect();
            Dataset::new(records, targets)
        })
    }

    fn check_gradient(objective: &Objective, point: &[f64]) -> Result<(), TestCaseError> {
        let mut gradient = vec![0.0; point.len()];
        let mut unused = vec![0.0; point.len()];
        objective.evaluate(point, &mut gradient);
        let step = 1e-5;
        for i in 0..point.len() {
            let mut at = |shift: f64| {
                let mut moved = point.to_vec();
                moved[i] += shift;
                objective.evaluate(&moved, &mut unused)
            };
            let difference = (at(step) - at(-step)) / (2.0 * step);
            prop_assert!((difference - gradient[i]).abs() < 1e-7, "{i}: {difference} against {}", gradient[i]);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn the_gradient_is_the_objectives_slope(
            (two, three) in (data(2), data(3)),
            point in proptest::collection::vec(-2.0..2.0f64, 15),
            c in 0.1..10.0f64,
            balanced: bool,
        ) {
            let weight = balanced.then_some(ClassWeight::Balanced);
            check_gradient(&Objective::new(&two, 2, c, weight).unwrap(), &point[..5])?;
            check_gradient(&Objective::new(&three, 3, c, weight).unwrap(), &point)?;
        }
    }

    #[test]
    fn targets_are_checked() {
        let records = Records::from_rows(1, [[(0, 1.0)]; 3]);
        let refused = |targets: &[usize], classes| {
            let dataset = Dataset::new(records.clone(), targets.iter().copied().collect());
            Objective::new(&dataset, classes, 1.0, None).err().map(|e| e.to_string())
        };
        assert_eq!(refused(&[0, 1, 0], 2), None);
        assert_eq!(refused(&[0, 1], 2).unwrap(), "3 rows of records but 2 targets; give one target a row");
        assert_eq!(refused(&[0, 2, 1], 2).unwrap(), "target 2 of row 1 is not below the number of classes, 2");
        assert_eq!(
            refused(&[0, 1, 1], 3).unwrap(),
            "class 2 of 3 has no row to learn from; add rows or remove the class"
        );
        assert_eq!(refused(&[0, 0, 0], 1).unwrap(), "1 class: a classifier needs two or more; check the labels");
    }
}
