//! Lowercase and accents, as scikit-learn's preprocessor: first the one, then the other.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::canonical_combining_class;

use crate::tfidf::StripAccents;

/// Appends `text` to `out`, lowercased and stripped as asked.
pub(super) fn preprocess(text: &str, lowercase: bool, strip: Option<StripAccents>, out: &mut String) {
    // ASCII holds no accents: both ways of stripping leave it alone.
    if text.is_ascii() || strip.is_none() {
        return if lowercase { push_lowercase(text, out) } else { out.push_str(text) };
    }
    let lower;
    let text = if lowercase {
        lower = text.to_lowercase();
        &lower
    } else {
        text
    };
    match strip {
        Some(StripAccents::Ascii) => out.extend(text.nfkd().filter(char::is_ascii)),
        Some(StripAccents::Unicode) if text.is_ascii() => out.push_str(text),
        Some(StripAccents::Unicode) => out.extend(text.nfkd().filter(|&c| canonical_combining_class(c) == 0)),
        None => out.push_str(text),
    }
}

/// `str::to_lowercase` into a buffer that is there already.
fn push_lowercase(text: &str, out: &mut String) {
    if text.is_ascii() {
        let start = out.len();
        out.push_str(text);
        return out[start..].make_ascii_lowercase();
    }
    // A capital sigma becomes ς at a word's end and σ elsewhere: the one letter that needs its neighbours.
    if text.contains('Σ') {
        return out.push_str(&text.to_lowercase());
    }
    let mut rest = text;
    while !rest.is_empty() {
        let ascii = rest.bytes().position(|b| !b.is_ascii()).unwrap_or(rest.len());
        let start = out.len();
        out.push_str(&rest[..ascii]);
        out[start..].make_ascii_lowercase();
        rest = &rest[ascii..];
        let mut chars = rest.chars();
        while let Some(c) = chars.clone().next().filter(|c| !c.is_ascii()) {
            out.extend(c.to_lowercase());
            chars.next();
        }
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_way_of_stripping() {
        let cases = [
            ("Café ÉTÉ", true, None, "café été"),
            ("Café ÉTÉ", false, Some(StripAccents::Ascii), "Cafe ETE"),
            ("Straße ﬁn", true, Some(StripAccents::Ascii), "strae fin"),
            ("Straße ﬁn Ελλάδα", true, Some(StripAccents::Unicode), "straße fin ελλαδα"),
            ("ΟΔΟΣ", true, None, "οδος"),
            ("İstanbul", true, None, "i\u{307}stanbul"),
            ("İstanbul", true, Some(StripAccents::Unicode), "istanbul"),
        ];
        for (text, lowercase, strip, want) in cases {
            let mut out = String::new();
            preprocess(text, lowercase, strip, &mut out);
            assert_eq!(out, want, "{text} lowercase={lowercase} strip={strip:?}");
        }
    }

    proptest! {
        #[test]
        fn lowercase_is_the_standard_librarys(text in "\\PC*|[a-zA-ZΣσς İÉß]{0,20}") {
            let mut out = String::new();
            push_lowercase(&text, &mut out);
            prop_assert_eq!(out, text.to_lowercase());
        }
    }
}
