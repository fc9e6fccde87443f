//! The header of a file of tensors, looked through before it is read: what is read of it takes no more memory than it can need.
//!
//! JSON of a few bytes can become many times as much (a list of a million dimensions). Nothing that this looks at is kept.

use std::fmt;

use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::vocabulary::LONGEST;

/// Tensors of a file at most: three a length of terms, of two kinds, and some more.
const MOST_TENSORS: usize = 2 * 3 * LONGEST + 16;
/// Letters of a name at most.
const LONGEST_NAME: usize = 64;
/// Dimensions of a tensor at most.
const MOST_DIMENSIONS: usize = 2;

/// Checks the header at the start of a file, which may be cut short.
pub(super) fn check(file: &[u8]) -> Result<(), String> {
    let length = file.first_chunk().map(|eight| u64::from_le_bytes(*eight));
    let header = length.and_then(|length| file[8..].get(..usize::try_from(length).ok()?));
    let header = header.ok_or_else(|| format!("its header is longer than its {} bytes", file.len()))?;
    serde_json::from_slice::<Header>(header).map(drop).map_err(|e| format!("its header: {e}"))
}

struct Header;

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Header)
    }
}

impl<'de> Visitor<'de> for Header {
    type Value = Header;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut tensors: A) -> Result<Header, A::Error> {
        let mut count = 0;
        while let Some(name) = tensors.next_key::<&str>()? {
            count += 1;
            if count > MOST_TENSORS || name.len() > LONGEST_NAME {
                return Err(A::Error::custom(format!(
                    "more than {MOST_TENSORS} tensors, or a name of more than {LONGEST_NAME} bytes"
                )));
            }
            tensors.next_value::<Entry>()?;
        }
        Ok(Header)
    }
}

/// One tensor.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only whether it can be read matters")]
struct Entry {
    dtype: Dtype,
    shape: Shape,
    data_offsets: (u64, u64),
}

struct Shape;

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: serde::Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Shape)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = Shape;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MOST_DIMENSIONS} dimensions at most")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut shape: A) -> Result<Shape, A::Error> {
        for _ in 0..MOST_DIMENSIONS {
            if shape.next_element::<u64>()?.is_none() {
                return Ok(Shape);
            }
        }
        match shape.next_element::<IgnoredAny>()? {
            None => Ok(Shape),
            Some(_) => Err(A::Error::custom(format!("a tensor of more than {MOST_DIMENSIONS} dimensions"))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_take_more_memory_than_it_can_need_is_refused() {
        let file = |json: &str| [&(json.len() as u64).to_le_bytes(), json.as_bytes(), &[0; 9]].concat();
        let entry = |shape: &str| format!("{{\"dtype\":\"U8\",\"shape\":[{shape}],\"data_offsets\":[0,1]}}");
        let all = |count: usize| (0..count).map(|n| format!("\"t{n}\":{}", entry("1"))).collect::<Vec<_>>().join(",");
        for (json, want) in [
            (format!("{{\"a\":{},\"b\":{}}}   ", entry("1,2"), entry("")), None),
            (format!("{{{}}}", all(MOST_TENSORS)), None),
            (format!("{{{}}}", all(MOST_TENSORS + 1)), Some("more than 400 tensors")),
            (format!("{{\"a\":{}}}", entry("1,2,3")), Some("a tensor of more than 2 dimensions")),
            (format!("{{\"{}\":{}}}", "a".repeat(65), entry("")), Some("a name of more than 64 bytes")),
            ("{\"__metadata__\":{\"a\":\"b\"}}".into(), Some("unknown field `a`")),
            ("[".into(), Some("invalid type: sequence, expected the tensors by name")),
        ] {
            let found = check(&file(&json)).err();
            assert!(
                found.as_deref().zip(want).is_some_and(|(f, w)| f.contains(w)) || found.as_deref() == want,
                "{found:?}"
            );
        }
        assert_eq!(check(&[0xFF; 20]).unwrap_err(), "its header is longer than its 20 bytes");
        assert_eq!(check(&[1, 2]).unwrap_err(), "its header is longer than its 2 bytes");
    }
}
