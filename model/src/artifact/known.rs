//! Words that a thread has met of late, with their numbers.
//!
//! Few words make most of any text. One of up to 16 bytes that was looked up before is found again by one look and one
//! comparison of two numbers, without the steps of a search that a processor cannot foresee.

/// Places, each for one word: a power of two.
const PLACES: usize = 1 << 14;
/// Words that are looked for together.
pub(super) const TOGETHER: usize = 64;
/// Bytes of the longest word that has a place.
const LONGEST: usize = 16;

/// A thread's memory of words.
#[derive(Debug, Default)]
pub(super) struct Known(Vec<Place>);

#[derive(Debug, Clone, Copy, Default)]
struct Place {
    word: Word,
    /// The artifact that the number is of; 0 where nothing is here yet.
    artifact: u32,
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
    /// Adds the numbers that `artifact` (not 0) gives the words at these places of `text`, asking `look` only for those not
    /// known, all of them at once: it is given their places, and room for their numbers.
    ///
    /// A step at a time for all of them, so that what memory is slow to give comes at once, and without a branch where
    /// words decide.
    #[inline(always)]
    pub(super) fn units<E>(
        &mut self,
        artifact: u32,
        text: &[u8],
        places: &[(usize, usize)],
        units: &mut Vec<u32>,
        look: impl Fn(&[(usize, usize)], &mut [u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        if self.0.is_empty() {
            self.0 = vec![Place::default(); PLACES];
        }
        let (mut words, mut missed) = ([(Word::default(), 0); TOGETHER], [0u8; TOGETHER]);
        for places in places.chunks(TOGETHER) {
            for (word, &(start, end)) in words.iter_mut().zip(places) {
                // One that is too long has no place: of those it is none.
                let found = if end - start > LONGEST { Word::default() } else { Word::of(text, start, end) };
                *word = (found, found.place());
            }
            let first = units.len();
            units.resize(first + places.len(), 0);
            let (found, mut misses) = (&mut units[first..], 0);
            for (at, (&(word, place), unit)) in (0u8..).zip(words.iter().zip(&mut *found)) {
                let place = &self.0[place];
                *unit = place.unit;
                missed[misses % TOGETHER] = at;
                misses += usize::from((place.word != word) | (place.artifact != artifact));
            }
            self.learn(artifact, &words, &missed[..misses], places, found, &look)?;
        }
        Ok(())
    }

    /// Asks for the words that were missed, and keeps their numbers.
    #[inline(never)]
    fn learn<E>(
        &mut self,
        artifact: u32,
        words: &[(Word, usize); TOGETHER],
        missed: &[u8],
        places: &[(usize, usize)],
        units: &mut [u32],
        look: impl Fn(&[(usize, usize)], &mut [u32]) -> Result<(), E>,
    ) -> Result<(), E> {
        let (mut asked, mut numbers) = ([(0, 0); TOGETHER], [0; TOGETHER]);
        asked.iter_mut().zip(missed).for_each(|(asked, &at)| *asked = places[usize::from(at)]);
        look(&asked[..missed.len()], &mut numbers[..missed.len()])?;
        for (&at, number) in missed.iter().zip(numbers) {
            let (word, place) = words[usize::from(at)];
            units[usize::from(at)] = number;
            if word != Word::default() {
                self.0[place] = Place { word, artifact, unit: number };
            }
        }
        Ok(())
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
        fn numbers_are_those_that_were_looked_up(texts in proptest::collection::vec(("[ab가]{1,18}", 1u32..4), 1..200)) {
            let (mut known, mut numbers) = (Known::default(), HashMap::new());
            for (word, artifact) in &texts {
                let next = numbers.len() as u32;
                let number = *numbers.entry((word, artifact)).or_insert(next);
                for text in [word.clone(), format!("a {word} and what follows it")] {
                    let start = text.find(&**word).unwrap();
                    let look = |asked: &[(usize, usize)], numbers: &mut [u32]| {
                        numbers.fill(number);
                        asked.iter().all(|&(start, end)| text[start..end] == **word).then_some(()).ok_or(())
                    };
                    let (places, mut units) = ([(start, start + word.len()); 2], Vec::new());
                    prop_assert_eq!(known.units(*artifact, text.as_bytes(), &places, &mut units, look), Ok(()));
                    prop_assert_eq!(units, [number; 2]);
                }
            }
        }
    }
}
