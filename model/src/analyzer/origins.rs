//! From the prepared text back to the text as it came: lowercasing and stripping change lengths.

use std::ops::Range;
use std::str::Chars;

use unicode_normalization::char::{canonical_combining_class, decompose_compatible};

use crate::tfidf::StripAccents;

/// Of each character of a prepared text, in order, the characters of the original that it comes from: one, and the
/// accents after it that were stripped. Several characters may come from one (`İ` becomes two, `ﬁ` stripped `fi`).
///
/// Stripping sorts the accents of a letter before it drops them, and drops nothing else out of order: so it is enough to
/// look at one character at a time.
#[derive(Debug, Clone)]
pub(crate) struct Origins<'t> {
    rest: Chars<'t>,
    lowercase: bool,
    strip: Option<StripAccents>,
    /// Characters of the original that were taken.
    taken: usize,
    current: Range<usize>,
    /// Characters of the prepared text that still come from `current`.
    left: usize,
}

impl<'t> Origins<'t> {
    pub(super) fn new(text: &'t str, lowercase: bool, strip: Option<StripAccents>) -> Self {
        Origins { rest: text.chars(), lowercase, strip, taken: 0, current: 0..0, left: 0 }
    }

    /// How many characters become of one.
    fn made_of(&self, c: char) -> usize {
        if c.is_ascii() {
            return 1;
        }
        let mut made = 0;
        let mut strip = |c: char| match self.strip {
            None => made += 1,
            Some(StripAccents::Ascii) => decompose_compatible(c, |part| made += usize::from(part.is_ascii())),
            Some(StripAccents::Unicode) => decompose_compatible(c, |part| made += usize::from(!is_accent(part))),
        };
        match self.lowercase {
            true => c.to_lowercase().for_each(&mut strip),
            false => strip(c),
        }
        made
    }
}

fn is_accent(c: char) -> bool {
    canonical_combining_class(c) != 0
}

impl Iterator for Origins<'_> {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        while self.left == 0 {
            let c = self.rest.next()?;
            self.left = self.made_of(c);
            let start = self.taken;
            self.taken += 1;
            if self.left > 0 && self.strip.is_some() {
                let stripped = |c: &char| is_accent(*c) && self.made_of(*c) == 0;
                let accents = self.rest.clone().take_while(stripped).count();
                self.rest.by_ref().take(accents).for_each(drop);
                self.taken += accents;
            }
            self.current = start..self.taken;
        }
        self.left -= 1;
        Some(self.current.clone())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::analyzer::preprocess::preprocess;

    #[test]
    fn lengths_that_change() {
        let (unicode, ascii) = (Some(StripAccents::Unicode), Some(StripAccents::Ascii));
        let cases = [
            ("aé", None, vec![0..1, 1..2]),
            ("İs", None, vec![0..1, 0..1, 1..2]),
            ("e\u{301}s", None, vec![0..1, 1..2, 2..3]),
            ("e\u{301}\u{302}s", unicode, vec![0..3, 3..4]),
            ("\u{301}ﬁ", unicode, vec![1..2, 1..2]),
            ("é中s", ascii, vec![0..1, 2..3]),
        ];
        for (text, strip, want) in cases {
            assert_eq!(Origins::new(text, true, strip).collect::<Vec<_>>(), want, "{text} {strip:?}");
        }
    }

    fn strip() -> impl Strategy<Value = Option<StripAccents>> {
        prop_oneof![Just(None), Just(Some(StripAccents::Ascii)), Just(Some(StripAccents::Unicode))]
    }

    proptest! {
        #[test]
        fn each_prepared_character_is_made_of_its_origin(
            text in "\\PC{0,30}|[a-zA-Zéé İßﬁ½가\u{301}\u{323}\u{345}Å]{0,30}",
            lowercase: bool,
            strip in strip(),
        ) {
            let prepared = |text: &str| {
                let mut out = String::new();
                preprocess(text, lowercase, strip, &mut out);
                out
            };
            let chars: Vec<char> = text.chars().collect();
            let origins: Vec<Range<usize>> = Origins::new(&text, lowercase, strip).collect();
            prop_assert!(origins.is_sorted_by(|a, b| a == b || a.end <= b.start));
            // Origins in a row, each once: what they make, one after the other, is the prepared text.
            let mut once = origins.clone();
            once.dedup();
            let made: Vec<String> = once.iter().map(|r| prepared(&chars[r.clone()].iter().collect::<String>())).collect();
            prop_assert_eq!(made.concat(), prepared(&text));
            let lengths = once.iter().map(|range| origins.iter().filter(|other| *other == range).count());
            prop_assert!(lengths.eq(made.iter().map(|part| part.chars().count())));
        }
    }
}
