//! From text to units, from units to grams, from grams to rows.

use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::mapped::{Array, Checked};
use crate::vocabulary::{Kind, Level, NONE, Rows, Vocabulary};

/// Children that are looked at together.
const WINDOW: usize = 16;
/// Grams that are lengthened together.
const BATCH: usize = 16;

/// The bucket of a hash; hashes that ascend have buckets that do not descend.
#[inline]
pub(super) fn bucket(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

impl Vocabulary {
    /// The number of a unit, or [`NONE`].
    #[inline]
    pub(crate) fn unit(&self, kind: &Kind, text: &[u8]) -> Checked<u32> {
        let at = bucket(xxh3_64(text), kind.buckets.len / 2 - 1) * 2;
        let four = self.file.fours(kind.buckets, at, at + 4)?;
        let [first, mut start, end] = [0, 1, 2].map(|at| u32::from_le_bytes(four[at]) as usize);
        if kind.wide {
            for (unit, length) in (first..).zip(self.file.fours(kind.lengths, first, end)?) {
                let length = u32::from_le_bytes(*length) as usize;
                if length == text.len() && same(self.file.bytes(kind.text, start, start + length)?, text) {
                    return Ok(unit as u32);
                }
                start += length;
            }
        } else {
            for (unit, &length) in (first..).zip(self.file.bytes(kind.lengths, first, end)?) {
                let length = usize::from(length);
                if length == text.len() && same(self.file.bytes(kind.text, start, start + length)?, text) {
                    return Ok(unit as u32);
                }
                start += length;
            }
        }
        Ok(NONE)
    }

    /// Grams of `n ≥ 2` units from those of `n - 1`: `grams[i]`, which begins at unit `i`, becomes the one that is a unit
    /// longer, or [`NONE`]. There is one gram less afterwards.
    pub(crate) fn lengthen(&self, kind: &Kind, n: usize, units: &[u32], grams: &mut Vec<u32>) -> Checked<()> {
        let left = (units.len() + 1).saturating_sub(n);
        grams.truncate(left);
        let Some(children) = kind.levels.get(n - 1).and_then(|level| level.children) else {
            grams.iter_mut().for_each(|gram| *gram = NONE);
            return Ok(());
        };
        // In batches, a step at a time for all of one, so that what memory is slow to give comes at once.
        let units = units.get(n - 1..).unwrap_or_default();
        let density = Density::of(kind.units);
        for (grams, units) in grams.chunks_mut(BATCH).zip(units.chunks(BATCH)) {
            let (mut sought, mut known) = ([Sought::default(); BATCH], 0);
            for ((&gram, &unit), at) in grams.iter().zip(units).zip(0..) {
                sought[known] = Sought { at, gram, unit, ..Sought::default() };
                known += usize::from(gram != NONE && unit != NONE);
            }
            let sought = &mut sought[..known];
            for Sought { gram, first, end, .. } in &mut *sought {
                let ends = self.file.fours(children.first, *gram as usize, *gram as usize + 2)?;
                (*first, *end) = (u32::from_le_bytes(ends[0]), u32::from_le_bytes(ends[1]));
            }
            for Sought { unit, first, end, guess, .. } in &mut *sought {
                if *first < *end {
                    let among = *end - *first;
                    let at = density.place(i64::from(*unit), among, 0);
                    let here = self.file.u32(children.unit, *first as usize + at)?;
                    // How far off that was tells how far to go.
                    *guess = density.place(i64::from(*unit) - i64::from(here), among, at);
                }
            }
            grams.fill(NONE);
            for &Sought { at, unit, first, end, guess, .. } in &*sought {
                if first < end {
                    grams[at] = self.child(children.unit, first as usize, end as usize, unit, guess)?;
                }
            }
        }
        Ok(())
    }

    /// Where `unit` stands among the numbers `first..end` of `array`, which ascend, or [`NONE`]; looked for around the
    /// `guess`-th of them.
    #[inline]
    fn child(&self, array: Array, first: usize, end: usize, unit: u32, guess: usize) -> Checked<u32> {
        // A window around the guess, of the next list too where this one is short, since all its numbers are compared at
        // once: which of them it is, is nothing to foresee.
        let start = (first + guess.saturating_sub(WINDOW / 2)).min(end.saturating_sub(WINDOW).max(first));
        if start + WINDOW <= array.len
            && let Some(window) = self.file.fours(array, start, start + WINDOW)?.first_chunk::<WINDOW>()
        {
            let window = window.map(u32::from_le_bytes);
            let same = window.iter().zip(0..).fold(0, |same, (number, at)| same | u32::from(*number == unit) << at);
            let own = (end - start).min(WINDOW);
            let same = same & ((1 << own) - 1);
            let within = (start == first || window[0] < unit) && (start + own == end || window[WINDOW - 1] > unit);
            if same != 0 || within {
                return Ok(if same != 0 { start as u32 + same.trailing_zeros() } else { NONE });
            }
        }
        let among = self.file.fours(array, first, end)?;
        let place = among.binary_search_by_key(&unit, |four| u32::from_le_bytes(*four));
        Ok(place.map_or(NONE, |place| (first + place) as u32))
    }

    /// Adds the rows of those among grams of `n` units that are terms.
    pub(crate) fn rows(&self, kind: &Kind, n: usize, grams: &[u32], hits: &mut Vec<u32>) -> Checked<()> {
        let Level { grams: known, start, rows, .. } = kind.levels[n - 1];
        if known == 0 || rows == Rows::None {
            return Ok(());
        }
        // Each is written behind the last that is one: which are, is nothing to foresee.
        let mut last = hits.len();
        hits.resize(last + grams.len(), 0);
        for &gram in grams {
            let (before, term) = match rows {
                Rows::Some(rows) => {
                    let at = if gram == NONE { 0 } else { gram as usize };
                    let two = self.file.fours(rows, at, at + 2)?;
                    let [before, after] = [0, 1].map(|at| u32::from_le_bytes(two[at]));
                    (before, after > before && gram != NONE)
                }
                _ => (gram, gram != NONE),
            };
            hits[last] = (start as u32).wrapping_add(before);
            last += usize::from(term);
        }
        hits.truncate(last);
        Ok(())
    }

    /// The row of a gram of `n` units, or [`NONE`] where it is no term.
    #[inline]
    pub(crate) fn row(&self, kind: &Kind, n: usize, gram: u32) -> Checked<u32> {
        let level = &kind.levels[n - 1];
        let start = level.start as u32;
        match level.rows {
            Rows::None => Ok(NONE),
            Rows::All => Ok(start.wrapping_add(gram)),
            Rows::Some(rows) => {
                let two = self.file.fours(rows, gram as usize, gram as usize + 2)?;
                let [before, after] = [0, 1].map(|at| u32::from_le_bytes(two[at]));
                Ok(if after > before { start.wrapping_add(before) } else { NONE })
            }
        }
    }

    /// Whether a gram of `n` units can be a term.
    pub(crate) fn has_terms(&self, kind: &Kind, n: usize) -> bool {
        kind.levels.get(n - 1).is_some_and(|level| level.rows != Rows::None)
    }
}

/// A gram to be lengthened by a unit: among its children, `first..end`.
#[derive(Debug, Clone, Copy, Default)]
struct Sought {
    at: usize,
    gram: u32,
    unit: u32,
    first: u32,
    end: u32,
    guess: usize,
}

/// How dense units lie: where they should stand, as if they were drawn at random.
#[derive(Debug, Clone, Copy)]
struct Density {
    /// Of one unit, as 44 bits of a fraction: of units beyond the last the place is wrong, and no more than that.
    one: i64,
}

impl Density {
    fn of(units: usize) -> Self {
        Density { one: (1 << 44) / units.max(1) as i64 }
    }

    /// So many units on from place `at`, among places of a list (not none).
    #[inline]
    fn place(self, units: i64, among: u32, at: usize) -> usize {
        let share = units.wrapping_mul(self.one) >> 16;
        let on = share.wrapping_mul(i64::from(among)) >> 28;
        (at as i64).saturating_add(on).clamp(0, i64::from(among) - 1) as usize
    }
}

/// Whether two texts of the same length are the same: words are short, and a call to compare them costs more than it does.
#[inline(always)]
fn same(a: &[u8], b: &[u8]) -> bool {
    let eights =
        |a: &[u8], b: &[u8]| a.first_chunk::<8>() == b.first_chunk::<8>() && a.last_chunk::<8>() == b.last_chunk::<8>();
    match a.len() {
        8..=16 => eights(a, b),
        4..=7 => a.first_chunk::<4>() == b.first_chunk::<4>() && a.last_chunk::<4>() == b.last_chunk::<4>(),
        2..=3 => a.first_chunk::<2>() == b.first_chunk::<2>() && a.last() == b.last(),
        _ => a == b,
    }
}
