//! Every refusal, word for word: one clear reason, exit code 1, nothing left but the reason.

use std::path::Path;
use std::process::Command;

use crate::job::{Job, MORE_REVIEWS, REVIEWS, run};

/// A job with this one training file.
fn train_file(name: &str, content: &[u8]) -> Job {
    let job = Job::with(&[]);
    job.put(&format!("input/data/train/{name}"), content);
    job
}

#[test]
fn files_that_cannot_be_read() {
    let cases: &[(&str, &[u8], &str)] = &[
        ("a.csv", b"", "train/a.csv: is empty (0 bytes); expected rows with \"review_text\" and \"sentiment\""),
        ("a.csv", b"\n\n", "train/a.csv: holds no header; expected \"review_text\" and \"sentiment\""),
        ("a.csv", b"review_text,sentiment\n", "train: the channel's files hold no row"),
        (
            "a.csv",
            b"text,label\nx,1\n",
            "train/a.csv:1: no column \"review_text\"; found \"text\", \"label\"; name the right one with the hyperparameter text_column",
        ),
        (
            "a.csv",
            b"review_text,label\nx,1\n",
            "train/a.csv:1: no column \"sentiment\"; found \"review_text\", \"label\"; name the right one with the hyperparameter label_column",
        ),
        (
            "a.csv",
            b"review_text,sentiment,sentiment\nx,1,1\n",
            "train/a.csv:1: column \"sentiment\" stands in the header twice",
        ),
        (
            "a.csv",
            b"review_text,sentiment\r\ngood,1\r\n\"two\r\nlines\",1\r\n\r\nragged\r\nbad,0\r\n",
            "train/a.csv:6: 1 field, the header has 2; quote a text that holds commas, quotes or line ends",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood, really,1\nbad,0\n",
            "train/a.csv:2: 3 fields, the header has 2; quote a text that holds commas, quotes or line ends",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,1\n \t,0\nbad,0\n",
            "train/a.csv:3: the text is empty; remove the row or fill it in",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,1\nbad, \n",
            "train/a.csv:3: the label is empty; remove the row or fill it in",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,1\n\"bad,0\nfine,1\n",
            "train/a.csv:3: a quote is opened here, in the column \"review_text\", and never closed; close it, or double it where it is part of the text",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,1\n\"b\nd caf\xe9\",0\n",
            "train/a.csv:4: column 6: byte 0xe9 is not UTF-8; it looks like Latin-1 or Windows-1252; expected UTF-8: convert the file with `iconv -f LATIN1 -t UTF-8`",
        ),
        (
            "a.txt",
            b"hello",
            "train/a.txt: unknown kind of file; a channel holds .csv, .csv.gz, .jsonl or .jsonl.gz files",
        ),
        ("a.csv.gz", b"no gzip at all", "train/a.csv.gz: cannot be read: invalid gzip header"),
        (".hidden.csv", b"x", "train: the channel holds no file; expected .csv, .csv.gz, .jsonl or .jsonl.gz files"),
        (
            "a.jsonl",
            b"{\"review_text\": \"x\", \"sentiment\": 1}\n\n{\"text\": \"x\", \"sentiment\": 1}\n",
            "train/a.jsonl:3: no key \"review_text\"; found \"sentiment\", \"text\"; name the right one with the hyperparameter text_column",
        ),
        (
            "a.jsonl",
            b"{\"review_text\": 7, \"sentiment\": 1}\n",
            "train/a.jsonl:1: key \"review_text\" is an integer; expected a string",
        ),
        (
            "a.jsonl",
            b"{\"review_text\": \"x\", \"sentiment\": 0.5}\n",
            "train/a.jsonl:1: key \"sentiment\" is a fractional number; expected a string, an integer or a boolean",
        ),
        ("a.jsonl", b"[1]\n", "train/a.jsonl:1: is a list; expected an object with \"review_text\" and \"sentiment\""),
        (
            "a.jsonl",
            b"{\"review_text\"\n",
            "train/a.jsonl:1: is no JSON: EOF while parsing an object at line 1 column 14; expected one object a line",
        ),
        (
            "a.jsonl",
            b"{\"review_text\": \"x\", \"sentiment\": 1}\n{\"review_text\": \"\xff\", \"sentiment\": 1}\n",
            "train/a.jsonl:2: column 18: byte 0xff is not UTF-8; it looks like Latin-1 or Windows-1252; expected UTF-8: convert the file with `iconv -f LATIN1 -t UTF-8`",
        ),
        (
            "a.csv",
            b"\xff\xfer\0e\0",
            "train/a.csv:1: column 1: is UTF-16, by its byte order mark; expected UTF-8: convert the file with `iconv -f UTF-16 -t UTF-8`",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood\0,1\nbad,0\n",
            "train/a.csv:2: character 5 of the text is NUL (byte 0); expected text: remove it",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,good\nbad,bad\nx,x\n",
            "train: \"sentiment\" is a copy of \"review_text\" in 3 of 3 rows; name the right columns with the hyperparameters text_column and label_column",
        ),
        (
            "a.csv",
            b"review_text,sentiment\nsame,1\nsame,0\nsame,0\n",
            "train: the column \"review_text\" holds the same text in all 3 rows; name the right one with the hyperparameter text_column",
        ),
        (
            "a.csv",
            b"review_text,sentiment\n1 2,1\n. ?,0\n",
            "no terms in 2 documents; they may be empty or hold only stop words: check the text column, the analyzer and the stop words",
        ),
        (
            "a.csv",
            b"review_text,sentiment\ngood,1\nbetter,1\n",
            "train: every row bears the label \"1\" (2 rows); a classifier needs rows of at least two labels",
        ),
    ];
    for (name, content, want) in cases {
        let found = train_file(name, content).refused();
        assert_eq!(&found, want, "{name}: {:?}", String::from_utf8_lossy(content));
    }
}

#[test]
fn only_the_first_ten_faults_are_listed() {
    let mut rows = String::from("review_text,sentiment\ngood,1\nbad,0\n");
    rows.push_str(&"ragged\n".repeat(13));
    let found = train_file("a.csv", rows.as_bytes()).refused();
    let lines: Vec<&str> = found.lines().collect();
    assert!(lines[0].starts_with("train/a.csv:4: 1 field,"), "{found}");
    assert!(lines.len() <= 11 && found.chars().count() <= 1024, "{found}");
}

#[test]
fn faults_of_all_channels_are_told_together() {
    let job = Job::with(&[
        ("input/data/train/a.csv", "review_text,sentiment\n,1\n"),
        ("input/data/test/b.csv", ""),
        ("input/data/validation/deep/er/c.csv", "review_text\nx\n"),
    ]);
    assert_eq!(
        job.refused(),
        "train/a.csv:2: the text is empty; remove the row or fill it in\n\
         validation/deep/er/c.csv:1: no column \"sentiment\"; found \"review_text\"; name the right one with the hyperparameter label_column\n\
         test/b.csv: is empty (0 bytes); expected rows with \"review_text\" and \"sentiment\""
    );
}

#[test]
fn labels_that_train_does_not_have() {
    let job = Job::with(&[
        ("input/data/train/a.csv", REVIEWS),
        ("input/data/test/b.csv", "review_text,sentiment\ngood,1\nso so,2\nmeh,neutral\nmeh meh,2\n"),
    ]);
    assert_eq!(
        job.refused(),
        "test/b.csv:3: label \"2\" (2 rows) is not in train, which has \"0\", \"1\"; correct it or add the class to train\n\
         test/b.csv:4: label \"neutral\" (1 row) is not in train, which has \"0\", \"1\"; correct it or add the class to train"
    );
}

/// A value that is none: name, value, what is expected.
const VALUES: &[(&str, &str, &str)] = &[
    ("C", "0", "a number above 0"),
    ("C", "lots", "a number above 0"),
    ("C", "inf", "a number above 0"),
    ("tol", "-1", "a number above 0"),
    ("beta", "2", "a number from 0 to 1"),
    ("beta", "NaN", "a number from 0 to 1"),
    ("max_iter", "0", "an integer from 1"),
    ("min_samples_leaf", "0", "an integer from 1"),
    ("tree_features", "0", "an integer from 1"),
    ("n_estimators", "0", "an integer from 1 to 10000"),
    ("n_estimators", "10001", "an integer from 1 to 10000"),
    ("max_depth", "65", "an integer from 1 to 64"),
    ("max_features", "0", "an integer from 1, or none"),
    ("seed", "-1", "an integer from 0"),
    ("algorithm", "boost", "one of logistic, tree, forest"),
    ("solver", "adam", "one of auto, linfa, sparse"),
    ("loss", "hinge", "one of logistic, squared_hinge"),
    ("calibration", "isotonic", "one of auto, none, platt, temperature"),
    ("weighting", "bm25", "one of tfidf, nb"),
    ("analyzer", "words", "one of word, char, char_wb, word+char_wb"),
    ("token_pattern", "\\w+", "one of word, word_punct"),
    ("norm", "max", "one of l1, l2, none"),
    ("class_weight", "even", "one of balanced, none"),
    ("strip_accents", "yes", "one of ascii, unicode, none"),
    ("stop_words", "german", "one of none, english"),
    ("lowercase", "maybe", "one of true, false"),
    ("tune", "grid", "one of auto, cv, none"),
    ("on_bad_rows", "ignore", "one of fail, skip"),
    ("max_memory", "lots", "bytes, or a size such as 4GiB"),
    ("max_memory", "4GiBs", "bytes, or a size such as 4GiB"),
    ("ngram_range", "2,1", "two integers from 1, the smaller first, such as 1,2"),
    ("char_ngram_range", "3", "two integers from 1, the smaller first, such as 1,2"),
    ("min_df", "1.5", "a count of documents from 1, or a proportion from 0.0 to 1.0 with a point"),
    ("text_column", "", "the name of a column"),
];

#[test]
fn values() {
    for (name, value, expected) in VALUES {
        let want = format!("hyperparameter {name} = {value:?}: expected {expected}");
        assert_eq!(Job::asking(&[(name, value)]).refused(), want);
    }
}

/// Values that cannot stand together, or names that are none: what is asked for, the reason.
const TOGETHER: &[(&[(&str, &str)], &str)] = &[
    (
        &[("ngram_rang", "1,2")],
        "hyperparameter \"ngram_rang\" is unknown; did you mean ngram_range or char_ngram_range?",
    ),
    (&[("stopwords", "english")], "hyperparameter \"stopwords\" is unknown; did you mean stop_words?"),
    (&[("text_column", "sentiment")], "text_column and label_column are both \"sentiment\"; they must differ"),
    (
        &[("beta", "0.25")],
        "beta = 0.25 interpolates the weights of log-count ratios; set weighting = \"nb\" too, or remove beta",
    ),
    (
        &[("char_ngram_range", "2,4")],
        "char_ngram_range is set, and analyzer = \"word\" makes no n-grams of characters; remove it, or set analyzer = \"word+char_wb\"",
    ),
    (
        &[("analyzer", "char_wb"), ("ngram_range", "2,3"), ("char_ngram_range", "2,4")],
        "ngram_range = 2,3 and char_ngram_range = 2,4 differ, and analyzer = \"char_wb\" has one range; remove one of them",
    ),
    (
        &[("solver", "linfa"), ("loss", "squared_hinge")],
        "solver = \"linfa\" has no loss = \"squared_hinge\"; set solver = \"sparse\"",
    ),
    (
        &[("algorithm", "tree"), ("weighting", "nb")],
        "weighting = \"nb\" is for a linear classifier, and algorithm is \"tree\"; remove one of them",
    ),
    (
        &[("algorithm", "forest"), ("loss", "squared_hinge")],
        "loss = \"squared_hinge\" is for a linear classifier, and algorithm is \"forest\"; remove one of them",
    ),
    (
        &[("algorithm", "tree"), ("tune", "cv")],
        "tune = \"cv\" searches among linear classifiers, and algorithm is \"tree\"; set tune = \"none\"",
    ),
    (&[("tune", "cv")], "tune = \"cv\" needs 20 rows or more; train has 10"),
    // All that is wrong is told together.
    (
        &[("solver", "linfa"), ("loss", "squared_hinge"), ("tol", "x"), ("c", "1")],
        "hyperparameter \"c\" is unknown; did you mean C?\n\
         hyperparameter tol = \"x\": expected a number above 0\n\
         solver = \"linfa\" has no loss = \"squared_hinge\"; set solver = \"sparse\"",
    ),
];

#[test]
fn values_together() {
    for (asked, want) in TOGETHER {
        assert_eq!(&Job::asking(asked).refused(), want, "{asked:?}");
    }
}

#[test]
fn jobs_that_are_not_laid_out_as_the_contract_says() {
    let cases: &[(&[(&str, &str)], &str)] = &[
        (
            &[("input/data/test/a.csv", MORE_REVIEWS)],
            "there is no channel `train`; put the training files into ROOT/input/data/train (other channels found: none)",
        ),
        (
            &[("input/data/training/a.csv", REVIEWS)],
            "there is no channel `train`; put the training files into ROOT/input/data/train (other channels found: training)",
        ),
        (
            &[("input/config/inputdataconfig.json", r#"{"train": {"TrainingInputMode": "File"}}"#)],
            "ROOT/input/data/train: the channel's folder is missing; inputdataconfig.json names it",
        ),
        (
            &[("input/config/inputdataconfig.json", r#"{"train": {"TrainingInputMode": "Stream"}}"#)],
            "channel `train` has the input mode \"Stream\"; expected File, FastFile or Pipe",
        ),
        (
            &[
                ("input/data/train/a.csv", REVIEWS),
                ("input/config/resourceconfig.json", r#"{"current_host": "algo-1", "hosts": ["algo-1", "algo-2"]}"#),
            ],
            "the job has 2 hosts (algo-1, algo-2); this version trains on one: set InstanceCount to 1",
        ),
        (
            &[("input/config/hyperparameters.json", "{")],
            "ROOT/input/config/hyperparameters.json: is not what SageMaker writes there: EOF while parsing an object at line 1 column 1",
        ),
        (
            &[("input/config/hyperparameters.json", r#"{"C": ["1"]}"#)],
            "ROOT/input/config/hyperparameters.json: C is [\"1\"]; expected a string",
        ),
    ];
    for (files, want) in cases {
        assert_eq!(&Job::with(files).refused(), want);
    }
}

#[test]
fn places_that_cannot_be_written() {
    let job = Job::reviews();
    job.put("model", b"a file");
    let ran = job.run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("/model: cannot be created: "), "{}", ran.stderr);
    assert!(job.path("output/failure").exists() && !job.path("output/data").exists());

    let job = Job::reviews();
    job.put("output/data", b"a file");
    let ran = job.run();
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("/output/data/evaluation.json: cannot be written: "), "{}", ran.stderr);
    assert!(!ran.stdout.contains("accuracy="), "no figure without its file");
}

#[test]
fn a_disk_that_is_full_while_saving() {
    let rows: String = (0..2000).map(|row| format!("word{row} other{row},{}\n", row % 2)).collect();
    let job = Job::with(&[("input/data/train/a.csv", &format!("review_text,sentiment\n{rows}"))]);
    job.ask(&[("tune", "none"), ("solver", "sparse")]);
    job.train();
    let before = job.artifact();
    job.put("input/data/train/b.csv", b"review_text,sentiment\nbrand new,1\n");
    // A limit on the size of files is as near as a test comes; the signal that goes with it is ignored.
    let script = format!("trap '' XFSZ; ulimit -f 8; exec {} --ml-root \"$0\"", env!("CARGO_BIN_EXE_train"));
    let ran = Command::new("sh").args(["-c".as_ref(), script.as_ref(), job.path("").as_os_str()]).output().unwrap();
    assert_eq!(ran.status.code(), Some(1), "{ran:#?}");
    let reason = String::from_utf8(ran.stderr).unwrap();
    assert!(reason.contains("/model/") && reason.contains("cannot be written: File too large"), "{reason}");
    assert_eq!(job.artifact(), before, "the artifact of before, and nothing beside it");
    assert_eq!(std::fs::read_to_string(job.path("output/failure")).unwrap(), reason.trim_end());
}

#[test]
fn a_root_that_is_not_there_is_not_made() {
    let job = Job::with(&[]);
    let missing = job.path("missing");
    let ran = run(&[Path::new("--ml-root"), &missing]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.ends_with("there is no such folder; --ml-root takes a folder laid out as SageMaker's /opt/ml\n")
    );
    assert!(!missing.exists());
}

#[test]
fn a_command_line_that_is_not_understood() {
    let ran = run(&[Path::new("--ml-rot"), Path::new("x")]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("--ml-rot"), "{}", ran.stderr);
}

#[test]
fn a_failure_leaves_the_earlier_artifact() {
    let job = Job::reviews();
    job.train();
    let before = job.artifact();
    job.put("input/data/train/b.csv", b"review_text,sentiment\nragged\n");
    let ran = job.run();
    assert_eq!(ran.code, Some(1));
    assert_eq!(job.artifact(), before);
    job.put("input/data/train/b.csv", b"review_text,sentiment\ngreat,1\n");
    job.train();
}
