//! Text to words: scikit-learn's default token pattern, `(?u)\b\w\w+\b`; the same with short words and punctuation marks,
//! `(?u)\w+|[^\w\s]`; and what white space parts.

use wide::u8x64;

use super::chars::{is_space, is_word};

/// Visits the words of `text` in order: every longest run of word characters, where it has two or more.
#[inline]
pub(super) fn words<'t>(text: &'t str, mut visit: impl FnMut(&'t str)) {
    spans(text, |start, end| visit(&text[start..end]));
}

/// Visits where each of these words begins and ends.
#[inline]
pub(super) fn spans(text: &str, mut visit: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    runs(text, |start, end| {
        // A word of one letter is one of one byte, but for letters that take more.
        let width = end - start;
        if width >= 2 && (bytes[start].is_ascii() || width > 4 || text[start..end].chars().nth(1).is_some()) {
            visit(start, end);
        }
    });
}

/// Bytes that are looked at together: a bit each.
const BLOCK: usize = u64::BITS as usize;

/// Visits where every longest run of word characters begins and ends, but for nearly all runs of one byte, which are no
/// words.
///
/// A block's bytes become a mask of those in words, whose edges are then read off: nothing is decided byte by byte, which
/// no processor guesses right, since words have all lengths.
#[inline]
fn runs(text: &str, mut visit: impl FnMut(usize, usize)) {
    let bytes = text.as_bytes();
    let (blocks, rest) = bytes.as_chunks::<BLOCK>();
    // What follows the text is no word: zeros, a block of them where nothing else is left.
    let mut last = [0; BLOCK];
    last[..rest.len()].copy_from_slice(rest);
    // Whether the byte before is in a word, and where that begins; where characters are to be read on; marks of a
    // character that reaches into the next block.
    let (mut inside, mut start, mut next, mut beyond) = (0, 0, 0, 0);
    for (block, base) in blocks.iter().chain([&last]).zip((0..).step_by(BLOCK)) {
        let mask = match block.is_ascii() {
            true => ascii_mask(block),
            false => mixed_mask(text, base, &mut next, &mut beyond),
        };
        // A byte alone is taken away; one at the end stays where what follows may be of its word.
        let follows = bytes.get(base + BLOCK).is_some_and(|&byte| !byte.is_ascii() || ASCII_WORD[byte as usize]);
        let mask = mask & (mask << 1 | inside | mask >> 1 | u64::from(follows) << (BLOCK - 1));
        let before = mask << 1 | inside;
        let (mut starts, mut ends) = (mask & !before, before & !mask);
        if inside == 0 {
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        while ends != 0 {
            visit(start, base + ends.trailing_zeros() as usize);
            ends &= ends - 1;
            start = base + starts.trailing_zeros() as usize;
            starts &= starts.wrapping_sub(1);
        }
        inside = mask >> (BLOCK - 1);
    }
}

/// The bytes of words among bytes that are all ASCII: a bit each, the first lowest.
#[inline]
fn ascii_mask(block: &[u8; BLOCK]) -> u64 {
    let (bytes, all) = (u8x64::new(*block), u8x64::splat);
    let letters = ((bytes | all(0x20)) - all(b'a')).simd_le(all(25));
    let digits = (bytes - all(b'0')).simd_le(all(9));
    (letters | digits | bytes.simd_eq(all(b'_'))).to_bitmask()
}

/// Likewise of the block that begins at `base` and holds other characters: all bytes of a character are marked.
#[inline(never)]
fn mixed_mask(text: &str, base: usize, next: &mut usize, beyond: &mut u64) -> u64 {
    let (bytes, mut at, mut mask) = (text.as_bytes(), base.max(*next), std::mem::take(beyond));
    while at < bytes.len().min(base + BLOCK) {
        let (is_word, width) = word_char(text, bytes, at);
        if is_word {
            let marks = ((1u128 << width) - 1) << (at - base);
            mask |= marks as u64;
            *beyond |= (marks >> BLOCK) as u64;
        }
        at += width;
    }
    *next = at;
    mask
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
        fn runs_are_the_patterns(text in "[ -~]{0,200}|\\PC{0,40}|[a-c_é²ः가 -]{0,200}|([a-z ]{0,90}[é²ः가 ]{0,3}){0,5}") {
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
