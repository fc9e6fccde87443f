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
