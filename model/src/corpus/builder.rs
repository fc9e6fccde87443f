//! Texts to streams of units, batch by batch: of a text nothing else is kept.

use std::ops::Range;
use std::sync::Arc;

use crate::analyzer::Analyzer;
use crate::error::FitError;
use crate::room::Room;

use super::Corpus;
use super::count::{self, Counting, Source};
use super::dictionary::{Dictionary, Key};
use super::memory::{Fits, Memory};
use super::parallel;
use super::params::{CharKind, CorpusParams};
use super::stream::{NONE, Stream};

/// Takes documents and counts their n-grams: [`push`](Self::push) batches, then [`finish`](Self::finish).
#[derive(Debug)]
pub struct CorpusBuilder {
    params: CorpusParams,
    threads: usize,
    analyzer: Analyzer,
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

/// A part of a batch, by one thread: numbers from the dictionary as it was before, or past its end.
#[derive(Default)]
struct Found {
    new: Dictionary,
    numbers: Vec<u32>,
    ends: Vec<usize>,
    overflowed: bool,
}

impl Found {
    #[inline]
    fn push(&mut self, known: &Dictionary, text: &str, unit: &str) {
        let key = Key::within(text, unit);
        let number = known.find(unit, key).or_else(|| {
            let number = self.new.intern(unit, key).and_then(|number| number.checked_add(known.len() as u32));
            self.overflowed |= number.is_none();
            number
        });
        self.numbers.push(number.unwrap_or(NONE));
    }
}

impl Interned {
    fn append(&mut self, found: Found, known: usize) {
        self.overflowed |= found.overflowed;
        let new: Vec<u32> = found
            .new
            .texts()
            .map(|text| {
                let number = self.dictionary.intern(text, Key::new(text));
                self.overflowed |= number.is_none();
                number.unwrap_or(NONE)
            })
            .collect();
        let numbered = |&number: &u32| match number as usize {
            old if old < known => number,
            fresh => new.get(fresh - known).copied().unwrap_or(NONE),
        };
        let mut start = 0;
        for end in found.ends {
            self.stream.push(found.numbers[start..end].iter().map(numbered));
            start = end;
        }
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
            analyzer: Analyzer::new(&params.analysis()),
            params,
            documents: 0,
            words: interned(),
            pieces: interned(),
            chars: Stream::within(&room),
            room,
        }
    }

    /// Adds documents, in parallel; a batch of some MB keeps the threads at work.
    pub fn push<D: AsRef<str> + Sync>(&mut self, batch: &[D]) {
        let parts = split(batch, self.threads);
        let (known_words, known_pieces) = (&self.words.dictionary, &self.pieces.dictionary);
        let kind = self.params.chars.map(|(kind, _, _)| kind);
        let found = parallel::map(self.threads, parts.len(), |part| {
            let (mut words, mut pieces) = (Found::default(), Found::default());
            let mut chars = Found::default();
            let mut buffer = String::new();
            for document in &batch[parts[part].clone()] {
                let prepared = self.analyzer.prepare(document.as_ref(), &mut buffer);
                if self.params.words.is_some() {
                    self.analyzer.words(prepared, |word| words.push(known_words, prepared, word));
                    words.ends.push(words.numbers.len());
                }
                match kind {
                    None => {}
                    Some(CharKind::Char) => {
                        self.analyzer.chars(prepared, |c| chars.numbers.push(c as u32));
                        chars.ends.push(chars.numbers.len());
                    }
                    Some(CharKind::CharWb) => {
                        self.analyzer.pieces(prepared, |piece| pieces.push(known_pieces, prepared, piece));
                        pieces.ends.push(pieces.numbers.len());
                    }
                }
            }
            (words, pieces, chars)
        });
        self.documents += batch.len();
        let known = (self.words.dictionary.len(), self.pieces.dictionary.len());
        for (words, pieces, chars) in found {
            self.words.append(words, known.0);
            self.pieces.append(pieces, known.1);
            let mut start = 0;
            for end in chars.ends {
                self.chars.push(chars.numbers[start..end].iter().copied());
                start = end;
            }
        }
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
