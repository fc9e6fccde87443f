//! Lexicons to tensors.

use safetensors::Dtype;
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::container::Tensor;
use crate::lexicon::{Lexicon, NO_COLUMN};
use crate::vocabulary::search::bucket;
use crate::vocabulary::{BUCKET, LONGEST, level_names, name};

/// The tensors of a vocabulary, and the column of each of its rows; else why it cannot be written.
///
/// Every column below `columns` must be one gram's.
pub(crate) fn build(lexicons: &[Lexicon], columns: usize) -> Result<(Vec<Tensor>, Vec<u32>), String> {
    let (mut tensors, mut rows) = (Vec::new(), Vec::with_capacity(columns));
    for lexicon in lexicons {
        if lexicon.levels.len() > LONGEST {
            return Err(format!("terms of {} units; at most {LONGEST}", lexicon.levels.len()));
        }
        let mut numbers = units(lexicon, &mut tensors)?;
        let mut new_units = Vec::new();
        for (n, grams) in (1..).zip(&lexicon.levels) {
            let mut order: Vec<u32> = (0..grams.len() as u32).collect();
            if n == 1 {
                new_units.clone_from(&numbers);
                order.sort_unstable_by_key(|&gram| numbers[grams[gram as usize].unit as usize]);
                if grams.len() != lexicon.units.len() {
                    return Err(format!("{} grams of one unit, {} units", grams.len(), lexicon.units.len()));
                }
            } else {
                let key = |gram: u32| {
                    let gram = grams[gram as usize];
                    (numbers[gram.prefix as usize], new_units[gram.unit as usize])
                };
                order.sort_unstable_by_key(|&gram| key(gram));
                let before = numbers.len();
                let (last, first, _) = level_names(lexicon.unit, n);
                tensors.push(Tensor::u32s(last, &[grams.len()], order.iter().map(|&gram| key(gram).1)));
                let mut firsts = vec![0u32; before + 1];
                order.iter().for_each(|&gram| firsts[key(gram).0 as usize + 1] += 1);
                (1..=before).for_each(|at| firsts[at] += firsts[at - 1]);
                tensors.push(Tensor::u32s(first, &[before + 1], firsts));
            }
            let column = |&gram: &u32| grams[gram as usize].column;
            push_rows(level_names(lexicon.unit, n).2, order.iter().map(column), &mut tensors, &mut rows);
            numbers = vec![0; grams.len()];
            (0..).zip(&order).for_each(|(new, &old)| numbers[old as usize] = new);
        }
    }
    let mut seen = vec![false; columns];
    for &column in &rows {
        match seen.get_mut(column as usize) {
            Some(seen) if !*seen => *seen = true,
            _ => return Err(format!("column {column} of {columns} is of two terms, or of none")),
        }
    }
    match rows.len() == columns {
        true => Ok((tensors, rows)),
        false => Err(format!("{} terms have {columns} columns", rows.len())),
    }
}

/// Adds the units' tensors; gives the number on disk of each unit.
fn units(lexicon: &Lexicon, tensors: &mut Vec<Tensor>) -> Result<Vec<u32>, String> {
    let mut units: Vec<(u64, &str, u32)> =
        (0..).zip(&lexicon.units).map(|(old, unit)| (xxh3_64(unit.as_bytes()), &**unit, old)).collect();
    units.sort_unstable();
    let text: String = units.iter().map(|(_, unit, _)| *unit).collect();
    if u32::try_from(text.len()).is_err() {
        return Err(format!(
            "its units are {} bytes of text; at most 4 GiB: raise min_df or set max_features",
            text.len()
        ));
    }
    let (mut numbers, mut at) = (vec![0; units.len()], 0);
    let count = units.len().div_ceil(BUCKET).max(1);
    let (mut buckets, mut filled) = (Vec::with_capacity(2 * count + 2), 0);
    for (new, (hash, unit, old)) in (0u32..).zip(&units) {
        while filled <= bucket(*hash, count) {
            buckets.extend([new, at]);
            filled += 1;
        }
        numbers[*old as usize] = new;
        at += unit.len() as u32;
    }
    while filled <= count {
        buckets.extend([units.len() as u32, at]);
        filled += 1;
    }
    let kind = name(lexicon.unit);
    let (name, lengths) = (format!("{kind}.lengths"), units.iter().map(|(_, unit, _)| unit.len()));
    tensors.push(match lengths.clone().max() {
        Some(most) if most > 0xFF => Tensor::u32s(name, &[units.len()], lengths.map(|length| length as u32)),
        _ => Tensor { dtype: Dtype::U8, ..Tensor::u8s(name, lengths.map(|length| length as u8).collect()) },
    });
    tensors.push(Tensor::u8s(format!("{kind}.text"), text.into_bytes()));
    tensors.push(Tensor::u32s(format!("{kind}.buckets"), &[count + 1, 2], buckets));
    Ok(numbers)
}

/// Adds the columns of a level's terms, and, where not all its grams are terms, the tensor that says which.
fn push_rows(name: String, columns: impl Iterator<Item = u32> + Clone, tensors: &mut Vec<Tensor>, rows: &mut Vec<u32>) {
    let kept = |column: &u32| *column != NO_COLUMN;
    let grams = columns.clone().count();
    match columns.clone().filter(kept).count() {
        count if count == grams => {}
        0 => tensors.push(Tensor::u32s(name, &[0], [])),
        _ => {
            let before = columns.clone().scan(0, |before, column| {
                let this = *before;
                *before += u32::from(kept(&column));
                Some(this)
            });
            let all = columns.clone().filter(kept).count() as u32;
            tensors.push(Tensor::u32s(name, &[grams + 1], before.chain([all])));
        }
    }
    rows.extend(columns.filter(kept));
}
