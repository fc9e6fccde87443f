//! The JSONPath of `DataProcessing`: members, elements, slices, unions and the wildcard, as AWS lists them. A row of CSV
//! is an array.

use serde_json::{Map, Value};

/// A filter, read.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct JsonPath(Vec<Step>);

#[derive(Clone, Debug, PartialEq)]
enum Step {
    Member(String),
    /// Several members, which stay an object.
    Members(Vec<String>),
    /// Counted from the end where negative.
    Element(i64),
    /// Several elements, which stay an array.
    Elements(Vec<i64>),
    Slice(Option<i64>, Option<i64>),
    All,
}

impl JsonPath {
    /// Reads `$.a`, `$['a','b']`, `$[0]`, `$[0,-1]`, `$[1:]`, `$[*]` and what is put together of them.
    pub fn parse(text: &str) -> Result<JsonPath, String> {
        let wrong = |why: &str| format!("`{text}` is no JSONPath that a transform job takes: {why}");
        let mut rest = text.strip_prefix('$').ok_or_else(|| wrong("it does not begin with $"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix('.') {
                let end = after.find(['.', '[']).unwrap_or(after.len());
                let (name, tail) = after.split_at(end);
                steps.push(match name {
                    "" => return Err(wrong("a member has no name")),
                    "*" => Step::All,
                    name => Step::Member(name.to_owned()),
                });
                rest = tail;
            } else if let Some(after) = rest.strip_prefix('[') {
                let (inner, tail) = bracket(after).ok_or_else(|| wrong("a bracket is not closed"))?;
                steps.push(Step::within(inner).ok_or_else(|| wrong(&format!("[{inner}] is not known")))?);
                rest = tail;
            } else {
                return Err(wrong(&format!("`{rest}` begins with neither . nor [")));
            }
        }
        Ok(JsonPath(steps))
    }

    /// What it selects; the reason where there is no such thing.
    pub fn select(&self, value: &Value) -> Result<Value, String> {
        let mut found = value.clone();
        for step in &self.0 {
            found = step.select(&found).ok_or_else(|| format!("the filter finds nothing in {}", shown(value)))?;
        }
        Ok(found)
    }
}

/// What stands up to the bracket's end, quotes heeded, and what follows.
fn bracket(text: &str) -> Option<(&str, &str)> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (c, quote) {
            (']', None) => return Some((&text[..at], &text[at + 1..])),
            ('\'' | '"', None) => quote = Some(c),
            (c, Some(open)) if c == open => quote = None,
            _ => {}
        }
    }
    None
}

impl Step {
    fn within(inner: &str) -> Option<Step> {
        if inner.trim() == "*" {
            return Some(Step::All);
        }
        if let Some(names) = names(inner) {
            return match <[String; 1]>::try_from(names) {
                Ok([name]) => Some(Step::Member(name)),
                Err(names) => Some(Step::Members(names)),
            };
        }
        if let Some((from, to)) = inner.split_once(':') {
            let end = |text: &str| if text.trim().is_empty() { Some(None) } else { text.trim().parse().ok().map(Some) };
            return Some(Step::Slice(end(from)?, end(to)?));
        }
        let numbers: Option<Vec<i64>> = inner.split(',').map(|n| n.trim().parse().ok()).collect();
        match numbers?.as_slice() {
            [one] => Some(Step::Element(*one)),
            several => Some(Step::Elements(several.to_vec())),
        }
    }

    fn select(&self, value: &Value) -> Option<Value> {
        match (self, value) {
            (Step::Member(name), Value::Object(members)) => members.get(name).cloned(),
            (Step::Members(names), Value::Object(members)) => {
                let kept = names.iter().map(|name| Some((name.clone(), members.get(name)?.clone())));
                Some(Value::Object(kept.collect::<Option<Map<_, _>>>()?))
            }
            (Step::Element(n), Value::Array(items)) => items.get(place(*n, items.len())?).cloned(),
            (Step::Elements(wanted), Value::Array(items)) => {
                wanted.iter().map(|n| items.get(place(*n, items.len())?).cloned()).collect::<Option<_>>()
            }
            (Step::Slice(from, to), Value::Array(items)) => {
                let at = |n: i64| usize::try_from(if n < 0 { items.len() as i64 + n } else { n }).unwrap_or(0);
                let (from, to) = (from.map_or(0, at), to.map_or(items.len(), at).min(items.len()));
                Some(items.get(from.min(to)..to)?.to_vec().into())
            }
            (Step::All, Value::Array(_)) => Some(value.clone()),
            (Step::All, Value::Object(members)) => Some(members.values().cloned().collect()),
            _ => None,
        }
    }
}

/// The names of `'a', "b"`; nothing where it is no list of quoted names.
fn names(inner: &str) -> Option<Vec<String>> {
    let (mut rest, mut names) = (inner.trim(), Vec::new());
    loop {
        let quote = rest.chars().next().filter(|c| matches!(c, '\'' | '"'))?;
        let (name, tail) = rest[1..].split_once(quote)?;
        names.push(name.to_owned());
        match tail.trim_start() {
            "" => return Some(names),
            tail => rest = tail.strip_prefix(',')?.trim_start(),
        }
    }
}

fn place(n: i64, length: usize) -> Option<usize> {
    usize::try_from(if n < 0 { n + i64::try_from(length).ok()? } else { n }).ok()
}

fn shown(value: &Value) -> String {
    value.to_string().chars().take(100).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_select_what_awss_examples_say() {
        let object = json!({"id": 7, "text": "good", "meta": {"a.b": [1, 2, 3]}});
        let row = json!(["7", "good", "de", "0.5"]);
        for (path, of, want) in [
            ("$", &object, object.clone()),
            ("$.text", &object, json!("good")),
            ("$['id','text']", &object, json!({"id": 7, "text": "good"})),
            ("$.meta['a.b'][-1]", &object, json!(3)),
            ("$.meta.*[0][0:2]", &object, json!([1, 2])),
            ("$[1:]", &row, json!(["good", "de", "0.5"])),
            ("$[:-1]", &row, json!(["7", "good", "de"])),
            ("$[0, -1]", &row, json!(["7", "0.5"])),
            ("$[1]", &row, json!("good")),
            ("$[5:]", &row, json!([])),
        ] {
            assert_eq!(JsonPath::parse(path).and_then(|p| p.select(of)), Ok(want), "{path}");
        }
        for path in ["", "text", "$text", "$.", "$[", "$['a'", "$['a'b]", "$[x]", "$[1:x]", "$[]"] {
            assert!(JsonPath::parse(path).is_err(), "{path}");
        }
        for path in ["$.gone", "$['id','gone']", "$[0]"] {
            let refused = JsonPath::parse(path).expect(path).select(&object).expect_err(path);
            assert!(refused.starts_with("the filter finds nothing in {\"id\":7"), "{refused}");
        }
        assert!(JsonPath::parse("$[9]").expect("path").select(&row).is_err());
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\$?[.\\[\\]'a0-9:,*-]{0,12}") {
            if let Ok(path) = JsonPath::parse(&text) {
                let _ = path.select(&json!([1, {"a": [2]}]));
            }
        }

        #[test]
        fn slices_are_rusts(items in proptest::collection::vec(0..9, 0..6), from in 0_usize..8, to in 0_usize..8) {
            let got = JsonPath::parse(&format!("$[{from}:{to}]")).unwrap().select(&json!(items)).unwrap();
            let want: Vec<i32> = items.iter().take(to).skip(from).copied().collect();
            prop_assert_eq!(got, json!(want));
        }
    }
}
