//! What a search may choose: the candidates it begins with, and their neighbours.

use std::collections::BTreeMap;

use model::{AnalyzerKind, Frequency, Loss, Settings, Solver, TokenPattern, Weighting};

use crate::hyperparameters::Hyperparameters;

/// The hyperparameters that a search chooses where they are not set by hand.
pub const SEARCHED: [&str; 9] =
    ["analyzer", "token_pattern", "ngram_range", "char_ngram_range", "weighting", "loss", "C", "beta", "min_df"];

/// Shares of the fitted weights that are compared (NB weighting only); all come from one fit.
const BETAS: [f64; 4] = [1.0, 0.5, 0.25, 0.1];

/// The ladder of `C`, each about three times the one before.
const LADDER: [f64; 8] = [0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0];

/// The greatest `C` of the squared hinge: solutions take ever longer, and gain nothing that was seen.
const MOST_OF_HINGE: f64 = 3.0;

/// How much greater the best `C` of the logistic loss is than the squared hinge's.
const LOGISTIC_STEPS: isize = 2;

/// Most classes for which NB weighting is tried: each has scales of its own.
const CLASSES_FOR_NB: usize = 8;

/// The space that the job leaves open.
pub struct Space<'a> {
    asked: &'a Hyperparameters,
    classes: usize,
}

/// A point of the space before what is set by hand is put over it.
struct Point {
    analyzer: AnalyzerKind,
    words: (usize, usize),
    characters: (usize, usize),
    weighting: Weighting,
    c: f64,
    min_df: u64,
}

impl<'a> Space<'a> {
    pub fn new(asked: &'a Hyperparameters, classes: usize) -> Self {
        Self { asked, classes }
    }

    /// Whether the search chooses this hyperparameter.
    pub fn open(&self, name: &str) -> bool {
        let linfa = self.asked.settings.solver == Solver::Linfa;
        !self.asked.given.contains(name) && (name != "loss" || !linfa)
    }

    /// What the search begins with. Each is the best of its kind somewhere: words where texts are many or long,
    /// characters where words are inflected or unspaced, both side by side on short texts.
    pub fn beginning(&self) -> Vec<Settings> {
        use AnalyzerKind::{CharWb, Word, WordCharWb};
        use Weighting::{Nb, Tfidf};
        let point = |analyzer, words, characters, weighting, c| Point {
            analyzer,
            words: (1, words),
            characters,
            weighting,
            c,
            min_df: 1,
        };
        let mut points = match self.classes {
            2 => vec![
                point(WordCharWb, 3, (3, 6), Nb, 0.3),
                point(Word, 3, (3, 6), Nb, 1.0),
                point(CharWb, 3, (2, 5), Nb, 0.3),
                point(WordCharWb, 2, (3, 6), Tfidf, 0.3),
                point(Word, 2, (3, 6), Tfidf, 1.0),
            ],
            _ => vec![
                point(WordCharWb, 2, (3, 6), Tfidf, 0.3),
                point(Word, 2, (3, 6), Tfidf, 1.0),
                point(CharWb, 2, (2, 5), Tfidf, 0.3),
            ],
        };
        if (3..=CLASSES_FOR_NB).contains(&self.classes) {
            points.push(Point { min_df: 2, ..point(WordCharWb, 3, (3, 6), Nb, 1.0) });
        }
        let mut candidates: Vec<Settings> = Vec::new();
        for point in points {
            // A range of words says nothing about characters.
            if point.analyzer == CharWb && self.open("analyzer") && !self.open("ngram_range") {
                continue;
            }
            let settings = self.settings(&point);
            if !candidates.iter().any(|other| same_but_for_c(other, &settings)) {
                candidates.push(settings);
            }
        }
        candidates
    }

    /// The point's settings, with what is set by hand put over it.
    fn settings(&self, point: &Point) -> Settings {
        let mut settings = self.asked.settings.clone();
        let tfidf = &mut settings.tfidf;
        let mut range_open = self.open("ngram_range");
        if self.open("analyzer") {
            tfidf.analyzer = point.analyzer;
        }
        if self.open("weighting") {
            tfidf.weighting = point.weighting;
        }
        if self.open("min_df") {
            tfidf.min_df = Frequency::Count(point.min_df);
        }
        match tfidf.analyzer {
            AnalyzerKind::Char | AnalyzerKind::CharWb => {
                range_open &= self.open("char_ngram_range");
                if range_open {
                    (tfidf.ngram_range, tfidf.char_ngram_range) = (point.characters, point.characters);
                }
            }
            analyzer => {
                if range_open {
                    tfidf.ngram_range = point.words;
                }
                if self.open("token_pattern") {
                    tfidf.token_pattern = TokenPattern::WordPunct;
                }
                if analyzer == AnalyzerKind::WordCharWb && self.open("char_ngram_range") {
                    tfidf.char_ngram_range = point.characters;
                }
            }
        }
        if self.open("loss") && settings.solver != Solver::Linfa {
            settings.loss = Loss::SquaredHinge;
        }
        if self.open("C") {
            let steps = if settings.loss == Loss::Logistic { LOGISTIC_STEPS } else { 0 };
            settings.c = along(point.c, steps).unwrap_or(point.c);
        }
        settings
    }

    /// The shares of the fitted weights to compare.
    pub fn betas(&self, settings: &Settings) -> Vec<f64> {
        match settings.tfidf.weighting {
            Weighting::Nb if self.open("beta") => BETAS.to_vec(),
            _ => vec![settings.beta],
        }
    }

    /// The same with `C` so many steps further, where the ladder goes on and `C` is open.
    pub fn c_step(&self, settings: &Settings, steps: isize) -> Option<Settings> {
        let c = self.open("C").then(|| along(settings.c, steps)).flatten()?;
        if settings.loss == Loss::SquaredHinge && c > MOST_OF_HINGE {
            return None;
        }
        Some(Settings { c, ..settings.clone() })
    }

    /// Candidates that differ from this one in a single choice beside `C`.
    pub fn variants(&self, settings: &Settings) -> Vec<Settings> {
        let mut variants = Vec::new();
        let mut add = |name: &str, change: &dyn Fn(&mut Settings)| {
            if self.open(name) {
                let mut variant = settings.clone();
                change(&mut variant);
                variants.push(variant);
            }
        };
        let analyzer = settings.tfidf.analyzer;
        if matches!(analyzer, AnalyzerKind::Word | AnalyzerKind::WordCharWb) {
            let words = if settings.tfidf.ngram_range == (1, 3) { (1, 2) } else { (1, 3) };
            add("ngram_range", &|variant| variant.tfidf.ngram_range = words);
        }
        let other = if settings.tfidf.char_ngram_range == (3, 6) { (2, 5) } else { (3, 6) };
        match analyzer {
            AnalyzerKind::WordCharWb => add("char_ngram_range", &|variant| variant.tfidf.char_ngram_range = other),
            AnalyzerKind::CharWb if self.open("char_ngram_range") => add("ngram_range", &|variant| {
                (variant.tfidf.ngram_range, variant.tfidf.char_ngram_range) = (other, other);
            }),
            _ => {}
        }
        let min_df = if settings.tfidf.min_df == Frequency::Count(1) { 2 } else { 1 };
        add("min_df", &|variant| variant.tfidf.min_df = Frequency::Count(min_df));
        // The greater C, the longer the logistic loss takes, and the nearer are the two.
        let c = along(settings.c, LOGISTIC_STEPS).filter(|_| settings.loss == Loss::SquaredHinge && self.open("C"));
        if let Some(c) = c {
            add("loss", &|variant| (variant.loss, variant.c) = (Loss::Logistic, c));
        }
        variants
    }

    /// What tells this candidate from others, by hyperparameter.
    pub fn parameters(&self, settings: &Settings, beta: f64) -> BTreeMap<String, String> {
        let tfidf = &settings.tfidf;
        let range = |(shortest, longest): (usize, usize)| format!("{shortest},{longest}");
        let words = matches!(tfidf.analyzer, AnalyzerKind::Word | AnalyzerKind::WordCharWb);
        let all = [
            ("analyzer", true, named(tfidf.analyzer)),
            ("token_pattern", words, named(tfidf.token_pattern)),
            ("ngram_range", true, range(tfidf.ngram_range)),
            ("char_ngram_range", tfidf.analyzer == AnalyzerKind::WordCharWb, range(tfidf.char_ngram_range)),
            ("weighting", true, named(tfidf.weighting)),
            ("loss", true, named(settings.loss)),
            ("C", true, settings.c.to_string()),
            ("beta", tfidf.weighting == Weighting::Nb, beta.to_string()),
            ("min_df", true, tfidf.min_df.to_string()),
        ];
        let shown = all.into_iter().filter(|(name, used, _)| *used && self.open(name));
        shown.map(|(name, _, value)| (name.to_owned(), value)).collect()
    }
}

/// `steps` further on the ladder from the rung nearest to `c`.
fn along(c: f64, steps: isize) -> Option<f64> {
    let distance = |rung: &f64| (rung.ln() - c.ln()).abs();
    let near = (0..LADDER.len()).min_by(|&a, &b| distance(&LADDER[a]).total_cmp(&distance(&LADDER[b])))?;
    near.checked_add_signed(steps).and_then(|rung| LADDER.get(rung)).copied()
}

fn same_but_for_c(a: &Settings, b: &Settings) -> bool {
    Settings { c: b.c, ..a.clone() } == *b
}

/// A setting's value as a hyperparameter names it.
fn named<T: serde::Serialize>(setting: T) -> String {
    serde_json::to_value(setting).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[(&str, &str)]) -> Hyperparameters {
        let values = values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Hyperparameters::parse(values.collect()).unwrap()
    }

    #[test]
    fn what_is_set_by_hand_is_every_candidates() {
        type Case = (&'static [(&'static str, &'static str)], fn(&Settings) -> bool);
        let cases: [Case; 7] = [
            (&[("analyzer", "char_wb"), ("ngram_range", "2,4")], |s| {
                (s.tfidf.analyzer, s.tfidf.ngram_range) == (AnalyzerKind::CharWb, (2, 4))
            }),
            (&[("ngram_range", "1,1")], |s| s.tfidf.ngram_range == (1, 1) && s.tfidf.analyzer != AnalyzerKind::CharWb),
            (&[("weighting", "tfidf")], |s| s.tfidf.weighting == Weighting::Tfidf),
            (&[("loss", "logistic")], |s| s.loss == Loss::Logistic),
            (&[("solver", "linfa")], |s| s.loss == Loss::Logistic),
            (&[("C", "7")], |s| s.c == 7.0),
            (&[("min_df", "3")], |s| s.tfidf.min_df == Frequency::Count(3)),
        ];
        for (values, holds) in cases {
            let asked = asked(values);
            for classes in [2, 6, 20] {
                let space = Space::new(&asked, classes);
                let beginning = space.beginning();
                assert!(!beginning.is_empty(), "{values:?}");
                let nearby = beginning.iter().flat_map(|settings| {
                    let steps = [-1, 1].into_iter().filter_map(|steps| space.c_step(settings, steps));
                    space.variants(settings).into_iter().chain(steps).collect::<Vec<_>>()
                });
                let all: Vec<Settings> = beginning.iter().cloned().chain(nearby).collect();
                assert!(all.iter().all(holds), "{values:?}, {classes} classes");
                assert!(all.iter().all(|settings| settings.check().is_ok()));
            }
        }
    }

    #[test]
    fn no_two_candidates_are_the_same_but_for_c() {
        let fixed = asked(&[("analyzer", "word"), ("weighting", "tfidf"), ("ngram_range", "1,2")]);
        assert_eq!(Space::new(&fixed, 2).beginning().len(), 1);
        assert_eq!(Space::new(&asked(&[]), 2).beginning().len(), 5);
    }

    #[test]
    fn beta_is_compared_where_weights_are_log_count_ratios() {
        let nb = asked(&[("weighting", "nb")]);
        assert_eq!(Space::new(&nb, 2).betas(&nb.settings), BETAS);
        let fixed = asked(&[("weighting", "nb"), ("beta", "0.3")]);
        assert_eq!(Space::new(&fixed, 2).betas(&fixed.settings), [0.3]);
        let tfidf = asked(&[]);
        assert_eq!(Space::new(&tfidf, 2).betas(&tfidf.settings), [1.0]);
    }

    #[test]
    fn c_has_its_ladder() {
        assert_eq!(along(1.0, 1), Some(3.0));
        assert_eq!(along(2.5, -1), Some(1.0));
        assert_eq!(along(30.0, 1), None);
        assert_eq!(along(0.01, -1), None);
    }
}
