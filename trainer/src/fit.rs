//! From documents and targets to a classifier, and the settings that made it.

use std::collections::BTreeMap;
use std::time::Instant;

use linfa::DatasetBase;
use model::{
    Algorithm, AnalyzerKind, Classifier, FitError, Fitted, Frequency, Norm, Settings, StopWords, StripAccents,
    TextClassifier, Tfidf, fit_classifier,
};
use ndarray::Array1;
use report::evaluation::Tuning;

use crate::hyperparameters::Hyperparameters;
use crate::log::say;
use crate::tune;

/// Why nothing was fitted.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The search needs more rows.
    #[error("tune = \"cv\" needs {} rows or more; train has {rows}", tune::LEAST_ROWS)]
    TooFewRows {
        /// Rows of the training channel.
        rows: usize,
    },
    /// The model's own reason.
    #[error(transparent)]
    Model(#[from] FitError),
}

/// What was fitted, and how.
pub struct Outcome {
    /// Text to class.
    pub classifier: TextClassifier,
    /// Settings as used, by hyperparameter name.
    pub parameters: BTreeMap<String, String>,
    /// The search, where there was one.
    pub tuning: Option<Tuning>,
    /// Documents.
    pub rows: u64,
    /// Terms in the vocabulary.
    pub terms: u64,
    /// Values in the records.
    pub non_zeros: u64,
    /// Of the solver.
    pub iterations: Option<u64>,
    /// Whether the solver ended by its tolerance.
    pub converged: Option<bool>,
}

/// Fits on `texts` and their class indices in `targets`. The texts are dropped as soon as they are records.
pub fn fit(
    asked: &Hyperparameters,
    texts: Vec<String>,
    targets: Vec<usize>,
    classes: &[String],
) -> Result<Outcome, Error> {
    let mut settings = asked.settings.clone();
    let search = tune::wanted(asked, texts.len());
    if search && texts.len() < tune::LEAST_ROWS {
        return Err(Error::TooFewRows { rows: texts.len() });
    }
    let clock = Instant::now();
    let (tfidf, records) = settings.tfidf.fit_transform(&texts)?;
    drop(texts);
    let (rows, terms, non_zeros) = (records.rows() as u64, records.columns() as u64, records.non_zeros());
    say!("terms: {terms}, in {non_zeros} places of {rows} documents ({:.1} s)", clock.elapsed().as_secs_f64());
    let dataset = DatasetBase::new(records, Array1::from(targets));
    let mut tuning = None;
    if search {
        tune::tighten(asked, &mut settings);
        let clock = Instant::now();
        let (table, c) = tune::search(&settings, &dataset, classes.len())?;
        log_tuning(&table, clock.elapsed().as_secs_f64());
        settings.c = c;
        tuning = Some(table);
    }
    let clock = Instant::now();
    let Fitted { classifier, solver, iterations, converged } =
        fit_classifier(&settings, &dataset, classes.len(), None)?;
    log_solver(solver, iterations, converged, &settings, clock.elapsed().as_secs_f64());
    Ok(Outcome {
        parameters: parameters(asked, &settings, solver, tuning.is_some()),
        classifier: assemble(tfidf, classifier, classes),
        tuning,
        rows,
        terms,
        non_zeros,
        iterations,
        converged,
    })
}

fn assemble(tfidf: Tfidf, classifier: Classifier, classes: &[String]) -> TextClassifier {
    TextClassifier { tfidf, classifier, classes: classes.to_vec() }
}

fn log_tuning(tuning: &Tuning, seconds: f64) {
    say!("tuning: {}-fold cross-validation on train ({seconds:.1} s)", tuning.folds);
    for (at, candidate) in tuning.candidates.iter().enumerate() {
        let parameters: Vec<String> =
            candidate.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let mark = if at == tuning.chosen { " <- chosen" } else { "" };
        say!(
            "  {:<8} {} {:.4} +- {:.4}{mark}",
            parameters.join(", "),
            tuning.metric,
            candidate.mean,
            candidate.standard_error
        );
    }
    say!("  {}", tuning.reason);
}

fn log_solver(solver: &str, iterations: Option<u64>, converged: Option<bool>, settings: &Settings, seconds: f64) {
    let iterations = iterations.map(|n| format!(", {n} iterations")).unwrap_or_default();
    say!("solver: {solver}{iterations} ({seconds:.1} s)");
    if converged == Some(false) {
        say!("solver: stopped at max_iter = {} before its tolerance {}", settings.max_iter, settings.tol);
    }
}

/// Settings as used, by hyperparameter name: what `auto` became, what the search chose.
fn parameters(asked: &Hyperparameters, settings: &Settings, solver: &str, tuned: bool) -> BTreeMap<String, String> {
    let tfidf = &settings.tfidf;
    let mut parameters = BTreeMap::new();
    let mut set = |name: &str, value: String| {
        parameters.insert(name.to_owned(), value);
    };
    set("text_column", asked.columns.text.clone());
    set("label_column", asked.columns.label.clone());
    set("seed", settings.seed.to_string());
    set("class_weight", if settings.class_weight.is_some() { "balanced" } else { "none" }.into());
    set("tune", if tuned { "cv" } else { "none" }.into());
    match settings.algorithm {
        Algorithm::Logistic => {
            set("algorithm", "logistic".into());
            set("solver", solver.into());
            set("C", settings.c.to_string());
            set("max_iter", settings.max_iter.to_string());
            set("tol", settings.tol.to_string());
        }
        Algorithm::Tree => {
            set("algorithm", "tree".into());
            set("max_depth", settings.max_depth.to_string());
            set("min_samples_leaf", settings.min_samples_leaf.to_string());
        }
    }
    let analyzer = match tfidf.analyzer {
        AnalyzerKind::Word => "word",
        AnalyzerKind::Char => "char",
        AnalyzerKind::CharWb => "char_wb",
        AnalyzerKind::WordCharWb => "word+char_wb",
    };
    set("analyzer", analyzer.into());
    set("ngram_range", format!("{},{}", tfidf.ngram_range.0, tfidf.ngram_range.1));
    set("min_df", frequency(&tfidf.min_df));
    set("max_df", frequency(&tfidf.max_df));
    set("max_features", tfidf.max_features.map_or("none".into(), |terms| terms.to_string()));
    set("sublinear_tf", tfidf.sublinear_tf.to_string());
    set("smooth_idf", tfidf.smooth_idf.to_string());
    set("lowercase", tfidf.lowercase.to_string());
    let norm = match tfidf.norm {
        Some(Norm::L1) => "l1",
        Some(Norm::L2) => "l2",
        None => "none",
    };
    set("norm", norm.into());
    let strip_accents = match tfidf.strip_accents {
        Some(StripAccents::Ascii) => "ascii",
        Some(StripAccents::Unicode) => "unicode",
        None => "none",
    };
    set("strip_accents", strip_accents.into());
    let stop_words = match &tfidf.stop_words {
        Some(StopWords::English) => "english".into(),
        Some(StopWords::List(words)) => words.join(" "),
        None => "none".into(),
    };
    set("stop_words", stop_words);
    parameters
}

/// With a point where it is a proportion, as it is read.
fn frequency(value: &Frequency) -> String {
    match value {
        Frequency::Count(documents) => documents.to_string(),
        Frequency::Proportion(share) => format!("{share:?}"),
    }
}
