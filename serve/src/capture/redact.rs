//! What is left out of captures before anything is written.
//!
//! Texts are looked at as the model reads them, after JSON's escapes and CSV's quotes are undone: a pattern finds an
//! address however it was written down.

use crate::formats::csv;
use crate::formats::input::InputFormat;
use model::personal::PersonalData;
use regex::Regex;
use serde::de::IgnoredAny;
use std::borrow::Cow;
use std::ops::Range;
use std::str::FromStr;

/// What stands where the own pattern matched; the kinds' names stand for those.
const OWN: &str = "redacted";

/// What is left out; by default nothing.
#[derive(Debug, Clone, Default)]
pub struct Redaction {
    kinds: RedactionKinds,
    pattern: Option<Pattern>,
}

/// Kinds of personal data, by name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RedactionKinds(Vec<PersonalData>);

/// A regular expression that matches no empty text.
#[derive(Debug, Clone)]
pub struct Pattern(Regex);

impl FromStr for RedactionKinds {
    type Err = String;

    fn from_str(names: &str) -> Result<Self, String> {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        let mut kinds = Vec::new();
        for name in names {
            match PersonalData::ALL.iter().find(|kind| kind.name() == name) {
                _ if name == "all" => kinds.extend(PersonalData::ALL),
                Some(kind) => kinds.push(*kind),
                None => {
                    return Err("expected card_number, e_mail, iban, several of them parted by commas, or all".into());
                }
            }
        }
        kinds.sort_unstable();
        kinds.dedup();
        Ok(Self(kinds))
    }
}

impl FromStr for Pattern {
    type Err = String;

    fn from_str(pattern: &str) -> Result<Self, String> {
        let regex = Regex::new(pattern).map_err(|e| e.to_string())?;
        match regex.is_match("") {
            true => Err("it matches an empty text, and so between all characters".into()),
            false => Ok(Self(regex)),
        }
    }
}

impl Redaction {
    /// Leaves out what is of these kinds or matches.
    pub fn new(kinds: RedactionKinds, pattern: Option<Pattern>) -> Self {
        Self { kinds, pattern }
    }

    /// Whether nothing is left out.
    pub fn is_none(&self) -> bool {
        self.kinds.0.is_empty() && self.pattern.is_none()
    }

    /// The text, with `[e_mail]`, `[redacted]` … in the places of what is left out.
    pub fn text<'t>(&self, text: &'t str) -> Cow<'t, str> {
        let mut found: Vec<(Range<usize>, &str)> = Vec::new();
        for kind in &self.kinds.0 {
            let mut from = 0;
            while let Some(range) = kind.find(text, from) {
                from = range.end;
                found.push((range, kind.name()));
            }
        }
        if let Some(Pattern(regex)) = &self.pattern {
            found.extend(regex.find_iter(text).map(|found| (found.range(), OWN)));
        }
        if found.is_empty() {
            return Cow::Borrowed(text);
        }
        found.sort_by_key(|(range, _)| (range.start, std::cmp::Reverse(range.end)));
        let (mut kept, mut end) = (String::with_capacity(text.len()), 0);
        for (range, name) in found {
            // What overlaps goes with what began before.
            if range.start >= end {
                kept.push_str(&text[end..range.start]);
                kept.extend(["[", name, "]"]);
            }
            end = end.max(range.end);
        }
        kept.push_str(&text[end..]);
        Cow::Owned(kept)
    }

    /// A body of this format, of the same records.
    pub fn body<'t>(&self, format: InputFormat, body: &'t str) -> Cow<'t, str> {
        match format {
            _ if self.is_none() => Cow::Borrowed(body),
            InputFormat::Text => self.text(body),
            InputFormat::Json => Cow::Owned(self.json(body)),
            InputFormat::JsonLines => Cow::Owned(body.split_inclusive('\n').map(|line| self.line(line)).collect()),
            InputFormat::Csv { .. } => Cow::Owned(csv::rewritten(body, &|field| self.text(field))),
        }
    }

    /// A line that is no JSON was answered with an error; it could hide anything, and stays as `null`.
    fn line(&self, line: &str) -> String {
        match serde_json::from_str::<IgnoredAny>(line) {
            Ok(_) => self.json(line),
            Err(_) if line.trim().is_empty() => line.into(),
            Err(_) => "null\n".into(),
        }
    }

    /// Valid JSON, with what its strings say left out; a number becomes `null`, for it was no document.
    fn json(&self, json: &str) -> String {
        let (bytes, mut kept, mut at) = (json.as_bytes(), String::with_capacity(json.len()), 0);
        while at < bytes.len() {
            let end = at
                + match bytes[at] {
                    b'"' => string_length(&bytes[at..]),
                    b'-' | b'0'..=b'9' => number_length(&bytes[at..]),
                    _ => bytes[at..].iter().take_while(|b| !matches!(b, b'"' | b'-' | b'0'..=b'9')).count(),
                };
            let part = &json[at..end];
            match (bytes[at], serde_json::from_str::<String>(part)) {
                (b'"', Ok(text)) => match self.text(&text) {
                    Cow::Borrowed(_) => kept.push_str(part),
                    Cow::Owned(text) => kept.push_str(&serde_json::Value::from(text).to_string()),
                },
                (b'-' | b'0'..=b'9', _) if matches!(self.text(part), Cow::Owned(_)) => kept.push_str("null"),
                _ => kept.push_str(part),
            }
            at = end;
        }
        kept
    }
}

/// With both its quotes.
fn string_length(bytes: &[u8]) -> usize {
    let mut at = 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' => return at + 1,
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    bytes.len()
}

fn number_length(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|b| matches!(b, b'0'..=b'9' | b'-' | b'+' | b'.' | b'e' | b'E')).count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use InputFormat::{Csv, Json, JsonLines, Text};
    use proptest::prelude::*;

    fn redaction(kinds: &str, pattern: Option<&str>) -> Redaction {
        Redaction::new(kinds.parse().unwrap(), pattern.map(|pattern| pattern.parse().unwrap()))
    }

    #[test]
    fn nothing_that_is_to_be_left_out_hides_in_a_format() {
        let redaction = redaction("all", Some(r#"ORD-\d+|say "\w+""#));
        let csv = Csv { header: false };
        for (format, body, want) in [
            (Text, "I am jane@x.org, ORD-17", "I am [e_mail], [redacted]"),
            (Json, r#"{"text": "jane@x.org \"a\"", "n": 1}"#, r#"{"text": "[e_mail] \"a\"", "n": 1}"#),
            (Json, r#"["jane\u0040x.org", "caf\u00e9"]"#, r#"["[e_mail]", "caf\u00e9"]"#),
            (Json, r#"["say \"hi\" \\"]"#, r#"["[redacted] \\"]"#),
            (
                Json,
                r#"{"text": "a", "card": 4111111111111111, "x": -1.5e3}"#,
                r#"{"text": "a", "card": null, "x": -1.5e3}"#,
            ),
            (JsonLines, "\"4111 1111 1111 1111\"\njane@x.org\n\n\"b\"", "\"[card_number]\"\nnull\n\n\"b\""),
            (
                csv,
                "jane@x.org\r\n\"say \"\"hi\"\", DE89370400440532013000\"\nb\n",
                "\"[e_mail]\"\n\"[redacted], [iban]\"\nb\n",
            ),
            (csv, "a,jane@x.org\n\"jane@x.org", "a,\"[e_mail]\"\n\"[e_mail]"),
        ] {
            assert_eq!(redaction.body(format, body), want, "{format:?} {body}");
        }
    }

    #[test]
    fn overlapping_finds_are_left_out_whole() {
        let redaction = redaction("e_mail,card_number", Some(r"\d{4}$|[1x] jane"));
        assert_eq!(redaction.text("4111 1111 1111 1111"), "[card_number]");
        assert_eq!(redaction.text("x jane@x.org 12"), "[redacted] 12");
        assert_eq!(redaction.text("x 1111 1234"), "x 1111 [redacted]");
    }

    #[test]
    fn settings_that_mean_nothing_are_refused() {
        for names in ["phone", "e-mail", "e_mail card_number"] {
            assert!(names.parse::<RedactionKinds>().is_err(), "{names}");
        }
        for pattern in ["(", "a*", ""] {
            assert!(pattern.parse::<Pattern>().is_err(), "{pattern}");
        }
        assert_eq!("e_mail, all".parse::<RedactionKinds>().unwrap().0, PersonalData::ALL);
    }

    proptest! {
        #[test]
        fn no_address_survives_and_the_records_stay(before in "[ -~é\n]{0,30}", after in "[ -~é]{0,30}") {
            let (redaction, text) = (redaction("e_mail", None), format!("{before} jane.doe@example.org {after}"));
            let json = serde_json::json!({ "instances": [text, { "text": text }] }).to_string();
            let quoted = format!("\"{0}\"\n\"{0}\"\n", text.replace('"', "\"\""));
            let lines = format!("{0}\n{0}\n", serde_json::json!({ "text": text }));
            for (format, body) in [(Json, json), (Csv { header: false }, quoted), (JsonLines, lines)] {
                let redacted = redaction.body(format, &body);
                prop_assert!(!redacted.contains("jane.doe"), "{:?} {}", format, redacted);
                let documents = format.documents(redacted.as_bytes(), 9, crate::formats::documents::BadRecord::KeepsPlace);
                let texts: Vec<String> = documents.unwrap().iter().map(|text| text.unwrap().to_owned()).collect();
                let want = redaction.text(&text).into_owned();
                prop_assert_eq!(texts, vec![want.clone(), want], "{:?}", format);
            }
        }
    }
}
