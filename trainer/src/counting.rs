//! The training documents on their way to counts: none is kept once it is known what to count.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use model::{Algorithm, Corpus, CorpusBuilder, CorpusParams, Fits, Loss, Tokenizer, Tokenizers, Tokens, Weighting};

use crate::calibrating;
use crate::fit::Error;
use crate::hyperparameters::{Hyperparameters, Tune};
use crate::memory;
use crate::tune;

/// Takes batches of documents, then counts.
pub struct Counter<'a> {
    asked: &'a Hyperparameters,
    /// Folder of what finds no room in memory.
    aside: PathBuf,
    rows: usize,
    shared: Shared,
    state: State,
}

/// For the threads that read: once it is known what is counted, they make tokens of the documents themselves.
#[derive(Clone, Default)]
pub struct Shared(Arc<OnceLock<Tokenizers>>);

/// One thread's.
pub struct Own {
    shared: Shared,
    tokenizer: Option<Tokenizer>,
}

impl Shared {
    /// For one more thread.
    pub fn own(&self) -> Own {
        Own { shared: self.clone(), tokenizer: None }
    }
}

impl Own {
    /// Tokens of documents; none while it is not known what is counted.
    pub fn tokens<D: AsRef<str>>(&mut self, documents: &[D]) -> Option<Tokens> {
        if self.tokenizer.is_none() {
            self.tokenizer = self.shared.0.get().map(Tokenizers::start);
        }
        self.tokenizer.as_mut().map(|tokenizer| tokenizer.tokenize(documents))
    }
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
    /// No documents yet; what finds no room in memory goes to the folder `aside`.
    pub fn new(asked: &'a Hyperparameters, aside: PathBuf) -> Self {
        let mut counter =
            Self { asked, aside, rows: 0, shared: Shared::default(), state: State::Undecided(Vec::new()) };
        match asked.tune {
            Tune::Auto => {}
            Tune::Cv => counter.decide(true),
            Tune::None => counter.decide(false),
        }
        counter
    }

    /// For the threads that read.
    pub fn shared(&self) -> Shared {
        self.shared.clone()
    }

    /// Adds documents of which there are tokens.
    pub fn add(&mut self, tokens: Tokens) {
        self.rows += tokens.documents();
        if let State::Counting { builder, .. } = &mut self.state {
            builder.add(tokens);
        }
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

    /// Counts, so that there is memory to tell `classes` apart.
    pub fn finish(mut self, classes: usize) -> Result<Counted, Error> {
        self.decide(false);
        match self.state {
            State::Counting { search: true, .. } if self.rows < tune::LEAST_ROWS => {
                Err(Error::TooFewRows { asked: "tune = \"cv\"", rows: self.rows })
            }
            State::Counting { builder, search } => {
                let linear = self.asked.settings.algorithm == Algorithm::Logistic;
                let folds = search || linear && calibrating::wanted(self.asked, self.rows)?;
                let fits = Fits { vectors: vectors(self.asked, classes), folds };
                Ok(Counted { corpus: builder.finish_for(fits)?, search })
            }
            State::Undecided(_) => Err(Error::TooFewRows { asked: "tune = \"cv\"", rows: self.rows }),
        }
    }

    fn decide(&mut self, search: bool) {
        if let State::Undecided(texts) = &mut self.state {
            let texts = std::mem::take(texts);
            let params = if search { tune::corpus(self.asked) } else { CorpusParams::of(&self.asked.settings.tfidf) };
            let max_memory = self.asked.max_memory.or_else(memory::allowed);
            let params = CorpusParams { max_memory, aside: Some(self.aside.clone()), ..params };
            let mut builder = Box::new(CorpusBuilder::new(params));
            if !texts.is_empty() {
                builder.push(&texts);
            }
            // It is empty: this is decided once.
            let _ = self.shared.0.set(builder.tokenizers());
            self.state = State::Counting { builder, search };
        }
    }
}

/// Weight vectors that are fitted together: of several classes all, where the loss is logistic and they share their values.
fn vectors(asked: &Hyperparameters, classes: usize) -> usize {
    let settings = &asked.settings;
    let together = settings.loss == Loss::Logistic && settings.tfidf.weighting == Weighting::Tfidf;
    if classes > 2 && together { classes } else { 1 }
}
