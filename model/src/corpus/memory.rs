//! What of the memory allowed goes where, and which n-grams are one too many.
//!
//! Words and counts have half of it (`Room`), what is beyond goes to the disk. What a solver works in must
//! be in memory: so much a row, a term, a value. Each length of n-grams gets a share of what those before it left, the shorter ones,
//! which tell more, twice that of the longer, and the rarest that do not fit are pruned. All of this depends on the documents and the bound alone.

use crate::lexicon::Unit;

/// What is made of the counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fits {
    /// Numbers a term and a row: 1, or one a class where those are fitted together.
    pub vectors: usize,
    /// Whether there are fits on folds, several at once while the counts stay.
    pub folds: bool,
}

impl Default for Fits {
    fn default() -> Self {
        Fits { vectors: 1, folds: false }
    }
}

/// Bytes of a row: target, document, scale and places in the counts; by vector what the solver has in the scores' shape.
const ROW: u64 = 40;
const ROW_VECTOR: u64 = 104;
/// Bytes of a term: key, frequency, scales; by vector the solver's sums, and its weights as they are made of them. Those in one
/// document alone have neither.
const TERM: u64 = 40;
const TERM_VECTOR: u64 = 24;
/// Half bytes of a value in what the solver reads (2 bytes in the frequent columns, 4 in the others and 2 a column of a tile).
const VALUE: u64 = 5;
/// Fits on folds that are at work at once: a bound that does not know of threads, for the result must not.
const FOLDS: u64 = 2;
/// Bytes that an n-gram takes while its length is counted and numbered: as it is sorted (twice, and room to grow), as key,
/// frequency and slots of the index.
const COUNTING: u64 = 96;

/// Bytes of a place that is counted, as it is written down, and the part of the bound that all that are counted at once may have.
const PLACE: u64 = 8;
const PLACES: u64 = 4;
/// But so many places are counted at once whatever the bound: with fewer, time goes into passing over all others.
const LEAST_PLACES: u64 = 1 << 20;

/// Bytes that a fit may take, what is left of them, and what was pruned.
#[derive(Debug)]
pub(super) struct Memory {
    /// None: any.
    most: Option<u64>,
    left: u64,
    /// Lengths of n-grams still to come.
    lengths: u64,
    cost: Cost,
    pub(super) notes: Vec<String>,
}

/// What of the n-grams of one length may be kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// N-grams that can be counted.
    most: u64,
    /// Bytes of those that become terms; none where they do not.
    bytes: Option<u64>,
    cost: Cost,
}

/// What terms take in a solver.
#[derive(Debug, Clone, Copy)]
struct Cost {
    /// Bytes of a term in one document, and of another.
    single: u64,
    term: u64,
    /// Half bytes of a value.
    value: u64,
}

impl Cost {
    /// Bytes of so many terms in one document, as many others, and values of all.
    fn bytes(self, [singles, others, values]: [u64; 3]) -> u64 {
        let terms = singles.saturating_mul(self.single).saturating_add(others.saturating_mul(self.term));
        terms.saturating_add(values.saturating_mul(self.value) / 2)
    }
}

impl Memory {
    /// For so many documents and lengths of n-grams.
    pub(super) fn new(most: Option<u64>, fits: Fits, documents: usize, lengths: usize) -> Self {
        let (vectors, at_once) = (fits.vectors as u64, if fits.folds { FOLDS } else { 1 });
        let bytes = most.unwrap_or(u64::MAX / 2);
        // An eighth is the program's own and its buffers'; of folds the counts have their half to the end.
        let solver = if fits.folds { bytes / 2 } else { bytes - bytes / 8 };
        let rows = (documents as u64).saturating_mul(ROW + at_once * vectors * ROW_VECTOR);
        Memory {
            most,
            left: solver.saturating_sub(rows).max(bytes / 8),
            lengths: lengths as u64,
            cost: Cost { single: TERM, term: TERM + at_once * vectors * TERM_VECTOR, value: at_once * VALUE },
            notes: Vec::new(),
        }
    }

    /// Of the next length; `terms`: whether its n-grams are terms.
    pub(super) fn limits(&mut self, terms: bool) -> Option<Limits> {
        let share = (self.left / (self.lengths + 1) * 2).min(self.left);
        self.lengths = self.lengths.saturating_sub(1);
        let most = (self.most? / 2 / COUNTING).max(1);
        Some(Limits { most, bytes: terms.then_some(share), cost: self.cost })
    }

    /// Places that are counted at once, at most.
    pub(super) fn places(&self) -> usize {
        let places = |most: u64| usize::try_from((most / PLACE / PLACES).max(LEAST_PLACES));
        self.most.and_then(|most| places(most).ok()).unwrap_or(usize::MAX)
    }

    /// Takes note of the n-grams of `n` units, by the documents of each: of those that are terms what they take, of all what was pruned.
    pub(super) fn took(&mut self, kept: (Unit, usize), terms: bool, frequencies: &[u32], [asked, least]: [u32; 2]) {
        if terms {
            let singles = frequencies.iter().filter(|&&frequency| frequency < 2).count() as u64;
            let values = frequencies.iter().map(|&frequency| u64::from(frequency)).sum();
            let bytes = self.cost.bytes([singles, frequencies.len() as u64 - singles, values]);
            self.left = self.left.saturating_sub(bytes);
        }
        let (unit, n) = kept;
        if let Some(most) = self.most.filter(|_| least > asked.max(1)) {
            let one = if n == 1 { "" } else { "s" };
            let units = if unit == Unit::Word { "word" } else { "character" };
            self.notes.push(format!(
                "n-grams of {n} {units}{one} in fewer than {least} documents were pruned to keep within {most} bytes \
                 (max_memory); {} was asked",
                asked.max(1)
            ));
        }
    }
}

impl Limits {
    /// Of n-grams whose documents are not known yet: how many can be counted.
    pub(super) fn of_counting(self) -> Self {
        Limits { bytes: None, ..self }
    }

    /// Whether so many places fit whatever n-grams of at least `least` documents stand there.
    pub(super) fn fit(&self, places: usize, least: u32) -> bool {
        let (places, least) = (places as u64, u64::from(least));
        let others = [0, places / least.max(2), places];
        let bytes = self.cost.bytes(others).max(if least < 2 { self.cost.bytes([places, 0, places]) } else { 0 });
        places / least.max(1) <= self.most && self.bytes.is_none_or(|all| bytes <= all)
    }

    /// The least frequency, from `least` up, at which what is kept fits. The most frequent are always kept.
    pub(super) fn least(&self, frequencies: Vec<u32>, least: u32) -> u32 {
        self.least_by(frequencies, 1, 0, least)
    }

    /// The same, of a sample: each of its frequencies stands for `times` n-grams, and those of all n-grams add up to about `total`. By
    /// that much what the sample adds up to is corrected: it is the few most frequent that it has or has not, of all others it
    /// has as many as it should.
    pub(super) fn least_of_sample(&self, frequencies: Vec<u32>, times: u64, total: u64, least: u32) -> u32 {
        if times == 1 {
            return self.least(frequencies, least);
        }
        let sampled = frequencies.iter().map(|&frequency| u64::from(frequency)).sum::<u64>().saturating_mul(times);
        self.least_by(frequencies, times, i128::from(total) - i128::from(sampled), least)
    }

    fn least_by(&self, mut frequencies: Vec<u32>, times: u64, correction: i128, least: u32) -> u32 {
        frequencies.retain(|&frequency| frequency >= least.max(1));
        frequencies.sort_unstable_by_key(|&frequency| std::cmp::Reverse(frequency));
        let Some(&greatest) = frequencies.first() else { return least };
        let ([mut singles, mut others], mut values) = ([0u64; 2], correction);
        for &frequency in &frequencies {
            *if frequency < 2 { &mut singles } else { &mut others } += times;
            values += i128::from(times) * i128::from(frequency);
            let bytes = self.cost.bytes([singles, others, u64::try_from(values.max(0)).unwrap_or(u64::MAX)]);
            if singles + others > self.most || self.bytes.is_some_and(|all| bytes > all) {
                // All as rare as the first that is too many go with it.
                return frequency.saturating_add(1).min(greatest);
            }
        }
        least
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// What is kept fits, and one step down would not: but the most frequent stay whatever there is.
        #[test]
        fn the_rarest_that_do_not_fit_are_pruned(
            frequencies in proptest::collection::vec(1..50u32, 1..60),
            least in 1..5u32,
            most in 1..80u64,
            bytes in proptest::option::of(0..9_000u64),
        ) {
            let limits = Limits { most, bytes, cost: Cost { single: 60, term: 100, value: 5 } };
            let fits = |least: u32| {
                let kept: Vec<u64> = frequencies.iter().filter(|&&f| f >= least).map(|&f| u64::from(f)).collect();
                let terms: u64 = kept.iter().map(|&f| if f == 1 { 60 } else { 100 }).sum();
                let size = terms + kept.iter().sum::<u64>() * 5 / 2;
                kept.len() as u64 <= most && bytes.is_none_or(|all| size <= all)
            };
            let found = limits.least(frequencies.clone(), least);
            let greatest = frequencies.iter().copied().max().unwrap_or(0);
            prop_assert!(fits(found) || found == greatest);
            prop_assert!(found == least || found > least && !fits(found - 1) || greatest <= least);
            let places = frequencies.iter().map(|&f| f as usize).sum();
            prop_assert!(!limits.fit(places, 1) || limits.least(frequencies, 1) == 1);
        }
    }

    proptest! {
        /// One n-gram of very many documents in the sample, or none, and what is kept is the same.
        #[test]
        fn the_most_frequent_do_not_mislead_a_sample(
            rare in proptest::collection::vec(1..50u32, 1..60),
            frequent in 100_000..10_000_000u32,
            bytes in 300_000..30_000_000u64,
        ) {
            let limits = Limits { most: u64::MAX, bytes: Some(bytes), cost: Cost { single: 60, term: 100, value: 5 } };
            let times = 64;
            let total = u64::from(frequent) + times * rare.iter().map(|&f| u64::from(f)).sum::<u64>();
            let without = limits.least_of_sample(rare.clone(), times, total, 1);
            // As if all were known.
            let mut all: Vec<u32> = rare.iter().flat_map(|&f| vec![f; times as usize]).collect();
            all.push(frequent);
            let greatest = rare.iter().copied().max().unwrap_or(0);
            let exact = limits.least(all.clone(), 1).min(greatest);
            prop_assert_eq!(without, exact);
            let with = rare.into_iter().chain([frequent]).collect();
            let with = limits.least_of_sample(with, times, total, 1).min(greatest);
            // It is taken for 64 n-grams of 100 bytes, of which 63 are not there.
            let less = Limits { bytes: Some(bytes - 63 * 100), ..limits };
            prop_assert!(with == exact || with <= less.least(all, 1).min(greatest));
            prop_assert!(with >= exact);
        }
    }

    #[test]
    fn what_is_left_is_shared() {
        let mut memory = Memory::new(Some(8_000_000), Fits::default(), 1_000, 2);
        assert_eq!(memory.limits(true).unwrap().bytes, Some((7_000_000 - 144_000) / 3 * 2));
        memory.took((Unit::Word, 1), true, &[10; 1_000], [1, 1]);
        assert_eq!(memory.limits(true).unwrap().bytes, Some(7_000_000 - 144_000 - 89_000));
        assert!(memory.notes.is_empty());
        memory.took((Unit::Word, 2), true, &[], [0, 7]);
        assert!(
            memory.notes[0].starts_with("n-grams of 2 words in fewer than 7 documents were pruned"),
            "{:?}",
            memory.notes
        );
        assert!(Memory::new(None, Fits::default(), 1, 1).limits(true).is_none());
    }
}
