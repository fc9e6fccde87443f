//! `Accept` decides the form of the answer (RFC 9110, section 12.5.1).

use super::input::shown;
use crate::error::ApiError;
use axum::http::{HeaderMap, header};

/// What a client may ask for, for messages.
pub(crate) const OFFERED: &str =
    "application/json, application/jsonlines (also application/x-jsonlines, application/jsonl) or text/csv";

/// How an answer holds its predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// `{"predictions": […]}`.
    Json,
    /// One prediction a line.
    JsonLines,
    /// `label,score` a line, without a header.
    Csv,
}

/// A form of answer under one of its names.
#[derive(Debug, PartialEq, Eq)]
pub struct Offer {
    /// The answer's content type.
    pub content_type: &'static str,
    /// What it means.
    pub format: OutputFormat,
}

/// In the order of preference where a client has none.
static OFFERS: [Offer; 5] = [
    Offer { content_type: "application/json", format: OutputFormat::Json },
    Offer { content_type: "application/jsonlines", format: OutputFormat::JsonLines },
    Offer { content_type: "application/x-jsonlines", format: OutputFormat::JsonLines },
    Offer { content_type: "application/jsonl", format: OutputFormat::JsonLines },
    Offer { content_type: "text/csv", format: OutputFormat::Csv },
];

/// The offer for a request's headers; `explain` rules out CSV, which has no place for an explanation.
pub fn of(headers: &HeaderMap, explain: bool) -> Result<&'static Offer, ApiError> {
    let mut values = headers.get_all(header::ACCEPT).iter();
    let (Some(first), second) = (values.next(), values.next()) else { return Ok(&OFFERS[0]) };
    let Some(second) = second else {
        return match first == "application/json" || first == "*/*" {
            true => Ok(&OFFERS[0]),
            false => negotiate(&String::from_utf8_lossy(first.as_bytes()), explain),
        };
    };
    let all: Vec<_> =
        [first, second].into_iter().chain(values).map(|v| String::from_utf8_lossy(v.as_bytes())).collect();
    negotiate(&all.join(","), explain)
}

/// The offer with the highest quality. Among equals the one named more exactly, then the one named earlier, then our
/// order: `text/csv, */*` is CSV.
pub fn negotiate(accept: &str, explain: bool) -> Result<&'static Offer, ApiError> {
    if accept.trim().is_empty() {
        return Ok(&OFFERS[0]);
    }
    let ranges: Vec<Range> = accept.split(',').enumerate().filter_map(|(i, range)| Range::parse(range, i)).collect();
    let wanted = |offer: &Offer| {
        // The most exact range that matches an offer decides its quality.
        let best = ranges.iter().filter(|range| range.matches(offer.content_type)).max_by_key(|range| range.exactness);
        best.filter(|range| range.quality > 0)
    };
    let best = |offers: &mut dyn Iterator<Item = &'static Offer>| {
        // `max_by_key` keeps the last of equals: our order is walked backwards.
        offers.filter_map(|offer| wanted(offer).map(|range| (range, offer))).max_by_key(|(range, _)| range.rank())
    };
    if let Some((_, offer)) =
        best(&mut OFFERS.iter().rev().filter(|offer| !explain || offer.format != OutputFormat::Csv))
    {
        return Ok(offer);
    }
    Err(ApiError::NotAcceptable {
        found: match best(&mut OFFERS.iter().rev()) {
            Some(_) => "`text/csv` has no place for the explanation that `explain` asks for".into(),
            None => format!("`Accept: {}` leaves nothing that can be had here", shown(accept.trim())),
        },
    })
}

/// One media range of an `Accept`.
struct Range<'a> {
    kind: &'a str,
    subtype: &'a str,
    /// Thousandths.
    quality: u16,
    /// 0 `*/*`, 1 `text/*`, 2 `text/csv`.
    exactness: u8,
    position: usize,
}

impl<'a> Range<'a> {
    /// `None` where it is not a media range: such a one asks for nothing.
    fn parse(range: &'a str, position: usize) -> Option<Self> {
        let mut parts = range.split(';').map(str::trim);
        let (kind, subtype) = parts.next()?.split_once('/')?;
        let exactness = match (kind, subtype) {
            ("*", "*") => 0,
            ("*", _) => return None,
            (_, "*") => 1,
            _ => 2,
        };
        let mut quality = 1000;
        for parameter in parts {
            if let Some((name, value)) = parameter.split_once('=')
                && name.trim().eq_ignore_ascii_case("q")
            {
                let value = value.trim().parse::<f32>().ok().filter(|q| (0.0..=1.0).contains(q))?;
                quality = (value * 1000.0).round() as u16;
            }
        }
        Some(Self { kind, subtype, quality, exactness, position })
    }

    fn matches(&self, content_type: &str) -> bool {
        let Some((kind, subtype)) = content_type.split_once('/') else { return false };
        (self.kind == "*" || self.kind.eq_ignore_ascii_case(kind))
            && (self.subtype == "*" || self.subtype.eq_ignore_ascii_case(subtype))
    }

    fn rank(&self) -> (u16, u8, std::cmp::Reverse<usize>) {
        (self.quality, self.exactness, std::cmp::Reverse(self.position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accept() {
        for (accept, want) in [
            ("", Some("application/json")),
            ("*/*", Some("application/json")),
            ("application/*", Some("application/json")),
            ("text/*", Some("text/csv")),
            ("text/csv", Some("text/csv")),
            ("TEXT/CSV; charset=utf-8", Some("text/csv")),
            ("application/jsonlines", Some("application/jsonlines")),
            ("application/x-jsonlines", Some("application/x-jsonlines")),
            ("application/jsonl", Some("application/jsonl")),
            ("text/csv, */*", Some("text/csv")),
            ("text/csv;q=0.5, */*", Some("application/json")),
            ("text/csv, application/json", Some("text/csv")),
            ("application/json, text/csv", Some("application/json")),
            ("text/csv;q=0.9, application/json;q=0.8", Some("text/csv")),
            ("application/json;q=0, */*", Some("application/jsonlines")),
            ("text/html, application/xhtml+xml, */*;q=0.8", Some("application/json")),
            ("image/png", None),
            ("application/json;q=0", None),
            ("*/*;q=0", None),
            ("text/csv;q=2", None),
            ("nonsense", None),
            ("*/csv", None),
        ] {
            let found = negotiate(accept, false).map(|offer| offer.content_type);
            assert_eq!(found.as_ref().ok(), want.as_ref(), "Accept: {accept}: {found:?}");
        }
    }

    #[test]
    fn an_explanation_is_never_csv() {
        for (accept, want) in [
            ("text/csv", Err("`text/csv` has no place for the explanation")),
            ("text/*", Err("`text/csv` has no place")),
            ("text/csv, */*;q=0.1", Ok("application/json")),
            ("application/jsonl, text/csv", Ok("application/jsonl")),
            ("image/png", Err("`Accept: image/png` leaves nothing")),
        ] {
            match (negotiate(accept, true), want) {
                (Ok(offer), Ok(want)) => assert_eq!(offer.content_type, want, "Accept: {accept}"),
                (Err(error), Err(part)) => assert!(error.to_string().starts_with(part), "Accept: {accept}: {error}"),
                (found, want) => panic!("Accept: {accept}: {found:?} instead of {want:?}"),
            }
        }
    }
}
