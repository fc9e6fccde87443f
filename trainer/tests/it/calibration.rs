//! `calibration`: when it is learned, which it is, and what of it is left where.

use crate::job::Job;
use crate::training::drawn;

/// Trained on `rows` drawn rows, with rows of the same kind to measure.
fn calibrated(rows: usize, classes: u64, asked: &[(&str, &str)]) -> Job {
    let job = Job::with(&[("input/data/train/a.csv", &drawn(rows, classes))]);
    job.put("input/data/test/a.csv", drawn(rows / 2, classes).as_bytes());
    job.ask(asked);
    job
}

/// What the evaluation, its table of settings and the artifact say that the calibration is: one thing.
fn kind(job: &Job) -> String {
    let evaluation = job.evaluation();
    let manifest: serde_json::Value =
        serde_json::from_slice(&std::fs::read(job.path("model/manifest.json")).unwrap()).unwrap();
    let kind = manifest["calibration"]["method"].as_str().unwrap().to_owned();
    assert_eq!(evaluation.training.parameters["calibration"], kind);
    assert_eq!(manifest["provenance"]["settings"]["calibration"], kind);
    if let Some(calibrated) = evaluation.calibration {
        assert_eq!(calibrated.kind, kind);
    }
    kind
}

/// Rows, classes, what is asked for; whether held-out rows are looked at.
type Case = (usize, u64, &'static [(&'static str, &'static str)], bool);

#[test]
fn auto_learns_where_there_is_something_to_learn_from() {
    let cases: &[Case] = &[
        (499, 2, &[("tune", "none")], false),
        (500, 2, &[("tune", "none")], true),
        (500, 3, &[("tune", "none")], true),
        (500, 2, &[("tune", "none"), ("calibration", "none")], false),
        // Margins are no probabilities at all.
        (20, 2, &[("tune", "none"), ("loss", "squared_hinge")], true),
        (19, 2, &[("tune", "none"), ("loss", "squared_hinge")], false),
        // A search has held-out rows.
        (60, 2, &[("tune", "cv"), ("loss", "logistic"), ("analyzer", "word")], true),
        (60, 2, &[("tune", "cv"), ("analyzer", "word"), ("calibration", "none")], false),
        (600, 3, &[("algorithm", "forest"), ("n_estimators", "3")], false),
    ];
    for &(rows, classes, asked, looked) in cases {
        let job = calibrated(rows, classes, asked);
        let ran = job.train();
        let evaluation = job.evaluation();
        assert_eq!(evaluation.calibration.is_some(), looked, "{rows} rows, {asked:?}: {}", ran.stdout);
        assert_eq!(ran.stdout.contains("\ncalibration: "), looked, "{rows} rows, {asked:?}: {}", ran.stdout);
        if !looked && evaluation.training.parameters["algorithm"] == "logistic" {
            assert_eq!(kind(&job), "none", "{rows} rows, {asked:?}");
        }
    }
}

#[test]
fn what_is_asked_for_is_learned() {
    for method in ["platt", "temperature"] {
        for (classes, tune, loss) in [(2, "none", "logistic"), (3, "none", "squared_hinge"), (2, "cv", "logistic")] {
            let asked =
                [("tune", tune), ("calibration", method), ("analyzer", "word"), ("weighting", "tfidf"), ("loss", loss)];
            let job = calibrated(100, classes, &asked);
            let ran = job.train();
            assert_eq!(kind(&job), method, "{asked:?}");
            let calibrated = job.evaluation().calibration.unwrap();
            let vectors = if classes == 2 { 1 } else { 3 };
            let numbers = if method == "platt" { 2 * vectors } else { 1 };
            assert_eq!(calibrated.parameters.len(), numbers, "{calibrated:?}");
            assert!(ran.stdout.contains(&format!("calibration: {method}, of 100 held-out rows: ")), "{}", ran.stdout);
        }
    }
}

/// Weights that nothing holds back are too sure of themselves; what is learned from held-out rows holds for unseen ones.
#[test]
fn probabilities_can_be_believed_then() {
    let measured = |method: &str| {
        let asked =
            [("tune", "none"), ("solver", "sparse"), ("C", "1000"), ("ngram_range", "1,1"), ("calibration", method)];
        let job = Job::with(&[("input/data/train/a.csv", &drawn(600, 2))]);
        // The generator's rows beyond those that were learned from.
        let all = drawn(2600, 2);
        let (header, rows) = all.split_once('\n').unwrap();
        let unseen: Vec<&str> = rows.lines().skip(600).collect();
        job.put("input/data/test/a.csv", format!("{header}\n{}\n", unseen.join("\n")).as_bytes());
        job.ask(&asked);
        job.train();
        let evaluation = job.evaluation();
        (evaluation.metrics.log_loss, evaluation.quality.unwrap().calibration_error, evaluation.calibration)
    };
    let (plain_loss, plain_error, learned) = measured("none");
    assert_eq!(learned, None);
    let (loss, error, learned) = measured("auto");
    assert!(loss < plain_loss && error < plain_error / 2.0, "{loss} of {plain_loss}, {error} of {plain_error}");
    let learned = learned.unwrap();
    assert!(learned.log_loss_after < learned.log_loss_before, "{learned:?}");
    // Of the two that can be asked for, `auto` has the one that is no worse.
    let least = ["platt", "temperature"].map(|method| measured(method).2.unwrap().log_loss_after.unwrap());
    assert!(learned.log_loss_after.unwrap() < least[0].max(least[1]) + 1e-3, "{learned:?} {least:?}");
}

#[test]
fn too_few_rows_to_learn_from_are_refused() {
    for method in ["platt", "temperature"] {
        let reason = Job::asking(&[("calibration", method)]).refused();
        assert_eq!(reason, format!("calibration = \"{method}\" needs 20 rows or more; train has 10"));
    }
}

#[test]
fn trees_have_shares_and_say_so() {
    let job = Job::asking(&[("algorithm", "tree"), ("calibration", "platt")]);
    let ran = job.train();
    assert!(
        ran.stdout.contains("hyperparameter calibration has no effect with algorithm = \"tree\""),
        "{}",
        ran.stdout
    );
    assert!(!job.evaluation().training.parameters.contains_key("calibration"));
}
