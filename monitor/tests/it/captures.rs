//! Recorded captures (`tests/golden/capture/make.py`), and whatever else a line may hold.

use std::path::Path;

use monitor::capture::record::Record;
use monitor::capture::{self, Exchange, Tally};
use monitor::settings::{Halves, Window};
use proptest::prelude::*;

const BOTH: Halves = Halves { input: true, output: true };

fn read(name: &str, window: Window) -> (Vec<Exchange>, Tally) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/capture").join(name);
    read_all(&path, window)
}

fn read_all(path: &Path, window: Window) -> (Vec<Exchange>, Tally) {
    let mut exchanges = Vec::new();
    let add = |all: &mut Vec<Exchange>, _, exchange| all.push(exchange);
    let tally = capture::read(path, BOTH, window, std::slice::from_mut(&mut exchanges), &add).unwrap();
    (exchanges, tally)
}

#[test]
fn every_format_gives_the_same_documents_and_predictions() {
    let (exchanges, tally) = read("formats.jsonl", Window::default());
    assert_eq!((tally.requests, tally.unreadable, tally.damaged), (21, 0, 0));
    assert_eq!(exchanges.len(), 21);
    for exchange in exchanges {
        let (texts, answers) = (exchange.texts.unwrap(), exchange.answers.unwrap());
        assert_eq!(texts, ["very good, \"really\"", "not good\nat all"][..texts.len()]);
        let answers: Vec<(&str, f64)> = answers.iter().map(|a| (a.label.as_str(), a.score)).collect();
        assert_eq!(answers, [("1", 0.98), ("0", 0.75)][..texts.len()]);
    }
}

#[test]
fn damaged_lines_are_named_and_the_window_is_half_open() {
    let window = Window {
        start: Some("2026-01-19T19:00:00Z".parse().unwrap()),
        end: Some("2026-01-19T20:00:00Z".parse().unwrap()),
    };
    let (exchanges, tally) = read("damaged.jsonl", window);
    // The first line, and the last: 20:00 an hour east of Greenwich is the window's start.
    assert_eq!(exchanges.len(), 2);
    assert_eq!((tally.requests, tally.unreadable, tally.damaged), (4, 2, 4));
    let first = tally.first_unreadable().unwrap();
    assert!(first.contains(":7: the answer is no prediction: missing field `predictions`"), "{first}");
    for (line, (number, why)) in tally.damaged_lines().iter().zip([
        (2, "EOF while parsing"),
        (3, "missing field `captureData`"),
        (4, "inferenceTime `yesterday` is no time"),
        (6, "unknown variant `ROT13`"),
    ]) {
        assert!(line.contains(&format!(":{number}: {why}")), "{line}");
    }
}

#[test]
fn what_the_pipeline_asks_for_its_own_sake_is_no_traffic() {
    let line = |id: &str| {
        serde_json::json!({
            "captureData": {"endpointInput": {"observedContentType": "text/plain", "mode": "INPUT", "data": "good", "encoding": "CSV"}},
            "eventMetadata": {"eventId": "e", "inferenceId": id, "inferenceTime": "2026-01-19T19:00:00Z"},
            "eventVersion": "0",
        })
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("captures.jsonl");
    std::fs::write(&file, format!("{}\n{}\n", line(monitor::OWN_REQUEST), line("mine"))).unwrap();
    let mut exchanges = Vec::new();
    let add = |all: &mut Vec<Exchange>, _, exchange| all.push(exchange);
    let halves = Halves { input: true, output: false };
    let lanes = std::slice::from_mut(&mut exchanges);
    let tally = capture::read(folder.path(), halves, Window::default(), lanes, &add).unwrap();
    assert_eq!((tally.requests, tally.unreadable, tally.damaged), (1, 0, 0));
    assert_eq!(exchanges[0].id.as_deref(), Some("mine"));
}

/// Files with more lines than a batch holds, every tenth damaged.
#[test]
fn lanes_share_the_lines_and_tell_the_same_of_them() {
    let folder = tempfile::tempdir().unwrap();
    for file in 0..3 {
        let lines = (0..4000).map(|line| match line % 10 {
            9 => format!("{{ damaged {file} {line}\n"),
            _ => {
                let text = format!("document {line} of file {file} {}", "and so on ".repeat(20));
                let half = serde_json::json!({"observedContentType": "text/plain", "data": text, "encoding": "CSV"});
                let time = "2026-01-19T19:00:00Z";
                let line = serde_json::json!({"captureData": {"endpointInput": half}, "eventMetadata": {"inferenceTime": time}});
                line.to_string() + "\n"
            }
        });
        std::fs::write(folder.path().join(format!("{file}.jsonl")), lines.collect::<String>()).unwrap();
    }
    let (one, tally) = read_all(folder.path(), Window::default());
    let mut lanes = vec![Vec::new(); 4];
    let add = |lane: &mut Vec<(capture::Place, Exchange)>, place, exchange| lane.push((place, exchange));
    let shared = capture::read(folder.path(), BOTH, Window::default(), &mut lanes, &add).unwrap();
    assert_eq!((shared.requests, shared.damaged), (3 * 3600, 3 * 400));
    assert_eq!(shared, tally);
    assert!(shared.damaged_lines()[9].starts_with("0.jsonl:100: "), "{:?}", shared.damaged_lines());
    assert!(lanes.iter().all(|lane| lane.len() > 1000), "every lane has its share");
    let mut all: Vec<(capture::Place, Exchange)> = lanes.concat();
    all.sort_by_key(|(place, _)| *place);
    assert!(all.into_iter().map(|(_, exchange)| exchange).eq(one));
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_or_a_reason(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = Record::parse(&bytes);
    }

    #[test]
    fn any_damage_is_survived(
        which in 0usize..21, place in any::<proptest::sample::Index>(), byte in any::<u8>(), cut in any::<bool>()
    ) {
        let lines = include_str!("../golden/capture/formats.jsonl");
        let mut line = lines.lines().nth(which).unwrap().as_bytes().to_vec();
        let place = place.index(line.len());
        line[place] = byte;
        if cut {
            line.truncate(place);
        }
        if let Ok(record) = Record::parse(&line) {
            let _ = record.exchange(BOTH);
        }
    }

    #[test]
    fn any_payload_is_survived(
        kind in prop::sample::select(vec!["text/csv", "application/json", "application/jsonlines", "text/plain", "", "x"]),
        encoding in prop::sample::select(vec!["CSV", "JSON", "BASE64"]),
        input in "\\PC{0,40}", output in "[\\[\\]{}\":,a-z0-9\n]{0,40}"
    ) {
        let half = |data: &str| serde_json::json!({"observedContentType": kind, "data": data, "encoding": encoding});
        let line = serde_json::json!({
            "captureData": {"endpointInput": half(&input), "endpointOutput": half(&output)},
            "eventMetadata": {"inferenceTime": "2026-01-19T19:00:00Z"}
        });
        let record = Record::parse(line.to_string().as_bytes()).unwrap();
        if let Ok(Exchange { texts: Some(texts), answers: Some(answers), .. }) = record.exchange(BOTH) {
            prop_assert_eq!(texts.len(), answers.len());
        }
    }
}

#[test]
fn captures_are_read_in_name_order_and_other_files_are_not() {
    let folder = tempfile::tempdir().unwrap();
    let hour = folder.path().join("reviews/AllTraffic/2026/01/19");
    for (name, text) in [("20/00-00-000-b.jsonl", "second"), ("19/27-57-000-a.jsonl", "first")] {
        let path = hour.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let line = serde_json::json!({
            "captureData": {"endpointInput": {"observedContentType": "text/plain", "data": text, "encoding": "CSV"}},
            "eventMetadata": {"inferenceTime": "2026-01-19T19:00:00Z"}
        });
        std::fs::write(path, line.to_string()).unwrap();
    }
    std::fs::write(hour.join("manifest.json"), "{").unwrap();
    let (exchanges, tally) = read_all(folder.path(), Window::default());
    let texts: Vec<String> = exchanges.into_iter().flat_map(|exchange| exchange.texts.unwrap()).collect();
    assert_eq!((texts, tally.damaged), (vec!["first".to_string(), "second".to_string()], 0));
}

#[test]
fn a_record_that_was_answered_with_an_error_is_left_out() {
    let half =
        |kind: &str, data: &str| serde_json::json!({"observedContentType": kind, "data": data, "encoding": "JSON"});
    let record = |input: &str, output: &str| {
        let line = serde_json::json!({
            "captureData": {
                "endpointInput": half("application/jsonlines", input),
                "endpointOutput": half("application/jsonlines", output),
            },
            "eventMetadata": {"inferenceTime": "2026-01-19T19:00:00Z"}
        });
        Record::parse(line.to_string().as_bytes()).unwrap()
    };
    let (one, refused) = (r#"{"label": "1", "score": 0.98}"#, r#"{"error": "line 2: it is no document"}"#);
    // Whichever half is read; the empty text is a text, and was refused all the same.
    let (input, output) = ("\"a\"\n7\n\"\"\n\"b\"\n", format!("{one}\n{refused}\n{refused}\n{one}\n"));
    let both = record(input, &output).exchange(BOTH).unwrap();
    assert_eq!(both.texts.unwrap(), ["a", "b"]);
    assert_eq!(both.answers.unwrap().len(), 2);
    let answers = record(input, &output).exchange(Halves { input: false, output: true }).unwrap();
    assert_eq!(answers.answers.unwrap().len(), 2);
    for (input, output, why) in [
        ("7\n", format!("{refused}\n"), "every record of it was refused"),
        ("\"a\"\n7\n", format!("{one}\n"), "2 documents and 1 predictions"),
    ] {
        assert_eq!(record(input, &output).exchange(BOTH).map(|_| ()), Err(why.into()));
    }
}
