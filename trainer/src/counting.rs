//! The training documents on their way to counts: none is kept once it is known what to count.

use model::{Corpus, CorpusBuilder, CorpusParams};

use crate::fit::Error;
use crate::hyperparameters::{Hyperparameters, Tune};
use crate::memory;
use crate::tune;

/// Takes batches of documents, then counts.
pub struct Counter<'a> {
    asked: &'a Hyperparameters,
    rows: usize,
    state: State,
}

/// `tune = auto` depends on the number of rows, and on it what is counted.
enum State {
    Undecided(Vec<String>),
    Counting { builder: Box<CorpusBuilder>, search: bool },
}

/// Counted documents.
pub struct Counted {
    /// All that a fit, or every candidate of a search, may want.
    pub corpus: Corpus,
    /// Whether settings are searched for.
    pub search: bool,
}

impl<'a> Counter<'a> {
    /// No documents yet.
    pub fn new(asked: &'a Hyperparameters) -> Self {
        let state = match asked.tune {
            Tune::Auto => State::Undecided(Vec::new()),
            Tune::Cv => counting(asked, true),
            Tune::None => counting(asked, false),
        };
        Self { asked, rows: 0, state }
    }

    /// Adds documents.
    pub fn push<D: AsRef<str> + Sync>(&mut self, batch: &[D]) {
        self.rows += batch.len();
        match &mut self.state {
            State::Counting { builder, .. } => builder.push(batch),
            State::Undecided(texts) => {
                texts.extend(batch.iter().map(|text| text.as_ref().to_owned()));
                if tune::wanted(self.asked, self.rows) {
                    self.decide(true);
                }
            }
        }
    }

    /// Counts.
    pub fn finish(mut self) -> Result<Counted, Error> {
        self.decide(false);
        match self.state {
            State::Counting { search: true, .. } if self.rows < tune::LEAST_ROWS => {
                Err(Error::TooFewRows { asked: "tune = \"cv\"", rows: self.rows })
            }
            State::Counting { builder, search } => Ok(Counted { corpus: builder.finish()?, search }),
            State::Undecided(_) => Err(Error::TooFewRows { asked: "tune = \"cv\"", rows: self.rows }),
        }
    }

    fn decide(&mut self, search: bool) {
        if let State::Undecided(texts) = &mut self.state {
            let texts = std::mem::take(texts);
            let mut decided = counting(self.asked, search);
            if let State::Counting { builder, .. } = &mut decided {
                builder.push(&texts);
            }
            self.state = decided;
        }
    }
}

fn counting(asked: &Hyperparameters, search: bool) -> State {
    let params = if search { tune::corpus(asked) } else { CorpusParams::of(&asked.settings.tfidf) };
    let max_memory = asked.max_memory.or_else(memory::allowed);
    State::Counting { builder: Box::new(CorpusBuilder::new(CorpusParams { max_memory, ..params })), search }
}
