//! Rows of an RFC 4180 file: a header, then one document a record.
//!
//! Fields are read as the crate `csv` reads them: a quote opens at the start of a field only, two inside stand for one,
//! what follows the closing one belongs to the field; `\n`, `\r\n` and `\r` end a record; blank lines are none.

use std::borrow::Cow;
use std::str;

use memchr::{memchr, memchr_iter, memchr3};

use super::bad::BadRow;
use super::rows::{Parsed, Rows};
use super::{Columns, Fault};

/// What the header says about the records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// Between fields: a comma, or what the header has in its place.
    pub separator: u8,
    text_at: usize,
    label_at: usize,
    width: usize,
    text_name: String,
    label_name: String,
    /// Whether files may have been joined, so that the header comes again.
    joined: bool,
}

/// A field: `bytes[start..end]` without the quotes around it.
#[derive(Clone, Copy, Debug)]
struct Field {
    start: usize,
    end: usize,
    /// Whether quotes in it must still be resolved; for text behind the closing quote, `start` is the opening one's.
    resolve: Resolve,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Resolve {
    No,
    Doubled,
    Trailing,
}

/// A record's place.
struct Record {
    /// Where the next one begins.
    next: usize,
    /// Line feeds inside its quotes.
    inside: u64,
    /// The quote that nothing closes: line feeds of the record before it, number of its field.
    open: Option<(u64, usize)>,
}

/// Reads the header at the start of `bytes`, where blank lines may come first; the second value is the first byte
/// behind it. `whole`: whether `bytes` are all that the file holds.
pub fn header(bytes: &[u8], whole: bool, columns: &Columns, joined: bool) -> Result<(Layout, usize), Fault> {
    let start = bytes.iter().take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
    let line = line_feeds(&bytes[..start]) + 1;
    if start == bytes.len() {
        return Err(Fault::whole(format!("holds no header; expected {columns}")));
    }
    let mut refusal = None;
    for separator in *b",;\t" {
        let mut fields = Vec::new();
        let record = record(bytes, start, separator, &mut fields);
        let found = if let Some((before, _)) = record.open {
            Err(Fault::at(line + before, open_quote("the header")))
        } else if record.next == bytes.len() && !whole {
            Err(Fault::at(line, format!("the header is longer than {} bytes; expected {columns}", bytes.len())))
        } else {
            let names: Vec<Cow<'_, str>> = fields.iter().map(|field| lossy(bytes, field)).collect();
            find(columns, &names).map_err(|message| Fault::at(line, message)).map(|(text_at, label_at)| Layout {
                separator,
                text_at,
                label_at,
                width: names.len(),
                text_name: columns.text.clone(),
                label_name: columns.label.clone(),
                joined,
            })
        };
        match found {
            Ok(layout) => return Ok((layout, record.next)),
            Err(fault) => _ = refusal.get_or_insert(fault),
        }
    }
    Err(refusal.unwrap_or_else(|| Fault::whole(format!("holds no header; expected {columns}"))))
}

/// Reads the records of `stretch` from byte `from` on; the stretch ends with a record, or with the file.
pub fn rows(stretch: &str, from: usize, layout: &Layout) -> Parsed {
    let bytes = stretch.as_bytes();
    let mut rows = Rows::new(stretch);
    let mut fields = Vec::with_capacity(layout.width);
    let mut scratch = String::new();
    let mut label_scratch = String::new();
    let mut at = from;
    let mut line = line_feeds(&bytes[..from]);
    loop {
        while let Some(byte @ (b'\n' | b'\r')) = bytes.get(at) {
            line += u64::from(*byte == b'\n');
            at += 1;
        }
        if at == bytes.len() {
            break;
        }
        let record = record(bytes, at, layout.separator, &mut fields);
        if let Some((before, field)) = record.open {
            let what = match field {
                field if field == layout.text_at => format!("the column {:?}", layout.text_name),
                field if field == layout.label_at => format!("the column {:?}", layout.label_name),
                field => format!("field {}", field + 1),
            };
            rows.parsed.fatal = Some(Fault::at(line + before, open_quote(&what)));
            break;
        }
        if fields.len() == layout.width {
            let (text, text_from) = value(stretch, &fields[layout.text_at], &mut scratch);
            let (label, _) = value(stretch, &fields[layout.label_at], &mut label_scratch);
            if !layout.is_header(text, label) {
                rows.add(line, text, text_from, label);
            } else if !layout.joined {
                rows.parsed.bad.add(BadRow::RepeatedHeader, line, || {
                    "the header stands here again; remove the row (files were joined as they are)".into()
                });
            }
        } else {
            rows.parsed.bad.add(BadRow::Fields, line, || ragged(fields.len(), layout.width));
        }
        if layout.joined && layout.is_other_header(stretch, &fields) {
            let message = "a header with its columns in another order begins here; give every file the same columns";
            rows.parsed.fatal = Some(Fault::at(line, message.into()));
            break;
        }
        line += record.inside;
        at = record.next;
        let ends = &mut rows.parsed.ends;
        match &bytes[..at] {
            [.., b'\r', b'\n'] => ends.crlf += 1,
            [.., b'\n'] => ends.lf += 1,
            [.., b'\r'] => ends.cr += 1,
            _ => {}
        }
        line += u64::from(bytes[at - 1] == b'\n');
    }
    rows.parsed.line_feeds = line;
    rows.parsed
}

impl Layout {
    fn is_header(&self, text: &str, label: &str) -> bool {
        label == self.label_name && text.trim_start_matches('\u{feff}') == self.text_name
            || text == self.text_name && label.trim_start_matches('\u{feff}') == self.label_name
    }

    /// Whether both columns' names stand in the record, but not in their places.
    fn is_other_header(&self, stretch: &str, fields: &[Field]) -> bool {
        let at = |name: &str| {
            fields.iter().position(|field| stretch[field.start..field.end].trim_start_matches('\u{feff}') == name)
        };
        at(&self.text_name).zip(at(&self.label_name)).is_some_and(|found| found != (self.text_at, self.label_at))
    }
}

fn open_quote(what: &str) -> String {
    format!("a quote is opened here, in {what}, and never closed; close it, or double it where it is part of the text")
}

fn ragged(found: usize, width: usize) -> String {
    let fields = if found == 1 { "field" } else { "fields" };
    format!("{found} {fields}, the header has {width}; quote a text that holds commas, quotes or line ends")
}

/// Finds the fields of the record at byte `at`, which begins no blank line.
fn record(bytes: &[u8], mut at: usize, separator: u8, fields: &mut Vec<Field>) -> Record {
    fields.clear();
    let mut inside = 0;
    loop {
        let end = if bytes.get(at) == Some(&b'"') {
            let start = at + 1;
            let (Some(close), doubled) = closing(bytes, start) else {
                return Record { next: bytes.len(), inside, open: Some((inside, fields.len())) };
            };
            inside += line_feeds(&bytes[start..close]);
            let resolve = if doubled { Resolve::Doubled } else { Resolve::No };
            match bytes.get(close + 1) {
                None | Some(b'\n' | b'\r') => fields.push(Field { start, end: close, resolve }),
                Some(byte) if *byte == separator => fields.push(Field { start, end: close, resolve }),
                Some(_) => {
                    let end = field_end(bytes, close + 1, separator);
                    fields.push(Field { start: at, end, resolve: Resolve::Trailing });
                    at = end;
                    if bytes.get(at) == Some(&separator) {
                        at += 1;
                        continue;
                    }
                    return Record { next: record_end(bytes, at), inside, open: None };
                }
            }
            close + 1
        } else {
            let end = field_end(bytes, at, separator);
            fields.push(Field { start: at, end, resolve: Resolve::No });
            end
        };
        if bytes.get(end) != Some(&separator) {
            return Record { next: record_end(bytes, end), inside, open: None };
        }
        at = end + 1;
    }
}

/// The quote that closes what begins at `at`, and whether there are doubled ones before it.
fn closing(bytes: &[u8], mut at: usize) -> (Option<usize>, bool) {
    let mut doubled = false;
    loop {
        let Some(quote) = memchr(b'"', &bytes[at..]).map(|quote| at + quote) else { return (None, doubled) };
        if bytes.get(quote + 1) != Some(&b'"') {
            return (Some(quote), doubled);
        }
        doubled = true;
        at = quote + 2;
    }
}

fn field_end(bytes: &[u8], at: usize, separator: u8) -> usize {
    memchr3(separator, b'\n', b'\r', &bytes[at..]).map_or(bytes.len(), |end| at + end)
}

/// Behind the line end at `at`.
fn record_end(bytes: &[u8], at: usize) -> usize {
    match bytes[at..] {
        [] => at,
        [b'\r', b'\n', ..] => at + 2,
        _ => at + 1,
    }
}

fn line_feeds(bytes: &[u8]) -> u64 {
    memchr_iter(b'\n', bytes).count() as u64
}

/// A field's text, and where it lies if it lies anywhere as it is.
fn value<'a>(stretch: &'a str, field: &Field, scratch: &'a mut String) -> (&'a str, Option<usize>) {
    let raw = &stretch[field.start..field.end];
    if field.resolve == Resolve::No {
        return (raw, Some(field.start));
    }
    scratch.clear();
    resolve(raw, field.resolve, scratch);
    (scratch, None)
}

fn resolve(raw: &str, how: Resolve, into: &mut String) {
    let (quoted, trailing) = match (how, raw.strip_prefix('"')) {
        (Resolve::Trailing, Some(quoted)) => {
            let close = closing(quoted.as_bytes(), 0).0.unwrap_or(quoted.len());
            (&quoted[..close], quoted.get(close + 1..).unwrap_or_default())
        }
        _ => (raw, ""),
    };
    let mut rest = quoted;
    while let Some(quote) = memchr(b'"', rest.as_bytes()) {
        into.push_str(&rest[..=quote]);
        rest = rest.get(quote + 2..).unwrap_or_default();
    }
    into.push_str(rest);
    into.push_str(trailing);
}

/// A header's field, whatever its encoding.
fn lossy<'a>(bytes: &'a [u8], field: &Field) -> Cow<'a, str> {
    let raw = String::from_utf8_lossy(&bytes[field.start..field.end]);
    if field.resolve == Resolve::No {
        return raw;
    }
    let mut resolved = String::new();
    resolve(&raw, field.resolve, &mut resolved);
    resolved.into()
}

/// Positions of the text and the label column.
fn find(columns: &Columns, header: &[Cow<'_, str>]) -> Result<(usize, usize), String> {
    let position = |wanted: &str| {
        let mut found = header.iter().enumerate().filter(|(_, name)| *name == wanted).map(|(at, _)| at);
        match (found.next(), found.next()) {
            (Some(at), None) => Ok(at),
            (Some(_), Some(_)) => Err(format!("column {wanted:?} stands in the header twice")),
            (None, _) => {
                let names = header.iter().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(", ");
                Err(format!(
                    "no column {wanted:?}; found {names}; name the right one with the hyperparameter {}",
                    columns.hyperparameter(wanted)
                ))
            }
        }
    };
    Ok((position(&columns.text)?, position(&columns.label)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Vec<String> {
        let mut fields = Vec::new();
        record(text.as_bytes(), 0, b',', &mut fields);
        fields.iter().map(|field| value(text, field, &mut String::new()).0.to_owned()).collect()
    }

    #[test]
    fn quotes_are_resolved() {
        for (text, want) in [
            (r#"a,b"#, &["a", "b"][..]),
            (r#""a,b",c"#, &["a,b", "c"]),
            (r#""a ""quoted"" word",1"#, &["a \"quoted\" word", "1"]),
            (r#""","#, &["", ""]),
            (r#"5" wide,"1""#, &["5\" wide", "1"]),
            (r#""a"x,1"#, &["ax", "1"]),
            (r#""a""b"x"y,1"#, &["a\"bx\"y", "1"]),
            (r#""""""#, &["\""]),
            ("\"a\nb\"\nc", &["a\nb"]),
            (",", &["", ""]),
        ] {
            assert_eq!(fields(text), want, "{text}");
        }
    }

    #[test]
    fn an_open_quote_is_named_by_its_own_line() {
        let columns = Columns { text: "text".into(), label: "label".into() };
        let file = "text,label\n\"two\nlines\",\"1\nnever,closed\n";
        let (layout, from) = header(file.as_bytes(), true, &columns, false).map_err(|fault| fault.message).unwrap();
        let parsed = rows(file, from, &layout);
        let fatal = parsed.fatal.expect("an open quote");
        assert_eq!(fatal.line, Some(2));
        assert!(fatal.message.starts_with("a quote is opened here, in the column \"label\", and never closed"));
    }
}
