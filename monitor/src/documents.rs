//! The texts of labelled files: `.csv`, `.jsonl`, each also `.gz`, in name order, streamed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{MonitorError, Result};
use crate::files;

/// Names of columns (CSV) or keys (JSON Lines).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Columns {
    /// Of the text, which must be there.
    pub text: String,
    /// Of the label, which may be.
    pub label: String,
}

/// Calls `visit` with every document's text and label below `folder`; files of other kinds are left alone.
pub fn each(folder: &Path, columns: &Columns, visit: &mut dyn FnMut(&str, Option<&str>)) -> Result<()> {
    let kinds = [".csv", ".csv.gz", ".jsonl", ".jsonl.gz"];
    let files = files::below(folder, &|name| kinds.iter().any(|kind| name.ends_with(kind)))?;
    if files.is_empty() {
        return Err(MonitorError::Data {
            file: folder.to_path_buf(),
            line: None,
            found: "holds no such file".into(),
            expected: "labelled files whose names end in .csv, .csv.gz, .jsonl or .jsonl.gz".into(),
        });
    }
    for path in files {
        let name = path.to_string_lossy();
        let opened = File::open(&path).map_err(MonitorError::io(&path, "is the input mounted there?"))?;
        let reader: Box<dyn Read> = if name.ends_with(".gz") {
            Box::new(MultiGzDecoder::new(BufReader::new(opened)))
        } else {
            Box::new(opened)
        };
        let file = Labelled { file: &path, columns };
        if name.contains(".jsonl") { file.json_lines(reader, visit)? } else { file.csv(reader, visit)? }
    }
    Ok(())
}

struct Labelled<'c> {
    file: &'c Path,
    columns: &'c Columns,
}

impl Labelled<'_> {
    fn bad(&self, line: Option<u64>, found: impl ToString, expected: impl ToString) -> MonitorError {
        let (found, expected) = (found.to_string(), expected.to_string());
        MonitorError::Data { file: self.file.to_path_buf(), line, found, expected }
    }

    fn csv(&self, reader: Box<dyn Read>, visit: &mut dyn FnMut(&str, Option<&str>)) -> Result<()> {
        const RECORDS: &str = "UTF-8 records of RFC 4180, all of one width";
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.headers().map_err(|e| self.bad(Some(1), e, RECORDS))?;
        let named: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        let label = named.iter().position(|name| *name == self.columns.label);
        let Some(place) = named.iter().position(|name| *name == self.columns.text) else {
            let expected = format!("a column `{}`; set text_column to the column of the text", self.columns.text);
            return Err(self.bad(Some(1), format!("the columns are {named:?}"), expected));
        };
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|e| self.bad(e.position().map(|p| p.line()), &e, RECORDS))? {
            visit(record.get(place).unwrap_or_default(), label.and_then(|label| record.get(label)));
        }
        Ok(())
    }

    fn json_lines(&self, reader: Box<dyn Read>, visit: &mut dyn FnMut(&str, Option<&str>)) -> Result<()> {
        for (line, number) in BufReader::new(reader).lines().zip(1u64..) {
            let line = line.map_err(|e: io::Error| self.bad(Some(number), e, "UTF-8"))?;
            if line.trim().is_empty() {
                continue;
            }
            let value: serde_json::Value = serde_json::from_str(line.trim_start_matches('\u{feff}'))
                .map_err(|e| self.bad(Some(number), e, "a JSON object a line"))?;
            let label = match value.get(&self.columns.label) {
                Some(serde_json::Value::String(label)) => Some(label.clone()),
                Some(serde_json::Value::Number(label)) => Some(label.to_string()),
                _ => None,
            };
            match value.get(&self.columns.text).and_then(|text| text.as_str()) {
                Some(text) => visit(text, label.as_deref()),
                None => {
                    let expected = format!("an object whose key `{}` is a string", self.columns.text);
                    return Err(self.bad(Some(number), "the line has no such text", expected));
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn texts(folder: &Path) -> Result<Vec<String>, String> {
        let mut texts = Vec::new();
        let columns = Columns { text: "review_text".into(), label: "sentiment".into() };
        let visit = &mut |text: &str, label: Option<&str>| texts.push(format!("{} {text}", label.unwrap_or("-")));
        each(folder, &columns, visit).map_err(|e| e.to_string())?;
        Ok(texts)
    }

    #[test]
    fn every_kind_in_name_order() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        std::fs::create_dir(at("a")).unwrap();
        std::fs::write(at("a/1.csv"), "\u{feff}sentiment,review_text\n1,\"good, \"\"very\"\"\nsaid he\"\n").unwrap();
        std::fs::write(at("b.jsonl"), "{\"review_text\":\"second\"}\n\n").unwrap();
        std::fs::write(at("notes.txt"), "left alone").unwrap();
        let mut packed = flate2::write::GzEncoder::new(File::create(at("c.csv.gz")).unwrap(), Default::default());
        packed.write_all(b"review_text,sentiment\r\nthird,0\r\n").unwrap();
        packed.finish().unwrap();
        assert_eq!(texts(folder.path()).unwrap(), ["1 good, \"very\"\nsaid he", "- second", "0 third"]);
    }

    #[test]
    fn refusals_name_the_place() {
        for (name, content, message) in [
            (
                "a.csv",
                "text,label\nx,1\n",
                r#"a.csv:1: the columns are ["text", "label"]; expected a column `review_text`"#,
            ),
            ("a.csv", "review_text,label\nx\n", "a.csv:2: CSV error"),
            ("a.jsonl", "{\"review_text\":\"x\"}\n{\"review_text\":1}\n", "a.jsonl:2: the line has no such text"),
            ("a.jsonl", "{", "a.jsonl:1: EOF"),
            ("a.txt", "x", "holds no such file"),
        ] {
            let folder = tempfile::tempdir().unwrap();
            std::fs::write(folder.path().join(name), content).unwrap();
            let error = texts(folder.path()).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }
}
