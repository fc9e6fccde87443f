//! The linear solver from outside: scikit-learn's `LinearSVC`, threads, warm starts, classes with scales of their own, odd data.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use linfa::ParamGuard;
use model::linear::{Convergence, LinearParams};
use model::{
    Block, ClassWeight, Classifier, Counts, Dataset, FitError, FitOptions, Linear, Link, Loss, Records, Settings,
    Solver, TermFrequency, Watch, fit_classifier, fit_classifier_with, threads,
};
use serde::Deserialize;

fn fit(params: LinearParams, dataset: &Dataset, start: Option<&Linear>) -> (Linear, Convergence) {
    params.check().unwrap().fit_from(dataset, start, Watch::default()).unwrap()
}

fn apart(a: &Linear, b: &Linear) -> f64 {
    let all = |linear: &Linear| linear.weights.iter().chain(&linear.intercept).copied().collect::<Vec<f64>>();
    all(a).iter().zip(all(b)).fold(0.0, |most, (a, b)| most.max((a - b).abs()))
}

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    params: Params,
    columns: usize,
    rows: Vec<(Vec<u32>, Vec<f64>)>,
    targets: Vec<usize>,
    classes: usize,
    coefficients: Vec<Vec<f64>>,
    intercept: Vec<f64>,
}

#[derive(Deserialize)]
struct Params {
    #[serde(rename = "C")]
    c: f64,
    class_weight: Option<ClassWeight>,
}

#[test]
fn squared_hinge_is_scikit_learns() {
    let recorded: Recorded = serde_json::from_str(include_str!("../golden/squared_hinge/expected.json")).unwrap();
    assert_eq!(recorded.cases.len(), 7);
    for Case { name, params, columns, rows, targets, classes, coefficients, intercept } in recorded.cases {
        let records =
            Records::from_rows(columns, rows.into_iter().map(|(columns, values)| columns.into_iter().zip(values)));
        let dataset = Dataset::new(records, targets.into_iter().collect());
        let wanted = LinearParams::new(classes).loss(Loss::SquaredHinge).c(params.c).class_weight(params.class_weight);
        let (linear, convergence) = fit(wanted.tol(1e-10).max_iter(1000), &dataset, None);
        assert!(convergence.converged, "{name}: {convergence:?}");
        assert_eq!(linear.link, if classes == 2 { Link::Logistic } else { Link::Ovr });
        for (vector, (coefficients, intercept)) in coefficients.iter().zip(&intercept).enumerate() {
            assert!((linear.intercept[vector] - intercept).abs() < 1e-5, "{name}");
            for (found, want) in linear.weights.column(vector).iter().zip(coefficients) {
                assert!((found - want).abs() < 1e-5, "{name}: {found} against {want}");
            }
        }
    }
}

/// Drawn rows of Zipf-like columns in two blocks, most frequent first, with many that stand in one row alone.
fn drawn(rows: usize, classes: usize, sets: usize) -> Dataset {
    let mut state = 1u64;
    let mut draw = |below: usize| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as usize % below
    };
    let targets: Vec<usize> = (0..rows).map(|row| if row < classes { row } else { draw(classes) }).collect();
    let common = 400;
    let mut blocks = Vec::new();
    for group in 0..2 {
        let columns = common + 3 * rows;
        let mut counts = Counts::new(columns);
        for (row, &target) in targets.iter().enumerate() {
            let mut own: Vec<usize> = (0..150)
                .map(|_| {
                    let widest = 1 + draw(common);
                    draw(widest)
                })
                .collect();
            own.push(200 + 5 * target + draw(20));
            own.extend((0..3).map(|n| common + 3 * row + n));
            own.sort_unstable();
            own.dedup();
            counts.push_row(
                own.into_iter().map(|column| (column as u32, if draw(8) > 0 { 1 } else { 1 + draw(20) as u32 })),
            );
        }
        blocks.push(Block { counts: Arc::new(counts), group });
    }
    let columns = 2 * (common + 3 * rows);
    let scales =
        (0..sets).map(|set| (0..columns).map(|column| 0.5 + ((column + 7 * set) % 13) as f64 / 10.0).collect());
    let records = Records::new(blocks, TermFrequency::Sublinear, scales.collect(), Some(model::Norm::L2));
    Dataset::new(records, targets.into_iter().collect())
}

#[test]
fn threads_do_not_show() {
    let (two, three) = (drawn(4000, 2, 1), drawn(1500, 3, 3));
    let joint = Dataset::new(three.records().set(0), three.targets.clone());
    let cases = [
        (&two, 2, Loss::Logistic),
        (&two, 2, Loss::SquaredHinge),
        (&joint, 3, Loss::Logistic),
        (&three, 3, Loss::Logistic),
    ];
    for (dataset, classes, loss) in cases {
        let all = [1, 2, 4].map(|count| {
            threads::set(count);
            let (linear, convergence) = fit(LinearParams::new(classes).loss(loss), dataset, None);
            assert!(convergence.converged && convergence.iterations > 0);
            let scores = linear.scores(dataset.records());
            (linear, convergence, scores)
        });
        threads::set(0);
        assert!(all[0] == all[1] && all[1] == all[2], "{classes} classes, {loss:?}");
    }
}

#[test]
fn a_warm_start_ends_where_a_cold_one_does() {
    let dataset = drawn(600, 2, 1);
    let rows: Vec<usize> = (0..500).collect();
    let fewer = Dataset::new(dataset.records().select(&rows), dataset.targets.iter().take(500).copied().collect());
    for loss in [Loss::Logistic, Loss::SquaredHinge] {
        let params = LinearParams::new(2).loss(loss).tol(1e-9).max_iter(500);
        let (cold, _) = fit(params, &dataset, None);
        for (what, near) in [("C", fit(params.c(0.5), &dataset, None).0), ("rows", fit(params, &fewer, None).0)] {
            let (warm, convergence) = fit(params, &dataset, Some(&near));
            assert!(convergence.converged && convergence.iterations > 0, "{what}: {convergence:?}");
            assert!(apart(&warm, &cold) < 1e-4, "{loss:?}, {what}: {}", apart(&warm, &cold));
        }
        // The tolerance alone would take a neighbour's solution for the minimum.
        let (near, _) = fit(LinearParams::new(2).loss(loss).c(0.3), &dataset, None);
        let (warm, convergence) = fit(LinearParams::new(2).loss(loss).c(3.0), &dataset, Some(&near));
        let (best, minimum) = fit(LinearParams::new(2).loss(loss).c(3.0).tol(1e-9).max_iter(500), &dataset, None);
        assert!(
            convergence.objective <= minimum.objective * (1.0 + 1e-4),
            "{:e}",
            convergence.objective / minimum.objective - 1.0
        );
        assert_eq!(warm.weights.dim(), best.weights.dim());
    }
}

/// Each class of its own scales is what a fit of that class against the rest on those scales is.
#[test]
fn classes_with_scales_of_their_own_are_fitted_one_against_the_rest() {
    let dataset = drawn(400, 3, 3);
    for loss in [Loss::Logistic, Loss::SquaredHinge] {
        let (linear, _) = fit(LinearParams::new(3).loss(loss).tol(1e-9).max_iter(500), &dataset, None);
        assert_eq!(linear.link, Link::Ovr);
        let scores = linear.scores(dataset.records());
        for class in 0..3 {
            let against = dataset.targets.mapv(|target| usize::from(target == class));
            let alone = Dataset::new(dataset.records().set(class), against);
            let (single, _) = fit(LinearParams::new(2).loss(loss).tol(1e-9).max_iter(500), &alone, None);
            let of_single = single.scores(alone.records());
            for row in 0..400 {
                assert!((scores[(row, class)] - of_single[(row, 0)]).abs() < 1e-6, "{loss:?}, class {class}");
            }
        }
    }
}

#[test]
fn scores_are_sums_over_the_row() {
    let dataset = drawn(50, 3, 1);
    let (linear, _) = fit(LinearParams::new(3), &dataset, None);
    let scores = linear.scores(dataset.records());
    for row in 0..50 {
        for class in 0..3 {
            let terms = dataset.records().row(row).map(|(column, value)| value * linear.weights[(column, class)]);
            let plain = linear.intercept[class] + terms.sum::<f64>();
            assert!((plain - scores[(row, class)]).abs() < 1e-12);
        }
    }
}

#[test]
fn odd_records_are_fitted_or_refused() {
    let fitted = |columns, rows: &[&[(u32, f64)]], loss| {
        let records = Records::from_rows(columns, rows.iter().map(|row| row.iter().copied()));
        let targets = (0..rows.len()).map(|row| row % 2).collect();
        LinearParams::new(2).loss(loss).check().unwrap().fit_from(
            &Dataset::new(records, targets),
            None,
            Watch::default(),
        )
    };
    for loss in [Loss::Logistic, Loss::SquaredHinge] {
        let (one, convergence) = fitted(1, &[&[(0, -1.0)], &[(0, 1.0)], &[], &[(0, 2.0)]], loss).unwrap();
        assert!(convergence.converged && one.weights[(0, 0)] > 0.0, "one column");
        let (constant, _) = fitted(2, &[&[(0, 1.0)], &[(0, 1.0)], &[(0, 1.0)], &[(0, 1.0)]], loss).unwrap();
        assert!(
            constant.weights.iter().all(|weight| weight.abs() < 1e-6),
            "a constant column, an empty one: {constant:?}"
        );
        let (empty, _) = fitted(3, &[&[], &[], &[], &[]], loss).unwrap();
        assert!(empty.weights.iter().all(|&weight| weight == 0.0) && empty.intercept[0].abs() < 1e-6, "empty rows");
        let (none, _) = fitted(0, &[&[], &[], &[]], loss).unwrap();
        assert!(none.intercept[0] < 0.0, "no columns; two rows of three are of the first class");
        for bad in [f64::NAN, f64::INFINITY, 1e200] {
            let refused = fitted(1, &[&[(0, bad)], &[(0, 1.0)]], loss).unwrap_err();
            assert!(matches!(refused, FitError::NotFinite { .. }), "{bad}: {refused}");
        }
    }
}

#[test]
fn beta_moves_weights_towards_their_mean_magnitude() {
    let dataset = drawn(300, 2, 1);
    let settings = Settings { solver: Solver::Sparse, ..Settings::default() };
    let weights =
        |beta| match fit_classifier(&Settings { beta, ..settings.clone() }, &dataset, 2, None).unwrap().classifier {
            Classifier::Linear(linear) => linear.weights,
            other => panic!("{other:?}"),
        };
    let (whole, quarter) = (weights(1.0), weights(0.25));
    let mean = whole.iter().map(|weight| weight.abs()).sum::<f64>() / whole.len() as f64;
    for (whole, quarter) in whole.iter().zip(&quarter) {
        assert!((0.25 * whole + 0.75 * mean - quarter).abs() < 1e-12);
    }
}

#[test]
fn a_fit_is_watched_and_stopped() {
    let dataset = drawn(300, 2, 1);
    let settings = Settings { solver: Solver::Sparse, tol: 1e-9, ..Settings::default() };
    let (stop, told) = (AtomicBool::new(false), AtomicUsize::new(0));
    let tell = |progress: model::Progress| {
        told.fetch_add(1, Ordering::Relaxed);
        stop.store(progress.iteration == 1, Ordering::Relaxed);
    };
    let watch = Watch { stop: Some(&stop), progress: Some(&tell) };
    let fitted = fit_classifier_with(&settings, dataset, 2, FitOptions { watch, ..FitOptions::default() }).unwrap();
    assert_eq!((fitted.iterations, fitted.converged, told.into_inner()), (Some(1), Some(false), 2));
}
