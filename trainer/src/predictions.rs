//! The prediction of every row of the test channel: `predictions.jsonl`, so that two artifacts can be compared row by row.
//!
//! The first line is the header, then a row each: `["<digest>", actual, predicted, [probabilities]]`, classes by their place in
//! the header. A text stands there as a digest: equal texts can be told, and texts cannot be read.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::metrics::Outcome;

/// The value of the header's `format`.
const FORMAT: &str = "sagebrush.predictions/1";
/// Bytes of a SHA-256 that are kept: two different texts among 10⁹ share them with a probability of 10⁻²¹.
const KEPT: usize = 16;

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    classes: Vec<String>,
}

#[derive(Serialize, Deserialize)]
struct Row(String, usize, usize, Vec<f64>);

/// A test channel's predictions.
#[derive(Clone, Debug, PartialEq)]
pub struct Predictions {
    /// Class names, in the artifact's order.
    pub classes: Vec<String>,
    /// [`digest`] of each row's text.
    pub digests: Vec<String>,
    /// What was predicted for it.
    pub outcomes: Vec<Outcome>,
}

/// Why a file is none of predictions.
#[derive(Debug, thiserror::Error)]
#[error("line {line}: {why}")]
pub struct NoPredictions {
    line: usize,
    why: String,
}

/// The first half of the text's SHA-256, lower-case hexadecimal.
pub fn digest(text: &str) -> String {
    Sha256::digest(text).iter().take(KEPT).map(|byte| format!("{byte:02x}")).collect()
}

impl Predictions {
    /// Of `texts`, each with its outcome.
    pub fn of(classes: &[String], texts: &[String], outcomes: &[Outcome]) -> Self {
        let digests = texts.iter().map(|text| digest(text)).collect();
        Self { classes: classes.to_vec(), digests, outcomes: outcomes.to_vec() }
    }

    /// The file.
    pub fn to_bytes(&self) -> serde_json::Result<Vec<u8>> {
        let mut bytes = serde_json::to_vec(&Header { format: FORMAT.into(), classes: self.classes.clone() })?;
        for (digest, outcome) in self.digests.iter().zip(&self.outcomes) {
            bytes.push(b'\n');
            let Outcome { actual, predicted, probabilities } = outcome.clone();
            serde_json::to_writer(&mut bytes, &Row(digest.clone(), actual, predicted, probabilities))?;
        }
        bytes.push(b'\n');
        Ok(bytes)
    }

    /// Reads the file.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoPredictions> {
        let refuse = |line: usize, why: &dyn fmt::Display| NoPredictions { line: line + 1, why: why.to_string() };
        let mut lines = bytes.split(|&byte| byte == b'\n').enumerate().filter(|(_, line)| !line.is_empty());
        let Some((line, header)) = lines.next() else { return Err(refuse(0, &"the file is empty")) };
        let header: Header = serde_json::from_slice(header).map_err(|e| refuse(line, &e))?;
        if header.format != FORMAT {
            return Err(refuse(line, &format!("its format is {:?}, expected {FORMAT:?}", header.format)));
        }
        let (mut digests, mut outcomes) = (Vec::new(), Vec::new());
        for (line, row) in lines {
            let Row(digest, actual, predicted, probabilities) =
                serde_json::from_slice(row).map_err(|e| refuse(line, &e))?;
            let classes = header.classes.len();
            if actual >= classes || predicted >= classes || probabilities.len() != classes {
                return Err(refuse(line, &format!("it is not of the {classes} classes of the header")));
            }
            digests.push(digest);
            outcomes.push(Outcome { actual, predicted, probabilities });
        }
        Ok(Self { classes: header.classes, digests, outcomes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let outcome = |actual, p: f64| Outcome::of(actual, vec![1.0 - p, p]);
        let texts = ["good".to_owned(), "bad \u{2028}\n".to_owned()];
        let classes = ["0".to_owned(), "1".to_owned()];
        let predictions = Predictions::of(&classes, &texts, &[outcome(1, 0.1 + 0.2), outcome(0, 1.0 / 3.0)]);
        let bytes = predictions.to_bytes().unwrap();
        assert_eq!(Predictions::parse(&bytes).unwrap(), predictions);
        assert!(!String::from_utf8(bytes).unwrap().contains("good"));
    }

    #[test]
    fn what_is_no_prediction_is_named_by_its_line() {
        let header = "{\"format\":\"sagebrush.predictions/1\",\"classes\":[\"0\",\"1\"]}\n";
        for (text, want) in [
            (String::new(), "line 1: the file is empty"),
            ("{\"format\":\"x\",\"classes\":[]}".into(), "line 1: its format is \"x\""),
            (format!("{header}[\"a\",0,1,[0.5,0.5]]\n[\"a\",2,1,[0.5,0.5]]\n"), "line 3: it is not of the 2 classes"),
            (format!("{header}[\"a\",0"), "line 2: EOF"),
        ] {
            let refused = Predictions::parse(text.as_bytes()).unwrap_err().to_string();
            assert!(refused.starts_with(want), "{refused}");
        }
    }
}
