//! From text to units, from units to grams, from grams to rows.

use std::hint::black_box;

use wide::{u16x16, u32x16};
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::mapped::{Checked, Numbers};
use crate::vocabulary::code::Code;
use crate::vocabulary::{Kind, Level, Longer, NONE, Rows, Vocabulary};

/// Rests that are looked at together: as many as all but a few buckets have.
const WINDOW: usize = 16;
/// Grams that are lengthened together.
const BATCH: usize = 32;

/// The bucket of a hash; hashes that ascend have buckets that do not descend.
#[inline]
pub(super) fn bucket(hash: u64, buckets: usize) -> usize {
    (((hash >> 32) * buckets as u64) >> 32) as usize
}

impl Vocabulary {
    /// The number of a unit, or [`NONE`].
    #[inline]
    pub(crate) fn unit(&self, kind: &Kind, text: &[u8]) -> Checked<u32> {
        self.unit_of(kind, self.bucket(kind, text)?, text)
    }

    /// The numbers of the units at these places of `text`, or [`NONE`].
    ///
    /// A step at a time for many of them, so that what memory is slow to give comes at once.
    pub(crate) fn units(
        &self,
        kind: &Kind,
        text: &[u8],
        places: &[(usize, usize)],
        numbers: &mut [u32],
    ) -> Checked<()> {
        let mut buckets = [[0; 3]; BATCH];
        for (places, numbers) in places.chunks(BATCH).zip(numbers.chunks_mut(BATCH)) {
            for (bucket, &(start, end)) in buckets.iter_mut().zip(places) {
                *bucket = self.bucket(kind, &text[start..end])?;
            }
            let mut touched = 0;
            for &[first, start, end] in buckets.iter().take(places.len()).filter(|[first, _, end]| first < end) {
                if !kind.wide {
                    touched ^= self.file.bytes(kind.lengths, first, end)?[0];
                }
                touched ^= self.file.bytes(kind.text, start, start + 1)?[0];
            }
            black_box(touched);
            for ((number, &bucket), &(start, end)) in numbers.iter_mut().zip(&buckets).zip(places) {
                *number = self.unit_of(kind, bucket, &text[start..end])?;
            }
        }
        Ok(())
    }

    /// The bucket of a unit: its first unit, where in the text that begins, and the first of the next.
    #[inline]
    fn bucket(&self, kind: &Kind, text: &[u8]) -> Checked<[usize; 3]> {
        let at = bucket(xxh3_64(text), kind.buckets.len / 2 - 1) * 2;
        let four = self.file.fours(kind.buckets, at, at + 4)?;
        Ok([0, 1, 2].map(|at| u32::from_le_bytes(four[at]) as usize))
    }

    #[inline]
    fn unit_of(&self, kind: &Kind, [first, mut start, end]: [usize; 3], text: &[u8]) -> Checked<u32> {
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
        grams.truncate((units.len() + 1).saturating_sub(n));
        let (file, units) = (&self.file, units.get(n - 1..).unwrap_or_default());
        match kind.levels.get(n - 1).and_then(|level| level.longer) {
            None => grams.fill(NONE),
            Some(Longer { starts, rests, code }) if code.wide() => match (file.sound(starts), file.sound::<4>(rests)) {
                (Some(starts), Some(rests)) => lengthen(starts, rests, code, units, grams)?,
                _ => lengthen(file.looked(starts), file.looked::<4>(rests), code, units, grams)?,
            },
            Some(Longer { starts, rests, code }) => match (file.sound(starts), file.sound::<2>(rests)) {
                (Some(starts), Some(rests)) => lengthen(starts, rests, code, units, grams)?,
                _ => lengthen(file.looked(starts), file.looked::<2>(rests), code, units, grams)?,
            },
        }
        Ok(())
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
                    let (before, after) = (u32::from_le_bytes(two[0]), u32::from_le_bytes(two[1]));
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

/// Each gram, lengthened by the unit beside it: `starts` holds where each bucket begins, `rests` what tells apart the
/// grams there.
///
/// In batches, a step at a time for all of one and what is read in steps of its own, so that what memory is slow to give
/// comes at once; and without a branch where words decide, which no processor foresees.
#[inline(always)]
fn lengthen<'m, const B: usize>(
    starts: impl Numbers<'m, 4>,
    rests: impl Numbers<'m, B>,
    code: Code,
    units: &[u32],
    grams: &mut [u32],
) -> Checked<()> {
    let (mut codes, mut bounds) = ([(0, 0); BATCH], [[[0; 4]; 2]; BATCH]);
    let mut windows = [[[0; B]; WINDOW]; BATCH];
    // Those of other buckets too, which lie before and behind; where there are not so many, none.
    let last = rests.len().checked_sub(WINDOW);
    for (grams, units) in grams.chunks_mut(BATCH).zip(units.chunks(BATCH)) {
        for ((code_of, &gram), &unit) in codes.iter_mut().zip(&*grams).zip(units) {
            *code_of = code.of(gram, unit);
        }
        for (bounds, &(bucket, _)) in bounds.iter_mut().zip(&codes).take(grams.len()) {
            *bounds = *starts.run(bucket)?;
        }
        if let Some(last) = last {
            for (window, [first, _]) in windows.iter_mut().zip(&bounds).take(grams.len()) {
                *window = *rests.run(last.min(u32::from_le_bytes(*first) as usize))?;
            }
        }
        let found = codes.iter().zip(&bounds).zip(&windows);
        for ((gram, &unit), ((&(_, rest), bounds), window)) in grams.iter_mut().zip(units).zip(found) {
            let [first, end] = bounds.map(u32::from_le_bytes);
            let known = *gram != NONE && unit != NONE;
            let count = if known { end.saturating_sub(first) } else { 0 };
            *gram = match last {
                Some(last) if count as usize <= WINDOW => {
                    let before = first - (first as usize).min(last) as u32;
                    let same = same_lanes(window, rest).wrapping_shr(before) & ((1 << count) - 1);
                    // All bits where there is none.
                    first.wrapping_add(same.trailing_zeros()) | u32::from(same == 0).wrapping_neg()
                }
                _ => among(rests, first, count, rest)?,
            };
        }
    }
    Ok(())
}

/// Which numbers of a window, of two bytes each or of four, are `wanted`: a bit each, the first lowest.
#[inline(always)]
fn same_lanes<const B: usize>(window: &[[u8; B]; WINDOW], wanted: u32) -> u32 {
    match B {
        2 => {
            let numbers = window.map(|number| u16::from_le_bytes([number[0], number[1]]));
            u16x16::new(numbers).simd_eq(u16x16::splat(wanted as u16)).to_bitmask()
        }
        _ => {
            let numbers = window.map(|number| u32::from_le_bytes([number[0], number[1], number[2], number[3]]));
            u32x16::new(numbers).simd_eq(u32x16::splat(wanted)).to_bitmask()
        }
    }
}

/// Where `wanted` stands among `count` numbers from `first` on, or [`NONE`].
#[cold]
#[inline(never)]
fn among<'m, const B: usize>(numbers: impl Numbers<'m, B>, first: u32, count: u32, wanted: u32) -> Checked<u32> {
    for at in first..first.saturating_add(count) {
        let [here] = numbers.run(at as usize)?;
        if *here == wanted.to_le_bytes()[..B] {
            return Ok(at);
        }
    }
    Ok(NONE)
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
