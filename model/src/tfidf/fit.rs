//! Fitting: one pass over the documents counts terms, then the vocabulary is chosen and the counts are weighed.

use crate::analyzer::{Analyzer, Scratch};
use crate::error::FitError;
use crate::records::{Block, Records};
use crate::tfidf::interner::Interner;
use crate::tfidf::vocabulary::Vocabulary;
use crate::tfidf::weigh::inverse_document_frequency;
use crate::tfidf::{Tfidf, TfidfParams};

/// Terms counted, numbered in order of first sight.
struct Counts {
    terms: Interner,
    /// Where each document's counts end.
    ends: Vec<usize>,
    /// (term, count), the documents one after the other.
    counts: Vec<(u32, u32)>,
    /// Documents that hold each term.
    document_frequencies: Vec<u32>,
}

impl TfidfParams {
    /// Learns the vocabulary and the inverse document frequencies of `documents`, and gives their records.
    pub fn fit_tfidf<D: AsRef<str>>(&self, documents: &[D]) -> Result<(Tfidf, Records), FitError> {
        self.check()?;
        let analyzer = Analyzer::new(self);
        let counts = count(&analyzer, documents)?;
        let kept = self.choose(&counts, documents.len())?;
        let vocabulary = Vocabulary::build(kept.iter().map(|&term| (counts.terms.term(term), counts.terms.hash(term))));
        let idf = kept.iter().map(|&term| match self.use_idf {
            true => {
                inverse_document_frequency(documents.len(), counts.document_frequencies[term as usize], self.smooth_idf)
            }
            false => 1.0,
        });
        let tfidf = Tfidf { params: self.clone(), analyzer, vocabulary, idf: idf.collect() };
        let records = tfidf.records_of(&counts, &kept);
        Ok((tfidf, records))
    }

    /// The terms kept, ascending by their text.
    fn choose(&self, counts: &Counts, documents: usize) -> Result<Vec<u32>, FitError> {
        if counts.terms.len() == 0 {
            return Err(FitError::EmptyVocabulary { documents });
        }
        let (min_df, max_df) = (self.min_df.of(documents), self.max_df.of(documents));
        if max_df < min_df {
            return Err(FitError::CrossedFrequencies { min_df, max_df });
        }
        let mut kept: Vec<u32> = (0..)
            .zip(&counts.document_frequencies)
            .filter(|&(_, &df)| (min_df..=max_df).contains(&f64::from(df)))
            .map(|(term, _)| term)
            .collect();
        if kept.is_empty() {
            return Err(FitError::NothingRemains { min_df, max_df });
        }
        sort_by_text(&mut kept, &counts.terms);
        if let Some(most) = self.max_features.filter(|&most| most < kept.len()) {
            // A tie goes to the term that comes first. (scikit-learn leaves ties to an unstable sort.)
            let frequencies = counts.frequencies(self.binary);
            let mut order: Vec<usize> = (0..kept.len()).collect();
            order.sort_by_key(|&i| std::cmp::Reverse(frequencies[kept[i] as usize]));
            order.truncate(most);
            order.sort_unstable();
            kept = order.into_iter().map(|i| kept[i]).collect();
        }
        Ok(kept)
    }
}

impl Counts {
    /// How often each term occurs in all documents (once a document where `binary`).
    fn frequencies(&self, binary: bool) -> Vec<u64> {
        let mut frequencies = vec![0; self.terms.len()];
        for &(term, count) in &self.counts {
            frequencies[term as usize] += if binary { 1 } else { u64::from(count) };
        }
        frequencies
    }
}

impl Tfidf {
    fn records_of(&self, counts: &Counts, kept: &[u32]) -> Records {
        let mut columns = vec![u32::MAX; counts.terms.len()];
        for (column, &term) in (0..).zip(kept) {
            columns[term as usize] = column;
        }
        let mut sparse = crate::counts::Counts::new(kept.len());
        let (mut sorted, mut start) = (Vec::new(), 0);
        for &end in &counts.ends {
            let counted = counts.counts[start..end].iter();
            sorted.clear();
            sorted
                .extend(counted.map(|&(term, count)| (columns[term as usize], count)).filter(|&(c, _)| c != u32::MAX));
            sorted.sort_unstable();
            sparse.push_row(sorted.iter().copied());
            start = end;
        }
        self.records(sparse)
    }

    pub(super) fn records(&self, counts: crate::counts::Counts) -> Records {
        let blocks = vec![Block { counts: std::sync::Arc::new(counts), group: 0 }];
        Records::new(blocks, self.params.term_frequency(), vec![self.idf.as_slice().into()], self.params.norm)
    }
}

fn count<D: AsRef<str>>(analyzer: &Analyzer, documents: &[D]) -> Result<Counts, FitError> {
    let mut terms = Interner::new();
    let (mut counts, mut document_frequencies) = (Vec::new(), Vec::new());
    let mut ends = Vec::with_capacity(documents.len());
    // Of each term: where its latest count is. It is this document's where it is at or past the document's begin.
    let mut places: Vec<usize> = Vec::new();
    let mut scratch = Scratch::default();
    for document in documents {
        let start = counts.len();
        analyzer.terms(document.as_ref(), &mut scratch, |term| {
            let Some(number) = terms.intern(term.as_bytes()) else { return };
            match places.get_mut(number as usize) {
                Some(&mut place) if place >= start => {
                    let (_, count): &mut (u32, u32) = &mut counts[place];
                    *count = count.saturating_add(1);
                    return;
                }
                Some(place) => {
                    *place = counts.len();
                    document_frequencies[number as usize] += 1;
                }
                None => {
                    places.push(counts.len());
                    document_frequencies.push(1);
                }
            }
            counts.push((number, 1));
        });
        ends.push(counts.len());
    }
    if terms.overflowed() {
        return Err(FitError::VocabularyTooLarge { terms: terms.len(), bytes: terms.bytes() });
    }
    Ok(Counts { terms, ends, counts, document_frequencies })
}

/// Ascending by bytes, which for UTF-8 is by code point.
fn sort_by_text(numbers: &mut [u32], terms: &Interner) {
    // The first eight bytes decide nearly always, and lie in a row where the terms lie about.
    let mut keyed: Vec<(u64, u32)> = numbers.iter().map(|&number| (prefix(terms.term(number)), number)).collect();
    keyed.sort_unstable_by(|&(a, a_number), &(b, b_number)| {
        a.cmp(&b).then_with(|| terms.term(a_number).cmp(terms.term(b_number)))
    });
    for (number, (_, sorted)) in numbers.iter_mut().zip(keyed) {
        *number = sorted;
    }
}

fn prefix(term: &[u8]) -> u64 {
    let mut eight = [0; 8];
    let length = term.len().min(8);
    eight[..length].copy_from_slice(&term[..length]);
    u64::from_be_bytes(eight)
}
