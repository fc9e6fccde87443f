//! Scores to probabilities: against a recording of scikit-learn, and on scores of any size.

use model::Calibration;
use ndarray::{Array2, Axis};
use proptest::prelude::*;
use serde::Deserialize;

#[derive(Deserialize)]
struct Case {
    name: String,
    scores: Vec<f64>,
    targets: Vec<usize>,
    a: f64,
    b: f64,
    probabilities: Vec<f64>,
}

#[test]
fn platts_sigmoid_is_scikit_learns() {
    #[derive(Deserialize)]
    struct Recorded {
        cases: Vec<Case>,
    }
    let recorded: Recorded = serde_json::from_str(include_str!("../golden/calibration/expected.json")).unwrap();
    assert_eq!(recorded.cases.len(), 6);
    for Case { name, scores, targets, a, b, probabilities } in recorded.cases {
        let scores = Array2::from_shape_vec((scores.len(), 1), scores).unwrap();
        let platt = Calibration::platt(scores.view(), &targets);
        let Calibration::Platt { a: slope, b: offset } = &platt else { panic!("{platt:?}") };
        assert!((slope[0] - a).abs() < 1e-5 * a && (offset[0] - b).abs() < 1e-5, "{name}: {platt:?}, not {a}, {b}");
        let ours = platt.probabilities(scores.view());
        let apart = ours.column(1).iter().zip(&probabilities).map(|(p, q)| (p - q).abs()).fold(0.0, f64::max);
        assert!(apart < 1e-6, "{name}: {apart}");
    }
}

/// Scores and the classes that follow from them with probabilities `σ(truth · s + offset)`, to the hundredth.
fn two_classes(truth: f64, offset: f64) -> (Array2<f64>, Vec<usize>) {
    let score = |i: usize| (i / 100) as f64 / 10.0 - 5.0;
    // A hundred rows share a score; as many of them as the probability says are of class 1.
    let class =
        |i: usize| usize::from(((i % 100) as f64 + 0.5) / 100.0 < 1.0 / (1.0 + (-(truth * score(i) + offset)).exp()));
    (Array2::from_shape_fn((10_000, 1), |(i, _)| score(i)), (0..10_000).map(class).collect())
}

#[test]
fn the_truth_is_found() {
    let (scores, targets) = two_classes(2.0, 0.0);
    match Calibration::fit(scores.view(), &targets, 2) {
        Calibration::Temperature { t } => assert!((t - 0.5).abs() < 0.02, "{t}"),
        other => panic!("a slope without an offset is a temperature, not {other:?}"),
    }
    let (scores, targets) = two_classes(2.0, 3.0);
    match Calibration::fit(scores.view(), &targets, 2) {
        Calibration::Platt { a, b } => assert!((a[0] - 2.0).abs() < 0.1 && (b[0] - 3.0).abs() < 0.15, "{a:?} {b:?}"),
        other => panic!("an offset asks for Platt's sigmoid, not {other:?}"),
    }
    // Three classes whose scores are four times too large.
    let scores = Array2::from_shape_fn((3000, 3), |(i, class)| ((i * (7 + 6 * class)) % 101) as f64 / 10.0);
    let draw = |i: usize| {
        let exponents = scores.row(i).mapv(|s| (s / 4.0).exp());
        let mut left = ((i * 37) % 3000) as f64 / 3000.0 * exponents.sum();
        exponents
            .iter()
            .position(|e| {
                (left - e < 0.0)
                    .then_some(())
                    .or_else(|| {
                        left -= e;
                        None
                    })
                    .is_some()
            })
            .unwrap_or(2)
    };
    let targets: Vec<usize> = (0..3000).map(draw).collect();
    match Calibration::fit(scores.view(), &targets, 3) {
        Calibration::Temperature { t } => assert!((t - 4.0).abs() < 0.3, "{t}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn scores_that_say_what_is_so_stay() {
    let (scores, targets) = two_classes(1.0, 0.0);
    let kept = Calibration::fit(scores.view(), &targets, 2);
    let apart = &kept.probabilities(scores.view()) - &Calibration::None.probabilities(scores.view());
    assert!(apart.iter().all(|d| d.abs() < 0.01), "{kept:?}");
    let empty = Array2::zeros((0, 1));
    assert_eq!(Calibration::fit(empty.view(), &[], 2), Calibration::None);
    let broken = Array2::from_elem((2, 1), f64::NAN);
    assert_eq!(Calibration::fit(broken.view(), &[0, 1], 2), Calibration::None);
}

#[test]
fn a_manifest_holds_it_and_lies_are_refused() {
    let json = r#"{"method":"platt","a":[1.5],"b":[-0.25]}"#;
    let platt: Calibration = serde_json::from_str(json).unwrap();
    assert_eq!(platt, Calibration::Platt { a: vec![1.5], b: vec![-0.25] });
    assert_eq!(serde_json::to_string(&platt).unwrap(), json);
    assert_eq!(
        serde_json::to_string(&Calibration::Temperature { t: 2.0 }).unwrap(),
        r#"{"method":"temperature","t":2.0}"#
    );
    assert_eq!(serde_json::from_str::<Calibration>(r#"{"method":"none"}"#).unwrap(), Calibration::None);
    assert_eq!(platt.check(1), Ok(()));
    let cases = [
        (platt, "Platt's sigmoid has 1 slopes and 1 offsets; expected 3 of each"),
        (Calibration::Temperature { t: 0.0 }, "the temperature is 0; expected a finite number above 0"),
        (
            Calibration::Platt { a: vec![1.0, -2.0, 1.0], b: vec![0.0; 3] },
            "Platt's sigmoid holds -2; expected finite numbers, slopes of 0 or more",
        ),
    ];
    for (calibration, reason) in cases {
        assert_eq!(calibration.check(3), Err(reason.into()));
    }
}

fn loss(calibration: &Calibration, scores: &Array2<f64>, targets: &[usize]) -> f64 {
    let probabilities = calibration.probabilities(scores.view());
    targets.iter().zip(probabilities.rows()).map(|(&target, row)| -row[target].max(1e-300).ln()).sum()
}

proptest! {
    /// Of any scores: finite, a distribution, no worse than none on the rows it was learned from, and higher scores never
    /// make a class less probable.
    #[test]
    fn calibrations_hold_what_they_promise(
        rows in proptest::collection::vec((proptest::collection::vec(-4.0..4.0f64, 4), 0..4usize), 1..60),
        classes in 2..5usize,
        unit in prop_oneof![Just(1e-6), Just(1.0), Just(50.0), Just(2.5e5)],
    ) {
        let vectors = if classes == 2 { 1 } else { classes };
        let scores = Array2::from_shape_fn((rows.len(), vectors), |(i, vector)| rows[i].0[vector] * unit);
        let targets: Vec<usize> = rows.iter().map(|row| row.1 % classes).collect();
        let chosen = Calibration::fit(scores.view(), &targets, classes);
        let unlike = [Calibration::platt(scores.view(), &targets), Calibration::temperature(scores.view(), &targets)];
        // Losses past the smallest double are cut off in this test, not in the fit.
        if unit <= 50.0 {
            let (ours, none) = (loss(&chosen, &scores, &targets), loss(&Calibration::None, &scores, &targets));
            prop_assert!(ours <= none * (1.0 + 1e-12), "{chosen:?}: {ours} > {none}");
        }
        for calibration in unlike.iter().chain([&chosen]) {
            prop_assert_eq!(calibration.check(vectors), Ok(()), "{:?}", calibration);
            for row in calibration.probabilities(scores.view()).axis_iter(Axis(0)) {
                prop_assert!(row.iter().all(|p| (0.0..=1.0).contains(p)), "{calibration:?}: {row}");
                prop_assert!((row.sum() - 1.0).abs() < 1e-12);
            }
            let class = |vector| if vectors == 1 { 1 } else { vector };
            for vector in 0..vectors {
                let mut higher = scores.clone();
                higher.column_mut(vector).mapv_inplace(|s| s + unit);
                let (before, after) = (calibration.probabilities(scores.view()), calibration.probabilities(higher.view()));
                for (before, after) in before.column(class(vector)).iter().zip(after.column(class(vector))) {
                    prop_assert!(*after >= before - 1e-12, "{calibration:?}: {before} fell to {after}");
                }
            }
        }
        let extreme = Array2::from_shape_fn((2, vectors), |(i, vector)| if i == vector % 2 { 1e6 } else { -1e6 });
        prop_assert!(chosen.probabilities(extreme.view()).iter().all(|p| p.is_finite()));
    }
}
