//! Documents to counts of n-grams, once, for every candidate of a search.
//!
//! [`CorpusBuilder`] takes texts in batches and keeps streams of unit numbers (words, pieces between white space,
//! characters); `finish` makes n-grams out of them, a length at a time, a block of [`Counts`](crate::Counts) each; and
//! [`Corpus::featurize`] chooses blocks and columns and fits the scales for one set of parameters. What comes out depends
//! on the documents and the parameters alone: not on batches, nor on the number of threads.

mod builder;
mod choose;
mod count;
mod dictionary;
mod featurizer;
mod grams;
mod memory;
pub(crate) mod parallel;
mod params;
mod places;
mod rows;
mod scales;
mod spread;
mod stream;
mod table;
mod tokens;

pub use builder::CorpusBuilder;
pub use featurizer::Featurizer;
pub use memory::Fits;
pub use params::{CharKind, CorpusParams};
pub use tokens::{Tokenizer, Tokenizers, Tokens};

use std::sync::Arc;

use crate::error::FitError;
use crate::records::{Block, Records};
use crate::tfidf::{TfidfParams, Weighting};
use count::Kind;

/// Counted documents.
#[derive(Debug)]
pub struct Corpus {
    params: CorpusParams,
    documents: usize,
    words: Option<Kind>,
    chars: Option<Kind>,
    pruned: Vec<String>,
    aside: Option<String>,
}

impl Corpus {
    /// Number of documents.
    pub fn documents(&self) -> usize {
        self.documents
    }

    /// What was counted.
    pub fn params(&self) -> &CorpusParams {
        &self.params
    }

    /// What was pruned to keep to the memory allowed, as sentences.
    pub fn pruned(&self) -> &[String] {
        &self.pruned
    }

    /// What lies on the disk for that reason, or why it could not, as a sentence. It changes no result.
    pub fn aside(&self) -> Option<&str> {
        self.aside.as_deref()
    }

    /// Terms counted, of all lengths.
    pub fn terms(&self) -> usize {
        let kinds = [&self.words, &self.chars];
        let counted = kinds.into_iter().flatten().flat_map(|kind| kind.counted.iter().flatten());
        counted.map(|counted| counted.frequencies.len()).sum()
    }

    /// Chooses blocks and columns by `params` and fits the scales on the documents `rows` (all, where none are given; NB
    /// weighting has use for their `targets`, one a document of the corpus, below `classes`). The records hold *all*
    /// documents.
    ///
    /// # Errors
    /// Where no term is left, or `params` ask for what was not counted.
    pub fn featurize(
        &self,
        params: &TfidfParams,
        rows: Option<&[usize]>,
        targets: &[usize],
        classes: usize,
    ) -> Result<(Featurizer, Records), FitError> {
        params.check()?;
        let classed = params.weighting == Weighting::Nb;
        if classed && targets.len() != self.documents {
            return Err(FitError::Mismatch { rows: self.documents, targets: targets.len() });
        }
        if let Some((row, &target)) = targets.iter().enumerate().find(|&(_, &target)| classed && target >= classes) {
            return Err(FitError::UnknownTarget { row, target, classes });
        }
        if classed && classes < 2 {
            return Err(FitError::OneClass { classes });
        }
        let threads = parallel::threads(self.params.threads);
        let view = scales::Rows { rows, targets: classed.then_some((targets, classes)), documents: self.documents };
        let mut blocks = self.wanted(params)?;
        for block in &mut blocks {
            block.count(&view, threads);
        }
        choose::choose(&mut blocks, params, &view, threads)?;
        let scales = match params.weighting {
            Weighting::Tfidf => vec![scales::idf(&blocks, params, view.len())],
            Weighting::Nb => scales::log_count_ratios(&blocks, classes),
        };
        let counts = blocks.iter().map(|block| Block { counts: block.counts(threads), group: block.group });
        let records = Records::new(counts.collect(), params.term_frequency(), scales.clone(), params.norm);
        Ok((Featurizer::new(params.clone(), blocks, scales), records))
    }
}

impl TfidfParams {
    /// Learns the terms and their scales from `documents`, and gives their records ([`CorpusBuilder`], then
    /// [`Corpus::featurize`]). Only NB weighting has use for the targets.
    pub fn fit_transform<D: AsRef<str> + Sync>(
        &self,
        documents: &[D],
        targets: &[usize],
        classes: usize,
    ) -> Result<(Featurizer, Records), FitError> {
        self.check()?;
        let mut builder = CorpusBuilder::new(CorpusParams::of(self));
        builder.push(documents);
        builder.finish()?.featurize(self, None, targets, classes)
    }
}

/// One length of one kind, as one candidate has it.
#[derive(Debug)]
struct Chosen {
    counted: count::Counted,
    grams: Arc<count::Grams>,
    /// Units of its n-grams.
    n: usize,
    group: usize,
    /// The columns kept, ascending; none: all.
    kept: Option<Vec<u32>>,
    /// By class (one class where there are no targets): documents of the chosen rows that hold each column.
    frequencies: Vec<Vec<u32>>,
}

/// What `params` ask of what was counted.
struct Wanted<'c> {
    kind: &'c Option<Kind>,
    range: (usize, usize),
    name: &'static str,
    group: usize,
}
