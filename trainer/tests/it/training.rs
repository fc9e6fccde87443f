//! Jobs that succeed: what is left where, and what is printed.

use std::fs;

use report::evaluation::{Average, FORMAT};

use crate::job::{Job, MORE_REVIEWS, REVIEWS};

#[test]
fn artifact_evaluation_and_metrics_are_left() {
    let job = Job::reviews();
    let ran = job.train();
    let evaluation = job.evaluation();
    assert_eq!(evaluation.format, FORMAT);
    assert_eq!((evaluation.channel.as_str(), evaluation.rows), ("test", 6));
    assert_eq!(evaluation.classes, ["0", "1"]);
    assert_eq!(evaluation.positive_class.as_deref(), Some("1"));
    assert_eq!((evaluation.metrics.accuracy, evaluation.metrics.average), (1.0, Average::Binary));
    assert_eq!(evaluation.confusion, [[3, 0], [0, 3]]);
    assert_eq!(evaluation.mistakes, []);
    assert_eq!(evaluation.golden.len(), 5);
    assert_eq!((evaluation.golden[0].text.as_str(), evaluation.golden[0].label.as_str()), ("great phone", "1"));
    assert_eq!(evaluation.strongest_terms.len(), 2);
    assert_eq!(evaluation.strongest_terms[0].terms[0].term, "awful");
    assert_eq!(evaluation.strongest_terms[1].terms[0].term, "great");
    assert_eq!((evaluation.training.rows, evaluation.training.class_rows["1"]), (10, 5));
    assert_eq!(evaluation.training.parameters["C"], "1");
    assert_eq!(evaluation.training.parameters["ngram_range"], "1,2");
    assert_eq!(evaluation.training.parameters["tune"], "none");
    assert_eq!(evaluation.tuning, None);
    let files: Vec<_> =
        evaluation.data.iter().map(|f| (f.channel.as_str(), f.name.as_str(), f.rows, f.bytes)).collect();
    assert_eq!(
        files,
        [("train", "train.csv", 10, REVIEWS.len() as u64), ("test", "test.csv", 6, MORE_REVIEWS.len() as u64)]
    );
    assert!(ran.stdout.contains("channel train: 10 rows in 1 file"), "{}", ran.stdout);
    assert!(ran.stdout.contains("classes: 2 (0: 5, 1: 5)"), "{}", ran.stdout);
    assert!(ran.stdout.contains("\naccuracy=1.000000; precision=1.000000; recall=1.000000; f1=1.000000; log_loss="));
    assert!(ran.stdout.contains(" roc_auc=1.000000;"), "{}", ran.stdout);
    assert_eq!(ran.stderr, "");
}

#[test]
fn golden_predictions_are_the_artifacts_own() {
    let job = Job::reviews();
    job.train();
    let artifact = model::Artifact::open(&job.path("model")).unwrap();
    assert_eq!(artifact.manifest().provenance.class_rows["0"], 5);
    for golden in job.evaluation().golden {
        let prediction = artifact.predict(&golden.text);
        assert_eq!(artifact.classes()[prediction.class], golden.label);
        assert_eq!(prediction.score(), golden.score);
    }
}

#[test]
fn the_same_inputs_leave_the_same_bytes() {
    let (one, other) = (Job::reviews(), Job::reviews());
    one.train();
    other.train();
    let files = one.artifact();
    assert!(files.len() > 1);
    assert_eq!(files, other.artifact());
    one.train();
    assert_eq!(one.artifact(), files, "a second run over the first one's artifact");
}

#[test]
fn the_search_is_reproducible_and_told() {
    let job = Job::with(&[("input/data/train/a.csv", &repeated(30))]);
    job.put("input/data/test/b.csv", MORE_REVIEWS.as_bytes());
    job.ask(&[("tune", "cv")]);
    let ran = job.train();
    let (tuning, artifact) = (job.evaluation().tuning.unwrap(), job.artifact());
    assert_eq!((tuning.folds, tuning.metric.as_str()), (5, "accuracy"));
    let chosen = &tuning.candidates[tuning.chosen];
    assert_eq!(job.evaluation().training.parameters["C"], chosen.parameters["C"]);
    assert_eq!(job.evaluation().training.parameters["tune"], "cv");
    assert!(ran.stdout.contains("tuning: 5-fold cross-validation on train"), "{}", ran.stdout);
    job.train();
    assert_eq!((job.evaluation().tuning.unwrap(), job.artifact()), (tuning, artifact));
}

#[test]
fn auto_searches_where_there_are_rows_enough_and_c_is_free() {
    let tuned = |repeats: usize, asked: &[(&str, &str)]| {
        let job = Job::with(&[("input/data/train/a.csv", &repeated(repeats))]);
        job.put("input/data/test/b.csv", MORE_REVIEWS.as_bytes());
        job.ask(asked);
        job.train();
        job.evaluation().tuning.is_some()
    };
    assert!(tuned(50, &[]));
    assert!(!tuned(49, &[]));
    assert!(!tuned(50, &[("C", "1.0")]));
    assert!(!tuned(50, &[("tune", "none")]));
    assert!(!tuned(50, &[("algorithm", "tree")]));
}

/// [`REVIEWS`], each row `times` times with a word of its own.
fn repeated(times: usize) -> String {
    let (header, rows) = REVIEWS.split_once('\n').unwrap();
    let mut text = format!("{header}\n");
    for time in 0..times {
        for (at, row) in rows.lines().enumerate() {
            let (review, label) = row.rsplit_once(',').unwrap();
            text.push_str(&format!("number{at}x{time} {},{label}\n", review.trim_matches('"').replace(',', "")));
        }
    }
    text
}

#[test]
fn every_algorithm_and_solver() {
    for asked in [
        &[("algorithm", "tree"), ("max_depth", "3")][..],
        &[("solver", "linfa")],
        &[("solver", "sparse"), ("class_weight", "balanced")],
        &[("analyzer", "char_wb"), ("ngram_range", "(2, 3)"), ("norm", "l1"), ("sublinear_tf", "False")],
        &[("stop_words", "english"), ("strip_accents", "unicode"), ("min_df", "2"), ("max_df", "0.95")],
    ] {
        let job = Job::asking(asked);
        job.train();
        let evaluation = job.evaluation();
        assert!(evaluation.metrics.accuracy > 0.8, "{asked:?}: {:?}", evaluation.metrics);
        assert_eq!(evaluation.strongest_terms.is_empty(), asked[0].1 == "tree");
    }
}

#[test]
fn more_than_two_classes_are_averaged() {
    let rows = "review_text,sentiment\nred apple,fruit\ngreen apple,fruit\nblue car,car\nfast car,car\n\
        old house,house\nbig house,house\n";
    let job = Job::with(&[("input/data/train/a.csv", rows), ("input/data/test/a.csv", rows)]);
    job.train();
    let evaluation = job.evaluation();
    assert_eq!(evaluation.classes, ["car", "fruit", "house"]);
    assert_eq!((evaluation.positive_class, evaluation.metrics.average), (None, Average::Macro));
    assert_eq!((evaluation.metrics.roc_auc, evaluation.roc_curve), (None, None));
    assert_eq!(evaluation.metrics.accuracy, 1.0);
}

#[test]
fn without_a_test_channel_no_evaluation_is_left() {
    let job = Job::reviews();
    job.train();
    assert!(job.path("output/data/evaluation.json").exists());
    fs::remove_dir_all(job.path("input/data/test")).unwrap();
    let ran = job.train();
    assert!(ran.stdout.contains("no channel `test`: no evaluation is written"), "{}", ran.stdout);
    assert!(!job.path("output/data/evaluation.json").exists());
    assert!(!ran.stdout.contains("accuracy="));
}

#[test]
fn a_validation_channel_is_measured_apart() {
    let job = Job::reviews();
    job.put("input/data/validation/v.csv", MORE_REVIEWS.as_bytes());
    let ran = job.train();
    assert!(ran.stdout.contains("\nvalidation_accuracy=1.000000;\n"), "{}", ran.stdout);
    assert_eq!(job.evaluation().data[1].channel, "validation");
}
