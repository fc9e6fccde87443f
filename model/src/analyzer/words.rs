//! Text to words: scikit-learn's default token pattern, `(?u)\b\w\w+\b`; the same with short words and punctuation marks,
//! `(?u)\w+|[^\w\s]`; and what white space parts.

use super::chars::{is_space, is_word};

/// Visits the words of `text` in order: every longest run of word characters, where it has two or more.
#[inline]
pub(super) fn words<'t>(text: &'t str, mut visit: impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        let mut length = 0;
        while at < bytes.len() {
            let (is_word, width) = word_char(text, bytes, at);
            if !is_word {
                break;
            }
            at += width;
            length += 1;
        }
        if length >= 2 {
            visit(&text[start..at]);
        }
        // What ended the run is no word character.
        if at < bytes.len() {
            at += word_char(text, bytes, at).1;
        }
    }
}

/// Visits, in order, every longest run of word characters and every character that is neither of a word nor white space.
#[inline]
pub(super) fn words_and_marks<'t>(text: &'t str, mut visit: impl FnMut(&'t str)) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        let start = at;
        while at < bytes.len() {
            let (is_word, width) = word_char(text, bytes, at);
            if !is_word {
                break;
            }
            at += width;
        }
        if at > start {
            visit(&text[start..at]);
        }
        if let Some(c) = text[at..].chars().next() {
            let next = at + c.len_utf8();
            if !is_space(c) {
                visit(&text[at..next]);
            }
            at = next;
        }
    }
}

/// Visits what white space parts, none of it empty.
#[inline]
pub(super) fn pieces<'t>(text: &'t str, visit: impl FnMut(&'t str)) {
    text.split(is_space).filter(|piece| !piece.is_empty()).for_each(visit);
}

/// Whether the character at byte `at` is of words, and its width in bytes.
#[inline]
fn word_char(text: &str, bytes: &[u8], at: usize) -> (bool, usize) {
    match bytes[at] {
        byte if byte.is_ascii() => (ASCII_WORD[byte as usize], 1),
        _ => text[at..].chars().next().map_or((false, 1), |c| (is_word(c), c.len_utf8())),
    }
}

static ASCII_WORD: [bool; 128] = {
    let mut table = [false; 128];
    let mut byte = 0;
    while byte < 128 {
        table[byte] = (byte as u8).is_ascii_alphanumeric() || byte as u8 == b'_';
        byte += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn split(text: &str) -> Vec<&str> {
        let mut found = Vec::new();
        words(text, |word| found.push(word));
        found
    }

    /// The pattern's meaning, a character at a time.
    fn slow(text: &str) -> Vec<&str> {
        text.split(|c| !is_word(c)).filter(|word| word.chars().count() >= 2).collect()
    }

    #[test]
    fn words_are_runs_of_two_or_more() {
        let cases: [(&str, &[&str]); 6] = [
            ("I don't like it, a_b 4 42!", &["don", "like", "it", "a_b", "42"]),
            ("", &[]),
            ("é ça", &["ça"]),
            ("नमस्ते दुनिया", &["नमस"]), // marks part words in Python
            ("안녕하세요 세계", &["안녕하세요", "세계"]),
            ("x² ½ Ⅷ① 😀😀", &["x²", "Ⅷ①"]),
        ];
        for (text, want) in cases {
            assert_eq!(split(text), want, "{text}");
        }
    }

    proptest! {
        #[test]
        fn the_ascii_path_is_the_general_path(text in "[ -~]{0,40}|\\PC{0,40}|[a-c_é²ः가 -]{0,40}") {
            prop_assert_eq!(split(&text), slow(&text));
        }

        #[test]
        fn words_and_marks_are_all_but_spaces(text in "[ -~]{0,40}|\\PC{0,40}|[a-c_é²ः가 -]{0,40}") {
            let mut found = Vec::new();
            words_and_marks(&text, |word| found.push(word));
            prop_assert_eq!(found.concat(), text.replace(is_space, ""));
            for pair in found.windows(2) {
                let runs = pair.iter().all(|part| part.chars().all(is_word));
                let between = pair[1].as_ptr() as usize - pair[0].as_ptr() as usize - pair[0].len();
                prop_assert!(!runs || between > 0, "{:?} is one run", pair);
            }
            prop_assert!(found.iter().all(|part| part.chars().all(is_word) || part.chars().count() == 1));
        }
    }
}
