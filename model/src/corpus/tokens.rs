//! Texts to numbers of units on any thread: which units there are is known only once all are put together.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::analyzer::Analyzer;

use super::dictionary::{Dictionary, Key};
use super::params::{CharKind, CorpusParams};
use super::stream::NONE;

/// Where [`Tokenizer`]s come from.
#[derive(Debug, Clone)]
pub struct Tokenizers(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    analyzer: Analyzer,
    words: bool,
    chars: Option<CharKind>,
    started: AtomicUsize,
}

/// Makes [`Tokens`] on one thread. It numbers the units that it sees itself.
#[derive(Debug)]
pub struct Tokenizer {
    shared: Arc<Shared>,
    number: usize,
    words: Dictionary,
    pieces: Dictionary,
}

/// Documents as numbers of units; to be given to [`CorpusBuilder::add`](super::CorpusBuilder::add), each tokenizer's in the order in
/// which it made them.
#[derive(Debug)]
pub struct Tokens {
    /// The tokenizer's number.
    pub(super) from: usize,
    pub(super) documents: usize,
    pub(super) words: Units,
    pub(super) pieces: Units,
    /// Code points.
    pub(super) chars: Units,
}

/// Units of one kind, as its tokenizer numbers them.
#[derive(Debug, Default)]
pub(super) struct Units {
    /// Those that it had not seen before, one after the other, and where each ends.
    pub(super) new: (String, Vec<usize>),
    pub(super) numbers: Vec<u32>,
    /// Where each document ends.
    pub(super) ends: Vec<usize>,
    pub(super) overflowed: bool,
}

impl Tokenizers {
    pub(super) fn new(params: &CorpusParams) -> Self {
        let (words, chars) = (params.words.is_some(), params.chars.map(|(kind, _, _)| kind));
        let analyzer = Analyzer::new(&params.analysis());
        Tokenizers(Arc::new(Shared { analyzer, words, chars, started: AtomicUsize::new(0) }))
    }

    /// One more.
    pub fn start(&self) -> Tokenizer {
        let number = self.0.started.fetch_add(1, Ordering::Relaxed);
        Tokenizer { shared: self.0.clone(), number, words: Dictionary::default(), pieces: Dictionary::default() }
    }
}

impl Tokenizer {
    /// The units of documents.
    pub fn tokenize<D: AsRef<str>>(&mut self, documents: &[D]) -> Tokens {
        let Tokenizer { shared, number, words: known_words, pieces: known_pieces } = self;
        let Shared { analyzer, words: wanted, chars: kind, .. } = &**shared;
        let (before_words, before_pieces) = (known_words.len(), known_pieces.len());
        let [mut words, mut pieces, mut chars] = [(); 3].map(|()| Units::default());
        let mut buffer = String::new();
        for document in documents {
            let prepared = analyzer.prepare(document.as_ref(), &mut buffer);
            if *wanted {
                analyzer.words(prepared, |word| words.push(known_words, prepared, word));
                words.ends.push(words.numbers.len());
            }
            match kind {
                None => {}
                Some(CharKind::Char) => {
                    analyzer.chars(prepared, |c| chars.numbers.push(c as u32));
                    chars.ends.push(chars.numbers.len());
                }
                Some(CharKind::CharWb) => {
                    analyzer.pieces(prepared, |piece| pieces.push(known_pieces, prepared, piece));
                    pieces.ends.push(pieces.numbers.len());
                }
            }
        }
        words.new = known_words.since(before_words);
        pieces.new = known_pieces.since(before_pieces);
        Tokens { from: *number, documents: documents.len(), words, pieces, chars }
    }
}

impl Tokens {
    /// How many documents there are.
    pub fn documents(&self) -> usize {
        self.documents
    }
}

impl Units {
    #[inline]
    fn push(&mut self, known: &mut Dictionary, text: &str, unit: &str) {
        let number = known.intern(unit, Key::within(text, unit));
        self.overflowed |= number.is_none();
        self.numbers.push(number.unwrap_or(NONE));
    }

    /// Numbers of each document.
    pub(super) fn documents(&self) -> impl Iterator<Item = &[u32]> {
        let starts = std::iter::once(&0).chain(&self.ends);
        starts.zip(&self.ends).map(|(&start, &end)| &self.numbers[start..end])
    }

    /// Those that were not seen before.
    pub(super) fn fresh(&self) -> impl Iterator<Item = &str> {
        let (text, ends) = &self.new;
        let starts = std::iter::once(&0).chain(ends);
        starts.zip(ends).map(|(&start, &end)| &text[start..end])
    }
}
