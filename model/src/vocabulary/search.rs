//! From text to units, from units to grams, from grams to rows.

use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::mapped::Checked;
use crate::vocabulary::{Kind, NONE, Rows, Vocabulary};

/// Looks at one list of children in a row before the rest of it is halved.
const STEPS: usize = 16;

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
                if length == text.len() && self.file.bytes(kind.text, start, start + length)? == text {
                    return Ok(unit as u32);
                }
                start += length;
            }
        } else {
            for (unit, &length) in (first..).zip(self.file.bytes(kind.lengths, first, end)?) {
                let length = usize::from(length);
                if length == text.len() && self.file.bytes(kind.text, start, start + length)? == text {
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
        for (gram, &unit) in grams.iter_mut().zip(units.get(n - 1..).unwrap_or_default()) {
            if *gram == NONE {
                continue;
            }
            if unit == NONE {
                *gram = NONE;
                continue;
            }
            let at = *gram as usize;
            let ends = self.file.fours(children.first, at, at + 2)?;
            let [first, end] = [0, 1].map(|at| u32::from_le_bytes(ends[at]));
            let among = self.file.fours(children.unit, first as usize, end as usize)?;
            *gram = match find(among, unit, kind.units) {
                Some(at) => first + at as u32,
                None => NONE,
            };
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

/// Where `unit` stands among units that ascend; they are about as far apart as `units` numbers drawn at random.
#[inline]
fn find(among: &[[u8; 4]], unit: u32, units: usize) -> Option<usize> {
    let last = among.len().checked_sub(1)?;
    let units = units.max(1);
    let of = |at: usize| u32::from_le_bytes(among[at]);
    // Looked at twice where it should be; then the way there is short.
    let mut at = (u64::from(unit) * among.len() as u64 / units as u64) as usize;
    at = at.min(last);
    if last > 64 {
        let off = (i64::from(unit) - i64::from(of(at))).saturating_mul(among.len() as i64) / units as i64;
        at = (at as i64 + off).clamp(0, last as i64) as usize;
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
