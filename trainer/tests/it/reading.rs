//! Files of every kind become the same documents.

use std::fs;

use proptest::prelude::*;
use trainer::contract::{InputMode, Source};
use trainer::hyperparameters::OnBadRows;
use trainer::reading::problems::Problems;
use trainer::reading::{Channel, Columns, Options};

use crate::job::{Job, MORE_REVIEWS, REVIEWS};

fn columns() -> Columns {
    Columns { text: "review_text".into(), label: "sentiment".into() }
}

fn source(job: &Job) -> Source {
    Source { folder: job.path("input/data/train"), mode: InputMode::File, content_type: None }
}

/// Reads a channel that must be free of faults, as (text, label) rows.
fn rows(job: &Job) -> Vec<(String, String)> {
    let mut problems = Problems::default();
    let channel = Channel::collect("train", &source(job), &Options::new(columns()), &mut problems);
    assert!(problems.is_empty(), "{problems}");
    let labels = channel.label_of.iter().map(|&label| channel.summary.labels[label].name.clone());
    channel.texts.iter().cloned().zip(labels).collect()
}

#[test]
fn files_are_read_in_name_order_below_the_channel() {
    let job = Job::with(&[
        ("input/data/train/b/2.csv", "review_text,sentiment\nthird,1\n"),
        ("input/data/train/c.jsonl", "{\"review_text\": \"fourth\", \"sentiment\": 0}\n"),
        ("input/data/train/.hidden", "anything"),
        ("input/data/train/b/1.csv", "id,sentiment,review_text\n7,0,second\n"),
    ]);
    job.put_gzip("input/data/train/a.csv.gz", b"review_text,sentiment\nfirst,1\n");
    job.put_gzip("input/data/train/d.jsonl.gz", b"{\"sentiment\": true, \"review_text\": \"fifth\"}");
    let found = rows(&job);
    let want = [("first", "1"), ("second", "0"), ("third", "1"), ("fourth", "0"), ("fifth", "true")];
    assert_eq!(found, want.map(|(text, label)| (text.to_owned(), label.to_owned())));
}

#[test]
fn byte_order_marks_and_line_ends_of_windows() {
    let job = Job::with(&[(
        "input/data/train/a.csv",
        "\u{feff}review_text,sentiment\r\n\"one,\r\ntwo\", 1 \r\n\r\n\"say \"\"hi\"\"\",0\r\nno end,1",
    )]);
    let want = [("one,\r\ntwo", "1"), ("say \"hi\"", "0"), ("no end", "1")];
    assert_eq!(rows(&job), want.map(|(text, label)| (text.to_owned(), label.to_owned())));
}

#[test]
fn digests_are_of_the_file_as_it_lies_there() {
    let job = Job::reviews();
    job.put_gzip("input/data/test/more.csv.gz", MORE_REVIEWS.as_bytes());
    job.train();
    let data = job.evaluation().data;
    let names: Vec<&str> = data.iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["train.csv", "more.csv.gz", "test.csv"]);
    for file in data {
        use sha2::Digest;
        let bytes = fs::read(job.path(&format!("input/data/{}/{}", file.channel, file.name))).unwrap();
        let digest: String = sha2::Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!((file.bytes, file.sha256), (bytes.len() as u64, digest), "{}", file.name);
    }
}

#[test]
fn the_kind_of_file_does_not_reach_the_model() {
    let plain = Job::reviews();
    let other = Job::with(&[("input/data/test/test.csv", MORE_REVIEWS)]);
    let lines: String = rows(&plain)
        .into_iter()
        .map(|(text, label)| serde_json::json!({"sentiment": label, "review_text": text}).to_string() + "\n")
        .collect();
    other.put_gzip("input/data/train/train.jsonl.gz", lines.as_bytes());
    plain.train();
    other.train();
    let tensors = |job: &Job| fs::read(job.path("model/tensors.safetensors")).unwrap();
    assert_eq!(tensors(&plain), tensors(&other));
    assert_eq!(plain.evaluation().golden, other.evaluation().golden);
}

#[test]
fn lines_are_physical_ones_far_into_a_file() {
    let mut text = String::from("review_text,sentiment\r\n");
    for row in 0..20_000 {
        text.push_str(&format!("\"row {row}\r\ngoes on\",{}\r\n", row % 2));
    }
    text.push_str("ragged\r\n");
    let job = Job::with(&[("input/data/train/a.csv", &text), ("input/data/train/b.csv", REVIEWS)]);
    assert!(job.refused().starts_with("train/a.csv:40002: 1 field, the header has 2"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_a_csv_writer_wrote_is_read(
        written in prop::collection::vec(("[a-zé좋\",\n\r ]{0,20}x[ \"\n]{0,3}", "[a-z0-9,\"]{1,4}"), 1..40),
        crlf in any::<bool>(),
        gzip in any::<bool>(),
    ) {
        let terminator = if crlf { csv::Terminator::CRLF } else { csv::Terminator::Any(b'\n') };
        let mut writer = csv::WriterBuilder::new().terminator(terminator).from_writer(Vec::new());
        writer.write_record(["sentiment", "review_text"]).unwrap();
        for (text, label) in &written {
            writer.write_record([label, text]).unwrap();
        }
        let bytes = writer.into_inner().unwrap();
        let job = Job::with(&[]);
        if gzip {
            job.put_gzip("input/data/train/a.csv.gz", &bytes);
        } else {
            job.put("input/data/train/a.csv", &bytes);
        }
        prop_assert_eq!(rows(&job), written);
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), kind in 0..4usize) {
        let job = Job::with(&[]);
        let name = ["a.csv", "a.csv.gz", "a.jsonl", "a.jsonl.gz"][kind];
        let bytes = [b"review_text,sentiment\n".as_slice(), &bytes].concat();
        job.put(&format!("input/data/train/{name}"), &bytes);
        let mut problems = Problems::default();
        let channel = Channel::collect("train", &source(&job), &Options::new(columns()), &mut problems);
        prop_assert_eq!(channel.texts.len(), channel.label_of.len());
    }

    #[test]
    fn any_csv_is_read_as_the_csv_crate_reads_it_however_it_is_cut(
        fields in prop::collection::vec(("[a\",\n\r좋 ]{0,6}", ",|,|\n|\r\n|\r|\n\n"), 0..60),
        mark in any::<bool>(),
        threads in 1..4usize,
        batch_bytes in 1..40usize,
    ) {
        let body: String = fields.iter().flat_map(|(field, end)| [field.as_str(), end.as_str()]).collect();
        let file = format!("{}review_text,sentiment\n{body}", if mark { "\u{feff}" } else { "" });
        let job = Job::with(&[("input/data/train/a.csv", &file)]);
        let options = Options { threads, batch_bytes, on_bad_rows: OnBadRows::Skip, ..Options::new(columns()) };
        let from = source(&job);
        let mut problems = Problems::default();
        let channel = Channel::collect("train", &from, &options, &mut problems);

        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(file.trim_start_matches('\u{feff}').as_bytes());
        let records: Vec<csv::StringRecord> = reader.records().map(Result::unwrap).collect();
        let good: Vec<(String, String)> = records
            .iter()
            .filter(|record| record.len() == 2 && record.iter().all(|field| !field.trim().is_empty()))
            .map(|record| (record[0].to_owned(), record[1].trim().to_owned()))
            .collect();
        if problems.to_string().contains("never closed") {
            // The crate takes everything behind the quote for a field; it is refused here.
            prop_assert!(channel.texts.len() <= good.len());
        } else {
            let labels = channel.label_of.iter().map(|&label| channel.summary.labels[label].name.clone());
            prop_assert_eq!(channel.texts.iter().cloned().zip(labels).collect::<Vec<_>>(), good);
            let dropped: u64 = channel.summary.dropped.iter().map(|kind| kind.rows).sum();
            prop_assert_eq!(dropped as usize + channel.texts.len(), records.len());
            prop_assert!(problems.is_empty() || records.len() < 2 * (dropped as usize) || records.is_empty());
        }
    }

    #[test]
    fn lines_do_not_depend_on_how_a_file_is_cut(
        rows in prop::collection::vec(("[a좋]{1,9}|\"[a\n,]{1,9}b\"", "[0-9x]{1,2}", "\n|\r\n|\n\n"), 1..40),
        threads in 1..4usize,
        batch_bytes in 1..60usize,
    ) {
        let body: String = rows.iter().map(|(text, label, end)| format!("{text},{label}{end}")).collect();
        let job = Job::with(&[("input/data/train/a.csv", &format!("review_text,sentiment\n{body}"))]);
        let from = source(&job);
        let read = |threads, batch_bytes| {
            let mut problems = Problems::default();
            let options = Options { threads, batch_bytes, ..Options::new(columns()) };
            let channel = Channel::collect("train", &from, &options, &mut problems);
            (channel.texts, channel.label_of, channel.summary.labels, channel.summary.files, problems.to_string())
        };
        prop_assert_eq!(read(threads, batch_bytes), read(1, 1 << 20));
    }
}
