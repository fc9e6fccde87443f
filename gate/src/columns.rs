//! The columns of the test files beside text and label: who wrote, about what, from where.
//!
//! Rows are found again by their text, in order, so that a row that the job left out takes none of another's values.

use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    io::Read as _,
};

use flate2::read::MultiGzDecoder;
use serde_json::Value;
use trainer::predictions::digest;

/// A column with more values is no partition that anything could be said about.
const MOST_VALUES: usize = 30;
/// What stands for an empty cell.
const EMPTY: &str = "(empty)";

/// Cells of the extra columns, by text.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// Of each text's digest, the rows that have it, in file order: values by column.
    rows: HashMap<String, VecDeque<BTreeMap<String, String>>>,
}

/// A column whose values part the rows.
pub(crate) type Partition = BTreeMap<String, Vec<u32>>;

impl Columns {
    /// Reads one file, `.csv` or `.jsonl`, `.gz` or not; `text` and `label` are the columns that are no slices. Rows that
    /// cannot be read are passed over: the job has judged them already.
    pub fn add(&mut self, name: &str, bytes: &[u8], text: &str, label: &str) -> std::io::Result<()> {
        let lower = name.to_ascii_lowercase();
        let mut plain = Vec::new();
        let bytes = if lower.ends_with(".gz") {
            MultiGzDecoder::new(bytes).read_to_end(&mut plain)?;
            &plain
        } else {
            bytes
        };
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if lower.trim_end_matches(".gz").ends_with(".csv") {
            self.csv(bytes, text, label);
        } else {
            self.json_lines(bytes, text, label);
        }
        Ok(())
    }

    fn csv(&mut self, bytes: &[u8], text: &str, label: &str) {
        for delimiter in *b",;\t" {
            let mut reader = csv::ReaderBuilder::new().delimiter(delimiter).flexible(true).from_reader(bytes);
            let Ok(header) = reader.headers().cloned() else { continue };
            let at = |name: &str| header.iter().position(|column| column == name);
            let (Some(text_at), Some(_)) = (at(text), at(label)) else { continue };
            if header.len() == 2 {
                return;
            }
            for record in reader.records().flatten().filter(|record| record.len() == header.len()) {
                let cells = header.iter().zip(&record).filter(|(column, _)| *column != text && *column != label);
                let cells = cells.map(|(column, cell)| (column.to_owned(), cell.trim().to_owned())).collect();
                self.keep(&record[text_at], cells);
            }
            return;
        }
    }

    fn json_lines(&mut self, bytes: &[u8], text: &str, label: &str) {
        for line in bytes.split(|&byte| byte == b'\n') {
            let Ok(Value::Object(object)) = serde_json::from_slice::<Value>(line) else { continue };
            let Some(Value::String(document)) = object.get(text) else { continue };
            let cell = |value: &Value| match value {
                Value::String(text) => Some(text.trim().to_owned()),
                Value::Null => Some(String::new()),
                Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
                Value::Array(_) | Value::Object(_) => None,
            };
            let cells = object.iter().filter(|(key, _)| *key != text && *key != label);
            let cells: BTreeMap<String, String> =
                cells.filter_map(|(key, value)| Some((key.clone(), cell(value)?))).collect();
            self.keep(document, cells);
        }
    }

    fn keep(&mut self, text: &str, cells: BTreeMap<String, String>) {
        if !cells.is_empty() {
            self.rows.entry(digest(text.trim())).or_default().push_back(cells);
        }
    }

    /// The columns that part `texts`, each with its rows by value; and notes on those that do not.
    pub(crate) fn partitions(mut self, texts: &[String]) -> (BTreeMap<String, Partition>, Vec<String>) {
        let mut columns: BTreeMap<String, Partition> = BTreeMap::new();
        for (row, text) in (0u32..).zip(texts) {
            let cells = self.rows.get_mut(&digest(text.trim())).and_then(VecDeque::pop_front);
            for (column, value) in cells.unwrap_or_default() {
                let value = if value.is_empty() { EMPTY.to_owned() } else { value };
                columns.entry(column).or_default().entry(value).or_default().push(row);
            }
        }
        let mut notes = Vec::new();
        columns.retain(|column, values| {
            let few = values.len() <= MOST_VALUES;
            if !few {
                notes.push(format!(
                    "column {column:?} of the test channel has {} values, more than {MOST_VALUES}: it makes no slices",
                    values.len()
                ));
            }
            few
        });
        (columns, notes)
    }
}
