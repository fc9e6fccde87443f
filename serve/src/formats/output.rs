//! Predictions become the answer, written into one buffer as they are made.

use super::negotiate::OutputFormat;
use model::{Explanation, Prediction};
use serde::Serialize;
use std::io::Write;

/// The classes as the answers write them, escaped once.
#[derive(Debug)]
pub struct Labels {
    json: Vec<Box<[u8]>>,
    csv: Vec<Box<[u8]>>,
}

impl Labels {
    /// For these classes, in the artifact's order.
    pub fn new(classes: &[String]) -> Self {
        Self {
            json: classes.iter().map(|class| json_of(class).into_boxed_slice()).collect(),
            csv: classes.iter().map(|class| csv_of(class).into_bytes().into_boxed_slice()).collect(),
        }
    }
}

/// An answer being written.
#[derive(Debug)]
pub struct Answer<'l> {
    format: OutputFormat,
    labels: &'l Labels,
    bytes: Vec<u8>,
    predictions: usize,
}

/// An answer's length a prediction, roughly: what is set aside for it.
const PREDICTION_BYTES: usize = 128;
/// An answer's length that is set aside at most before there is anything to write.
const RESERVED_BYTES: usize = 1 << 20;

impl<'l> Answer<'l> {
    /// With room for this many predictions.
    pub fn new(format: OutputFormat, labels: &'l Labels, predictions: usize) -> Self {
        let mut bytes = Vec::with_capacity((predictions * PREDICTION_BYTES).min(RESERVED_BYTES));
        if format == OutputFormat::Json {
            bytes.extend_from_slice(b"{\"predictions\":[");
        }
        Self { format, labels, bytes, predictions: 0 }
    }

    /// Adds the next document's prediction. CSV has no place for an explanation and leaves it out.
    pub fn push(&mut self, prediction: &Prediction, explanation: Option<&Explanation>) {
        let bytes = &mut self.bytes;
        if self.format == OutputFormat::Csv {
            bytes.extend_from_slice(&self.labels.csv[prediction.class]);
            bytes.push(b',');
            write_json(bytes, &prediction.score());
            bytes.push(b'\n');
            self.predictions += 1;
            return;
        }
        if self.format == OutputFormat::Json && self.predictions > 0 {
            bytes.push(b',');
        }
        bytes.extend_from_slice(b"{\"label\":");
        bytes.extend_from_slice(&self.labels.json[prediction.class]);
        bytes.extend_from_slice(b",\"score\":");
        write_json(bytes, &prediction.score());
        bytes.extend_from_slice(b",\"probabilities\":{");
        for (i, (label, probability)) in self.labels.json.iter().zip(&prediction.probabilities).enumerate() {
            if i > 0 {
                bytes.push(b',');
            }
            bytes.extend_from_slice(label);
            bytes.push(b':');
            write_json(bytes, probability);
        }
        bytes.push(b'}');
        if let Some(explanation) = explanation {
            bytes.extend_from_slice(b",\"explanation\":");
            write_json(bytes, &ExplanationBody::from(explanation));
        }
        bytes.push(b'}');
        if self.format == OutputFormat::JsonLines {
            bytes.push(b'\n');
        }
        self.predictions += 1;
    }

    /// Adds what is wrong with the next record, in the place of its prediction. CSV has no room for that:
    /// [`BadRecord::RefusesAll`](super::documents::BadRecord) goes with it.
    pub fn push_refused(&mut self, why: &str) {
        if self.format == OutputFormat::Json && self.predictions > 0 {
            self.bytes.push(b',');
        }
        write_json(&mut self.bytes, &ErrorBody { error: why });
        if self.format == OutputFormat::JsonLines {
            self.bytes.push(b'\n');
        }
        self.predictions += 1;
    }

    /// Bytes written so far.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether nothing was added.
    pub fn is_empty(&self) -> bool {
        self.predictions == 0
    }

    /// The whole answer.
    pub fn finish(mut self) -> Vec<u8> {
        if self.format == OutputFormat::Json {
            self.bytes.extend_from_slice(b"]}");
        }
        self.bytes
    }
}

/// A refusal, of a record or of a whole request.
#[derive(Serialize)]
pub(crate) struct ErrorBody<'a> {
    pub(crate) error: &'a str,
}

#[derive(Serialize)]
struct ExplanationBody<'a> {
    intercept: f64,
    total: f64,
    rest: f64,
    terms: Vec<ContributionBody<'a>>,
}

#[derive(Serialize)]
struct ContributionBody<'a> {
    term: &'a str,
    value: f64,
    weight: f64,
    contribution: f64,
    count: u32,
    spans: Vec<[usize; 2]>,
}

impl<'a> From<&'a Explanation> for ExplanationBody<'a> {
    fn from(explanation: &'a Explanation) -> Self {
        let terms = explanation.terms.iter().map(|t| ContributionBody {
            term: &t.term,
            value: t.value,
            weight: t.weight,
            contribution: t.contribution,
            count: t.count,
            spans: t.spans.iter().map(|span| [span.start, span.end]).collect(),
        });
        let &Explanation { intercept, total, rest, .. } = explanation;
        Self { intercept, total, rest, terms: terms.collect() }
    }
}

fn write_json(bytes: &mut Vec<u8>, value: &impl Serialize) {
    serde_json::to_writer(bytes.by_ref(), value).expect("numbers and strings are written to memory without failing");
}

fn json_of(class: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_json(&mut bytes, &class);
    bytes
}

fn csv_of(class: &str) -> String {
    match class.contains([',', '"', '\n', '\r']) || class.trim() != class || class.is_empty() {
        true => format!("\"{}\"", class.replace('"', "\"\"")),
        false => class.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Contribution;

    fn prediction(class: usize, probabilities: [f64; 2]) -> Prediction {
        Prediction { class, probabilities: probabilities.into() }
    }

    fn answer(format: OutputFormat, classes: [&str; 2], explain: bool) -> String {
        let labels = Labels::new(&classes.map(str::to_owned));
        let mut answer = Answer::new(format, &labels, 2);
        let (term, spans) = ("so \"good\"".into(), vec![0..9, 12..21]);
        let terms = vec![Contribution { term, value: 0.5, weight: 4.0, contribution: 2.0, count: 2, spans }];
        let explanation = Explanation { class: 1, intercept: -0.5, total: 1.75, rest: 0.25, terms };
        answer.push(&prediction(1, [0.25, 0.75]), explain.then_some(&explanation));
        answer.push(&prediction(0, [0.9999999999999999, 1e-16]), None);
        String::from_utf8(answer.finish()).unwrap()
    }

    #[test]
    fn each_format() {
        let first = r#"{"label":"1","score":0.75,"probabilities":{"0":0.25,"1":0.75}}"#;
        let second = r#"{"label":"0","score":0.9999999999999999,"probabilities":{"0":0.9999999999999999,"1":1e-16}}"#;
        let explained = first.replace(
            "}}",
            r#"},"explanation":{"intercept":-0.5,"total":1.75,"rest":0.25,"terms":[{"term":"so \"good\"","value":0.5,"weight":4.0,"contribution":2.0,"count":2,"spans":[[0,9],[12,21]]}]}}"#,
        );
        for (format, explain, want) in [
            (OutputFormat::Json, false, format!(r#"{{"predictions":[{first},{second}]}}"#)),
            (OutputFormat::Json, true, format!(r#"{{"predictions":[{explained},{second}]}}"#)),
            (OutputFormat::JsonLines, false, format!("{first}\n{second}\n")),
            (OutputFormat::JsonLines, true, format!("{explained}\n{second}\n")),
            (OutputFormat::Csv, false, "1,0.75\n0,0.9999999999999999\n".to_owned()),
        ] {
            assert_eq!(answer(format, ["0", "1"], explain), want, "{format:?}, explain {explain}");
        }
    }

    #[test]
    fn a_refused_record_has_its_place() {
        let labels = Labels::new(&["0", "1"].map(str::to_owned));
        let good = r#"{"label":"1","score":0.75,"probabilities":{"0":0.25,"1":0.75}}"#;
        let bad = r#"{"error":"line 1: \"so\""}"#;
        for (format, want) in [
            (OutputFormat::Json, format!(r#"{{"predictions":[{bad},{good},{bad}]}}"#)),
            (OutputFormat::JsonLines, format!("{bad}\n{good}\n{bad}\n")),
        ] {
            let mut answer = Answer::new(format, &labels, 3);
            answer.push_refused("line 1: \"so\"");
            answer.push(&prediction(1, [0.25, 0.75]), None);
            answer.push_refused("line 1: \"so\"");
            assert_eq!(String::from_utf8(answer.finish()).unwrap(), want, "{format:?}");
        }
    }

    #[test]
    fn labels_are_escaped() {
        let classes = ["so \"so\", maybe", "ça va\n"];
        let json: serde_json::Value = serde_json::from_str(&answer(OutputFormat::Json, classes, false)).unwrap();
        assert_eq!(json["predictions"][1]["label"], classes[0]);
        assert_eq!(json["predictions"][0]["probabilities"][classes[1]], 0.75);
        let csv = answer(OutputFormat::Csv, classes, false);
        let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(csv.as_bytes());
        let labels: Vec<_> = reader.records().map(|record| record.unwrap()[0].to_owned()).collect();
        assert_eq!(labels, [classes[1], classes[0]]);
    }
}
