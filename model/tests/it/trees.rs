//! Trees and forests: the selection they see, what they grow, and that nothing but data, settings and seed decides it.

use linfa::ParamGuard;
use linfa::traits::{Fit, Predict};
use model::chi2::chi2;
use model::forest::ForestParams;
use model::tree::TreeParams;
use model::{Algorithm, ClassWeight, Classifier, Dataset, Records, Settings, Solver, Tree, fit_classifier, threads};
use ndarray::Array1;
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    columns: usize,
    rows: Vec<(Vec<u32>, Vec<f64>)>,
    targets: Vec<usize>,
    classes: usize,
    chi2: Vec<f64>,
}

#[test]
fn chi2_is_scikit_learns() {
    #[derive(Deserialize)]
    struct Recorded {
        cases: Vec<Case>,
    }
    let recorded: Recorded = serde_json::from_str(include_str!("../golden/chi2/expected.json")).unwrap();
    assert_eq!(recorded.cases.len(), 3);
    for case in recorded.cases {
        let rows = case.rows.into_iter().map(|(columns, values)| columns.into_iter().zip(values));
        let ours = chi2(&Records::from_rows(case.columns, rows), &case.targets, case.classes, 1 << 20);
        assert_eq!(ours.len(), case.chi2.len());
        for (ours, theirs) in ours.iter().zip(&case.chi2) {
            assert!((ours - theirs).abs() < 1e-9 * theirs.max(1.0), "{ours}, not {theirs}");
        }
    }
}

/// Sparse rows of small numbers; the class follows from three columns, with some noise.
fn noisy(rows: usize, columns: usize, classes: usize) -> Dataset {
    let mut state = 1u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let (mut records, mut targets) = (Vec::new(), Vec::new());
    for i in 0..rows {
        let mut row: Vec<(u32, f64)> = Vec::new();
        for column in 0..columns as u32 {
            if draw(4) == 0 {
                row.push((column, (draw(3) + 1) as f64));
            }
        }
        let has = |column| usize::from(row.iter().any(|&(at, _)| at == column));
        let class = if draw(8) == 0 { draw(classes as u64) as usize } else { has(0) + 2 * has(1) + has(2) };
        targets.push(if i < classes { i } else { class % classes });
        records.push(row);
    }
    Dataset::new(Records::from_rows(columns, records), targets.into())
}

fn settings(algorithm: Algorithm) -> Settings {
    Settings { algorithm, n_estimators: 20, ..Settings::default() }
}

fn tree(settings: &Settings, dataset: &Dataset, classes: usize) -> Tree {
    match fit_classifier(settings, dataset, classes, None).unwrap().classifier {
        Classifier::Tree(tree) => tree,
        other => panic!("{other:?}"),
    }
}

/// Columns of one value a row each, and no equal values: there linfa-trees overlooks no split.
#[test]
fn linfa_trees_grows_the_same_tree() {
    for seed in 0..5u64 {
        let rows: Vec<Vec<(u32, f64)>> = (0..60u64)
            .map(|row| (0..4u64).map(|c| (c as u32, ((row * (7 + 4 * c + 2 * seed)) % 61 + 1) as f64)).collect())
            .collect();
        let targets: Array1<usize> =
            rows.iter().map(|row| usize::from(row[0].1 > 20.0 && row[1].1 + row[2].1 < 70.0)).collect();
        let dataset = Dataset::new(Records::from_rows(4, rows), targets.clone());
        let [ours, linfas] = [Solver::Sparse, Solver::Linfa]
            .map(|solver| tree(&Settings { solver, max_depth: 12, ..settings(Algorithm::Tree) }, &dataset, 2));
        assert_eq!(ours.predict(&dataset), targets);
        assert_eq!(linfas.predict(&dataset), targets);
        let root = |tree: &Tree| tree.splits[0].map(|split| (split.term, split.threshold));
        assert!(root(&ours).is_some());
        assert_eq!(root(&ours), root(&linfas), "seed {seed}");
        assert_eq!(ours.splits.len(), linfas.splits.len(), "seed {seed}: {ours:?} {linfas:?}");
    }
}

/// linfa-trees would see "absent" against "present" in one child of the root alone.
#[test]
fn splits_of_sparse_columns_are_seen_below_the_root() {
    // Classes by columns 0 and 1: neither, first, both, second.
    let rows: Vec<Vec<(u32, f64)>> = (0..80)
        .map(|i| {
            [i % 4 == 1 || i % 4 == 2, i % 4 >= 2]
                .iter()
                .zip(0..)
                .filter(|(on, _)| **on)
                .map(|(_, c)| (c, 1.0))
                .collect()
        })
        .collect();
    let dataset = Dataset::new(Records::from_rows(2, rows), (0..80).map(|i| i % 4).collect());
    let tree = tree(&settings(Algorithm::Tree), &dataset, 4);
    assert_eq!(tree.predict(&dataset), dataset.targets);
    assert_eq!(tree.splits.len(), 7, "three splits, four leaves");
}

#[test]
fn twenty_fits_are_one() {
    let dataset = noisy(400, 40, 5);
    for algorithm in [Algorithm::Tree, Algorithm::Forest] {
        let fits: Vec<Classifier> = (0..20)
            .map(|i| {
                threads::set([1, 2, 4][i % 3]);
                fit_classifier(&settings(algorithm), &dataset, 5, None).unwrap().classifier
            })
            .collect();
        threads::set(0);
        assert!(fits.iter().all(|fit| *fit == fits[0]), "{algorithm:?}");
        let other = Settings { seed: 43, ..settings(algorithm) };
        let other = fit_classifier(&other, &dataset, 5, None).unwrap().classifier;
        assert_eq!(other == fits[0], algorithm == Algorithm::Tree, "only a forest draws");
    }
}

#[test]
fn a_forest_is_better_than_its_trees() {
    let (train, test) = (noisy(800, 60, 3), noisy(1600, 60, 3));
    let rows: Vec<usize> = (800..1600).collect();
    let held = Dataset::new(test.records().select(&rows), rows.iter().map(|&row| test.targets[row]).collect());
    let right = |found: &Array1<usize>| found.iter().zip(&held.targets).filter(|(a, b)| a == b).count();
    let deep = Settings { max_depth: 20, n_estimators: 60, ..settings(Algorithm::Forest) };
    let forest = ForestParams::new(deep.clone(), 3).check().unwrap().fit(&train).unwrap();
    assert_eq!(forest.trees.len(), 60);
    let probabilities = forest.probabilities(held.records());
    assert!(probabilities.rows().into_iter().all(|row| (row.sum() - 1.0).abs() < 1e-9));
    let alone: usize = forest.trees.iter().map(|tree| right(&tree.predict(&held))).sum::<usize>() / 60;
    let together = right(&forest.predict(&held));
    assert!(together > alone + 40, "{together} of 800, its trees {alone}");
    let tree = TreeParams::new(deep, 3).check().unwrap().fit(&train).unwrap();
    assert!(right(&tree.predict(&held)) > 500);
}

#[test]
fn memory_takes_features_and_then_rows_and_says_so() {
    let dataset = noisy(1000, 200, 2);
    let fit = |bytes| {
        let settings = Settings { dense_memory_limit: bytes, ..settings(Algorithm::Forest) };
        fit_classifier(&settings, &dataset, 2, None).unwrap()
    };
    assert_eq!(fit(1 << 20).notes, Vec::<String>::new());
    let fewer = fit(400_000);
    assert_eq!(fewer.notes.len(), 1);
    assert!(
        fewer.notes[0].starts_with("trees see the 100 terms of the highest χ²: 200 would take "),
        "{:?}",
        fewer.notes
    );
    let sampled = fit(60_000);
    assert!(sampled.notes[0].starts_with("trees see the 50 terms of the highest χ²"), "{:?}", sampled.notes);
    assert!(sampled.notes[1].contains(" of 1000 rows, drawn class by class: all would take "), "{:?}", sampled.notes);
}

#[test]
fn a_rare_class_weighs_as_much() {
    // One column, present in a third of the common class and in all of the rare one.
    let rows = (0..110usize).map(|i| (i >= 100 || i % 3 == 0).then_some((0, 1.0)));
    let dataset = Dataset::new(Records::from_rows(1, rows), (0..110).map(|i| usize::from(i >= 100)).collect());
    let plain = tree(&settings(Algorithm::Tree), &dataset, 2);
    assert_eq!(plain.predict(&dataset).sum(), 0);
    let balanced = Settings { class_weight: Some(ClassWeight::Balanced), ..settings(Algorithm::Tree) };
    let balanced = tree(&balanced, &dataset, 2);
    assert_eq!(balanced.predict(&dataset).sum(), 10 + 34);
    assert!((balanced.shares[(0, 1)] - 0.5).abs() < 1e-12);
}

proptest! {
    /// Any values, negative ones too: every split parts the rows as it says, every leaf keeps its least rows, and no split
    /// of the root by brute force is better than the one chosen.
    #[test]
    fn splits_are_the_best(
        rows in proptest::collection::vec((proptest::collection::vec(prop_oneof![3 => Just(0.0), 1 => -3.0..3.0f64], 3), 0..3usize), 6..30),
        least in 1..4usize,
    ) {
        let sparse = |(row, _): &(Vec<f64>, usize)| (0..).zip(row.clone()).filter(|(_, value)| *value != 0.0);
        let records = Records::from_rows(3, rows.iter().map(sparse));
        let targets: Vec<usize> = rows.iter().enumerate().map(|(i, row)| if i < 3 { i } else { row.1 }).collect();
        let dataset = Dataset::new(records, targets.clone().into());
        let params = Settings { min_samples_leaf: least, ..settings(Algorithm::Tree) };
        let tree = tree(&params, &dataset, 3);
        let impurity = |side: &[usize]| {
            let share = |class| side.iter().filter(|&&row| targets[row] == class).count() as f64 / side.len() as f64;
            side.len() as f64 * (1.0 - (0..3).map(|class| share(class) * share(class)).sum::<f64>())
        };
        let cost = |term: usize, threshold: f64| {
            let (left, right): (Vec<usize>, Vec<usize>) = (0..rows.len()).partition(|&row| rows[row].0[term] <= threshold);
            (left.len() >= least && right.len() >= least).then(|| impurity(&left) + impurity(&right))
        };
        let whole = impurity(&(0..rows.len()).collect::<Vec<_>>());
        let chosen = match tree.splits[0] {
            Some(split) => cost(split.term as usize, split.threshold).expect("both sides keep their least rows"),
            None => whole,
        };
        for term in 0..3 {
            for row in &rows {
                let best = cost(term, f64::from(row.0[term] as f32)).unwrap_or(whole);
                prop_assert!(chosen <= best + 1e-6, "{chosen} > {best} by {term} {}", row.0[term]);
            }
        }
    }
}
