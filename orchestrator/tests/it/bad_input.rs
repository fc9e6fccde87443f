//! Bad input gets one message that names the file, the line or the field, and changes nothing.

use crate::cli::{Project, reviews};

/// One way to go wrong: what is done to a good project, the arguments, exit code, what must be said.
struct Case {
    name: &'static str,
    break_it: fn(&Project),
    args: &'static [&'static str],
    exit: i32,
    says: &'static [&'static str],
}

const CASES: &[Case] = &[
    Case {
        name: "missing file",
        break_it: |p| std::fs::remove_file(p.path("data/test.csv")).unwrap(),
        args: &["run"],
        exit: 1,
        says: &[
            "error: data/test.csv: cannot be read",
            "No such file",
            "hint: name the files with --test FILE, or in data.test of pipeline.toml",
        ],
    },
    Case {
        name: "missing column",
        break_it: |p| p.write("data/train.csv", "text,sentiment\ngood,1\nbad,0\n"),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv:1: ", "review_text", "\"text\"", "\"sentiment\""],
    },
    Case {
        name: "empty text",
        break_it: |p| p.write("data/train.csv", "review_text,sentiment\ngood,1\n  ,0\nbad,0\n"),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv:3: the text is empty"],
    },
    Case {
        name: "one class",
        break_it: |p| p.write("data/train.csv", "review_text,sentiment\ngood,1\nfine,1\n"),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv: every row bears the label \"1\" (2 rows)", "at least two labels"],
    },
    Case {
        name: "unknown label in the test files",
        break_it: |p| p.write("data/test.csv", "review_text,sentiment\ngood,1\nso so,neutral\n"),
        args: &["run"],
        exit: 1,
        says: &["data/test.csv:3: label \"neutral\" is not in the training files, which have \"0\", \"1\""],
    },
    Case {
        name: "invalid UTF-8",
        break_it: |p| p.write("data/train.csv", b"review_text,sentiment\ngood,1\ncaf\xe9,0\n"),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv:3: ", "UTF-8"],
    },
    Case {
        name: "ragged row",
        break_it: |p| p.write("data/train.csv", "review_text,sentiment\ngood,1\nbad, really bad,0\n"),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv:3: 3 fields, the header has 2"],
    },
    Case {
        name: "0 bytes",
        break_it: |p| p.write("data/train.csv", ""),
        args: &["run"],
        exit: 1,
        says: &["data/train.csv: is empty (0 bytes)"],
    },
    Case {
        name: "two files of one name",
        break_it: |p| p.write("more/train.csv", reviews(4, 90)),
        args: &["data", "--train", "data/train.csv", "more/train.csv", "--test", "data/test.csv"],
        exit: 1,
        says: &["two files of the train channel are called train.csv", "more/train.csv"],
    },
    Case {
        name: "unknown key",
        break_it: |p| p.write("pipeline.toml", "project = \"story\"\n\n[gate]\nacuracy = 0.9\n"),
        args: &["run"],
        exit: 2,
        says: &["error: pipeline.toml:4: unknown key `acuracy`, known here: `accuracy`, `rules`"],
    },
    Case {
        name: "settings that are named and not there",
        break_it: |_| {},
        args: &["run", "--config", "other.toml"],
        exit: 2,
        says: &["error: other.toml: cannot be read"],
    },
    Case {
        name: "unknown hyperparameter",
        break_it: |_| {},
        args: &["run", "--set", "ngram=2"],
        exit: 2,
        says: &["error: the hyperparameters cannot be used", "hyperparameter \"ngram\" is unknown", "ngram_range"],
    },
    Case {
        name: "bad value of a hyperparameter",
        break_it: |_| {},
        args: &["run", "--set", "C=-1"],
        exit: 2,
        says: &["hyperparameter C = \"-1\""],
    },
    Case {
        name: "training files without test files",
        break_it: |_| {},
        args: &["run", "--train", "data/train.csv"],
        exit: 2,
        says: &["--test"],
    },
    Case {
        name: "a stage before its time",
        break_it: |_| {},
        args: &["evaluate"],
        exit: 1,
        says: &["error: run.json: there is no run record yet", "hint: begin with: orchestrator data"],
    },
    Case {
        name: "approval without a reason",
        break_it: |_| {},
        args: &["approve", "--reason", " "],
        exit: 2,
        says: &["a reason cannot be blank"],
    },
    Case {
        name: "a run record that is none",
        break_it: |p| p.write("run.json", "{\"format\": 1}"),
        args: &["deploy"],
        exit: 1,
        says: &["error: run.json: is no run record"],
    },
    Case {
        name: "the account without its settings",
        break_it: |_| {},
        args: &["run", "--target", "aws"],
        exit: 2,
        says: &["target \"aws\" needs role_arn"],
    },
];

#[test]
fn each_is_refused_with_its_message_and_changes_nothing() {
    for case in CASES {
        let project = Project::new();
        (case.break_it)(&project);
        let before = project.listing();
        let done = project.run(case.args).exit(case.exit);
        for part in case.says {
            assert!(done.stderr.contains(part), "{}: {part:?} is not in\n{}", case.name, done.stderr);
        }
        assert_eq!(done.stderr.matches("error: ").count(), 1, "{}: told once\n{}", case.name, done.stderr);
        assert_eq!(done.stdout, "", "{}", case.name);
        assert_eq!(project.listing(), before, "{}: nothing is changed", case.name);
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let project = Project::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let done = project.run(&["emulator", "--port", &port]).exit(1);
    assert!(done.stderr.contains("error: the emulator does not start"), "{}", done.stderr);
    assert!(done.stderr.contains(&port) && done.stderr.contains("take another port"), "{}", done.stderr);
}

#[test]
fn a_state_that_is_held_is_named() {
    let project = Project::new();
    let running = project.emulator();
    let done = project.run(&["emulator"]).exit(1);
    assert!(done.stderr.contains(&running.url), "{}", done.stderr);
    assert_eq!(running.stop(), Some(0));
}
