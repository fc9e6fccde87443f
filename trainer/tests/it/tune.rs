//! `tune = cv` from outside: what it finds, what it leaves alone, what it refuses.

use crate::job::{Job, run};

/// Rows whose class only the order of two words tells (`order`), or only a part of a made-up word (`part`).
fn synthetic(part: bool, rows: usize) -> String {
    let mut text = String::from("review_text,sentiment\n");
    for row in 0..rows {
        let class = row % 2;
        // A word of its own in each row, so that whole words say nothing.
        let own: String = format!("{:07}", row * 7919 % 9_999_991).bytes().map(|b| (b - b'0' + b'a') as char).collect();
        let document = match (part, class) {
            (true, 0) => format!("{own}zubrok stands here"),
            (true, _) => format!("{own}kuvlim stands here"),
            (false, 0) => format!("{own} alpha beta gamma"),
            (false, _) => format!("{own} gamma beta alpha"),
        };
        text.push_str(&format!("{document},{class}\n"));
    }
    text
}

fn searched(train: &str, test: &str, asked: &[(&str, &str)]) -> Job {
    let job = Job::with(&[("input/data/train/a.csv", train), ("input/data/test/b.csv", test)]);
    job.ask(asked);
    job.train();
    job
}

/// Unseen rows: others of the same kind.
fn unseen(part: bool) -> String {
    let rows = synthetic(part, 480);
    let (header, rest) = rows.split_once('\n').unwrap();
    let tail: Vec<&str> = rest.lines().skip(400).collect();
    format!("{header}\n{}\n", tail.join("\n"))
}

#[test]
fn parts_of_words_are_found_where_they_alone_tell() {
    let job = searched(&synthetic(true, 400), &unseen(true), &[("tune", "cv")]);
    let evaluation = job.evaluation();
    assert!(evaluation.training.parameters["analyzer"].contains("char_wb"), "{:?}", evaluation.training.parameters);
    assert_eq!(evaluation.metrics.accuracy, 1.0);
    let tuning = evaluation.tuning.unwrap();
    let words = tuning.candidates.iter().find(|candidate| candidate.parameters["analyzer"] == "word").unwrap();
    assert!(words.eliminated_after.is_some() && words.mean < 0.7, "{words:?}");
    assert!(words.reason.as_ref().unwrap().contains("log loss"), "{words:?}");
    let chosen = &tuning.candidates[tuning.chosen];
    assert_eq!((chosen.mean, chosen.eliminated_after, chosen.folds_seen), (1.0, None, Some(5)));
}

#[test]
fn what_is_set_by_hand_stays() {
    let asked = [("tune", "cv"), ("analyzer", "word"), ("C", "2.5"), ("weighting", "tfidf")];
    let job = searched(&synthetic(false, 200), &unseen(false), &asked);
    let evaluation = job.evaluation();
    let parameters = &evaluation.training.parameters;
    assert_eq!((parameters["analyzer"].as_str(), parameters["C"].as_str()), ("word", "2.5"));
    assert_eq!(parameters["weighting"], "tfidf");
    let tuning = evaluation.tuning.unwrap();
    assert!(tuning.candidates.len() > 1, "{tuning:?}");
    for candidate in &tuning.candidates {
        for fixed in ["analyzer", "C", "weighting"] {
            assert!(!candidate.parameters.contains_key(fixed), "{candidate:?}");
        }
    }
    assert_eq!(evaluation.metrics.accuracy, 1.0);
}

#[test]
fn many_classes_are_searched() {
    let mut rows = String::from("review_text,sentiment\n");
    for row in 0..240 {
        let class = ["apple", "brick", "cloud"][row % 3];
        rows.push_str(&format!("row{row} has {class}{row} in it,{}\n", class.to_uppercase()));
    }
    let job = searched(&rows, &rows, &[("tune", "cv")]);
    let evaluation = job.evaluation();
    assert_eq!(evaluation.tuning.unwrap().folds, 5);
    assert_eq!(evaluation.metrics.accuracy, 1.0);
}

#[test]
fn a_search_that_could_choose_nothing_is_refused() {
    let job = Job::with(&[("input/data/train/a.csv", &synthetic(true, 100))]);
    job.ask(&[("tune", "cv"), ("algorithm", "tree")]);
    let failure = job.refused();
    assert!(failure.contains("tune = \"cv\"") && failure.contains("tree"), "{failure}");
}

#[test]
fn threads_change_nothing() {
    let left = |threads: &str| {
        let job = Job::with(&[("input/data/train/a.csv", &synthetic(true, 400))]);
        job.put("input/data/test/b.csv", unseen(true).as_bytes());
        job.ask(&[("tune", "cv")]);
        let ran = run(&["--ml-root".as_ref(), &job.path(""), "--threads".as_ref(), threads.as_ref()]);
        assert_eq!(ran.code, Some(0), "{ran:#?}");
        (job.artifact(), job.evaluation().tuning)
    };
    let one = left("1");
    assert!(one == left("2") && one == left("4"));
}
