//! From labels to classes: the labels of the training channel, ascending by code point; a class's index is its place.
//!
//! The order is plain text order whatever the labels are: "10" comes before "2".

use crate::reading::{Channel, Label};

/// Why labels are no classes to learn or to measure.
#[derive(Debug, thiserror::Error)]
pub enum ClassError {
    /// There is nothing to tell apart.
    #[error("train: every row bears the label {label:?} ({rows} rows); a classifier needs rows of at least two labels")]
    One {
        /// The only label.
        label: String,
        /// Its rows.
        rows: u64,
    },
    /// A channel that is measured has a label that was not learned.
    #[error("{}", show_unknown(labels, classes))]
    Unknown {
        /// The labels, with their first rows.
        labels: Vec<Label>,
        /// What was learned.
        classes: Vec<String>,
    },
}

/// The classes of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Classes(Vec<String>);

impl Classes {
    /// The labels of `train`, ascending; at least two.
    pub fn of(train: &[Label]) -> Result<Self, ClassError> {
        if let [only] = train {
            return Err(ClassError::One { label: only.name.clone(), rows: only.rows });
        }
        let mut names: Vec<String> = train.iter().map(|label| label.name.clone()).collect();
        names.sort();
        Ok(Self(names))
    }

    /// Their names, ascending.
    pub fn names(&self) -> &[String] {
        &self.0
    }

    /// The class index of every row of `channel`.
    pub fn targets_of(&self, channel: &Channel) -> Result<Vec<usize>, ClassError> {
        self.targets(&channel.summary.labels, channel.label_of.iter().copied())
    }

    /// The class index of every row, whose labels are given by their place in `labels`.
    pub fn targets(&self, labels: &[Label], label_of: impl Iterator<Item = usize>) -> Result<Vec<usize>, ClassError> {
        let mut unknown = Vec::new();
        let mut class_of = Vec::with_capacity(labels.len());
        for label in labels {
            match self.0.binary_search(&label.name) {
                Ok(class) => class_of.push(class),
                Err(_) => unknown.push(label.clone()),
            }
        }
        if unknown.is_empty() {
            Ok(label_of.map(|label| class_of[label]).collect())
        } else {
            Err(ClassError::Unknown { labels: unknown, classes: self.0.clone() })
        }
    }
}

/// How many of a long list are named.
const NAMED: usize = 10;

fn show_unknown(labels: &[Label], classes: &[String]) -> String {
    let mut known = classes.iter().take(NAMED).map(|class| format!("{class:?}")).collect::<Vec<_>>().join(", ");
    if classes.len() > NAMED {
        known.push_str(&format!(" and {} more", classes.len() - NAMED));
    }
    let mut lines: Vec<String> = labels
        .iter()
        .take(NAMED)
        .map(|label| {
            let rows = if label.rows == 1 { "1 row".into() } else { format!("{} rows", label.rows) };
            format!(
                "{}:{}: label {:?} ({rows}) is not in train, which has {known}; correct it or add the class to train",
                label.file, label.line, label.name
            )
        })
        .collect();
    if labels.len() > NAMED {
        lines.push(format!("and {} more labels", labels.len() - NAMED));
    }
    lines.join("\n")
}
