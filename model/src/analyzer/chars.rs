//! Kinds of characters, as Python sees them.

use unicode_properties::{GeneralCategoryGroup, UnicodeGeneralCategory};

/// Python's `\w` in a `str` pattern: `str.isalnum()` or `_`, that is the categories L* and N*.
///
/// Marks are not among them (Rust's and most regex engines' `\w` counts them), so Python parts a Hindi word at its vowel signs.
#[inline]
pub(crate) fn is_word(c: char) -> bool {
    match c {
        '_' => true,
        _ if c.is_ascii() => c.is_ascii_alphanumeric(),
        // Hangul syllables, CJK ideographs, Cyrillic: whole blocks of letters, ahead of the table search.
        '\u{AC00}'..='\u{D7A3}' | '\u{4E00}'..='\u{9FFF}' | '\u{0400}'..='\u{0481}' => true,
        // Alphabetic and numeric hold every L* and N*, and marks and symbols beside.
        _ => {
            c.is_alphanumeric()
                && matches!(c.general_category_group(), GeneralCategoryGroup::Letter | GeneralCategoryGroup::Number)
        }
    }
}

/// Python's `str.isspace` and `\s`: Unicode's white space and the four ASCII separators U+001C to U+001F.
#[inline]
pub(crate) fn is_space(c: char) -> bool {
    matches!(c, '\u{1C}'..='\u{1F}') || c.is_whitespace()
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Recorded {
        assigned: Vec<(u32, u32)>,
        word: Vec<(u32, u32)>,
        space: Vec<(u32, u32)>,
        lower: HashMap<char, String>,
    }

    fn chars(ranges: &[(u32, u32)]) -> impl Iterator<Item = char> {
        ranges.iter().flat_map(|&(first, last)| (first..=last).filter_map(char::from_u32))
    }

    /// Every character that recording Python knew (our tables know younger ones too).
    #[test]
    fn characters_are_what_python_says() {
        let recorded: Recorded =
            serde_json::from_str(include_str!("../../tests/golden/chars/expected.json")).expect("the recording");
        let [word, space] =
            [&recorded.word, &recorded.space].map(|ranges| chars(ranges).collect::<std::collections::HashSet<char>>());
        let mut differ = Vec::new();
        for c in chars(&recorded.assigned) {
            let same_case = match recorded.lower.get(&c) {
                Some(lower) => c.to_lowercase().to_string() == *lower,
                None => c.to_lowercase().eq([c]),
            };
            if is_word(c) != word.contains(&c) || is_space(c) != space.contains(&c) || !same_case {
                differ.push(format!("U+{:04X}", c as u32));
            }
        }
        assert_eq!(differ, [""; 0]);
    }
}
