//! Lexicons to tensors.

use safetensors::Dtype;
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::container::Tensor;
use crate::lexicon::{Gram, Lexicon, NO_COLUMN};
use crate::threads;
use crate::vocabulary::code::Code;
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
            let order: Vec<u32>;
            if n == 1 {
                if grams.len() != lexicon.units.len() {
                    return Err(format!("{} grams of one unit, {} units", grams.len(), lexicon.units.len()));
                }
                let placed = (0..).zip(grams).map(|(old, gram)| (numbers[gram.unit as usize], old));
                let placed: Vec<(u32, u32)> = threads::sorted(placed.collect(), Ord::cmp);
                order = placed.into_iter().map(|(_, old)| old).collect();
                new_units.clone_from(&numbers);
            } else {
                let code = Code::for_grams(numbers.len(), lexicon.units.len(), grams.len())
                    .ok_or_else(|| format!("{} terms of {n} units are too many", grams.len()))?;
                let (starts, placed) = by_bucket(grams, &numbers, &new_units, code);
                let (names, rests) = (level_names(lexicon.unit, n), placed.iter().map(|&(rest, _)| rest));
                tensors.push(Tensor::u32s(names.0, &[starts.len()], starts));
                tensors.push(match code.wide() {
                    true => Tensor::u32s(names.1, &[grams.len()], rests),
                    false => Tensor::u16s(names.1, rests),
                });
                order = placed.into_iter().map(|(_, old)| old).collect();
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

/// The grams by bucket and rest, numbered as on disk: where each bucket's begin (and the end), and of each gram its rest
/// and its number before.
fn by_bucket(grams: &[Gram], prefixes: &[u32], units: &[u32], code: Code) -> (Vec<u32>, Vec<(u32, u32)>) {
    let of = |gram: &Gram| code.of(prefixes[gram.prefix as usize], units[gram.unit as usize]);
    let mut starts = vec![0u32; code.buckets() + 1];
    grams.iter().for_each(|gram| starts[of(gram).0 + 1] += 1);
    (1..starts.len()).for_each(|at| starts[at] += starts[at - 1]);
    let mut placed = vec![(0, 0); grams.len()];
    // Each thread has a run of buckets, and the grams in them to itself.
    let (mut rest, share) = (&mut placed[..], code.buckets().div_ceil(threads::count()).max(1));
    let runs = (0..code.buckets()).step_by(share).map(|first| {
        let run = first..code.buckets().min(first + share);
        let own = rest.split_off_mut(..(starts[run.end] - starts[run.start]) as usize).unwrap_or_default();
        (run, own)
    });
    threads::share(runs.collect(), |(run, placed)| {
        let starts = &starts[run.start..=run.end];
        let mut next: Vec<u32> = starts.iter().map(|start| start - starts[0]).collect();
        for (old, gram) in (0..).zip(grams) {
            let (bucket, rest) = of(gram);
            if run.contains(&bucket) {
                let next = &mut next[bucket - run.start];
                placed[*next as usize] = (rest, old);
                *next += 1;
            }
        }
        let bounds = starts.windows(2).map(|ends| (ends[0] - starts[0]) as usize..(ends[1] - starts[0]) as usize);
        bounds.for_each(|own| placed[own].sort_unstable());
    });
    (starts, placed)
}

/// Adds the units' tensors; gives the number on disk of each unit.
fn units(lexicon: &Lexicon, tensors: &mut Vec<Tensor>) -> Result<Vec<u32>, String> {
    let units = (0..).zip(&lexicon.units).map(|(old, unit)| (xxh3_64(unit.as_bytes()), &**unit, old));
    let units: Vec<(u64, &str, u32)> = threads::sorted(units.collect(), Ord::cmp);
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
