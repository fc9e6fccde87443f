//! Texts to streams of units, batch by batch: of a text nothing else is kept.

use std::ops::Range;
use std::sync::Arc;

use crate::error::FitError;
use crate::room::Room;

use super::Corpus;
use super::count::{self, Counting, Source};
use super::dictionary::{Dictionary, Key};
use super::memory::{Fits, Memory};
use super::parallel;
use super::params::{CharKind, CorpusParams};
use super::stream::{NONE, Stream};
use super::tokens::{Tokenizer, Tokenizers, Tokens, Units};

/// Takes documents and counts their n-grams: [`push`](Self::push) batches, or [`add`](Self::add) their tokens, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct CorpusBuilder {
    params: CorpusParams,
    threads: usize,
    tokenizers: Tokenizers,
    /// Its own.
    own: Vec<Tokenizer>,
    /// By tokenizer: its numbers of words and of pieces as they are here.
    numbers: Vec<[Vec<u32>; 2]>,
    documents: usize,
    words: Interned,
    pieces: Interned,
    /// Code points.
    chars: Stream,
    room: Arc<Room>,
}

/// Documents as numbers of strings, in the order in which those were seen.
#[derive(Debug, Default)]
pub(super) struct Interned {
    pub(super) dictionary: Dictionary,
    pub(super) stream: Stream,
    pub(super) overflowed: bool,
}

impl Interned {
    /// Adds documents; `numbers` are those here of the tokenizer's numbers.
    fn add(&mut self, units: &Units, numbers: &mut Vec<u32>) {
        self.overflowed |= units.overflowed;
        for text in units.fresh() {
            let number = self.dictionary.intern(text, Key::new(text));
            self.overflowed |= number.is_none();
            numbers.push(number.unwrap_or(NONE));
        }
        let numbered = |&number: &u32| numbers.get(number as usize).copied().unwrap_or(NONE);
        units.documents().for_each(|document| self.stream.push(document.iter().map(numbered)));
    }
}

impl CorpusBuilder {
    /// No documents yet.
    pub fn new(params: CorpusParams) -> Self {
        let bound = params.max_memory.map(|most| most / 2).zip(params.aside.clone());
        let room = Arc::new(bound.map_or_else(Room::default, |(most, folder)| Room::bounded(most, folder)));
        let interned = || Interned { stream: Stream::within(&room), ..Interned::default() };
        CorpusBuilder {
            threads: parallel::threads(params.threads),
            tokenizers: Tokenizers::new(&params),
            own: Vec::new(),
            numbers: Vec::new(),
            params,
            documents: 0,
            words: interned(),
            pieces: interned(),
            chars: Stream::within(&room),
            room,
        }
    }

    /// For threads that make tokens of documents themselves, to be [added](Self::add).
    pub fn tokenizers(&self) -> Tokenizers {
        self.tokenizers.clone()
    }

    /// Adds documents, in parallel; a batch of some MB keeps the threads at work.
    pub fn push<D: AsRef<str> + Sync>(&mut self, batch: &[D]) {
        self.own.resize_with(self.threads, || self.tokenizers.start());
        let mut parts: Vec<_> =
            split(batch, self.threads).into_iter().zip(&mut self.own).map(|of| (of, None)).collect();
        parallel::each(self.threads, &mut parts, |_, ((documents, tokenizer), tokens)| {
            *tokens = Some(tokenizer.tokenize(&batch[documents.clone()]));
        });
        let tokens: Vec<Tokens> = parts.into_iter().filter_map(|(_, tokens)| tokens).collect();
        tokens.into_iter().for_each(|tokens| self.add(tokens));
    }

    /// Adds documents. The tokens of one tokenizer must come in the order in which it made them.
    pub fn add(&mut self, tokens: Tokens) {
        self.documents += tokens.documents;
        self.numbers.resize_with(self.numbers.len().max(tokens.from + 1), Default::default);
        let [words, pieces] = &mut self.numbers[tokens.from];
        self.words.add(&tokens.words, words);
        self.pieces.add(&tokens.pieces, pieces);
        tokens.chars.documents().for_each(|document| self.chars.push(document.iter().copied()));
    }

    /// Counts the n-grams of all that was pushed, for one fit of one number a term.
    pub fn finish(self) -> Result<Corpus, FitError> {
        self.finish_for(Fits::default())
    }

    /// Counts the n-grams of all that was pushed, so that there is memory for these `fits`.
    pub fn finish_for(mut self, fits: Fits) -> Result<Corpus, FitError> {
        for interned in [&self.words, &self.pieces] {
            if interned.overflowed {
                let (terms, bytes) = (interned.dictionary.len(), interned.dictionary.bytes());
                return Err(FitError::VocabularyTooLarge { terms, bytes });
            }
        }
        for stream in [&mut self.words.stream, &mut self.pieces.stream, &mut self.chars] {
            stream.settle();
        }
        let CorpusParams { words, chars, least_df: least, max_memory, .. } = self.params;
        let lengths = words.map_or(0, |(_, longest)| longest) + chars.map_or(0, |(_, _, longest)| longest);
        let memory = Memory::new(max_memory, fits, self.documents, lengths);
        let mut counting = Counting { least, memory, threads: self.threads };
        let words = match words {
            None => None,
            Some(range) => Some(count::count(Source::Words(self.words), range, &mut counting)?),
        };
        let chars = match chars {
            None => None,
            Some((CharKind::Char, shortest, longest)) => {
                Some(count::count(Source::Chars(self.chars), (shortest, longest), &mut counting)?)
            }
            Some((CharKind::CharWb, shortest, longest)) => {
                Some(count::count_pieces(self.pieces, (shortest, longest), &mut counting)?)
            }
        };
        let (pruned, aside) = (counting.memory.notes, self.room.told());
        Ok(Corpus { params: self.params, documents: self.documents, words, chars, pruned, aside })
    }
}

/// Ranges of documents of about as many bytes.
fn split<D: AsRef<str>>(batch: &[D], parts: usize) -> Vec<Range<usize>> {
    let all: usize = batch.iter().map(|document| document.as_ref().len() + 1).sum();
    let (mut ranges, mut start, mut bytes) = (Vec::new(), 0, 0);
    for (end, document) in (1..).zip(batch) {
        bytes += document.as_ref().len() + 1;
        if bytes * parts >= all * (ranges.len() + 1) {
            ranges.push(start..end);
            start = end;
        }
    }
    ranges
}
