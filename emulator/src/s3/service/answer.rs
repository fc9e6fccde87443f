//! Our values as the protocol's, and back.

use s3s::dto::{ChecksumType, ETag, ETagCondition, Metadata, Owner, Tag, TagSet, Timestamp, TimestampFormat};

use crate::ACCOUNT;
use crate::s3::StoreError;
use crate::s3::checksum::Scope;
use crate::s3::object::{Attributes, time_of};
use crate::s3::store::Condition;

/// A strong entity tag.
pub fn etag(value: &str) -> Option<ETag> {
    Some(ETag::Strong(value.to_owned()))
}

/// A time of the store.
pub fn time(ms: u64) -> Option<Timestamp> {
    Some(Timestamp::from(time_of(ms)))
}

/// The one account there is.
pub fn owner() -> Option<Owner> {
    Some(Owner { display_name: None, id: Some(ACCOUNT.to_owned()) })
}

/// Sizes and counts; none here comes near the limit.
pub fn number(value: impl TryInto<i64>) -> Option<i64> {
    Some(value.try_into().unwrap_or(i64::MAX))
}

/// S3's name of a checksum's scope.
pub fn checksum_type(scope: Scope) -> ChecksumType {
    ChecksumType::from_static(match scope {
        Scope::FullObject => ChecksumType::FULL_OBJECT,
        Scope::Composite => ChecksumType::COMPOSITE,
    })
}

/// `If-Match` and `If-None-Match` of a write.
pub fn condition(
    if_match: Option<ETagCondition>,
    if_none_match: Option<ETagCondition>,
) -> Result<Condition, StoreError> {
    match (if_match, if_none_match) {
        (None, None) => Ok(Condition::Always),
        (None, Some(ETagCondition::Any)) => Ok(Condition::Absent),
        (Some(ETagCondition::Any), None) => Ok(Condition::Present(None)),
        (Some(ETagCondition::ETag(etag)), None) => Ok(Condition::Present(Some(etag.into_value()))),
        (_, Some(_)) => {
            Err(StoreError::InvalidArgument("a write takes If-Match, or `If-None-Match: *`, not both".to_owned()))
        }
    }
}

/// Headers that S3 keeps with an object, from the members of a request.
macro_rules! attributes {
    ($input:expr) => {{
        let mut attributes = $crate::s3::object::Attributes::default();
        for (name, value) in [
            ("cache-control", $input.cache_control.take()),
            ("content-disposition", $input.content_disposition.take()),
            ("content-encoding", $input.content_encoding.take()),
            ("content-language", $input.content_language.take()),
            ("content-type", $input.content_type.take()),
            ("expires", $input.expires.take().and_then(|time| $crate::s3::service::answer::http_date(&time))),
            ("x-amz-storage-class", $input.storage_class.take().map(|class| class.as_str().to_owned())),
            ("x-amz-website-redirect-location", $input.website_redirect_location.take()),
        ] {
            if let Some(value) = value {
                attributes.headers.insert(name.to_owned(), value);
            }
        }
        attributes.metadata = $input.metadata.take().unwrap_or_default().into_iter().collect();
        attributes
    }};
}

pub(super) use attributes;

/// A time as HTTP writes it.
pub fn http_date(time: &Timestamp) -> Option<String> {
    let mut text = Vec::new();
    time.format(TimestampFormat::HttpDate, &mut text).ok()?;
    String::from_utf8(text).ok()
}

/// A kept header.
pub fn header(attributes: &Attributes, name: &str) -> Option<String> {
    attributes.headers.get(name).cloned()
}

/// User metadata for an answer.
pub fn metadata(attributes: &Attributes) -> Option<Metadata> {
    Some(attributes.metadata.iter().map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// Tags for an answer.
pub fn tag_set(tags: Vec<(String, String)>) -> TagSet {
    tags.into_iter().map(|(key, value)| Tag { key: Some(key), value: Some(value) }).collect()
}

/// Tags of a request: at most 10, no key twice.
pub fn tags(set: TagSet) -> Result<Vec<(String, String)>, StoreError> {
    checked(set.into_iter().map(|tag| (tag.key.unwrap_or_default(), tag.value.unwrap_or_default())).collect())
}

/// `x-amz-tagging: a=1&b=2`.
pub fn tags_of_header(header: Option<String>) -> Result<Vec<(String, String)>, StoreError> {
    let header = header.unwrap_or_default();
    let pairs = header.split('&').filter(|pair| !pair.is_empty());
    checked(
        pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(k, v)| (decoded(k), decoded(v))).collect(),
    )
}

fn checked(tags: Vec<(String, String)>) -> Result<Vec<(String, String)>, StoreError> {
    let refused = |reason: String| Err(StoreError::InvalidArgument(reason));
    if tags.len() > 10 {
        return refused(format!("Object tags cannot be greater than 10; found {}", tags.len()));
    }
    for (position, (key, _)) in tags.iter().enumerate() {
        if key.is_empty() || tags[..position].iter().any(|(before, _)| before == key) {
            return refused(format!("The tag key `{key}` is empty or there twice"));
        }
    }
    Ok(tags)
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let code = text.get(at + 1..at + 3).filter(|_| bytes[at] == b'%');
        match code.and_then(|code| u8::from_str_radix(code, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(if bytes[at] == b'+' { b' ' } else { bytes[at] });
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// A key as `encoding-type=url` writes it.
pub fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'*' | b'/' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encoded_text_comes_back() {
        for text in ["a/b.c", "ä b+c&=%", "\u{1}\u{10ffff}", ""] {
            assert_eq!(decoded(&encoded(text)), text);
        }
        assert_eq!(decoded("%zz%4"), "%zz%4");
    }

    #[test]
    fn tags_of_a_header() {
        let some = |text: &str| tags_of_header(Some(text.to_owned()));
        assert_eq!(
            some("a=1&b=x%20y&c").unwrap(),
            [("a", "1"), ("b", "x y"), ("c", "")].map(|(k, v)| (k.into(), v.into()))
        );
        assert!(some("a=1&a=2").is_err());
        assert!(some(&(0..11).map(|i| format!("k{i}=v&")).collect::<String>()).is_err());
    }
}
