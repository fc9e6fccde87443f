//! What is fitted to which rows: the choice of the loss, of the weight vectors, and of who works on them.
//!
//! `C · Σ sᵢ · lossᵢ + ½ ‖w‖²` is scikit-learn's objective. What is minimised is that divided by `C · Σ sᵢ`, the mean loss and its
//! penalty, so that the tolerance of the gradient means the same for data of any size (as scikit-learn does since 1.4).

use ndarray::{Array1, Array2, Axis, s};

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
    let start = start.map(|start| (start, start.scores(&records)));
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
    /// Where to begin, and its scores.
    start: Option<(&'j Linear, Array2<f64>)>,
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
        let objective = Objective {
            matrix: &matrix,
            losses: Losses { kind, targets: self.targets, weights: &weights },
            penalty: 1.0 / (self.params.c * total),
            intercept_penalised: self.params.loss == Loss::SquaredHinge,
        };
        let bounds = Bounds { max_iter: self.params.max_iter, tol: self.params.tol };
        let own = s![.., first..first + vectors];
        let mut point = self.start.as_ref().map_or_else(
            || objective.zero(),
            |(start, scores)| objective.weights(start, first, &scores.slice(own).iter().copied().collect::<Vec<f64>>()),
        );
        let convergence = objective.minimise(&mut point, bounds, self.watch)?;
        let intercept = point.own[point.own.len() - vectors..].to_vec();
        Ok((matrix.expand(&point.own, &point.rows), intercept, convergence))
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
    use crate::linear::hot::HOT;

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
        /// Columns without coordinates: the same minimum, and the same weights.
        #[test]
        fn a_number_a_row_says_all(dataset in data(3), c in 0.1..10.0f64) {
            let rows = count_rows(dataset.records(), &dataset.targets, 3).unwrap();
            for (loss, kind, vectors) in
                [(Loss::Logistic, Kind::Softmax, 3), (Loss::Logistic, Kind::Logistic(0), 1), (Loss::SquaredHinge, Kind::SquaredHinge(2), 1)]
            {
                let params = LinearValidParams { classes: 3, loss, c, class_weight: None, max_iter: 500, tol: 1e-10 };
                let job = Job { params: &params, targets: &dataset.targets, start: None, watch: Watch::default(), rows: &rows };
                let minimum = |most| {
                    let layout = Layout::with(dataset.records(), dataset.records().clone().part().1, vectors, most);
                    prop_assert_eq!(layout.implicit(), most < HOT);
                    Ok(job.minimise(&layout, dataset.records(), kind, vectors, 0).unwrap())
                };
                let (explicit, others) = (minimum(HOT)?, [minimum(0)?, minimum(1)?]);
                for implicit in others {
                    prop_assert!((implicit.2.objective - explicit.2.objective).abs() < 1e-9, "{kind:?}");
                    for (implicit, explicit) in implicit.0.iter().zip(&explicit.0) {
                        prop_assert!((implicit - explicit).abs() < 1e-5, "{kind:?}: {implicit} against {explicit}");
                    }
                }
            }
        }

        /// Both products against dense records, and both ways of the second.
        #[test]
        fn products_are_those_of_the_dense_records(
            dataset in data(3),
            numbers in proptest::collection::vec(-1.0..1.0f64, 200),
            most in 0..4usize,
            vectors in 1..4usize,
        ) {
            let records = dataset.records();
            let dense = records.to_dense();
            let layout = Layout::with(records, records.clone().part().1, vectors, most);
            let matrix = Matrix::new(&layout, records, vectors);
            let take = |count: usize| -> Vec<f64> { numbers.iter().copied().cycle().take(count).collect() };
            let count = records.rows() * vectors;
            let (own, rows) = (take(matrix.coordinates()), take(count));
            let mut image = vec![0.0; count];
            let greatest = matrix.implicit(&mut matrix.room(), &rows, &mut image);
            let (weights, rest) = (matrix.expand(&own, &rows), matrix.expand(&vec![0.0; own.len()], &rows));
            prop_assert!(rest.iter().all(|weight| weight.abs() <= greatest + 1e-12));
            let [mut scores, mut beside, mut slopes] = [(); 3].map(|()| vec![0.0; count]);
            let (mut room, mut sums) = (matrix.room(), vec![0.0; own.len()]);
            let given = Some((&own[..], &image[..]));
            let total = matrix.explicit(&mut room, given, [&mut scores, &mut beside, &mut slopes], &mut sums, |row, _, _, slopes| {
                slopes.copy_from_slice(&numbers[row * vectors..][..vectors]);
                1.0
            });
            prop_assert_eq!(total, records.rows() as f64);
            let product = dense.dot(&weights);
            for (at, score) in scores.iter().enumerate() {
                let want = product[(at / vectors, at % vectors)] + own[own.len() - vectors + at % vectors];
                prop_assert!((score - want).abs() < 1e-9);
            }
            let there: f64 = scores.iter().zip(&image).zip(&slopes).map(|((score, image), slope)| (score - image) * slope).sum();
            let again: f64 = sums.iter().zip(&own).map(|(sum, number)| sum * number).sum();
            prop_assert!((there - again).abs() < 1e-9, "{there} against {again}");
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
