//! Words that a thread has met of late, with their numbers.
//!
//! Few words make most of any text. One of up to 16 bytes that was looked up before is found again by one look and one
//! comparison of two numbers, without the steps of a search that a processor cannot foresee.

/// Places, each for one word: a power of two.
const PLACES: usize = 1 << 12;
/// Bytes of the longest word that has a place.
const LONGEST: usize = 16;

/// A thread's memory of words.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<Place>);

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    word: Word,
    /// The artifact that the number is of; 0 where nothing is here yet.
    artifact: u64,
    unit: u32,
}

/// A word's bytes as two numbers, zeros after its end: no word holds one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Word(u64, u64);

impl Word {
    /// The word at `start..end`, of up to [`LONGEST`] bytes.
    #[inline]
    fn of(text: &[u8], start: usize, end: usize) -> Word {
        let length = end - start;
        let (low, high) = match text.get(start..).and_then(|rest| rest.first_chunk::<LONGEST>()) {
            Some(bytes) => {
                let both = u128::from_le_bytes(*bytes);
                (both as u64, (both >> 64) as u64)
            }
            None => {
                let mut bytes = [0; LONGEST];
                bytes[..length].copy_from_slice(&text[start..end]);
                let both = u128::from_le_bytes(bytes);
                (both as u64, (both >> 64) as u64)
            }
        };
        let [keep_low, keep_high] = KEEP[length];
        Word(low & keep_low, high & keep_high)
    }

    #[inline]
    fn place(self) -> usize {
        let mixed = (self.0 ^ self.1.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        (mixed >> (u64::BITS - PLACES.trailing_zeros())) as usize
    }
}

/// Of each length, the bits of the two numbers that are the word's.
static KEEP: [[u64; 2]; LONGEST + 1] = {
    let mut keep = [[0; 2]; LONGEST + 1];
    let mut length = 1;
    while length <= LONGEST {
        let bits = u128::MAX >> (128 - 8 * length);
        keep[length] = [bits as u64, (bits >> 64) as u64];
        length += 1;
    }
    keep
};

impl Known {
    /// The number that `artifact` (not 0) gives the word at `start..end` of `text`, asking `look` only for one not known.
    #[inline]
    pub(super) fn unit<E>(
        &mut self,
        artifact: u64,
        text: &[u8],
        start: usize,
        end: usize,
        look: impl FnOnce(&[u8]) -> Result<u32, E>,
    ) -> Result<u32, E> {
        if end - start > LONGEST {
            return look(&text[start..end]);
        }
        let word = Word::of(text, start, end);
        let at = word.place();
        match self.0.get(at) {
            Some(place) if place.word == word && place.artifact == artifact => Ok(place.unit),
            _ => self.learn(at, Place { word, artifact, unit: look(&text[start..end])? }),
        }
    }

    #[cold]
    #[inline(never)]
    fn learn<E>(&mut self, at: usize, place: Place) -> Result<u32, E> {
        if self.0.is_empty() {
            self.0 = vec![Place::default(); PLACES];
        }
        self.0[at] = place;
        Ok(place.unit)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// More words than places are rare here, so places are shared by artifacts that number the same words differently.
        #[test]
        fn numbers_are_those_that_were_looked_up(texts in proptest::collection::vec(("[ab가]{1,18}", 1u64..4), 1..200)) {
            let (mut known, mut numbers) = (Known::default(), HashMap::new());
            for (word, artifact) in &texts {
                let next = numbers.len() as u32;
                let number = *numbers.entry((word, artifact)).or_insert(next);
                for text in [word.clone(), format!("a {word} and what follows it")] {
                    let start = text.find(&**word).unwrap();
                    let look = |looked: &[u8]| (looked == word.as_bytes()).then_some(number).ok_or(());
                    let unit = known.unit(*artifact, text.as_bytes(), start, start + word.len(), look);
                    prop_assert_eq!(unit, Ok(number));
                }
            }
        }
    }
}
