//! Rows of an RFC 4180 file: header, then one document a record.

use std::io::Read;

use super::source::Text;
use super::{Columns, Fault, Row};

/// Reads every record of `text`, hands its row or what is wrong with it to `sink`, with physical lines.
/// An `Err` is a fault after which the file cannot be read on.
pub fn read(
    text: Text<impl Read>,
    columns: &Columns,
    sink: &mut dyn FnMut(Result<Row<'_>, Fault>),
) -> Result<(), Fault> {
    let mut reader = ::csv::ReaderBuilder::new().has_headers(false).flexible(true).from_reader(text);
    let mut record = ::csv::StringRecord::new();
    if !read_record(&mut reader, &mut record)? {
        return Err(Fault::whole(format!("holds no header; expected {columns}")));
    }
    let header_line = reader.get_mut().line_at(0);
    check_quotes(&mut reader, header_line)?;
    let (text_at, label_at) = find(columns, &record).map_err(|message| Fault::at(header_line, message))?;
    let width = record.len();
    loop {
        let start = reader.position().byte();
        if !read_record(&mut reader, &mut record)? {
            return Ok(());
        }
        let line = reader.get_mut().line_at(start);
        check_quotes(&mut reader, line)?;
        if record.len() != width {
            let fields = if record.len() == 1 { "field" } else { "fields" };
            let message = format!(
                "{} {fields}, the header has {width}; quote a text that holds commas, quotes or line ends",
                record.len()
            );
            sink(Err(Fault::at(line, message)));
            continue;
        }
        sink(Ok(Row { line, text: &record[text_at], label: &record[label_at] }));
    }
}

fn read_record<R: Read>(reader: &mut ::csv::Reader<R>, record: &mut ::csv::StringRecord) -> Result<bool, Fault> {
    reader.read_record(record).map_err(|error| match error.into_kind() {
        ::csv::ErrorKind::Io(error) => Fault::from(error),
        other => Fault::whole(format!("cannot be read as CSV: {other:?}")),
    })
}

/// Refuses a record that the end of the file cut inside quotes: everything after a stray quote would be one text.
fn check_quotes<R: Read>(reader: &mut ::csv::Reader<Text<R>>, line: u64) -> Result<(), Fault> {
    let end = reader.position().byte();
    if ends_quoted(reader.get_ref().raw_until(end)) {
        return Err(Fault::at(line, "a quote is opened in the record that begins here and never closed".into()));
    }
    Ok(())
}

/// Whether a record's bytes end inside a quoted field, as the CSV reader takes them: a quote opens at the start of a
/// field only, and two inside stand for one.
fn ends_quoted(raw: &[u8]) -> bool {
    #[derive(Clone, Copy, PartialEq)]
    enum At {
        FieldStart,
        Field,
        Quoted,
        QuoteInQuoted,
    }
    let end = raw.iter().fold(At::FieldStart, |at, byte| match (at, byte) {
        (At::FieldStart | At::QuoteInQuoted, b'"') => At::Quoted,
        (At::Quoted, b'"') => At::QuoteInQuoted,
        (At::Quoted, _) => At::Quoted,
        (_, b',') => At::FieldStart,
        _ => At::Field,
    });
    end == At::Quoted
}

/// Positions of the text and the label column.
fn find(columns: &Columns, header: &::csv::StringRecord) -> Result<(usize, usize), String> {
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

    #[test]
    fn an_open_quote_is_seen() {
        for (raw, want) in [
            (r#"a,b"#, false),
            (r#""a,b"#, true),
            (r#""a",b"#, false),
            (r#""a ""quoted"" word",1"#, false),
            (r#"5" wide,1"#, false),
            (r#"5" wide,"1"#, true),
            (r#""a"x,1"#, false),
            ("\"a\nb\n", true),
            (r#""","#, false),
            (r#""",1"#, false),
            (r#"""",1"#, true),
        ] {
            assert_eq!(ends_quoted(raw.as_bytes()), want, "{raw}");
        }
    }
}
