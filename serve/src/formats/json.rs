//! JSON in its three shapes, and JSON Lines, read without a copy where nothing is escaped.
//!
//! A refusal names the path (`instances[3].text`) and the position, and never quotes the document. What is JSON and no
//! document is refused alone where it stands in a list; what is no JSON refuses the line, or all of one value.

use super::documents::Documents;
use super::input::without_line_end;
use crate::error::ApiError;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt::{self, Display, Formatter};

const SHAPES: &str = r#"send {"text": "…"}, {"instances": ["…", {"text": "…"}]} or ["…"]"#;
const LINE_SHAPES: &str = r#"send one {"text": "…"} or "…" a line"#;

/// Adds the documents of one JSON value.
pub(super) fn read<'b>(body: &'b str, documents: &mut Documents<'b>) -> Result<(), ApiError> {
    if let Some(text) = only_text(body) {
        return documents.push_only(Cow::Borrowed(text), "text");
    }
    let mut reader = Reader::new(documents, None);
    let mut json = serde_json::Deserializer::from_str(body);
    let read = reader.seed(Expected::Body).deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| reader.refusal(&error.to_string()))
}

/// The text of `{"text": "…"}` where nothing in it is escaped, which most requests are; what is anything else is read by
/// the library.
fn only_text(body: &str) -> Option<&str> {
    let after = |rest: &'_ str| rest.len() - rest.trim_start_matches([' ', '\n', '\r', '\t']).len();
    let mut at = after(body);
    for token in ["{", "\"text\"", ":", "\""] {
        at += after(&body[at..]);
        at += body[at..].starts_with(token).then_some(token.len())?;
    }
    let end = at + plain(&body.as_bytes()[at..]);
    let rest = body.get(end..)?.strip_prefix('"')?;
    let rest = rest[after(rest)..].strip_prefix('}')?;
    (after(rest) == rest.len()).then(|| &body[at..end])
}

/// How many bytes stand before the first that a string of JSON does not hold as it is.
fn plain(bytes: &[u8]) -> usize {
    let special = |byte: &u8| *byte < b' ' || *byte == b'"' || *byte == b'\\';
    // All of a block at once: which of its bytes it is, is asked where there is one.
    let (blocks, _) = bytes.as_chunks::<64>();
    let clean =
        blocks.iter().take_while(|block| !block.iter().fold(false, |any, byte| any | special(byte))).count() * 64;
    clean + bytes[clean..].iter().position(special).unwrap_or(bytes.len() - clean)
}

/// Adds the document of each line; white space at the end is none.
pub(super) fn read_lines<'b>(body: &'b [u8], documents: &mut Documents<'b>) -> Result<(), ApiError> {
    for (i, line) in body.trim_ascii_end().split_inclusive(|byte| *byte == b'\n').enumerate() {
        let before = documents.len();
        if let Err(error) = read_line(line, i + 1, documents) {
            let ApiError::BadBody(why) = error else { return Err(error) };
            documents.truncate(before);
            documents.refuse(why)?;
        }
    }
    Ok(())
}

fn read_line<'b>(line: &'b [u8], number: usize, documents: &mut Documents<'b>) -> Result<(), ApiError> {
    let mut reader = Reader::new(documents, Some(number));
    let line = match str::from_utf8(line) {
        Ok(line) => without_line_end(line),
        Err(e) => {
            let what = format!("it is not valid UTF-8 at byte {}", e.valid_up_to());
            return Err(reader.refusal(&what));
        }
    };
    let mut json = serde_json::Deserializer::from_str(line);
    let read = reader.seed(Expected::Line).deserialize(&mut json).and_then(|()| json.end());
    read.map_err(|error| {
        // serde_json knows of no other line than the first.
        let what = error.to_string().replace(" at line 1 column", " at column");
        reader.refusal(&what)
    })
}

/// Where the reader is, for messages: `instances[3].text`.
struct Place {
    line: Option<usize>,
    instances: bool,
    index: Option<usize>,
    text: bool,
}

impl Display for Place {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}{}", if self.text { ": " } else { "" })?;
        }
        if self.instances {
            f.write_str("instances")?;
        }
        if let Some(index) = self.index {
            write!(f, "[{index}]{}", if self.text { "." } else { "" })?;
        }
        f.write_str(if self.text { "text" } else { "" })
    }
}

impl Place {
    /// Whether other documents may stand beside the one here.
    fn listed(&self) -> bool {
        self.index.is_some() || self.line.is_some()
    }

    fn told(&self, what: impl Display) -> String {
        let send = if self.line.is_some() { LINE_SHAPES } else { SHAPES };
        match self.to_string() {
            place if place.is_empty() => format!("{what}; {send}"),
            place => format!("{place}: {what}; {send}"),
        }
    }
}

struct Reader<'d, 'b> {
    documents: &'d mut Documents<'b>,
    place: Place,
    /// The refusal that is not about JSON.
    refused: Option<ApiError>,
}

impl<'d, 'b> Reader<'d, 'b> {
    fn new(documents: &'d mut Documents<'b>, line: Option<usize>) -> Self {
        Self { documents, place: Place { line, instances: false, index: None, text: false }, refused: None }
    }

    fn seed(&mut self, expected: Expected) -> Seed<'_, 'd, 'b> {
        Seed { reader: self, expected }
    }

    fn refusal(self, what: &str) -> ApiError {
        self.refused.unwrap_or_else(|| ApiError::BadBody(self.place.told(what)))
    }

    fn push<E: Error>(&mut self, text: Cow<'b, str>) -> Result<(), E> {
        let pushed = match self.place.listed() {
            true => self.documents.push(text, &self.place),
            false => self.documents.push_only(text, &self.place),
        };
        self.taken(pushed)
    }

    /// Whether others are answered where the record here is refused.
    fn spares_others(&self) -> bool {
        self.place.listed() && !self.documents.refuses_all()
    }

    /// A record that is JSON and no document, all of it read. `before`: how many records there were before it.
    fn refuse<E: Error>(&mut self, before: usize, what: &dyn Display) -> Result<(), E> {
        if !self.spares_others() {
            return Err(E::custom(what));
        }
        self.documents.truncate(before);
        let refused = self.documents.refuse(self.place.told(what));
        self.taken(refused)
    }

    fn taken<E: Error>(&mut self, taken: Result<(), ApiError>) -> Result<(), E> {
        taken.map_err(|refused| {
            self.refused = Some(refused);
            E::custom("refused")
        })
    }
}

/// What may stand at a place.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Body,
    Instances,
    Document,
    Line,
    Text,
}

impl Expected {
    fn string(self) -> bool {
        matches!(self, Self::Document | Self::Line | Self::Text)
    }

    fn object(self) -> bool {
        matches!(self, Self::Body | Self::Document | Self::Line)
    }

    fn array(self) -> bool {
        matches!(self, Self::Body | Self::Instances)
    }
}

struct Seed<'r, 'd, 'b> {
    reader: &'r mut Reader<'d, 'b>,
    expected: Expected,
}

impl Seed<'_, '_, '_> {
    /// What was found is all read.
    fn refuse<E: Error>(&mut self, found: &str) -> Result<(), E> {
        let before = self.reader.documents.len();
        self.reader.refuse(before, &format_args!("expected {}, found {found}", self.expected.name()))
    }
}

impl Expected {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "an object or an array",
            Self::Instances => "an array",
            Self::Document | Self::Line => "a string or an object",
            Self::Text => "a string",
        }
    }
}

impl<'b> DeserializeSeed<'b> for Seed<'_, '_, 'b> {
    type Value = ();

    fn deserialize<D: Deserializer<'b>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'b> Visitor<'b> for Seed<'_, '_, 'b> {
    type Value = ();

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.expected.name())
    }

    fn visit_borrowed_str<E: Error>(mut self, text: &'b str) -> Result<(), E> {
        match self.expected.string() {
            true => self.reader.push(Cow::Borrowed(text)),
            false => self.refuse("a string"),
        }
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        match self.expected.string() {
            true => self.reader.push(Cow::Owned(text.to_owned())),
            false => self.refuse("a string"),
        }
    }

    fn visit_seq<A: SeqAccess<'b>>(mut self, mut array: A) -> Result<(), A::Error> {
        if !self.expected.array() {
            if self.reader.spares_others() {
                while array.next_element::<IgnoredAny>()?.is_some() {}
            }
            return self.refuse("an array");
        }
        for index in 0.. {
            self.reader.place.index = Some(index);
            if array.next_element_seed(self.reader.seed(Expected::Document))?.is_none() {
                break;
            }
            self.reader.place.text = false;
        }
        self.reader.place.index = None;
        Ok(())
    }

    fn visit_map<A: MapAccess<'b>>(mut self, mut object: A) -> Result<(), A::Error> {
        let spares_others = self.reader.spares_others();
        if !self.expected.object() {
            if spares_others {
                while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            }
            return self.refuse("an object");
        }
        let before = self.reader.documents.len();
        let (mut found, mut bad) = (None, None);
        while let Some(key) = object.next_key_seed(KeySeed)? {
            if bad.is_some() || key == Key::Other || (key == Key::Instances && self.expected != Expected::Body) {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            if let Some(first) = found.replace(key) {
                let what = if first == key { "the same key twice" } else { "both `text` and `instances`" };
                if !spares_others {
                    return Err(A::Error::custom(what));
                }
                object.next_value::<IgnoredAny>()?;
                bad = Some(what);
                continue;
            }
            match key {
                Key::Text => {
                    self.reader.place.text = true;
                    object.next_value_seed(self.reader.seed(Expected::Text))?;
                    self.reader.place.text = false;
                }
                _ => {
                    self.reader.place.instances = true;
                    object.next_value_seed(self.reader.seed(Expected::Instances))?;
                    self.reader.place.instances = false;
                }
            }
        }
        match (bad, found, self.expected) {
            (Some(what), ..) => self.reader.refuse(before, &what),
            (_, Some(_), _) => Ok(()),
            (_, None, Expected::Body) => Err(A::Error::custom("the object has neither `text` nor `instances`")),
            (..) => self.reader.refuse(before, &"the object has no `text`"),
        }
    }

    fn visit_bool<E: Error>(mut self, _: bool) -> Result<(), E> {
        self.refuse("a boolean")
    }

    fn visit_i64<E: Error>(mut self, _: i64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_u64<E: Error>(mut self, _: u64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_f64<E: Error>(mut self, _: f64) -> Result<(), E> {
        self.refuse("a number")
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.refuse("null")
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Key {
    Text,
    Instances,
    Other,
}

struct KeySeed;

impl<'b> DeserializeSeed<'b> for KeySeed {
    type Value = Key;

    fn deserialize<D: Deserializer<'b>>(self, json: D) -> Result<Key, D::Error> {
        json.deserialize_str(self)
    }
}

impl Visitor<'_> for KeySeed {
    type Value = Key;

    fn expecting(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E: Error>(self, key: &str) -> Result<Key, E> {
        Ok(match key {
            "text" => Key::Text,
            "instances" => Key::Instances,
            _ => Key::Other,
        })
    }
}

#[cfg(test)]
mod tests;
