//! Labels that came later, as SageMaker's ground truth has them: JSON Lines that name a captured request by its id.
//!
//! ```text
//! {"groundTruthData":{"data":"1","encoding":"CSV"},"eventMetadata":{"eventId":"…"},"eventVersion":"0"}
//! ```
//!
//! `eventId` is the inference id that the client gave, else the event id of the capture. `data` is a label; of a request
//! of several documents it is a label a line (CSV), or an array of labels (JSON).

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde::Deserialize;

use crate::capture::lines::Lines;
use crate::error::Result;
use crate::files;
use crate::window::Slot;

/// Labels by the id of the request.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Truth {
    labels: HashMap<String, Vec<String>>,
    /// Lines that are none, `file:line: why`, the first ten.
    pub damaged_lines: Vec<String>,
    /// How many there were.
    pub damaged: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    ground_truth_data: Data,
    event_metadata: Metadata,
}

#[derive(Deserialize)]
struct Data {
    data: String,
    encoding: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    event_id: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Label {
    Text(String),
    Number(serde_json::Number),
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Labels {
    Many(Vec<Label>),
    One(Label),
}

impl Truth {
    /// Every `.jsonl` below `folder`, in name order; of a request that is named twice the later labels hold.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut truth = Self::default();
        for path in files::below(folder, &|name| name.ends_with(".jsonl"))? {
            let mut lines = Lines::open(&path)?;
            while let Some((number, line)) = lines.next_line()? {
                match line.and_then(labels) {
                    Ok((id, labels)) => {
                        truth.labels.insert(id, labels);
                    }
                    Err(why) => {
                        truth.damaged += 1;
                        if truth.damaged_lines.len() < 10 {
                            let name = path.strip_prefix(folder).unwrap_or(&path).display();
                            truth.damaged_lines.push(format!("{name}:{number}: {why}"));
                        }
                    }
                }
            }
        }
        Ok(truth)
    }

    /// Requests that have labels.
    pub fn len(&self) -> u64 {
        self.labels.len() as u64
    }

    /// Whether no label came.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// The labels of a request, in the order of its records.
    pub fn of(&self, id: &str) -> Option<&[String]> {
        self.labels.get(id).map(Vec::as_slice)
    }
}

fn labels(line: &[u8]) -> std::result::Result<(String, Vec<String>), String> {
    let line: Line =
        serde_json::from_slice(line).map_err(|e| e.to_string().replace(" at line 1 column", " at column"))?;
    let Data { data, encoding } = line.ground_truth_data;
    let labels = match encoding.as_str() {
        "CSV" => data.lines().map(|label| label.trim().to_string()).filter(|label| !label.is_empty()).collect(),
        "JSON" => {
            let text = |label| match label {
                Label::Text(text) => text,
                Label::Number(number) => number.to_string(),
            };
            match serde_json::from_str(&data).map_err(|e| format!("its data is no label: {e}"))? {
                Labels::Many(labels) => labels.into_iter().map(text).collect(),
                Labels::One(label) => vec![text(label)],
            }
        }
        other => return Err(format!("encoding `{other}`, expected CSV or JSON")),
    };
    if labels.is_empty() { Err("its data has no label".into()) } else { Ok((line.event_metadata.event_id, labels)) }
}

/// Predictions whose true label is known: in all, and by slice.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Joined {
    /// By slice, `""` being all: right and all.
    pub slices: BTreeMap<String, (u64, u64)>,
}

impl Joined {
    /// One more prediction, with what is known of its text.
    pub fn add(&mut self, label: &str, truth: &str, text: Option<&Slot>) {
        let right = u64::from(label == truth);
        let mut count = |slice: String| {
            let counts = self.slices.entry(slice).or_default();
            *counts = (counts.0 + right, counts.1 + 1);
        };
        count(String::new());
        count(format!("true label {truth}"));
        if let Some(text) = text {
            let length = match text.characters {
                0..50 => "under 50 characters",
                50..200 => "50 to 199 characters",
                200..1000 => "200 to 999 characters",
                _ => "1000 characters and more",
            };
            count(length.into());
            let unknown = match text.unknown.mean {
                0.0 => "no unknown term",
                share if share < 0.2 => "some unknown terms, under 20 %",
                _ => "20 % unknown terms and more",
            };
            count(unknown.into());
        }
    }

    /// Those of both.
    pub fn merge(&mut self, other: Joined) {
        for (slice, (right, all)) in other.slices {
            let counts = self.slices.entry(slice).or_default();
            *counts = (counts.0 + right, counts.1 + all);
        }
    }
}
