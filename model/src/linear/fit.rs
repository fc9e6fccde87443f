//! What is fitted to which rows: the choice of the loss, of the weight vectors, and of who works on them.
//!
//! `C · Σ sᵢ · lossᵢ + ½ ‖w‖²` is scikit-learn's objective. What is minimised is that divided by `C · Σ sᵢ`, the mean loss and its
//! penalty, so that the tolerance of the gradient means the same for data of any size (as scikit-learn does since 1.4).

use ndarray::{Array1, Array2, Axis};

use crate::error::FitError;
use crate::linear::layout::Layout;
use crate::linear::loss::{Kind, Losses};
use crate::linear::matrix::Matrix;
use crate::linear::newton::{Bounds, Objective};
use crate::linear::{Convergence, Linear, LinearValidParams, Link, Watch, vectors_of};
use crate::records::Records;
use crate::settings::{ClassWeight, Loss};
use crate::threads;

/// Fits as [`LinearValidParams::fit_from`] says.
///
/// Several classes are fitted jointly (softmax) where the loss is logistic and the records have one set of scales; where each class
/// has scales of its own (NB weighting), and for the squared hinge, one against the rest.
pub(super) fn fit(
    params: &LinearValidParams,
    (records, targets): (Records, &Array1<usize>),
    start: Option<&Linear>,
    watch: Watch,
) -> Result<(Linear, Convergence), FitError> {
    let classes = params.classes;
    let rows = count_rows(&records, targets, classes)?;
    if let Some(start) = start {
        let found = (start.weights.nrows(), start.intercept.len());
        let expected = (records.columns(), vectors_of(classes));
        if found != expected {
            let shape = |(terms, vectors)| format!("{terms} terms and {vectors} weight vectors");
            return Err(FitError::Start { found: shape(found), expected: shape(expected) });
        }
    }
    let job = Job { params, targets, start, watch, rows: &rows };
    match (classes, params.loss) {
        (2, Loss::Logistic) => job.one(records, Kind::Logistic(1), Link::Logistic),
        (2, Loss::SquaredHinge) => job.one(records, Kind::SquaredHinge(1), Link::Logistic),
        (_, Loss::Logistic) if records.sets() == 1 => job.one(records, Kind::Softmax, Link::Softmax),
        (_, Loss::Logistic) => job.one_against_the_rest(records, Kind::Logistic),
        (_, Loss::SquaredHinge) => job.one_against_the_rest(records, Kind::SquaredHinge),
    }
}

struct Job<'j> {
    params: &'j LinearValidParams,
    targets: &'j Array1<usize>,
    start: Option<&'j Linear>,
    watch: Watch<'j>,
    /// Of each class.
    rows: &'j [usize],
}

impl Job<'_> {
    /// All vectors at once.
    fn one(&self, records: Records, kind: Kind, link: Link) -> Result<(Linear, Convergence), FitError> {
        let vectors = if kind == Kind::Softmax { self.params.classes } else { 1 };
        let (records, counts) = records.part();
        let layout = Layout::new(&records, counts, vectors);
        let (weights, intercept, convergence) = self.minimise(&layout, &records, kind, vectors, 0)?;
        Ok((Linear { weights, intercept: intercept.into(), link }, convergence))
    }

    /// Class after class, several at a time.
    fn one_against_the_rest(
        &self,
        records: Records,
        kind: impl Fn(usize) -> Kind + Sync,
    ) -> Result<(Linear, Convergence), FitError> {
        let ((records, counts), classes) = (records.part(), self.params.classes);
        let layout = threads::alone(|| Layout::new(&records, counts, 1));
        let fitted = threads::map(classes, |class| self.minimise(&layout, &records.set(class), kind(class), 1, class));
        let mut weights = Array2::zeros((records.columns(), classes));
        let mut intercept = Array1::zeros(classes);
        let mut all: Option<Convergence> = None;
        for (class, fitted) in fitted.into_iter().enumerate() {
            let (column, bias, convergence) = fitted?;
            weights.column_mut(class).assign(&column.index_axis(Axis(1), 0));
            intercept[class] = bias[0];
            all = Some(all.map_or(convergence, |all| Convergence {
                iterations: all.iterations.max(convergence.iterations),
                passes: all.passes + convergence.passes,
                converged: all.converged && convergence.converged,
                objective: all.objective + convergence.objective,
                gradient: all.gradient.max(convergence.gradient),
            }));
        }
        let convergence = all.ok_or(FitError::OneClass { classes })?;
        Ok((Linear { weights, intercept, link: Link::Ovr }, convergence))
    }

    /// Weights, shape (columns, vectors), and intercepts of the vectors from `first` on.
    fn minimise(
        &self,
        layout: &Layout,
        records: &Records,
        kind: Kind,
        vectors: usize,
        first: usize,
    ) -> Result<(Array2<f64>, Vec<f64>, Convergence), FitError> {
        let (weights, total) = self.weights(kind);
        let matrix = Matrix::new(layout, records, vectors);
        let mut point =
            self.start.map_or_else(|| vec![0.0; matrix.dimensions()], |start| matrix.compress(start, first));
        let objective = Objective {
            matrix: &matrix,
            losses: Losses { kind, targets: self.targets, weights: &weights },
            penalty: 1.0 / (self.params.c * total),
            intercept_penalised: self.params.loss == Loss::SquaredHinge,
        };
        let bounds = Bounds { max_iter: self.params.max_iter, tol: self.params.tol };
        let convergence = objective.minimise(&mut point, bounds, self.watch)?;
        let (weights, intercept) = matrix.expand(&point);
        Ok((weights, intercept, convergence))
    }

    /// `sᵢ` by class, divided by their sum over the rows; that sum. Where one class is fitted against the rest it alone has
    /// its weight, the rest 1 (LIBLINEAR's way).
    fn weights(&self, kind: Kind) -> (Vec<f64>, f64) {
        let (classes, rows) = (self.params.classes, self.targets.len() as f64);
        let weight = |class: usize| match (self.params.class_weight, kind) {
            (None, _) => 1.0,
            (Some(_), Kind::Logistic(positive) | Kind::SquaredHinge(positive)) if classes > 2 && class != positive => {
                1.0
            }
            (Some(ClassWeight::Balanced), _) => rows / (classes as f64 * self.rows[class] as f64),
        };
        let weights: Vec<f64> = (0..classes).map(weight).collect();
        let total: f64 = weights.iter().zip(self.rows).map(|(weight, &rows)| weight * rows as f64).sum();
        (weights.into_iter().map(|weight| weight / total).collect(), total)
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
    use crate::classifier::Dataset;

    /// Records of 2 common columns and 3 of each row's own, with a target each below `classes`, every class there.
    fn data(classes: usize) -> impl Strategy<Value = Dataset> {
        let value = || prop_oneof![Just(0.0), -2.0..2.0f64];
        let row = (proptest::collection::vec(value(), 5), 0..classes);
        proptest::collection::vec(row, classes..12).prop_map(move |rows| {
            let columns = 2 + 3 * rows.len() as u32;
            let sparse = rows.iter().zip(0..).map(|((values, _), row)| {
                let own = (0..2).chain(2 + 3 * row..5 + 3 * row).zip(values.clone());
                own.filter(|(_, value)| *value != 0.0)
            });
            let records = Records::from_rows(columns as usize, sparse);
            let targets = rows.iter().enumerate().map(|(i, (_, t))| if i < classes { i } else { *t }).collect();
            Dataset::new(records, targets)
        })
    }

    proptest! {
        /// A row's single terms as one column: the same minimum, and the same weights once they are apart again.
        #[test]
        fn merged_is_unmerged(dataset in data(3), c in 0.1..10.0f64) {
            let rows = count_rows(dataset.records(), &dataset.targets, 3).unwrap();
            for (loss, kind, vectors) in
                [(Loss::Logistic, Kind::Softmax, 3), (Loss::Logistic, Kind::Logistic(0), 1), (Loss::SquaredHinge, Kind::SquaredHinge(2), 1)]
            {
                let params = LinearValidParams { classes: 3, loss, c, class_weight: None, max_iter: 500, tol: 1e-10 };
                let job = Job { params: &params, targets: &dataset.targets, start: None, watch: Watch::default(), rows: &rows };
                let minimum = |merge| {
                    let layout = Layout::with(dataset.records(), dataset.records().clone().part().1, vectors, merge);
                    prop_assert_eq!(layout.singles().is_some(), merge);
                    Ok(job.minimise(&layout, dataset.records(), kind, vectors, 0).unwrap())
                };
                let (merged, plain) = (minimum(true)?, minimum(false)?);
                prop_assert!((merged.2.objective - plain.2.objective).abs() < 1e-9, "{kind:?}");
                for (merged, plain) in merged.0.iter().zip(&plain.0) {
                    prop_assert!((merged - plain).abs() < 1e-5, "{kind:?}: {merged} against {plain}");
                }
            }
        }

        /// The passes against dense records: the gradient, there and back.
        #[test]
        fn passes_are_products_with_the_dense_records(
            dataset in data(3),
            numbers in proptest::collection::vec(-1.0..1.0f64, 200),
            vectors in 1..4usize,
        ) {
            let records = dataset.records();
            let dense = records.to_dense();
            for merge in [false, true] {
                let layout = Layout::with(records, records.clone().part().1, vectors, merge);
                let matrix = Matrix::new(&layout, records, vectors);
                let mut point: Vec<f64> = numbers.iter().copied().cycle().take(matrix.dimensions()).collect();
                let (weights, intercept) = matrix.expand(&point);
                let linear = Linear { weights: weights.clone(), intercept: intercept.clone().into(), link: Link::Softmax };
                if merge {
                    point = matrix.compress(&linear, 0); // Rows without single terms have nothing to keep of theirs.
                }
                let (mut scores, mut beside) = (vec![0.0; records.rows() * vectors], vec![0.0; records.rows() * vectors]);
                let (mut room, mut back) = (matrix.room(), vec![0.0; point.len()]);
                let rows = matrix.pass(&mut room, Some(&point), [&mut scores, &mut beside], &mut back, |row, _, _, slopes| {
                    slopes.copy_from_slice(&numbers[row * vectors..][..vectors]);
                    1.0
                });
                prop_assert_eq!(rows, records.rows() as f64);
                let product = dense.dot(&weights);
                for (at, score) in scores.iter().enumerate() {
                    let want = product[(at / vectors, at % vectors)] + intercept[at % vectors];
                    prop_assert!((score - want).abs() < 1e-9);
                }
                let there: f64 = scores.iter().zip(&numbers).map(|(score, slope)| score * slope).sum();
                let again: f64 = back.iter().zip(&point).map(|(sum, weight)| sum * weight).sum();
                prop_assert!((there - again).abs() < 1e-9, "{there} against {again}");
            }
        }
    }

    #[test]
    fn targets_are_checked() {
        let records = Records::from_rows(1, [[(0, 1.0)]; 3]);
        let refused = |targets: &[usize], classes| {
            count_rows(&records, &targets.iter().copied().collect(), classes).err().map(|e| e.to_string())
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
