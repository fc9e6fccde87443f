//! From text to units, from units to grams, from grams to rows.

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
/// In batches, a step at a time for all of one, so that what memory is slow to give comes at once; and without a branch
/// where words decide, which no processor foresees.
#[inline(always)]
fn lengthen<'m, const B: usize>(
    starts: impl Numbers<'m, 4>,
    rests: impl Numbers<'m, B>,
    code: Code,
    units: &[u32],
    grams: &mut [u32],
) -> Checked<()> {
    let mut sought = [Sought::default(); BATCH];
    for (grams, units) in grams.chunks_mut(BATCH).zip(units.chunks(BATCH)) {
        for ((sought, &gram), &unit) in sought.iter_mut().zip(&*grams).zip(units) {
            let (bucket, rest) = code.of(gram, unit);
            let [first, end] = starts.run(bucket)?;
            let (first, end) = (u32::from_le_bytes(*first), u32::from_le_bytes(*end));
            let known = gram != NONE && unit != NONE;
            *sought = Sought { rest, first, count: if known { end.saturating_sub(first) } else { 0 } };
        }
        for (gram, &Sought { rest, first, count }) in grams.iter_mut().zip(&sought) {
            *gram = match rests.len() < WINDOW || count as usize > WINDOW {
                true => among(rests, first, count, rest)?,
                false => {
                    // Those of other buckets too, which lie before and behind.
                    let start = (first as usize).min(rests.len() - WINDOW);
                    let same = same_lanes(rests.run(start)?, rest).checked_shr(first - start as u32).unwrap_or(0);
                    let same = same & ((1 << count) - 1);
                    // All bits where there is none.
                    first.wrapping_add(same.trailing_zeros()) | u32::from(same == 0).wrapping_neg()
                }
            };
        }
    }
    Ok(())
}

/// Which numbers of a window are `wanted`: a bit each, the first lowest.
#[inline(always)]
fn same_lanes<const B: usize>(window: &[[u8; B]; WINDOW], wanted: u32) -> u32 {
    let mut number = [0; B];
    number.copy_from_slice(&wanted.to_le_bytes()[..B]);
    // Each number has its bit, so that all are compared, and the bits gathered, by a few wide steps.
    let mut lanes = [0u16; WINDOW];
    for ((lane, here), bit) in lanes.iter_mut().zip(window).zip(LANES) {
        *lane = if *here == number { bit } else { 0 };
    }
    lanes.iter().fold(0, |same, lane| same | lane).into()
}

/// A bit for each number of a window.
const LANES: [u16; WINDOW] = {
    let (mut lanes, mut at) = ([0; WINDOW], 0);
    while at < WINDOW {
        lanes[at] = 1 << at;
        at += 1;
    }
    lanes
};

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

/// A gram to be lengthened by a unit: the bucket of `count` grams from `first` on, and the rest to be found there.
#[derive(Debug, Clone, Copy, Default)]
struct Sought {
    rest: u32,
    first: u32,
    count: u32,
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
