//! From a row to the text of its term, and from a term's text to its row.

use crate::artifact::mapped::{Array, Checked};
use crate::lexicon::Unit;
use crate::vocabulary::{Kind, NONE, Rows, Vocabulary};

impl Vocabulary {
    /// The text of term `row`.
    pub(crate) fn term(&self, row: u32) -> Checked<String> {
        let row = row as usize;
        let mut levels = self.kinds.iter().flat_map(|kind| (1..=kind.longest()).map(move |n| (kind, n)));
        let (kind, n) = levels
            .rfind(|(kind, n)| kind.levels[n - 1].start <= row && self.has_terms(kind, *n))
            .ok_or_else(|| self.file.refuse(format!("there is no term {row}")))?;
        let level = &kind.levels[n - 1];
        let mut gram = match level.rows {
            Rows::Some(rows) => self.last_up_to(rows, row - level.start)?,
            _ => row - level.start,
        };
        let mut units = vec![gram; n];
        for n in (2..=n).rev() {
            let Some(longer) = kind.levels[n - 1].longer else { continue };
            let (bucket, rest) = (self.last_up_to(longer.starts, gram)?, longer.rest(&self.file, gram)?);
            let none = || self.file.refuse(format!("gram {gram} of {n} units is none"));
            (gram, units[n - 1]) = longer.code.undo(bucket, rest).ok_or_else(none)?;
        }
        units[0] = gram;
        let mut text = String::new();
        for (at, unit) in units.into_iter().enumerate() {
            if at > 0 && kind.unit == Unit::Word {
                text.push(' ');
            }
            self.push_unit(kind, unit, &mut text)?;
        }
        Ok(text)
    }

    /// The row of the term with this text, or none; a word rather than characters.
    pub(crate) fn find(&self, term: &str) -> Checked<Option<u32>> {
        for kind in &self.kinds {
            let units: Vec<u32> = match kind.unit {
                Unit::Word => term.split(' ').map(|word| self.unit(kind, word.as_bytes())).collect::<Checked<_>>()?,
                Unit::Char => {
                    let unit = |c: char| self.unit(kind, c.encode_utf8(&mut [0; 4]).as_bytes());
                    term.chars().map(unit).collect::<Checked<_>>()?
                }
            };
            if units.is_empty() || units.len() > kind.longest() {
                continue;
            }
            let mut grams = units.clone();
            for n in 2..=units.len() {
                self.lengthen(kind, n, &units, &mut grams)?;
            }
            if let Some(&gram) = grams.first()
                && gram != NONE
                && let row = self.row(kind, units.len(), gram)?
                && row != NONE
            {
                return Ok(Some(row));
            }
        }
        Ok(None)
    }

    /// The last place of an array that does not descend whose number is up to `most`.
    fn last_up_to(&self, array: Array, most: usize) -> Checked<usize> {
        let (mut low, mut high) = (0, array.len);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.file.u32(array, middle)? as usize <= most {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low.checked_sub(1).ok_or_else(|| self.file.refuse(format!("nothing leads to {most}")))
    }

    fn push_unit(&self, kind: &Kind, unit: usize, out: &mut String) -> Checked<()> {
        // Buckets are pairs of first unit and place: the last that begins up to this unit holds it.
        let (mut low, mut high) = (0, kind.buckets.len / 2);
        while low < high {
            let middle = low + (high - low) / 2;
            if self.file.u32(kind.buckets, middle * 2)? as usize <= unit {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        let bucket = low.saturating_sub(1) * 2;
        let first = self.file.u32(kind.buckets, bucket)? as usize;
        let mut start = self.file.u32(kind.buckets, bucket + 1)? as usize;
        for before in first..unit {
            start += kind.length(&self.file, before)?;
        }
        let text = self.file.bytes(kind.text, start, start + kind.length(&self.file, unit)?)?;
        out.push_str(std::str::from_utf8(text).map_err(|e| self.file.refuse(format!("unit {unit} is no UTF-8: {e}")))?);
        Ok(())
    }
}
