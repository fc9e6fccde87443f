//! Data that lies: counted and warned of, or refused, by the rules of `docs/data.md`.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::thread;

use report::evaluation::DataWarning;
use trainer::contract::{InputMode, Source};
use trainer::hyperparameters::OnBadRows;
use trainer::reading::problems::Problems;
use trainer::reading::{Channel, Columns, LONG, Options, audit};

use crate::job::Job;

fn options() -> Options {
    Options::new(Columns { text: "review_text".into(), label: "sentiment".into() })
}

fn source(job: &Job, channel: &str, mode: InputMode) -> Source {
    Source { folder: job.path(&format!("input/data/{channel}")), mode, content_type: None }
}

fn read(job: &Job, channel: &str, options: &Options) -> (Channel, Problems) {
    let mut problems = Problems::default();
    let channel = Channel::collect(channel, &source(job, channel, InputMode::File), options, &mut problems);
    (channel, problems)
}

/// A training channel of one file.
fn train(name: &str, content: &[u8], options: &Options) -> (Channel, Problems) {
    let job = Job::with(&[]);
    job.put(&format!("input/data/train/{name}"), content);
    read(&job, "train", options)
}

/// Files with this many rows of two classes, so that what is looked for stands out.
fn good(rows: usize) -> String {
    (0..rows).map(|row| format!("text number {row},{}\n", row % 2)).collect()
}

/// What is odd about a training and a test channel, and what is refused.
fn lies(train: &str, test: &str) -> (Vec<DataWarning>, String) {
    let header = "review_text,sentiment\n";
    let job = Job::with(&[
        ("input/data/train/a.csv", &format!("{header}{train}")),
        ("input/data/test/b.csv", &format!("{header}{test}")),
    ]);
    let (mut train, problems) = read(&job, "train", &options());
    assert!(problems.is_empty(), "{problems}");
    let (test, mut problems) = read(&job, "test", &options());
    let warnings = audit(&mut train.summary, &[&test.summary], &options().columns, &mut problems);
    (warnings, problems.to_string())
}

fn warning(kind: &str, count: u64, examples: &[&str]) -> DataWarning {
    DataWarning { kind: kind.into(), count, examples: examples.iter().map(|&example| example.into()).collect() }
}

#[test]
fn what_is_warned_of() {
    let rows = good(20);
    let long = format!("{rows}{},1\n", "long ".repeat(LONG / 5 + 1));
    let cases: &[(&str, &str, &[DataWarning])] = &[
        (&rows, "unseen,1\n", &[]),
        (
            &format!("{rows}text number 3 ,1\n"),
            "unseen,1\n",
            &[warning("duplicates_in_train", 1, &["train/a.csv:5 (1) = train/a.csv:22 (1)"])],
        ),
        (
            &format!("{rows}text number 3,0\n"),
            "unseen,1\n",
            &[warning("duplicates_with_contradicting_labels", 2, &["train/a.csv:5 (1) = train/a.csv:22 (0)"])],
        ),
        (
            &rows,
            "unseen,1\n text number 7,1\nanother,0\ntext number 2,0\n",
            &[warning(
                "test_rows_that_stand_in_train",
                2,
                &["50.00 % of 4 rows", "test/b.csv:3 = train/a.csv:9", "test/b.csv:5 = train/a.csv:4"],
            )],
        ),
        (
            &format!("{rows}x,rare\ny,rare\n"),
            "unseen,1\n",
            &[warning("classes_with_fewer_than_5_rows", 2, &["\"rare\": 2 of 22 rows"])],
        ),
        (&long, "unseen,1\n", &[warning("documents_longer_than_1_mib", 1, &["train/a.csv:22"])]),
        (
            &rows.replacen('\n', "\r\n", 3),
            "unseen,1\n",
            &[warning("files_with_mixed_line_ends", 1, &["train/a.csv (17 \\n, 3 \\r\\n)"])],
        ),
    ];
    for (train, test, want) in cases {
        let (found, refused) = lies(train, test);
        assert_eq!((&found[..], refused.as_str()), (*want, ""));
    }
    let constant: String = (0..1000).map(|row| format!("text {row},{}\n", u8::from(row < 995))).collect();
    let (found, _) = lies(&constant, "unseen,1\n");
    assert_eq!(found, [warning("class_above_99_percent", 995, &["\"1\": 995 of 1000 rows"])]);
}

#[test]
fn what_is_refused() {
    let copies: String = (0..10).map(|row| format!("{row},{row}\n")).collect();
    let labels: String = (0..30).map(|row| format!("text {row},label {row}\n")).collect();
    for (rows, want) in [
        (copies, "train: \"sentiment\" is a copy of \"review_text\" in 10 of 10 rows; name the right columns"),
        (labels, "train: 30 labels in 30 rows; the column \"sentiment\" is no label"),
        ("same,1\n same,0\n".repeat(4), "train: the column \"review_text\" holds the same text in all 8 rows"),
    ] {
        let (_, refused) = lies(&rows, "unseen,1\n");
        assert!(refused.starts_with(want), "{refused}");
    }
}

#[test]
fn more_labels_than_any_classifier_has() {
    let rows: String = (0..70_000).map(|row| format!("text,{row}\n")).collect();
    let (_, problems) = train("a.csv", format!("review_text,sentiment\n{rows}").as_bytes(), &options());
    let problems = problems.to_string();
    assert!(problems.contains("bear more than 65536 labels; the column \"sentiment\" is no label"), "{problems}");
}

#[test]
fn encodings() {
    let wide = |text: &str, to: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(to).collect::<Vec<u8>>();
    let text = "review_text,sentiment\ngood,1\n";
    for (bytes, want) in [
        (
            wide(&format!("\u{feff}{text}"), u16::to_le_bytes),
            "train/a.csv:1: column 1: is UTF-16, by its byte order mark; expected UTF-8: convert the file with \
             `iconv -f UTF-16 -t UTF-8`",
        ),
        (
            wide(text, u16::to_be_bytes),
            "train/a.csv:1: column 1: is UTF-16BE, since every second byte is NUL; expected UTF-8: convert the file \
             with `iconv -f UTF-16BE -t UTF-8`",
        ),
        (
            b"review_text,sentiment\ngood,1\n\"b\nd caf\xe9\",0\n".to_vec(),
            "train/a.csv:4: column 6: byte 0xe9 is not UTF-8; it looks like Latin-1 or Windows-1252; expected UTF-8: \
             convert the file with `iconv -f LATIN1 -t UTF-8`",
        ),
        (
            b"review_text,sentiment\n\x93good\x94,1\n".to_vec(),
            "train/a.csv:2: column 1: byte 0x93 is not UTF-8; it looks like Windows-1252; expected UTF-8: convert \
             the file with `iconv -f WINDOWS-1252 -t UTF-8`",
        ),
    ] {
        for on_bad_rows in [OnBadRows::Fail, OnBadRows::Skip] {
            let (_, problems) = train("a.csv", &bytes, &Options { on_bad_rows, ..options() });
            assert_eq!(problems.to_string(), want);
        }
    }
    let (channel, problems) = train("a.csv", format!("\u{feff}{text}").as_bytes(), &options());
    assert!(problems.is_empty() && channel.texts == ["good"], "{problems}");
}

#[test]
fn bad_rows_are_skipped_and_counted_by_kind() {
    let bad = "ragged\n,1\nno label,\nnu\0l,1\nreview_text,sentiment\n";
    let file = format!("review_text,sentiment\n{}{bad}", good(6));
    let (_, problems) = train("a.csv", file.as_bytes(), &options());
    assert_eq!(
        problems.to_string(),
        "train/a.csv:8: 1 field, the header has 2; quote a text that holds commas, quotes or line ends\n\
         train/a.csv:9: the text is empty; remove the row or fill it in\n\
         train/a.csv:10: the label is empty; remove the row or fill it in\n\
         train/a.csv:11: character 3 of the text is NUL (byte 0); expected text: remove it\n\
         train/a.csv:12: the header stands here again; remove the row (files were joined as they are)"
    );
    let skip = Options { on_bad_rows: OnBadRows::Skip, ..options() };
    let (channel, problems) = train("a.csv", file.as_bytes(), &skip);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!((channel.texts.len(), channel.summary.files[0].rows), (6, 6));
    let dropped = channel.summary.dropped.iter();
    let dropped: Vec<_> = dropped.map(|kind| (kind.reason.as_str(), kind.rows, kind.examples[0].as_str())).collect();
    assert_eq!(
        dropped,
        [
            ("wrong_number_of_fields", 1, "train/a.csv:8"),
            ("empty_text", 1, "train/a.csv:9"),
            ("empty_label", 1, "train/a.csv:10"),
            ("nul_character", 1, "train/a.csv:11"),
            ("repeated_header", 1, "train/a.csv:12"),
        ]
    );
    let lines = "{\"review_text\": \"a\", \"sentiment\": 1}\n{\n[]\n{\"review_text\": 1, \"sentiment\": 1}\n\
         {\"review_text\": \"b\\u0000\", \"sentiment\": 1}\n{\"review_text\": \"c\\n\", \"sentiment\": \"1\"}\n\
         {\"review_text\": \"d\", \"sentiment\": false}\n{\"review_text\": \"e\", \"sentiment\": 0}\n";
    let (channel, problems) = train("a.jsonl", lines.as_bytes(), &skip);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(channel.texts, ["a", "c\n", "d", "e"]);
    let reasons: Vec<_> = channel.summary.dropped.iter().map(|kind| (kind.reason.as_str(), kind.rows)).collect();
    assert_eq!(reasons, [("nul_character", 1), ("no_json", 1), ("missing_key", 1), ("wrong_type", 1)]);
}

#[test]
fn a_file_that_is_mostly_bad_is_refused_all_the_same() {
    let skip = Options { on_bad_rows: OnBadRows::Skip, ..options() };
    let (_, problems) = train("a.csv", b"review_text,sentiment\ngood,1\nx\ny\n", &skip);
    assert_eq!(
        problems.to_string(),
        "train/a.csv: 2 of 3 rows cannot be taken, more than half, so that on_bad_rows = \"skip\" does not pass them \
         over; the first: train/a.csv:3: 1 field, the header has 2; quote a text that holds commas, quotes or line ends"
    );
    let (channel, problems) = train("a.csv", b"review_text,sentiment\ngood,1\nx\n", &skip);
    assert!(problems.is_empty() && channel.texts == ["good"], "{problems}");
}

#[test]
fn all_faults_are_counted_though_ten_are_told() {
    let file = format!("review_text,sentiment\n{}", "ragged\n".repeat(5000));
    let small = Options { batch_bytes: 700, ..options() };
    for options in [options(), small] {
        let (_, problems) = train("a.csv", file.as_bytes(), &options);
        let told = problems.to_string();
        assert!(told.starts_with("train/a.csv:2: ") && told.ends_with("\nand 4990 more"), "{told}");
    }
}

#[test]
fn other_separators_are_read_and_told() {
    for (separator, name) in [(';', "semicolon"), ('\t', "tab")] {
        let file =
            format!("id{separator}review_text{separator}sentiment\n1{separator}\"good, {separator}\"{separator}1\n");
        let (channel, problems) = train("a.csv", file.as_bytes(), &options());
        assert!(problems.is_empty(), "{problems}");
        assert_eq!(channel.texts, [format!("good, {separator}")]);
        let example = format!("train/a.csv ({name})");
        assert_eq!(channel.summary.warnings, [warning("files_not_separated_by_commas", 1, &[&example])]);
    }
}

#[test]
fn a_file_of_a_header_alone_beside_others() {
    let job = Job::with(&[
        ("input/data/train/a.csv", "review_text,sentiment\n"),
        ("input/data/train/b.csv", "review_text,sentiment\ngood,1\n"),
    ]);
    let (channel, problems) = read(&job, "train", &options());
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(channel.summary.warnings, [warning("files_without_rows", 1, &["train/a.csv"])]);
}

#[test]
fn a_quote_that_nothing_closes_is_named_where_it_opens() {
    let rows = good(50_000);
    let file = format!("review_text,sentiment\n{rows}\"two\nlines\",\"1\n{rows}");
    for batch_bytes in [1000, 4 << 20] {
        let (_, problems) = train("a.csv", file.as_bytes(), &Options { batch_bytes, ..options() });
        assert_eq!(
            problems.to_string(),
            "train/a.csv:50003: a quote is opened here, in the column \"sentiment\", and never closed; close it, or \
             double it where it is part of the text"
        );
    }
}

#[test]
fn a_record_that_would_fill_the_memory() {
    let file = format!("review_text,sentiment\n\"{}", "x".repeat(70 << 20));
    let (_, problems) = train("a.csv", file.as_bytes(), &options());
    assert_eq!(
        problems.to_string(),
        "train/a.csv: a record is longer than 64 MiB; is a quote opened and never closed, or are the line ends missing?"
    );
}

/// Reads a stream that `parts` are written to, as SageMaker does in Pipe mode.
fn piped(parts: Vec<Vec<u8>>, content_type: Option<&str>) -> (Channel, Problems) {
    let job = Job::with(&[("input/data/other/x", "")]);
    let fifo = job.path("input/data/train_0");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let writer = thread::spawn(move || {
        let mut file = fs::OpenOptions::new().write(true).open(fifo).unwrap();
        // A reader that has seen enough closes early.
        parts.iter().try_for_each(|part| file.write_all(part)).is_ok()
    });
    let mut problems = Problems::default();
    let from = Source { content_type: content_type.map(Into::into), ..source(&job, "train", InputMode::Pipe) };
    let channel = Channel::collect("train", &from, &options(), &mut problems);
    writer.join().unwrap();
    (channel, problems)
}

#[test]
fn pipe_mode_joins_the_files_of_a_channel() {
    let csv = |rows: &str| format!("review_text,sentiment\n{rows}").into_bytes();
    let (channel, problems) =
        piped(vec![csv("one,1\n"), csv(""), csv("\"two,\n2\",0\n")], Some("text/csv; charset=utf-8"));
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(channel.texts, ["one", "two,\n2"]);
    let file = &channel.summary.files[0];
    assert_eq!((file.name.as_str(), file.bytes, file.rows), ("train_0", 83, 2));

    let lines = vec![
        b"{\"review_text\": \"one\", \"sentiment\": 1}\n".to_vec(),
        b"{\"review_text\": \"two\", \"sentiment\": 0}".to_vec(),
    ];
    for content_type in [None, Some("application/jsonlines")] {
        let (channel, problems) = piped(lines.clone(), content_type);
        assert!(problems.is_empty() && channel.texts == ["one", "two"], "{problems}");
    }

    let (_, problems) = piped(vec![csv("one,1\n"), b"sentiment,review_text\n0,two\n".to_vec()], None);
    assert_eq!(
        problems.to_string(),
        "train/train_0:3: a header with its columns in another order begins here; give every file the same columns"
    );
}

#[test]
fn pipe_mode_unpacks_gzip() {
    let job = Job::with(&[]);
    job.put_gzip("a", b"review_text,sentiment\none,1\n");
    job.put_gzip("b", b"review_text,sentiment\ntwo,0\n");
    let packed = ["a", "b"].map(|name| fs::read(job.path(name)).unwrap());
    let (channel, problems) = piped(packed.to_vec(), None);
    assert!(problems.is_empty() && channel.texts == ["one", "two"], "{problems}");
}

#[test]
fn a_pipe_that_is_not_there() {
    let job = Job::with(&[]);
    let mut problems = Problems::default();
    Channel::collect("train", &source(&job, "train", InputMode::Pipe), &options(), &mut problems);
    assert_eq!(problems.to_string(), "train/train_0: cannot be opened: No such file or directory (os error 2)");
}
