//! Shapes, refusals, and a slow twin on `serde_json::Value`.

use super::super::documents::BadRecord;
use super::*;
use proptest::prelude::*;
use serde_json::{Value, json};

type Read = for<'b> fn(&'b str, &mut Documents<'b>) -> Result<(), ApiError>;

fn texts(read: Read, body: &str) -> Result<Vec<String>, String> {
    let mut documents = Documents::new(100, BadRecord::RefusesAll);
    read(body, &mut documents).map_err(|e| e.to_string())?;
    Ok(documents.iter().map(|text| text.unwrap().to_owned()).collect())
}

/// The records, with what is wrong with those that are no document.
fn records(read: Read, body: &str) -> Result<Vec<Result<String, String>>, String> {
    let mut documents = Documents::new(100, BadRecord::KeepsPlace);
    read(body, &mut documents).map_err(|e| e.to_string())?;
    Ok(documents.iter().map(|record| record.map(str::to_owned).map_err(str::to_owned)).collect())
}

fn read_lines<'b>(body: &'b str, documents: &mut Documents<'b>) -> Result<(), ApiError> {
    super::read_lines(body.as_bytes(), documents)
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

#[test]
fn a_bad_record_keeps_its_place() {
    let twice = r#"{"text": "secret", "id": {"a": [1]}, "text": "secret", "text": 5}"#;
    let bad = [
        ("5", "expected a string or an object, found a number"),
        ("null", "expected a string or an object, found null"),
        (r#"[["secret"], {"text": "secret"}]"#, "expected a string or an object, found an array"),
        (r#"{"id": 7, "txt": "secret"}"#, "the object has no `text`"),
        (r#"{"text": {"text": "secret"}, "id": 7}"#, "text: expected a string, found an object"),
        (r#"{"text": ["secret"]}"#, "text: expected a string, found an array"),
        (r#"{"text": ""}"#, "text is an empty text"),
        (r#"" ""#, "is an empty text"),
        (twice, "the same key twice"),
    ];
    for (record, why) in bad {
        let list =
            records(read, &format!(r#"{{"id": 1, "instances": ["good", {record}, "fine"], "more": 2}}"#)).unwrap();
        let lines = records(read_lines, &format!("\"good\"\n{record}\n\"fine\"\n")).unwrap();
        for (read, name) in [(&list, "instances[1]"), (&lines, "line 2")] {
            assert_eq!((read.len(), &read[0], &read[2]), (3, &Ok("good".into()), &Ok("fine".into())), "{record}");
            let error = read[1].as_ref().unwrap_err();
            assert!(error.starts_with(name) && error.contains(why), "{record}: {error}");
            assert!(error.contains("; send ") && !error.contains("secret"), "{record}: {error}");
        }
    }
    for (line, why) in [
        ("{\"text\": \"secret", "line 2: text: EOF while parsing a string at column 16; send one"),
        (r#"{"text": "\ud800"}"#, "line 2: text: "),
        ("", "line 2: EOF while parsing a value at column 0; send one"),
        (r#""secret" "secret""#, "line 2: trailing characters at column 10; send one"),
        (r#""secret", "secret""#, "line 2: trailing characters at column 9; send one"),
    ] {
        let lines = records(read_lines, &format!("\"good\"\r\n{line}\n\"fine\"")).unwrap();
        assert_eq!((lines.len(), &lines[0], &lines[2]), (3, &Ok("good".into()), &Ok("fine".into())), "{line}");
        let error = lines[1].as_ref().unwrap_err();
        assert!(error.starts_with(why) && !error.contains("secret"), "{line}: {error}");
    }
    // Alone it is refused; a list that is no JSON is, whole.
    for body in [r#"{"text": 5}"#, r#"{"text": " "}"#, r#"["good", {"text": "\ud800"}]"#, r#"["good", "fine""#] {
        assert!(records(read, body).is_err(), "{body}");
    }
}

/// What the body means, read by way of a tree: the records, `None` where one is no document.
fn slow_twin(body: &str) -> Option<Vec<Option<String>>> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    let document = |value: &Value| if value.is_object() { text(&value["text"]) } else { text(value) };
    let body: Value = serde_json::from_str(body).ok()?;
    match &body {
        Value::Array(documents) => Some(documents.iter().map(document).collect()),
        Value::Object(keys) if keys.contains_key("text") && keys.contains_key("instances") => None,
        Value::Object(keys) if keys.contains_key("text") => Some(vec![Some(text(&body["text"])?)]),
        _ => Some(body["instances"].as_array()?.iter().map(document).collect()),
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
    /// Texts alone, long and short, read ahead of the library where they can be: as it reads them.
    #[test]
    fn a_text_alone_is_what_the_library_reads(
        text in "[ -~é\n]{0,3}|[a-z é]{60,70}[\"\\\\\n\u{1}é]?[a-z]{0,70}",
        escaped: bool,
        before in "[ \n\u{c}]?",
        after in "[ \t}x]?",
    ) {
        let text = if escaped { serde_json::to_string(&text).unwrap() } else { format!("\"{text}\"") };
        let body = format!("{before}{{{before}\"text\"{before}:{before}{text}{before}}}{after}");
        let twin = slow_twin(&body).map(|records| records.into_iter().flatten().collect::<Vec<_>>());
        prop_assert_eq!(texts(read, &body).ok(), twin, "{}", body);
    }

    #[test]
    fn reads_what_the_slow_twin_reads(value in value(), cut in 0_usize..400, pretty: bool) {
        let body = if pretty { serde_json::to_string_pretty(&value).unwrap() } else { value.to_string() };
        // Now and then the end is missing.
        let body = body.get(..cut).unwrap_or(&body);
        let twin = slow_twin(body);
        let kept = records(read, body).ok().map(|records| records.into_iter().map(Result::ok).collect::<Vec<_>>());
        prop_assert_eq!(&kept, &twin, "{}", body);
        prop_assert_eq!(texts(read, body).ok(), twin.and_then(|records| records.into_iter().collect()), "{}", body);
    }
}
