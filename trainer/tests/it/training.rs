//! Jobs that succeed: what is left where, and what is printed.

use std::fs;
use std::io::Write;
use std::process::Command;

use report::evaluation::{Average, FORMAT};
use sha2::{Digest, Sha256};

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
    let page = fs::read_to_string(job.path("output/data/evaluation.html")).unwrap();
    assert_eq!(page, report::evaluation::html(&evaluation), "the page is of the file beside it");
}

#[test]
fn golden_predictions_are_the_artifacts_own() {
    let job = Job::reviews();
    job.train();
    let artifact = model::Artifact::open(&job.path("model")).unwrap();
    assert_eq!(artifact.manifest().provenance.class_rows["0"], 5);
    for golden in job.evaluation().golden {
        let prediction = artifact.predict(&golden.text).unwrap();
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

/// Rows of words drawn from a few hundred, in `classes` classes that words of theirs tell most of the time.
pub fn drawn(rows: usize, classes: u64) -> String {
    let mut state = 7u64;
    let mut draw = |bound: u64| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % bound
    };
    let mut text = String::from("review_text,sentiment\n");
    for row in 0..rows {
        let class = row as u64 % classes;
        for _ in 0..12 {
            let word = draw(300);
            let told = if draw(3) == 0 { word - word % classes + class } else { word };
            text.push_str(&format!("wo{told}rd "));
        }
        text.push_str(&format!(",c{class}\n"));
    }
    text
}

#[test]
fn the_number_of_threads_leaves_no_trace() {
    let cases: &[(u64, &[(&str, &str)])] = &[
        (2, &[("tune", "none"), ("solver", "sparse")]),
        (3, &[("tune", "none")]),
        (2, &[("loss", "squared_hinge"), ("weighting", "nb"), ("beta", "0.25"), ("analyzer", "word+char_wb")]),
        (3, &[("loss", "squared_hinge"), ("weighting", "nb"), ("analyzer", "word+char_wb")]),
        (3, &[("algorithm", "tree")]),
        (3, &[("algorithm", "forest"), ("n_estimators", "10")]),
        (2, &[("tune", "cv")]),
        (3, &[("tune", "cv"), ("analyzer", "word")]),
    ];
    for (classes, asked) in cases {
        let rows = drawn(600, *classes);
        let job = Job::with(&[("input/data/train/a.csv", &rows), ("input/data/test/a.csv", &drawn(60, *classes))]);
        job.ask(asked);
        let left = |threads| {
            let ran = job.run_on(threads);
            assert_eq!(ran.code, Some(0), "{asked:?}: {ran:#?}");
            let evaluation = job.evaluation();
            (job.artifact(), evaluation.metrics, evaluation.intervals, evaluation.golden)
        };
        let one = left("1");
        for threads in ["2", "4"] {
            assert!(left(threads) == one, "{asked:?}, {threads} threads");
        }
    }
}

#[test]
fn the_search_is_reproducible_and_told() {
    let job = Job::with(&[("input/data/train/a.csv", &repeated(30))]);
    job.put("input/data/test/b.csv", MORE_REVIEWS.as_bytes());
    job.ask(&[("tune", "cv")]);
    let ran = job.train();
    let told = |mut tuning: report::evaluation::Tuning| {
        // What a run costs is no result.
        tuning.cost_seconds = None;
        tuning.candidates.iter_mut().for_each(|candidate| candidate.cost_seconds = None);
        tuning
    };
    let (tuning, artifact) = (told(job.evaluation().tuning.unwrap()), job.artifact());
    assert_eq!(tuning.folds, 5);
    let chosen = &tuning.candidates[tuning.chosen];
    assert_eq!(job.evaluation().training.parameters["C"], chosen.parameters["C"]);
    assert_eq!(job.evaluation().training.parameters["tune"], "cv");
    assert!(ran.stdout.contains("tuning: "), "{}", ran.stdout);
    assert!(job.evaluation().calibration.is_some());
    job.train();
    assert_eq!((told(job.evaluation().tuning.unwrap()), job.artifact()), (tuning, artifact));
}

#[test]
fn auto_searches_where_there_are_rows_enough_and_all_is_open() {
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
        &[("algorithm", "forest"), ("n_estimators", "20")],
        &[("weighting", "nb"), ("beta", "0.25"), ("loss", "squared_hinge")],
        &[("analyzer", "word+char_wb"), ("char_ngram_range", "3,5"), ("token_pattern", "word_punct")],
        &[("analyzer", "char"), ("char_ngram_range", "2,4"), ("max_memory", "1GiB")],
        &[("solver", "linfa")],
        &[("solver", "sparse"), ("class_weight", "balanced")],
        &[("analyzer", "char_wb"), ("ngram_range", "(2, 3)"), ("norm", "l1"), ("sublinear_tf", "False")],
        &[("stop_words", "english"), ("strip_accents", "unicode"), ("min_df", "2"), ("max_df", "0.95")],
    ] {
        let job = Job::asking(asked);
        job.train();
        let evaluation = job.evaluation();
        assert!(evaluation.metrics.accuracy > 0.8, "{asked:?}: {:?}", evaluation.metrics);
        assert_eq!(evaluation.strongest_terms.is_empty(), asked[0].0 == "algorithm");
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
    assert_eq!((evaluation.metrics.roc_auc, evaluation.roc_curve), (Some(1.0), None));
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
    assert_eq!(fs::read_dir(job.path("output/data")).unwrap().count(), 0, "nor is an earlier one");
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

#[test]
fn a_pipe_is_read_once_from_start_to_end() {
    let job = Job::with(&[("input/data/test/test.csv", MORE_REVIEWS)]);
    job.put(
        "input/config/inputdataconfig.json",
        br#"{"train": {"ContentType": "text/csv", "TrainingInputMode": "Pipe"}, "test": {"TrainingInputMode": "FastFile"}}"#,
    );
    let fifo = job.path("input/data/train_0");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let writer = std::thread::spawn(move || fs::write(fifo, REVIEWS).unwrap());
    let ran = job.train();
    writer.join().unwrap();
    assert!(ran.stdout.contains("channel train: 10 rows"), "{}", ran.stdout);
    assert_eq!(job.evaluation().metrics.accuracy, 1.0);
}

#[test]
fn bad_rows_are_left_out_where_that_is_asked_for_and_told_everywhere() {
    let rows = format!("{REVIEWS}ragged\n,1\n");
    let job = Job::with(&[("input/data/train/a.csv", &rows), ("input/data/test/b.csv", MORE_REVIEWS)]);
    job.ask(&[("on_bad_rows", "skip")]);
    let ran = job.train();
    assert!(ran.stdout.contains("channel train: left out 1 row, empty_text: train/a.csv:13"), "{}", ran.stdout);
    let evaluation = job.evaluation();
    let dropped: Vec<(&str, u64)> = evaluation.dropped.iter().map(|d| (d.reason.as_str(), d.rows)).collect();
    assert_eq!(dropped, [("wrong_number_of_fields", 1), ("empty_text", 1)]);
    assert_eq!(evaluation.training.rows, 10);
}

#[test]
fn the_manifest_tells_where_the_artifact_comes_from() {
    let files = [
        ("train", "a.csv", format!("{REVIEWS},1\nragged\n")),
        ("train", "deep/b.csv", MORE_REVIEWS.to_owned()),
        ("validation", "v.csv", format!("{MORE_REVIEWS},0\n")),
        ("test", "t.csv", MORE_REVIEWS.to_owned()),
    ];
    let job = Job::with(&[]);
    for (channel, name, content) in &files {
        job.put(&format!("input/data/{channel}/{name}"), content.as_bytes());
    }
    job.ask(&[("on_bad_rows", "skip"), ("C", " 2.50 "), ("solver", "auto")]);
    job.train();
    let artifact = model::Artifact::open(&job.path("model")).unwrap();
    let provenance = &artifact.manifest().provenance;
    let asked = |name: &str| provenance.asked.get(name).map(String::as_str);
    assert_eq!((asked("C"), asked("solver"), asked("tune")), (Some(" 2.50 "), Some("auto"), None), "as given");
    let chosen = |name: &str| provenance.settings.get(name).map(String::as_str);
    assert_eq!((chosen("C"), chosen("solver"), chosen("tune")), (Some("2.5"), Some("linfa"), Some("none")), "as used");
    let sha256 = |content: &str| Sha256::digest(content).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let told = provenance.data.iter();
    let told: Vec<_> = told.map(|f| (f.channel.as_str(), f.name.as_str(), f.bytes, f.sha256.clone(), f.rows)).collect();
    let rows = [10, 6, 6, 6];
    let wanted = files.iter().zip(rows);
    let wanted: Vec<_> = wanted
        .map(|((channel, name, content), rows)| (*channel, *name, content.len() as u64, sha256(content), rows))
        .collect();
    assert_eq!(told, wanted);
    let dropped: Vec<_> = provenance.dropped.iter().map(|(why, rows)| (why.as_str(), *rows)).collect();
    assert_eq!(dropped, [("empty_text", 2), ("wrong_number_of_fields", 1)]);
    assert_eq!(provenance.class_rows.values().copied().collect::<Vec<u64>>(), [8, 8]);
    assert_eq!(provenance.version, env!("CARGO_PKG_VERSION"));
}

#[test]
fn a_log_has_plain_lines_and_a_terminal_a_bar() {
    let job = Job::reviews();
    let ran = job.train();
    assert!(!ran.stdout.contains(|c: char| c.is_control() && c != '\n'), "{}", ran.stdout);
    // Python's pty module gives the program a terminal.
    let script = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
    let root = job.path("");
    let program = [env!("CARGO_BIN_EXE_train").as_ref(), "--ml-root".as_ref(), root.as_os_str()];
    let Ok(ran) = Command::new("python3").args(["-c", script]).args(program).output() else {
        let _ = writeln!(std::io::stderr(), "skipped: python3, which gives a terminal, is not here");
        return;
    };
    let shown = String::from_utf8_lossy(&ran.stdout);
    assert!(ran.status.success(), "{shown}");
    for phase in ["read     [", "fit      [", "evaluate ["] {
        assert!(shown.contains(phase), "{phase}: {shown}");
    }
    let last = shown.lines().last().unwrap();
    assert!(last.contains("evaluation: ") && !last.ends_with('['), "the bar is gone in the end: {last:?}");
}
