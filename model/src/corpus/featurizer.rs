//! Fitted features: the terms and their scales.

use std::sync::{Arc, OnceLock};

use crate::lexicon::{Gram, Lexicon, NO_COLUMN};
use crate::tfidf::TfidfParams;

use super::Chosen;
use super::count::Grams;
use super::places::parts_of;

/// Text to values of terms, fitted: the parameters, the terms, the scale of each.
#[derive(Debug, Clone)]
pub struct Featurizer {
    params: TfidfParams,
    blocks: Vec<Block>,
    columns: usize,
    scales: Vec<Arc<[f64]>>,
    lexicons: OnceLock<Vec<Lexicon>>,
}

/// The terms of one length.
#[derive(Debug, Clone)]
struct Block {
    grams: Arc<Grams>,
    n: usize,
    /// The number of each column's n-gram; none where they are the same.
    numbers: Option<Arc<[u32]>>,
    columns: usize,
}

impl Featurizer {
    pub(super) fn new(params: TfidfParams, blocks: Vec<Chosen>, scales: Vec<Arc<[f64]>>) -> Self {
        let blocks: Vec<Block> = blocks
            .into_iter()
            .map(|block| Block {
                columns: block.columns().len(),
                n: block.n,
                numbers: match (&block.kept, &block.counted.grams) {
                    (None, grams) => grams.clone(),
                    (Some(kept), None) => Some(kept.as_slice().into()),
                    (Some(kept), Some(grams)) => Some(kept.iter().map(|&column| grams[column as usize]).collect()),
                },
                grams: block.grams.clone(),
            })
            .collect();
        let columns = blocks.iter().map(|block| block.columns).sum();
        Featurizer { params, blocks, columns, scales, lexicons: OnceLock::new() }
    }

    /// What it was fitted with.
    pub fn params(&self) -> &TfidfParams {
        &self.params
    }

    /// Number of terms.
    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The scales of the terms by column, shape (columns,) each: one set, or one a class where NB weighting has more than
    /// two. Inverse document frequencies or log-count ratios.
    pub fn scales(&self) -> &[Arc<[f64]>] {
        &self.scales
    }

    /// The terms as n-grams over units: those of words, then those of characters. Made when first asked for.
    pub fn lexicons(&self) -> &[Lexicon] {
        self.lexicons.get_or_init(|| {
            let mut lexicons = Vec::new();
            let mut start = 0;
            for blocks in self.blocks.chunk_by(|a, b| Arc::ptr_eq(&a.grams, &b.grams)) {
                lexicons.push(lexicon(blocks, start));
                start += blocks.iter().map(|block| block.columns).sum::<usize>();
            }
            lexicons
        })
    }

    /// The terms by column.
    pub fn terms(&self) -> Vec<String> {
        let text = |block: &Block, column: u32| {
            block.grams.text(block.n, block.numbers.as_ref().map_or(column, |numbers| numbers[column as usize]))
        };
        self.blocks.iter().flat_map(|block| (0..block.columns as u32).map(move |column| text(block, column))).collect()
    }
}

/// The n-grams of `blocks`, which are of one kind, and what those begin with; columns from `start` on.
fn lexicon(blocks: &[Block], start: usize) -> Lexicon {
    let grams = &blocks[0].grams;
    let longest = blocks.iter().map(|block| block.n).max().unwrap_or(1);
    // By level and number: the column; whether it is needed at all.
    let mut columns: Vec<Vec<u32>> = grams.levels[..longest].iter().map(|keys| vec![NO_COLUMN; keys.len()]).collect();
    let mut needed: Vec<Vec<bool>> = columns.iter().map(|level| vec![false; level.len()]).collect();
    let mut column = start as u32;
    for block in blocks {
        for i in 0..block.columns {
            let number = block.numbers.as_ref().map_or(i, |numbers| numbers[i] as usize);
            columns[block.n - 1][number] = column;
            needed[block.n - 1][number] = true;
            column += 1;
        }
    }
    for n in (2..=longest).rev() {
        let (below, own) = needed.split_at_mut(n - 1);
        for (&key, _) in grams.levels[n - 1].iter().zip(&own[0]).filter(|&(_, &needed)| needed) {
            let (prefix, unit) = parts_of(key);
            below[n - 2][prefix as usize] = true;
            below[0][unit as usize] = true;
        }
    }
    // Those needed, in the order of their numbers; the place of each among them.
    let kept = |n: usize| (0u32..).zip(&needed[n - 1]).filter(|(_, needed)| **needed).map(|(number, _)| number);
    let placed = |level: &[bool]| -> Vec<u32> {
        let place = |next: &mut u32, &needed: &bool| Some(std::mem::replace(next, *next + u32::from(needed)));
        level.iter().scan(0, place).collect()
    };
    let unit_places = placed(&needed[0]);
    let first =
        (0..).zip(kept(1)).map(|(place, unit)| Gram { prefix: 0, unit: place, column: columns[0][unit as usize] });
    let mut levels = vec![first.collect::<Vec<Gram>>()];
    let mut places = unit_places.clone();
    for n in 2..=longest {
        let gram = |number: u32| {
            let (prefix, unit) = parts_of(grams.levels[n - 1][number as usize]);
            let (prefix, unit) = (places[prefix as usize], unit_places[unit as usize]);
            Gram { prefix, unit, column: columns[n - 1][number as usize] }
        };
        levels.push(kept(n).map(gram).collect());
        places = placed(&needed[n - 1]);
    }
    let units = kept(1).map(|unit| grams.units[unit as usize].clone()).collect();
    Lexicon { unit: grams.unit, units, levels }
}
