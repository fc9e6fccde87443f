//! One column of RFC 4180, read without a copy where nothing is escaped.
//!
//! Every line of a one-column file is a record, so that an empty line is an empty document (and refused) rather than
//! skipped: answers would otherwise stand on other lines than their documents.

use super::documents::Documents;
use super::input::without_line_end;
use crate::error::ApiError;
use std::borrow::Cow;

const COLUMNS: &str = "has more than one column; send the text alone, in double quotes if it holds a comma";

/// Adds each record's text; leaves out the first if it is a header. A record with other columns beside is no document;
/// where quotes leave open where a record ends, all is refused.
pub(super) fn read<'b>(body: &'b str, header: bool, documents: &mut Documents<'b>) -> Result<(), ApiError> {
    let mut rest = body;
    let mut line = 1;
    let mut record = 1;
    while !rest.is_empty() {
        let bad = |what: &str| format!("record {record} (line {line}) {what}");
        let (text, after) = self::record(rest).map_err(|what| ApiError::BadBody(bad(what)))?;
        match text {
            None if header && record == 1 => return Err(ApiError::BadBody(bad(COLUMNS))),
            _ if header && record == 1 => {}
            Some(text) => documents.push(text, format_args!("record {record} (line {line})"))?,
            None => documents.refuse(bad(COLUMNS))?,
        }
        line += rest[..rest.len() - after.len()].bytes().filter(|b| *b == b'\n').count();
        record += 1;
        rest = after;
    }
    Ok(())
}

/// The same body with what its fields say changed; one that is changed stands in quotes.
pub(crate) fn rewritten(body: &str, change: &dyn for<'t> Fn(&'t str) -> Cow<'t, str>) -> String {
    let (mut written, mut rest) = (String::with_capacity(body.len()), body);
    while !rest.is_empty() {
        let field = match rest.strip_prefix('"') {
            Some(quoted) => self::quoted(quoted),
            None => Ok(self::plain(rest)),
        };
        // Where it ends is not known: it is read as it stands.
        let Ok((text, end)) = field else {
            written.push_str(&change(rest));
            break;
        };
        let (after, separator) = match end {
            End::Field(after) => (after, ","),
            End::Record(after) => (after, "\n"),
        };
        match change(&text) {
            Cow::Borrowed(_) => written.push_str(&rest[..rest.len() - after.len()]),
            Cow::Owned(changed) => {
                written.extend(["\"", &changed.replace('"', "\"\""), "\"", separator]);
            }
        }
        rest = after;
    }
    written
}

/// The text of the next record, `None` where it has more than one column; and what is after it.
fn record(rest: &str) -> Result<(Option<Cow<'_, str>>, &str), &'static str> {
    let (text, mut end) = match rest.strip_prefix('"') {
        Some(quoted) => self::quoted(quoted)?,
        None => self::plain(rest),
    };
    if let End::Record(after) = end {
        return Ok((Some(text), after));
    }
    loop {
        end = match end {
            End::Record(after) => return Ok((None, after)),
            End::Field(after) => match after.strip_prefix('"') {
                Some(quoted) => self::quoted(quoted)?.1,
                None => self::plain(after).1,
            },
        };
    }
}

/// What ended a field, and what is after that.
enum End<'b> {
    Field(&'b str),
    Record(&'b str),
}

/// A field without quotes: up to the next comma or line end.
fn plain(rest: &str) -> (Cow<'_, str>, End<'_>) {
    match rest.find([',', '\n']) {
        Some(end) if rest.as_bytes()[end] == b',' => (Cow::Borrowed(&rest[..end]), End::Field(&rest[end + 1..])),
        Some(end) => (Cow::Borrowed(without_line_end(&rest[..=end])), End::Record(&rest[end + 1..])),
        None => (Cow::Borrowed(without_line_end(rest)), End::Record("")),
    }
}

/// A field after its opening quote: up to the closing one, `""` standing for `"`.
fn quoted(field: &str) -> Result<(Cow<'_, str>, End<'_>), &'static str> {
    let mut text = Cow::Borrowed("");
    let mut rest = field;
    loop {
        let end = rest
            .find('"')
            .ok_or("has an opening quote and no closing one; send both, and a quote inside the text as \"\"")?;
        let (part, after) = (&rest[..end], &rest[end + 1..]);
        match text.is_empty() {
            true => text = Cow::Borrowed(part),
            false => text.to_mut().push_str(part),
        }
        match after.as_bytes() {
            [] | [b'\r'] => return Ok((text, End::Record(""))),
            [b'\n', ..] => return Ok((text, End::Record(&after[1..]))),
            [b'\r', b'\n', ..] => return Ok((text, End::Record(&after[2..]))),
            [b',', ..] => return Ok((text, End::Field(&after[1..]))),
            [b'"', ..] => {
                text.to_mut().push('"');
                rest = &after[1..];
            }
            _ => return Err("goes on after its closing quote; send a quote inside the text as \"\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::documents::BadRecord;
    use super::*;
    use proptest::prelude::*;

    fn texts(body: &str) -> Result<Vec<String>, String> {
        let mut documents = Documents::new(100, BadRecord::RefusesAll);
        read(body, false, &mut documents).map_err(|e| e.to_string())?;
        Ok(documents.iter().map(|text| text.unwrap().to_owned()).collect())
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

    #[test]
    fn a_bad_record_keeps_its_place() {
        let body = "good\n\n1,\"a\nb\",c\r\n\"so\",bad\n,\nfine";
        let mut documents = Documents::new(100, BadRecord::KeepsPlace);
        read(body, false, &mut documents).unwrap();
        let records: Vec<_> = documents.iter().map(|record| record.map_err(|why| &why[..18])).collect();
        let bad = ["record 2 (line 2) ", "record 3 (line 3) ", "record 4 (line 5) ", "record 5 (line 6) "].map(Err);
        assert_eq!(records, [&[Ok("good")], &bad[..], &[Ok("fine")]].concat());

        // Where one ends is not known: none is answered, since others could stand on their lines.
        for body in ["good\n\"bad", "good\n\"bad\"er\nfine", "good\n1,\"bad"] {
            let mut documents = Documents::new(100, BadRecord::KeepsPlace);
            let error = read(body, false, &mut documents).unwrap_err().to_string();
            assert!(error.starts_with("record 2 (line 2) "), "{body:?}: {error}");
        }
        let header = read("a,b\n1,2", true, &mut Documents::new(100, BadRecord::KeepsPlace)).unwrap_err();
        assert!(header.to_string().starts_with("record 1 (line 1) has more than one column"), "{header}");
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
