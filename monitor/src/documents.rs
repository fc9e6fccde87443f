//! The texts of labelled files: `.csv`, `.jsonl`, each also `.gz`, in name order, streamed.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use crate::error::{MonitorError, Result};
use crate::files;

/// Calls `visit` with every document's text below `folder`; files of other kinds are left alone.
pub fn each(folder: &Path, text_column: &str, visit: &mut dyn FnMut(&str)) -> Result<()> {
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
        let column = Column { file: &path, name: text_column };
        if name.contains(".jsonl") { column.json_lines(reader, visit)? } else { column.csv(reader, visit)? }
    }
    Ok(())
}

struct Column<'c> {
    file: &'c Path,
    name: &'c str,
}

impl Column<'_> {
    fn bad(&self, line: Option<u64>, found: impl ToString, expected: impl ToString) -> MonitorError {
        let (found, expected) = (found.to_string(), expected.to_string());
        MonitorError::Data { file: self.file.to_path_buf(), line, found, expected }
    }

    fn csv(&self, reader: Box<dyn Read>, visit: &mut dyn FnMut(&str)) -> Result<()> {
        const RECORDS: &str = "UTF-8 records of RFC 4180, all of one width";
        let mut reader = csv::ReaderBuilder::new().from_reader(reader);
        let header = reader.headers().map_err(|e| self.bad(Some(1), e, RECORDS))?;
        let named: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
        let Some(place) = named.iter().position(|name| *name == self.name) else {
            let expected = format!("a column `{}`; set text_column to the column of the text", self.name);
            return Err(self.bad(Some(1), format!("the columns are {named:?}"), expected));
        };
        let mut record = csv::StringRecord::new();
        while reader.read_record(&mut record).map_err(|e| self.bad(e.position().map(|p| p.line()), &e, RECORDS))? {
            visit(record.get(place).unwrap_or_default());
        }
        Ok(())
    }

    fn json_lines(&self, reader: Box<dyn Read>, visit: &mut dyn FnMut(&str)) -> Result<()> {
        for (line, number) in BufReader::new(reader).lines().zip(1u64..) {
            let line = line.map_err(|e: io::Error| self.bad(Some(number), e, "UTF-8"))?;
            if line.trim().is_empty() {
                continue;
            }
            let value: serde_json::Value = serde_json::from_str(line.trim_start_matches('\u{feff}'))
                .map_err(|e| self.bad(Some(number), e, "a JSON object a line"))?;
            match value.get(self.name).and_then(|text| text.as_str()) {
                Some(text) => visit(text),
                None => {
                    let expected = format!("an object whose key `{}` is a string", self.name);
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
        each(folder, "review_text", &mut |text| texts.push(text.to_string())).map_err(|e| e.to_string())?;
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
        assert_eq!(texts(folder.path()).unwrap(), ["good, \"very\"\nsaid he", "second", "third"]);
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
