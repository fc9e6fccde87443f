//! `tune = cv`: the settings that the data wants, by cross-validation on the training channel (`docs/tuning.md`).

mod judge;
mod measure;
mod plan;
mod race;
mod search;
mod space;
mod table;

pub use measure::Data;
pub use search::{HeldOutScores, held_out, search};
pub use table::log;

use model::{Algorithm, CharKind, CorpusParams, Frequency};

use crate::hyperparameters::{Hyperparameters, Tune};
use space::{SEARCHED, Space};

/// `auto` searches from this many rows; with fewer the folds' figures are mostly chance.
const ROWS_FOR_AUTO: usize = 500;

/// A search needs this many rows at all.
pub const LEAST_ROWS: usize = 20;

/// Whether a job of so many rows is one that searches.
pub fn wanted(asked: &Hyperparameters, rows: usize) -> bool {
    match asked.tune {
        Tune::None => false,
        Tune::Cv => true,
        Tune::Auto => {
            rows >= ROWS_FOR_AUTO
                && asked.settings.algorithm == Algorithm::Logistic
                && !SEARCHED.iter().any(|name| asked.given.contains(*name))
        }
    }
}

/// What to count so that every candidate of the search finds its n-grams.
pub fn corpus(asked: &Hyperparameters) -> CorpusParams {
    // The space is the widest with two classes.
    let space = Space::new(asked, 2);
    let mut all = CorpusParams { words: None, chars: None, ..CorpusParams::of(&asked.settings.tfidf) };
    all.least_df = match asked.settings.tfidf.min_df {
        Frequency::Count(count) if !space.open("min_df") => u32::try_from(count).unwrap_or(u32::MAX),
        _ => 1,
    };
    let candidates = space.beginning();
    let variants: Vec<_> = candidates.iter().flat_map(|candidate| space.variants(candidate)).collect();
    for candidate in candidates.iter().chain(&variants) {
        let one = CorpusParams::of(&candidate.tfidf);
        all.token_pattern = if one.words.is_some() { one.token_pattern } else { all.token_pattern };
        all.words = widest(all.words, one.words);
        let range = |chars: Option<(CharKind, usize, usize)>| chars.map(|(_, low, high)| (low, high));
        let kind = one.chars.or(all.chars).map(|(kind, ..)| kind);
        all.chars = kind.zip(widest(range(all.chars), range(one.chars))).map(|(kind, (low, high))| (kind, low, high));
    }
    all
}

fn widest(a: Option<(usize, usize)>, b: Option<(usize, usize)>) -> Option<(usize, usize)> {
    match (a, b) {
        (Some(a), Some(b)) => Some((a.0.min(b.0), a.1.max(b.1))),
        (a, b) => a.or(b),
    }
}
