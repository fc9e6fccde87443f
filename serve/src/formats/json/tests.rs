//! Shapes, refusals, and a slow twin on `serde_json::Value`.

use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

type Read = for<'b> fn(&'b str, &mut Documents<'b>) -> Result<(), ApiError>;

fn texts(read: Read, body: &str) -> Result<Vec<String>, String> {
    let mut documents = Documents::new(100);
    read(body, &mut documents).map_err(|e| e.to_string())?;
    Ok(documents.iter().map(str::to_owned).collect())
}

#[test]
fn each_shape() {
    for (body, want) in [
        (r#"{"text": "good"}"#, vec!["good"]),
        (r#"{"instances": ["good", {"text": "bad"}]}"#, vec!["good", "bad"]),
        (r#"["good", {"text": "bad"}, "\u00e7a \"va\" \ud83d\ude00"]"#, vec!["good", "bad", "ça \"va\" 😀"]),
        (r#" {"id": [{"text": 1}], "text": "good", "more": null} "#, vec!["good"]),
        (r#"[{"instances": 5, "text": "good"}]"#, vec!["good"]),
        (r#"{"te\u0078t": "an escaped key"}"#, vec!["an escaped key"]),
    ] {
        assert_eq!(texts(read, body), Ok(want.into_iter().map(str::to_owned).collect()), "{body}");
    }
}

#[test]
fn refusals_name_the_path_and_the_position() {
    let deep = "[".repeat(100_000);
    let ignored = format!(r#"{{"more": {}, "text": 1}}"#, "[".repeat(90_000) + &"]".repeat(90_000));
    for (body, want) in [
        (
            r#"{"instances": ["a", {"text": 5}]}"#,
            "instances[1].text: expected a string, found a number at line 1 column",
        ),
        (r#"{"instances": ["a", {"txt": "b"}]}"#, "instances[1]: the object has no `text` at line 1"),
        (r#"{"instances": ["a", "  "]}"#, "instances[1] is an empty text"),
        (r#"{"instances": "secret"}"#, "instances: expected an array, found a string at line 1"),
        (r#"{"instances": {"text": "secret"}}"#, "instances: expected an array, found an object"),
        (r#"[["secret"]]"#, "[0]: expected a string or an object, found an array"),
        (r#"["a", null]"#, "[1]: expected a string or an object, found null"),
        (r#"[{"text": "a"}, {"text": ""}]"#, "[1].text is an empty text"),
        (r#"{"text": ["secret"]}"#, "text: expected a string, found an array"),
        (r#"{"text": ""}"#, "text is an empty text"),
        (r#"{"text": "a", "text": "b"}"#, "the same key twice"),
        (r#"{"text": "a", "instances": []}"#, "both `text` and `instances`"),
        (r#"{"inputs": "secret"}"#, "the object has neither `text` nor `instances`"),
        (r#""secret""#, "expected an object or an array, found a string"),
        ("5", "expected an object or an array, found a number"),
        ("true", "expected an object or an array, found a boolean"),
        ("", "EOF while parsing a value at line 1 column 0"),
        ("{\"text\":\n \"secret\"", "EOF while parsing an object at line 2 column 9"),
        (r#"["a" "secret"]"#, "[1]: expected `,` or `]` at line 1 column 6"),
        (r#"["a"] secret"#, "trailing characters at line 1 column 7"),
        (r#"{"text": "\ud800 secret"}"#, "text: "),
        (r#"{"text": "\udc00"}"#, "text: "),
        ("[\"tab\tinside\"]", "[0]: control character"),
        (&deep, "[0]: expected a string or an object, found an array"),
        (&ignored, "text: expected a string, found a number"),
    ] {
        let error = texts(read, body).unwrap_err();
        let body = &body[..body.len().min(60)];
        assert!(error.starts_with(want), "{body}: {error}");
        assert!(error.contains("; send "), "{body}: {error}");
        assert!(!error.contains("secret"), "{body}: {error}");
    }
}

#[test]
fn lines() {
    let want = |texts: &[&str]| Ok(texts.iter().map(|text| text.to_string()).collect());
    assert_eq!(texts(read_lines, "{\"text\": \"good\"}\r\n\"bad\"\n\n"), want(&["good", "bad"]));
    for (body, want) in [
        ("\"good\"\n5", "line 2: expected a string or an object, found a number at column 1; send one"),
        ("\"good\"\n[\"bad\"]", "line 2: expected a string or an object, found an array"),
        ("\"good\"\n{\"text\": 5}", "line 2: text: expected a string, found a number at column"),
        ("\"good\"\n\n\"bad\"", "line 2: EOF while parsing a value at column 0"),
        ("\"good\" \"bad\"", "line 1: trailing characters at column 8"),
        ("\"good\"\n\"\"", "line 2 is an empty text"),
        ("{\"text\": \" \"}", "line 1: text is an empty text"),
    ] {
        let error = texts(read_lines, body).unwrap_err();
        assert!(error.starts_with(want), "{body}: {error}");
    }
}

/// What the body means, read by way of a tree.
fn slow_twin(body: &str) -> Option<Vec<String>> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let document = |value: &Value| if value.is_object() { text(&value["text"]) } else { text(value) };
    let body: Value = serde_json::from_str(body).ok()?;
    match &body {
        Value::Array(documents) => documents.iter().map(document).collect(),
        Value::Object(keys) if keys.contains_key("text") && keys.contains_key("instances") => None,
        Value::Object(keys) if keys.contains_key("text") => Some(vec![text(&body["text"])?]),
        _ => body["instances"].as_array()?.iter().map(document).collect(),
    }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => "[a-z\"\\\\ é😀\n]{1,6}".prop_map(Value::from),
        1 => prop_oneof![Just(json!("")), Just(json!(null)), Just(json!(true)), Just(json!(-7)), Just(json!(0.5))],
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key = prop_oneof![4 => Just("text"), 2 => Just("instances"), 1 => Just("id")].prop_map(str::to_owned);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..3).prop_map(|keys| Value::Object(keys.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn reads_what_the_slow_twin_reads(value in value(), cut in 0_usize..400, pretty: bool) {
        let body = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        // Now and then the end is missing.
        let body = body.get(..cut).unwrap_or(&body);
        prop_assert_eq!(texts(read, body).ok(), slow_twin(body), "{}", body);
    }
}
