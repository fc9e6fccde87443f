//! Writes captured requests by the million, for a load test: `capture_load TEXTS.csv REQUESTS FOLDER`.
//!
//! Texts are the first column of the file, in order, again and again, cut to 60 words; formats and encodings take turns;
//! one line in 10,000 is damaged; predictions are made up. A file a minute, as the platform leaves them.

use std::error::Error;
use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;

use serde_json::json;

/// Requests of a minute.
const MINUTE: usize = 10_000;
/// Most words of a text.
const WORDS: usize = 60;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [texts, requests, folder] = arguments.as_slice() else {
        return Err("usage: capture_load TEXTS.csv REQUESTS FOLDER".into());
    };
    let texts: Vec<String> = csv::Reader::from_path(texts)?
        .records()
        .map(|record| Ok(record?[0].split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ")))
        .collect::<Result<_, csv::Error>>()?;
    if texts.is_empty() {
        return Err("the file of texts has none".into());
    }
    let requests: usize = requests.parse()?;
    for start in (0..requests).step_by(MINUTE) {
        let minute = start / MINUTE;
        let hour = Path::new(folder).join(format!(
            "reviews/AllTraffic/2026/01/{:02}/{:02}",
            1 + minute / 1440,
            minute / 60 % 24
        ));
        fs::create_dir_all(&hour)?;
        let mut file = BufWriter::new(File::create(hour.join(format!("{:02}-00-000-load.jsonl", minute % 60)))?);
        for number in start..requests.min(start + MINUTE) {
            let line = line(&texts[number % texts.len()], number);
            // Cut off in the middle, as by a full disk.
            let whole = if number % 10_000 == 9_999 { &line[..line.len() / 2] } else { &line[..] };
            file.write_all(whole)?;
            file.write_all(b"\n")?;
        }
        file.flush()?;
    }
    Ok(())
}

fn line(text: &str, number: usize) -> Vec<u8> {
    let second = number / (MINUTE / 60);
    let time = format!(
        "2026-01-{:02}T{:02}:{:02}:{:02}Z",
        1 + second / 86_400,
        second / 3600 % 24,
        second / 60 % 60,
        second % 60
    );
    let (label, score) =
        (if number.is_multiple_of(2) { "1" } else { "0" }, 0.5 + (number * 7919 % 1000) as f64 / 2000.0);
    let quoted = format!("\"{}\"\n", text.replace('"', "\"\""));
    let (kind, encoding, data) = match number % 4 {
        0 => ("application/json", "JSON", json!({ "text": text }).to_string()),
        1 => ("text/csv", "CSV", quoted),
        2 => ("application/jsonlines", "BASE64", base64(json!({ "text": text }).to_string().as_bytes())),
        _ => ("text/plain", "BASE64", base64(text.as_bytes())),
    };
    let answer =
        json!({ "predictions": [{ "label": label, "score": score, "probabilities": { label: score } }] }).to_string();
    let record = json!({
        "captureData": {
            "endpointInput": { "observedContentType": kind, "mode": "INPUT", "data": data, "encoding": encoding },
            "endpointOutput": { "observedContentType": "application/json", "mode": "OUTPUT", "data": answer, "encoding": "JSON" },
        },
        "eventMetadata": { "eventId": format!("event-{number}"), "inferenceTime": time },
        "eventVersion": "0",
    });
    record.to_string().into_bytes()
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digit = |bits: u32, place: usize| char::from(DIGITS[(bits >> (18 - 6 * place) & 63) as usize]);
    let group = |group: &[u8]| {
        let bits = (0..3).fold(0, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        (0..4).map(|place| if place <= group.len() { digit(bits, place) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
