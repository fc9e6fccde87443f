//! The classifiers among themselves: linfa's and ours, chosen by settings, refused where they cannot.

use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use model::linear::LinearParams;
use model::{Algorithm, ClassWeight, Classifier, Dataset, FitError, Records, Settings, Solver, fit_classifier};
use proptest::prelude::*;

use crate::reviews::{dataset, three_classes, two_classes};

fn settings(solver: Solver) -> Settings {
    Settings { solver, tol: 1e-8, max_iter: 1000, ..Settings::default() }
}

#[test]
fn linfa_and_sparse_agree() {
    for (targets, classes) in [(two_classes(), 2), (three_classes(), 3)] {
        let flipped: Vec<usize> = targets.iter().map(|class| classes - 1 - class).collect();
        // linfa takes the larger class for the positive one: unbalanced either way, and the other class first.
        for rows in [0..12, 1..12, 0..11] {
            for targets in [&targets, &flipped] {
                let dataset = dataset(targets);
                let rows: Vec<usize> = rows.clone().collect();
                let dataset = Dataset::new(dataset.records().select(&rows), rows.iter().map(|&i| targets[i]).collect());
                let linfa = fit_classifier(&settings(Solver::Linfa), &dataset, classes, None).unwrap();
                let sparse = fit_classifier(&settings(Solver::Sparse), &dataset, classes, None).unwrap();
                assert_eq!((linfa.solver, sparse.solver), ("linfa", "sparse"));
                assert_eq!(sparse.converged, Some(true));
                let (linfa, sparse) = [linfa, sparse].map(|f| f.classifier.probabilities(dataset.records())).into();
                let apart = (&linfa - &sparse).iter().fold(0.0f64, |most, d| most.max(d.abs()));
                assert!(apart < 1e-4, "{classes} classes: {apart}");
            }
        }
    }
}

#[test]
fn auto_takes_linfa_for_two_classes_of_tiny_data() {
    let solver = |settings: &Settings, targets: &[usize], classes| {
        fit_classifier(settings, &dataset(targets), classes, None).unwrap().solver
    };
    let auto = Settings::default();
    assert_eq!(solver(&auto, &two_classes(), 2), "linfa");
    assert_eq!(solver(&auto, &three_classes(), 3), "sparse");
    let balanced = Settings { class_weight: Some(ClassWeight::Balanced), ..Settings::default() };
    assert_eq!(solver(&balanced, &two_classes(), 2), "sparse");
    assert_eq!(solver(&Settings { dense_memory_limit: 100, ..auto }, &two_classes(), 2), "sparse");
}

#[test]
fn dense_records_are_refused_above_the_limit() {
    let message =
        |settings: Settings| fit_classifier(&settings, &dataset(&two_classes()), 2, None).unwrap_err().to_string();
    let limited = |algorithm, solver| Settings { algorithm, solver, dense_memory_limit: 1000, ..Settings::default() };
    let linfa = message(limited(Algorithm::Logistic, Solver::Linfa));
    assert!(linfa.starts_with("solver=linfa needs dense records: 12 rows x "), "{linfa}");
    assert!(linfa.contains("above the limit of 1000; use algorithm=logistic with solver=sparse"), "{linfa}");
    let tree = message(limited(Algorithm::Tree, Solver::Linfa));
    assert!(tree.starts_with("solver=linfa needs dense records"), "{tree}");
    let balanced = Settings { class_weight: Some(ClassWeight::Balanced), ..Settings::default() };
    let linfa = message(Settings { solver: Solver::Linfa, ..balanced.clone() });
    assert!(linfa.starts_with("solver=linfa has no class_weight; use solver=sparse"), "{linfa}");
    let tree = message(Settings { algorithm: Algorithm::Tree, solver: Solver::Linfa, ..balanced });
    assert!(tree.starts_with("solver=linfa has no class_weight; use solver=sparse"), "{tree}");
}

#[test]
fn a_warm_start_is_there_at_once() {
    let dataset = dataset(&three_classes());
    let settings = Settings { tol: 1e-6, ..settings(Solver::Sparse) };
    let cold = fit_classifier(&settings, &dataset, 3, None).unwrap();
    let warm = fit_classifier(&settings, &dataset, 3, Some(&cold.classifier)).unwrap();
    assert!(cold.iterations > Some(3));
    assert_eq!(warm.iterations, Some(0));
    // Weights of terms that stand in one document are taken together and apart again: equal but for rounding.
    let [warm, once] = [&warm, &cold].map(|fitted| fitted.classifier.probabilities(dataset.records()));
    assert!((&warm - &once).iter().all(|apart| apart.abs() < 1e-12));
    let near = fit_classifier(&Settings { c: 1.1, ..settings.clone() }, &dataset, 3, Some(&cold.classifier)).unwrap();
    assert!(near.iterations < cold.iterations, "{near:?}");
    let two = fit_classifier(&settings, &crate::reviews::dataset(&two_classes()), 2, None).unwrap();
    let refused = fit_classifier(&settings, &dataset, 3, Some(&two.classifier)).unwrap_err();
    assert!(matches!(refused, FitError::Start { .. }), "{refused}");
}

#[test]
fn linfas_traits_fit_and_predict() {
    let dataset = dataset(&two_classes());
    let logistic = LinearParams::new(2).c(100.0).check().unwrap().fit(&dataset).unwrap();
    assert_eq!(logistic.predict(&dataset), dataset.targets);
    assert!(LinearParams::new(2).c(-1.0).check().unwrap_err().to_string().starts_with("C is `-1`"));
}

#[test]
fn a_tree_keeps_to_its_bounds() {
    let targets = two_classes();
    let dataset = dataset(&targets);
    let tree = |max_depth, min_samples_leaf| {
        let algorithm = Algorithm::Tree;
        let settings = Settings { algorithm, max_depth, min_samples_leaf, ..Settings::default() };
        match fit_classifier(&settings, &dataset, 2, None).unwrap().classifier {
            Classifier::Tree(tree) => tree,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(tree(10, 1).predict(&dataset), dataset.targets, "deep enough to learn all by heart");
    assert!(tree(1, 1).splits.len() <= 3);
    let rough = tree(10, 2);
    assert!(rough.splits.len() > 1);
    let shares = rough.probabilities(dataset.records());
    for row in shares.rows() {
        let alike = shares.rows().into_iter().filter(|other| other == row).count();
        assert!(alike >= 2, "{alike} rows in a leaf");
        assert!((row.sum() - 1.0).abs() < 1e-12);
    }
    // A leaf's probability is the share of the class among the rows that reach it.
    let stump = tree(1, 1);
    let shares = stump.probabilities(dataset.records());
    for i in 0..12 {
        let leaf: Vec<usize> = (0..12).filter(|&j| shares.row(j) == shares.row(i)).collect();
        let ones = leaf.iter().filter(|&&j| targets[j] == 1).count();
        assert!((shares[(i, 1)] - ones as f64 / leaf.len() as f64).abs() < 1e-12);
    }
}

proptest! {
    /// Data of any shape: a fit of a few steps is no worse than the zero it started from, and is finite.
    #[test]
    fn the_sparse_solver_descends(
        rows in proptest::collection::vec((proptest::collection::vec(prop_oneof![Just(0.0), -1e3..1e3], 3), 0..3usize), 3..20),
        c in 1e-3..1e3f64,
    ) {
        let sparse = |(row, _): &(Vec<f64>, usize)| (0..).zip(row.clone()).filter(|(_, value)| *value != 0.0);
        let records = Records::from_rows(3, rows.iter().map(sparse));
        let targets = rows.iter().enumerate().map(|(i, (_, target))| if i < 3 { i } else { *target }).collect();
        let dataset = Dataset::new(records, targets);
        let params = LinearParams::new(3).c(c).max_iter(50).check().unwrap();
        let (logistic, convergence) = params.fit_from(&dataset, None, model::Watch::default()).unwrap();
        prop_assert!(convergence.objective <= 3f64.ln() + 1e-12, "{convergence:?}");
        prop_assert!(logistic.probabilities(dataset.records()).iter().all(|p| (0.0..=1.0).contains(p)));
    }
}
