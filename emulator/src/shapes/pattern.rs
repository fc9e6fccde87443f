//! AWS's patterns, written for Java, as the `regex` crate takes them.
//!
//! A pattern has to match the whole value. Java's `\d` and `\w` are ASCII. The few look-arounds in the models become
//! a second pattern that must *not* be found; the table below holds each of them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use regex::{Regex, RegexBuilder};

/// Written so in the model, to be written so for us, and what then must not be found.
const REWRITTEN: [(&str, &str, Option<&str>); 13] = [
    (r"(?<!-)", "", Some(r"-(/[0-9]{1,9})?\z")),
    (r"(?!\s*$)", "", Some(r"\A\s*\z")),
    (r"(?!.*\.\.)", "", Some(r"\.\.")),
    (r"(?=[/\.\-_A-Za-z0-9]+)((?!aws\.).*)", r"[/\.\-_A-Za-z0-9].*", Some(r"\Aaws\.")),
    ("${1,128}", "", None),
    ("${1,256}", "", None),
    (r"\uD800\uDC00-\uDBFF\uDFFF", r"\x{10000}-\x{10FFFF}", None),
    (r"\p{Alnum}", "a-zA-Z0-9", None),
    (r"\p{Print}", "[[:print:]]", None),
    (
        r"(?!((^[ ]+.*)|(.*([\u0000-\u001f]|[\u007f-\u009f]|[:/|])+.*)|(.*[ ]+$)))",
        "",
        Some(r"\A[ ]|[\x00-\x1f\x7f-\x{9f}:/|]|[ ]\z"),
    ),
    // The shape's `max` says it too, and a repeat this long takes seconds to compile.
    ("{0,1024}", "*", None),
    ("{0,1023}", "*", None),
    (r"{1,2048}", "+", None),
];

/// A pattern ready to be asked.
pub(super) struct Pattern {
    whole: Regex,
    refused: Vec<Regex>,
}

impl Pattern {
    pub fn matches(&self, value: &str) -> bool {
        self.whole.is_match(value) && !self.refused.iter().any(|r| r.is_match(value))
    }
}

/// Does `value` match AWS's `pattern`? Compiled patterns are kept.
pub(super) fn matches(pattern: &'static str, value: &str) -> bool {
    static COMPILED: Mutex<Option<HashMap<&'static str, Arc<Pattern>>>> = Mutex::new(None);
    let known = {
        let mut table = COMPILED.lock().unwrap_or_else(PoisonError::into_inner);
        let table = table.get_or_insert_default();
        let compiled = || Arc::new(compile(pattern).expect("a test compiles every pattern of the models"));
        table.entry(pattern).or_insert_with(compiled).clone()
    };
    known.matches(value)
}

pub(super) fn compile(pattern: &str) -> Result<Pattern, regex::Error> {
    let (mut text, mut refused) = (pattern.to_owned(), Vec::new());
    for (theirs, ours, forbidden) in REWRITTEN {
        if text.contains(theirs) {
            text = text.replace(theirs, ours);
            refused.extend(forbidden);
        }
    }
    let whole = format!(r"\A(?:{})\z", ascii_classes(&text));
    let build = |p: &str| RegexBuilder::new(p).size_limit(64 << 20).build();
    Ok(Pattern { whole: build(&whole)?, refused: refused.into_iter().map(build).collect::<Result<_, _>>()? })
}

/// `\d` and `\w` as the ASCII ranges they are in Java, inside and outside of brackets.
fn ascii_classes(pattern: &str) -> String {
    let (mut out, mut inside, mut chars) = (String::with_capacity(pattern.len() + 16), false, pattern.chars());
    while let Some(c) = chars.next() {
        match c {
            '\\' => {
                let escaped = chars.next().unwrap_or('\\');
                let range = match escaped {
                    'd' => "0-9",
                    'w' => "0-9A-Za-z_",
                    other => {
                        out.extend(['\\', other]);
                        continue;
                    }
                };
                if inside {
                    out.push_str(range);
                } else {
                    out.extend(["[", range, "]"]);
                }
            }
            _ => {
                inside = if inside { c != ']' } else { c == '[' };
                out.push(c);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_java_means() {
        let name = r"(arn:aws[a-z\-]*:sagemaker:[a-z0-9\-]*:[0-9]{12}:[a-z\-]*\/)?([a-zA-Z0-9]([a-zA-Z0-9-]){0,62})(?<!-)(\/[0-9]{1,9})?";
        for (pattern, value, want) in [
            ("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a-b", true),
            ("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a_b", false),
            ("[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}", "a\n", false),
            (r"\d{12}", "123456789012", true),
            (r"\d{12}", "١٢٣٤٥٦٧٨٩٠١٢", false),
            (r"[\w-]+", "a_b-c", true),
            (r"[\S]+", "a b", false),
            (r"(?!\s*$).+", "  ", false),
            (r"(?!\s*$).+", " x", true),
            (r"/(?!.*\.\.)[a-zA-Z0-9/_.\-]+", "/a/../b", false),
            (name, "group", true),
            (name, "group-", false),
            (name, "group-/1", false),
            (name, "arn:aws:sagemaker:us-east-1:000000000000:model-package/group/12", true),
            (r"([\p{L}\p{Z}\p{N}_.:\/=+\-@]*)${1,128}", "größe/한국", true),
            (r"[\u0020-\uD7FF\uE000-\uFFFD\uD800\uDC00-\uDBFF\uDFFF\t]*", "tab\t😀", true),
        ] {
            assert_eq!(matches(pattern, value), want, "{pattern} on {value:?}");
        }
    }
}
