//! The vocabulary on disk: terms are found by walking from unit to unit on the mapped file, and no table is rebuilt.
//!
//! Units (words, or characters) are numbered in the order of their hashes (xxh3, 64 bit, seed 0), so that a few of them
//! share a bucket that the hash leads to. A term of `n` units is the term of its first `n - 1` and a unit: both their
//! numbers together lead to a bucket and leave a rest of two or four bytes (`code.rs`), which is all that is kept of it.
//! So a term is found by one look for the bucket and one for its rest, and one whose beginning is unknown costs nothing.
//!
//! | tensor, for `words` and `chars` | what |
//! | --- | --- |
//! | `words.text` u8 (bytes) | the units' UTF-8, one after the other |
//! | `words.lengths` u8 or u32 (units) | bytes of each |
//! | `words.buckets` u32 (buckets + 1, 2) | of each bucket its first unit, and where in the text that begins; the bucket of a unit is `(hash >> 32) · buckets >> 32` |
//! | `words.N.starts` u32 (buckets + 1), `N ≥ 2` | where the grams of each bucket begin among those of `N` units |
//! | `words.N.rests` u16 or u32 (grams of `N` units) | what tells each from the others of its bucket |
//! | `words.N.rows` u32 (grams of `N` units + 1) | how many before each are terms; not there where all are, or none is |
//!
//! The number of a term is its row in `terms` of the tensors: words before characters, short before long.

mod build;
mod code;
mod reverse;
mod search;

pub(crate) use build::build;

use safetensors::Dtype;

use crate::artifact::mapped::{Array, Checked, Mapped};
use crate::lexicon::Unit;
use code::Code;

/// What stands where there is no unit, gram or row.
pub(crate) const NONE: u32 = u32::MAX;
/// The most units a term can have.
pub(crate) const LONGEST: usize = 64;
/// Units that a bucket holds on average.
const BUCKET: usize = 4;

/// A mapped vocabulary.
#[derive(Debug)]
pub(crate) struct Vocabulary {
    file: Mapped,
    kinds: Vec<Kind>,
    terms: usize,
}

/// The terms of one kind of units.
#[derive(Debug)]
pub(crate) struct Kind {
    pub(crate) unit: Unit,
    text: Array,
    lengths: Array,
    /// Whether lengths take four bytes.
    wide: bool,
    buckets: Array,
    units: usize,
    /// `levels[n - 1]`: the grams of `n` units.
    levels: Vec<Level>,
}

#[derive(Debug, Clone, Copy)]
struct Level {
    grams: usize,
    /// Where they are found: of the levels above the first.
    longer: Option<Longer>,
    /// The row of the first term here.
    start: usize,
    rows: Rows,
}

/// How grams of more than one unit are found.
#[derive(Debug, Clone, Copy)]
struct Longer {
    /// Where each bucket begins, and the last ends.
    starts: Array,
    rests: Array,
    code: Code,
}

/// Which grams of a level are terms.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Rows {
    None,
    All,
    /// How many are before each gram.
    Some(Array),
}

/// How the tensors of a kind of units are named.
fn name(unit: Unit) -> &'static str {
    match unit {
        Unit::Word => "words",
        Unit::Char => "chars",
    }
}

impl Vocabulary {
    /// Reads where what lies; `kinds` are what the analyzer makes, each with whether its grams of 1, 2, … units are terms.
    pub(crate) fn open(file: Mapped, kinds: &[Unit]) -> Checked<Self> {
        let (mut found, mut terms, mut tensors) = (Vec::new(), 0, 0);
        for &unit in kinds {
            let kind = Kind::open(&file, unit, &mut terms, &mut tensors)?;
            found.push(kind);
        }
        if file.tensors() != tensors {
            return Err(file.refuse(format!("there are {} tensors; expected {tensors}", file.tensors())));
        }
        Ok(Vocabulary { file, kinds: found, terms })
    }

    /// Number of terms.
    pub(crate) fn terms(&self) -> usize {
        self.terms
    }

    /// The file.
    pub(crate) fn file(&self) -> &Mapped {
        &self.file
    }

    /// Length of the file.
    pub(crate) fn bytes(&self) -> u64 {
        self.file.len()
    }

    /// Verifies every block, and that all that leads somewhere leads within.
    pub(crate) fn verify(&self) -> Checked<()> {
        self.file.verify()?;
        self.kinds.iter().try_for_each(|kind| kind.verify(&self.file))
    }

    /// The kinds, in the order of their terms.
    pub(crate) fn kinds(&self) -> &[Kind] {
        &self.kinds
    }
}

impl Kind {
    /// Units that the longest grams have.
    pub(crate) fn longest(&self) -> usize {
        self.levels.len()
    }

    fn verify(&self, file: &Mapped) -> Checked<()> {
        // From 0, each at most `step` above the one before; back comes the last.
        let ascends = |array: Array, name: &str, step: usize, most: usize| -> Checked<usize> {
            let mut last = 0;
            for at in 0..array.len {
                let here = file.u32(array, at)? as usize;
                let most = most.min(if at == 0 { 0 } else { last + step });
                if here < last || here > most {
                    return Err(file.refuse(format!("number {at} of `{name}` is {here}; expected {last} to {most}")));
                }
                last = here;
            }
            Ok(last)
        };
        self.verify_units(file)?;
        for level in &self.levels {
            if let Some(longer) = level.longer {
                let last = ascends(longer.starts, "starts", level.grams, level.grams)?;
                if last != level.grams {
                    return Err(file.refuse(format!("`starts` ends at {last}; expected {}", level.grams)));
                }
                for bucket in 0..longer.code.buckets() {
                    let [first, end] = [0, 1].map(|after| file.u32(longer.starts, bucket + after));
                    for gram in first? as usize..end? as usize {
                        let rest = longer.rest(file, gram)?;
                        if !longer.code.known(bucket, rest) {
                            return Err(file.refuse(format!("{rest} is no rest of gram {gram}, in bucket {bucket}")));
                        }
                    }
                }
            }
            if let Rows::Some(rows) = level.rows {
                ascends(rows, "rows", 1, level.grams)?;
            }
        }
        Ok(())
    }

    /// Checks that the buckets tell where units begin, and that units are whole characters that fill the text.
    fn verify_units(&self, file: &Mapped) -> Checked<()> {
        let text = file.bytes(self.text, 0, self.text.len)?;
        let text = std::str::from_utf8(text).map_err(|e| file.refuse(format!("its units are not UTF-8: {e}")))?;
        let (mut unit, mut end) = (0, 0);
        for at in (0..self.buckets.len).step_by(2) {
            let (first, start) = (file.u32(self.buckets, at)? as usize, file.u32(self.buckets, at + 1)? as usize);
            if first < unit || first > self.units {
                let most = self.units;
                return Err(file.refuse(format!("number {at} of `buckets` is {first}; expected {unit} to {most}")));
            }
            while unit < first {
                end += self.length(file, unit)?;
                if !text.is_char_boundary(end) {
                    return Err(file.refuse(format!("unit {unit} ends inside a character or past the text")));
                }
                unit += 1;
            }
            if start != end {
                let after = at + 1;
                return Err(file.refuse(format!("number {after} of `buckets` is {start}; expected {end}")));
            }
        }
        match (unit, end) == (self.units, text.len()) {
            true => Ok(()),
            false => Err(file.refuse(format!(
                "its buckets end after {unit} units in {end} bytes; expected {} in {}",
                self.units,
                text.len()
            ))),
        }
    }

    /// Bytes of a unit.
    fn length(&self, file: &Mapped, unit: usize) -> Checked<usize> {
        match self.wide {
            true => Ok(file.u32(self.lengths, unit)? as usize),
            false => Ok(usize::from(file.bytes(self.lengths, unit, unit + 1)?[0])),
        }
    }

    fn open(file: &Mapped, unit: Unit, terms: &mut usize, tensors: &mut usize) -> Checked<Self> {
        let kind = name(unit);
        let length = |name: &str| file.shape(name).map_or(0, |(_, shape)| shape.first().copied().unwrap_or(0));
        let (text, lengths, buckets) = (format!("{kind}.text"), format!("{kind}.lengths"), format!("{kind}.buckets"));
        let units = length(&lengths);
        let wide = file.shape(&lengths).is_some_and(|(dtype, _)| dtype == Dtype::U32);
        let mut kind = Kind {
            unit,
            text: file.array(&text, Dtype::U8, &[length(&text)])?,
            lengths: file.array(&lengths, if wide { Dtype::U32 } else { Dtype::U8 }, &[units])?,
            wide,
            buckets: file.array(&buckets, Dtype::U32, &[length(&buckets), 2])?,
            units,
            levels: Vec::new(),
        };
        *tensors += 3;
        if kind.buckets.len < 4 || u32::try_from(units).is_err() {
            return Err(file.refuse(format!("{units} units in {} numbers of buckets are none", kind.buckets.len)));
        }
        for n in 1..=LONGEST {
            let (starts, rests, rows) = level_names(unit, n);
            let longer = match n {
                1 => None,
                _ if file.shape(&rests).is_none() => break,
                _ => {
                    *tensors += 2;
                    let (before, buckets) = (kind.levels[n - 2].grams, length(&starts).saturating_sub(1));
                    let code = Code::with_buckets(before, units, buckets)
                        .ok_or_else(|| file.refuse(format!("`{starts}` is of {buckets} buckets, which cannot be")))?;
                    let dtype = if code.wide() { Dtype::U32 } else { Dtype::U16 };
                    let rests = file.array(&rests, dtype, &[length(&rests)])?;
                    Some(Longer { starts: file.array(&starts, Dtype::U32, &[buckets + 1])?, rests, code })
                }
            };
            let grams = longer.map_or(units, |longer| longer.rests.len);
            let rows = match file.shape(&rows) {
                None => Rows::All,
                // A level without a term has an empty tensor, one where some are a number a gram and one more.
                Some((_, [0])) => Rows::None,
                Some(_) => Rows::Some(file.array(&rows, Dtype::U32, &[grams + 1])?),
            };
            *tensors += usize::from(rows != Rows::All);
            let count = match rows {
                Rows::None => 0,
                Rows::All => grams,
                Rows::Some(rows) => file.u32(rows, grams)? as usize,
            };
            kind.levels.push(Level { grams, longer, start: *terms, rows });
            *terms += count;
        }
        Ok(kind)
    }
}

impl Longer {
    /// The rest of a gram.
    fn rest(&self, file: &Mapped, gram: usize) -> Checked<u32> {
        match self.code.wide() {
            true => file.u32(self.rests, gram),
            false => Ok(u16::from_le_bytes(file.many(self.rests, gram, gram + 1)?[0]).into()),
        }
    }
}

/// Names of a level's tensors: starts of buckets, rests, rows.
fn level_names(unit: Unit, n: usize) -> (String, String, String) {
    let kind = name(unit);
    (format!("{kind}.{n}.starts"), format!("{kind}.{n}.rests"), format!("{kind}.{n}.rows"))
}

#[cfg(test)]
mod tests;
