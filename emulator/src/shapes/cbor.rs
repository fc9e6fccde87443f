//! RPC v2 CBOR: a request's body as JSON, an answer's JSON as CBOR.

use std::convert::Infallible;

use minicbor::{
    Decoder, Encoder,
    data::{IanaTag, Type},
    decode::Error as Unreadable,
    encode::Error as Unwritable,
};
use serde_json::{Map, Value, json};

use super::{Kind, Model, Shape};

/// Nothing in a model is nested deeper.
const DEEPEST: usize = 32;

/// A body as JSON: blobs in base64, timestamps as seconds.
pub(crate) fn decode(body: &[u8]) -> Result<Value, String> {
    if body.is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    value(&mut Decoder::new(body), DEEPEST).map_err(|e| format!("the body is no CBOR: {e}"))
}

fn value(from: &mut Decoder<'_>, depth: usize) -> Result<Value, Unreadable> {
    let Some(depth) = depth.checked_sub(1) else { return Err(Unreadable::message("it is nested too deeply")) };
    Ok(match from.datatype()? {
        Type::Bool => json!(from.bool()?),
        Type::Null | Type::Undefined => {
            from.skip()?;
            Value::Null
        }
        Type::U8 | Type::U16 | Type::U32 | Type::U64 => json!(from.u64()?),
        Type::I8 | Type::I16 | Type::I32 | Type::I64 => json!(from.i64()?),
        Type::F16 | Type::F32 | Type::F64 => json!(from.f64()?),
        Type::String | Type::StringIndef => Value::String(text(from)?),
        Type::Bytes | Type::BytesIndef => {
            let parts = from.bytes_iter()?.collect::<Result<Vec<&[u8]>, _>>()?;
            Value::String(base64_simd::STANDARD.encode_to_string(parts.concat()))
        }
        Type::Tag => {
            from.tag()?;
            value(from, depth)?
        }
        Type::Array | Type::ArrayIndef => {
            let (mut left, mut items) = (from.array()?, Vec::new());
            while another(from, &mut left)? {
                items.push(value(from, depth)?);
            }
            Value::Array(items)
        }
        Type::Map | Type::MapIndef => {
            let (mut left, mut members) = (from.map()?, Map::new());
            while another(from, &mut left)? {
                members.insert(text(from)?, value(from, depth)?);
            }
            Value::Object(members)
        }
        other => return Err(Unreadable::message(format!("{other} is not expected"))),
    })
}

fn text(from: &mut Decoder<'_>) -> Result<String, Unreadable> {
    from.str_iter()?.collect()
}

/// Whether an array or map goes on: counted, or until its end.
fn another(from: &mut Decoder<'_>, left: &mut Option<u64>) -> Result<bool, Unreadable> {
    match left {
        Some(0) => Ok(false),
        Some(left) => {
            *left -= 1;
            Ok(true)
        }
        None if from.datatype()? == Type::Break => {
            from.skip()?;
            Ok(false)
        }
        None => Ok(true),
    }
}

/// An answer of the shape `name` as CBOR.
pub(crate) fn encode(model: &Model, name: &str, answer: &Value) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    // A vector takes everything.
    let _ = write(model, model.shape(name), answer, &mut to);
    to.into_writer()
}

/// An error as CBOR.
pub(crate) fn fault(body: &Value) -> Vec<u8> {
    let mut to = Encoder::new(Vec::new());
    let members: Vec<(&String, &str)> =
        body.as_object().into_iter().flatten().filter_map(|(k, v)| Some((k, v.as_str()?))).collect();
    let written = to
        .map(members.len() as u64)
        .and_then(|to| members.iter().try_fold(to, |to, (name, text)| to.str(name)?.str(text)));
    drop(written);
    to.into_writer()
}

type Written = Result<(), Unwritable<Infallible>>;

fn write(model: &Model, shape: &Shape, value: &Value, to: &mut Encoder<Vec<u8>>) -> Written {
    match (&shape.kind, value) {
        (Kind::Structure { members, .. }, Value::Object(object)) => {
            let given = |name: &String| object.get(name).filter(|v| !v.is_null());
            let given: Vec<_> = members.iter().filter_map(|(name, inner)| Some((name, inner, given(name)?))).collect();
            to.map(given.len() as u64)?;
            for (name, inner, value) in given {
                to.str(name)?;
                write(model, model.shape(inner), value, to)?;
            }
        }
        (Kind::List { member }, Value::Array(items)) => {
            to.array(items.len() as u64)?;
            items.iter().try_for_each(|item| write(model, model.shape(member), item, to))?;
        }
        (Kind::Map { value: inner, .. }, Value::Object(object)) => {
            to.map(object.len() as u64)?;
            for (key, value) in object {
                to.str(key)?;
                write(model, model.shape(inner), value, to)?;
            }
        }
        (Kind::Timestamp, value) => {
            to.tag(IanaTag::Timestamp)?.f64(value.as_f64().unwrap_or_default())?;
        }
        (Kind::Integer | Kind::Long, value) => {
            to.i64(value.as_i64().unwrap_or_default())?;
        }
        (Kind::Float | Kind::Double, value) => {
            to.f64(value.as_f64().unwrap_or_default())?;
        }
        (Kind::Blob, Value::String(text)) => {
            to.bytes(&base64_simd::STANDARD.decode_to_vec(text).unwrap_or_default())?;
        }
        (_, Value::Bool(yes)) => {
            to.bool(*yes)?;
        }
        (_, Value::String(text)) => {
            to.str(text)?;
        }
        _ => {
            to.null()?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shapes;

    #[test]
    fn what_is_encoded_is_decoded() {
        let answer =
            json!({"Label": "x", "Datapoints": [{"Timestamp": 1.5, "Sum": 2.0, "ExtendedStatistics": {"p99": 0.25}}]});
        let bytes = encode(shapes::cloudwatch(), "GetMetricStatisticsOutput", &answer);
        assert_eq!(decode(&bytes), Ok(answer));
    }

    #[test]
    fn pieces_without_a_length_and_nonsense_are_read_or_refused() {
        let indefinite =
            [0xbf, 0x61, b'a', 0x9f, 0x01, 0x20, 0xff, 0x61, b'b', 0x7f, 0x61, b'x', 0x61, b'y', 0xff, 0xff];
        assert_eq!(decode(&indefinite), Ok(json!({"a": [1, -1], "b": "xy"})));
        assert_eq!(decode(&[]), Ok(json!({})));
        for bad in [&[0xa1_u8][..], &[0x81; 100], &[0xa1, 0x01, 0x01], &[0x5f]] {
            assert!(decode(bad).is_err(), "{bad:?}");
        }
    }
}
