//! Which blocks and columns a candidate has: by its ranges, by document frequency, by `max_features`.

use std::sync::Arc;

use crate::counts::{COUNT_BITS, Counts, ESCAPE};
use crate::error::FitError;
use crate::settings::SettingError;
use crate::tfidf::{AnalyzerKind, TfidfParams};

use super::params::CharKind;
use super::places::parts_of;
use super::rows::Rows as Packed;
use super::stream::NONE;
use super::{Chosen, Corpus, Wanted, count, parallel, scales};

impl Corpus {
    /// The blocks within the ranges of `params`, all their columns (but those that are no n-gram of the range).
    pub(super) fn wanted(&self, params: &TfidfParams) -> Result<Vec<Chosen>, FitError> {
        let words = |range, group| Wanted { kind: &self.words, range, name: "ngram_range", group };
        let chars = |range, name, group| Wanted { kind: &self.chars, range, name, group };
        let wanted = match params.analyzer {
            AnalyzerKind::Word => vec![words(params.ngram_range, 0)],
            AnalyzerKind::Char | AnalyzerKind::CharWb => vec![chars(params.ngram_range, "ngram_range", 0)],
            AnalyzerKind::WordCharWb => {
                vec![words(params.ngram_range, 0), chars(params.char_ngram_range, "char_ngram_range", 1)]
            }
        };
        let kind = match params.analyzer {
            AnalyzerKind::Word => None,
            AnalyzerKind::Char => Some(CharKind::Char),
            AnalyzerKind::CharWb | AnalyzerKind::WordCharWb => Some(CharKind::CharWb),
        };
        if kind.is_some() && self.params.chars.map(|(kind, _, _)| kind) != kind {
            return Err(SettingError::new("analyzer", format!("{:?}", params.analyzer), "what was counted").into());
        }
        let mut blocks = Vec::new();
        for Wanted { kind, range: (shortest, longest), name, group } in wanted {
            let Some(kind) = kind else {
                return Err(SettingError::new("analyzer", format!("{:?}", params.analyzer), "what was counted").into());
            };
            if shortest < kind.shortest || longest > kind.longest {
                let expected = format!("{},{} at most, which was counted", kind.shortest, kind.longest);
                return Err(SettingError::new(name, format!("{shortest},{longest}"), expected).into());
            }
            for n in 1..=longest {
                let Some(counted) = kind.counted[n - 1].as_ref() else { continue };
                // Shorter ones are terms where they are a whole piece, and such an n-gram is always one.
                let kept = (n < shortest).then(|| kind.grams.whole_pieces(n, counted));
                if n < shortest && (!kind.pieces || kept.as_ref().is_some_and(Vec::is_empty)) {
                    continue;
                }
                let (counted, grams) = (counted.clone(), kind.grams.clone());
                blocks.push(Chosen { counted, grams, n, group, kept, frequencies: Vec::new() });
            }
        }
        Ok(blocks)
    }
}

impl count::Grams {
    /// The columns whose n-gram begins and ends with the padding.
    fn whole_pieces(&self, n: usize, counted: &count::Counted) -> Vec<u32> {
        let is_space = |unit: u32| self.units[unit as usize].as_ref() == " ";
        let whole = |column: &u32| {
            let mut number = counted.grams.as_ref().map_or(*column, |grams| grams[*column as usize]);
            let mut ends = is_space(parts_of(self.levels[n - 1][number as usize]).1);
            for level in self.levels[1..n].iter().rev() {
                number = parts_of(level[number as usize]).0;
            }
            ends &= n > 2 && is_space(number);
            ends
        };
        (0..counted.counts.columns() as u32).filter(whole).collect()
    }

    /// The text of n-gram `number` of `n` units.
    pub(super) fn text(&self, n: usize, number: u32) -> String {
        let (mut units, mut number) = (Vec::with_capacity(n), number);
        for level in self.levels[1..n].iter().rev() {
            let (prefix, unit) = parts_of(level[number as usize]);
            units.push(unit);
            number = prefix;
        }
        units.push(number);
        let between = if self.unit == crate::lexicon::Unit::Word { " " } else { "" };
        let units: Vec<&str> = units.iter().rev().map(|&unit| self.units[unit as usize].as_ref()).collect();
        units.join(between)
    }
}

/// Keeps the columns that `params` want by their frequencies in the chosen rows.
pub(super) fn choose(
    blocks: &mut Vec<Chosen>,
    params: &TfidfParams,
    rows: &scales::Rows<'_>,
    threads: usize,
) -> Result<(), FitError> {
    let documents = rows.len();
    if !blocks.iter().any(|block| block.counted.any) {
        return Err(FitError::EmptyVocabulary { documents });
    }
    let (min_df, max_df) = (params.min_df.of(documents), params.max_df.of(documents));
    if max_df < min_df {
        return Err(FitError::CrossedFrequencies { min_df, max_df });
    }
    // A term that no chosen row holds is none of theirs.
    let range = min_df.max(1.0)..=max_df;
    for block in blocks.iter_mut() {
        let within = |&column: &usize| range.contains(&f64::from(block.frequency(column)));
        let kept: Vec<u32> = block.columns().filter(within).map(|column| column as u32).collect();
        block.kept = (kept.len() < block.counted.counts.columns()).then_some(kept);
    }
    let kept: usize = blocks.iter().map(|block| block.columns().len()).sum();
    if kept == 0 {
        return Err(FitError::NothingRemains { min_df, max_df });
    }
    if let Some(most) = params.max_features.filter(|&most| most < kept) {
        keep_most_frequent(blocks, most, params.term_frequency() == crate::TermFrequency::Binary, rows, threads);
    }
    blocks.retain(|block| block.columns().len() > 0);
    Ok(())
}

/// Keeps the `most` columns that occur most often; a tie goes to the term that comes first. (scikit-learn leaves ties to
/// an unstable sort.)
fn keep_most_frequent(blocks: &mut [Chosen], most: usize, binary: bool, rows: &scales::Rows<'_>, threads: usize) {
    let mut order: Vec<(u64, usize, u32)> = Vec::new();
    for (number, block) in blocks.iter().enumerate() {
        let counts = &block.counted.counts;
        let occurrences: Vec<u64> = match binary {
            true => (0..counts.columns()).map(|column| u64::from(block.frequency(column))).collect(),
            false => rows.sum(counts.columns(), threads, |sums: &mut [u64], document| {
                counts.row(document).for_each(|(column, count)| sums[column as usize] += u64::from(count));
            }),
        };
        order.extend(block.columns().map(|column| (u64::MAX - occurrences[column], number, column as u32)));
    }
    order.sort_unstable();
    let least = order[most - 1].0;
    let from = order.partition_point(|&(rest, ..)| rest < least);
    let to = order.partition_point(|&(rest, ..)| rest <= least);
    let text = |&(_, block, column): &(u64, usize, u32)| {
        let block = &blocks[block];
        block.grams.text(block.n, block.counted.grams.as_ref().map_or(column, |grams| grams[column as usize]))
    };
    order[from..to].sort_by_cached_key(text);
    let mut kept = vec![Vec::new(); blocks.len()];
    order[..most].iter().for_each(|&(_, block, column)| kept[block].push(column));
    for (block, mut kept) in blocks.iter_mut().zip(kept) {
        kept.sort_unstable();
        block.kept = (kept.len() < block.counted.counts.columns()).then_some(kept);
    }
}

impl Chosen {
    /// The counts of the columns kept; the corpus' own where that is all of them.
    pub(super) fn counts(&self, threads: usize) -> Arc<Counts> {
        let all = &self.counted.counts;
        let Some(kept) = &self.kept else { return all.clone() };
        let mut columns = vec![NONE; all.columns()];
        for (column, &old) in (0..).zip(kept) {
            columns[old as usize] = column;
        }
        let share = all.rows().div_ceil(threads.max(1) * 4).max(1);
        let parts = parallel::map(threads, all.rows().div_ceil(share), |part| {
            let mut rows = Packed::default();
            for document in part * share..all.rows().min((part + 1) * share) {
                let mut packed = all.packed(document).iter();
                while let Some(&entry) = packed.next() {
                    let column = columns[(entry >> COUNT_BITS) as usize];
                    let code = entry & ESCAPE;
                    let more = if code == ESCAPE { packed.next() } else { None };
                    if column != NONE {
                        rows.entries.push(column << COUNT_BITS | code);
                        rows.entries.extend(more);
                        rows.non_zeros += 1;
                    }
                }
                rows.end_row();
            }
            rows
        });
        let mut counts = all.like(kept.len());
        counts.reserve(all.rows());
        parts.into_iter().for_each(|rows| counts.append(rows.entries, &rows.ends, rows.non_zeros));
        counts.settle();
        Arc::new(counts)
    }
}
