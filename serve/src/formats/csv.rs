//! One column of RFC 4180, read without a copy where nothing is escaped.
//!
//! Every line of a one-column file is a record, so that an empty line is an empty document (and refused) rather than
//! skipped: answers would otherwise stand on other lines than their documents.

use super::documents::Documents;
use super::input::without_line_end;
use crate::error::ApiError;
use std::borrow::Cow;

/// Adds each record's text; leaves out the first if it is a header.
pub(super) fn read<'b>(body: &'b str, header: bool, documents: &mut Documents<'b>) -> Result<(), ApiError> {
    let mut rest = body;
    let mut line = 1;
    let mut record = 1;
    while !rest.is_empty() {
        let bad = |what: &str| ApiError::BadBody(format!("record {record} (line {line}) {what}"));
        let (text, after) = match rest.strip_prefix('"') {
            Some(quoted) => self::quoted(quoted).map_err(bad)?,
            None => self::plain(rest).map_err(bad)?,
        };
        if !(header && record == 1) {
            documents.push(text, format_args!("record {record} (line {line})"))?;
        }
        line += rest[..rest.len() - after.len()].bytes().filter(|b| *b == b'\n').count();
        record += 1;
        rest = after;
    }
    Ok(())
}

/// A field without quotes: all of the line.
fn plain(rest: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let (line, after) = match rest.find('\n') {
        Some(end) => rest.split_at(end + 1),
        None => (rest, ""),
    };
    let text = without_line_end(line);
    match text.contains(',') {
        true => Err("has more than one column; send the text alone, in double quotes if it holds a comma"),
        false => Ok((Cow::Borrowed(text), after)),
    }
}

/// A field after its opening quote: up to the closing one, `""` standing for `"`.
fn quoted(field: &str) -> Result<(Cow<'_, str>, &str), &'static str> {
    let mut text = Cow::Borrowed("");
    let mut rest = field;
    loop {
        let end =
            rest.find('"').ok_or("has an opening quote and no closing one; close it, and write a quote as \"\"")?;
        let (part, after) = (&rest[..end], &rest[end + 1..]);
        match text.is_empty() {
            true => text = Cow::Borrowed(part),
            false => text.to_mut().push_str(part),
        }
        match after.as_bytes().first() {
            None => return Ok((text, "")),
            Some(b'\n') => return Ok((text, &after[1..])),
            Some(b'\r') if after[1..].is_empty() => return Ok((text, "")),
            Some(b'\r') if after.as_bytes()[1] == b'\n' => return Ok((text, &after[2..])),
            Some(b'"') => {
                text.to_mut().push('"');
                rest = &after[1..];
            }
            Some(b',') => return Err("has more than one column; send the text alone"),
            Some(_) => return Err("goes on after its closing quote; write a quote inside the text as \"\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(body: &str) -> Result<Vec<String>, String> {
        let mut documents = Documents::new(100);
        read(body, false, &mut documents).map_err(|e| e.to_string())?;
        Ok(documents.iter().map(str::to_owned).collect())
    }

    #[test]
    fn records() {
        for (body, want) in [
            ("good", vec!["good"]),
            ("good\nbad\r\n", vec!["good", "bad"]),
            ("\"good, really\"\n\"said \"\"good\"\"\"\r\n", vec!["good, really", "said \"good\""]),
            ("\"two\nlines\"\n\"\"\"\"\r", vec!["two\nlines", "\""]),
            ("5\" screen", vec!["5\" screen"]),
        ] {
            assert_eq!(texts(body), Ok(want.into_iter().map(str::to_owned).collect()), "{body:?}");
        }
    }

    #[test]
    fn refusals_name_the_record_and_the_line() {
        for (body, want) in [
            ("good\nso, bad", "record 2 (line 2) has more than one column"),
            ("\"two\nlines\"\n\"so\",bad", "record 2 (line 3) has more than one column"),
            ("good\n\nbad", "record 2 (line 2) is an empty text"),
            ("\"\"", "record 1 (line 1) is an empty text"),
            ("\"good", "record 1 (line 1) has an opening quote and no closing one"),
            ("\"good\" bad", "record 1 (line 1) goes on after its closing quote"),
            ("\"good\"\rbad", "record 1 (line 1) goes on after its closing quote"),
        ] {
            let error = texts(body).unwrap_err();
            assert!(error.starts_with(want), "{body:?}: {error}");
        }
    }

    proptest! {
        #[test]
        fn reads_what_the_csv_crate_writes(wanted in prop::collection::vec("[a-z,\"\\n\\r é]*[a-zé]", 1..8)) {
            let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
            for text in &wanted {
                writer.write_record([text]).unwrap();
            }
            let body = String::from_utf8(writer.into_inner().unwrap()).unwrap();
            prop_assert_eq!(texts(&body), Ok(wanted));
        }
    }
}
