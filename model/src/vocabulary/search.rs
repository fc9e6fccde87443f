//! From text to units, from units to grams, from grams to rows.

use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::mapped::Checked;
use crate::vocabulary::{Kind, NONE, Rows, Vocabulary};

/// Looks at one list of children in a row before the rest of it is halved.
const STEPS: usize = 16;
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
        for (grams, units) in grams.chunks_mut(BATCH).zip(units.chunks(BATCH)) {
            let (mut at, mut lists, mut known) = ([0; BATCH], [(0, 0); BATCH], 0);
            for (i, (&gram, &unit)) in grams.iter().zip(units).enumerate() {
                at[known] = i;
                known += usize::from(gram != NONE && unit != NONE);
            }
            for (list, &i) in lists.iter_mut().zip(&at[..known]) {
                let first = grams[i] as usize;
                let ends = self.file.fours(children.first, first, first + 2)?;
                *list = (u32::from_le_bytes(ends[0]), u32::from_le_bytes(ends[1]));
            }
            let (mut guesses, mut looks) = ([0; BATCH], [0; BATCH]);
            for (j, &i) in at[..known].iter().enumerate() {
                let (first, end) = lists[j];
                guesses[j] = guess(units[i], end.saturating_sub(first), kind.units);
                if first < end {
                    looks[j] = self.file.u32(children.unit, first as usize + guesses[j])?;
                }
            }
            let mut next = [NONE; BATCH];
            for (j, &i) in at[..known].iter().enumerate() {
                let (first, end) = lists[j];
                if looks[j] == units[i] && first < end {
                    next[i] = first + guesses[j] as u32;
                } else {
                    let among = self.file.fours(children.unit, first as usize, end as usize)?;
                    if let Some(place) = find(among, units[i], guesses[j], kind.units) {
                        next[i] = first + place as u32;
                    }
                }
            }
            grams.copy_from_slice(&next[..grams.len()]);
        }
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

/// Where `unit` should stand among so many of `units` numbers, as if they were drawn at random.
#[inline]
fn guess(unit: u32, among: u32, units: usize) -> usize {
    let at = u64::from(unit) * u64::from(among) / units.max(1) as u64;
    at.min(u64::from(among.saturating_sub(1))) as usize
}

/// Where `unit` stands among units that ascend, looked for from `at` on.
#[inline]
fn find(among: &[[u8; 4]], unit: u32, mut at: usize, units: usize) -> Option<usize> {
    let last = among.len().checked_sub(1)?;
    let of = |at: usize| u32::from_le_bytes(among[at]);
    if last > 64 {
        // A second guess, by how far the first was off.
        let off = (i64::from(unit) - i64::from(of(at))).saturating_mul(among.len() as i64) / units.max(1) as i64;
        at = (at as i64).saturating_add(off).clamp(0, last as i64) as usize;
    }
    for _ in 0..STEPS {
        let here = of(at);
        if here == unit {
            return Some(at);
        }
        if here < unit {
            if at == last || of(at + 1) > unit {
                return None;
            }
            at += 1;
        } else {
            if at == 0 || of(at - 1) < unit {
                return None;
            }
            at -= 1;
        }
    }
    among.binary_search_by_key(&unit, |four| u32::from_le_bytes(*four)).ok()
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
