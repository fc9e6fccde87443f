//! What hyperparameters mean beside each other: which cannot stand together, which do nothing.

use std::collections::BTreeMap;

use serde::Serialize;

use model::{Algorithm, AnalyzerKind, Loss, Settings, Solver, TfidfParams, Weighting};

use super::Tune;

/// The job's values by name.
type Values = BTreeMap<String, String>;

/// Whether `name` may still get a value from the search.
fn searched(values: &Values, mode: Tune, name: &str) -> bool {
    mode == Tune::Cv && !values.contains_key(name)
}

/// Whether terms are n-grams of characters alone.
fn characters_alone(tfidf: &TfidfParams) -> bool {
    matches!(tfidf.analyzer, AnalyzerKind::Char | AnalyzerKind::CharWb)
}

/// Settles which range `analyzer = char` and `char_wb` use. It is `char_ngram_range`; scikit-learn's name for it,
/// `ngram_range`, is taken where it alone is given, and both where they are equal.
pub fn of_characters(values: &Values, mode: Tune, tfidf: &mut TfidfParams, problems: &mut Vec<String>) {
    let given = |name: &str| values.contains_key(name);
    let (words, characters) = (tfidf.ngram_range, tfidf.char_ngram_range);
    if tfidf.analyzer == AnalyzerKind::Word && given("char_ngram_range") && !searched(values, mode, "analyzer") {
        problems.push(
            "char_ngram_range is set, and analyzer = \"word\" makes no n-grams of characters; remove it, or set \
             analyzer = \"word+char_wb\""
                .into(),
        );
    }
    if !characters_alone(tfidf) {
        return;
    }
    if given("ngram_range") && given("char_ngram_range") && words != characters {
        problems.push(format!(
            "ngram_range = {},{} and char_ngram_range = {},{} differ, and analyzer = {:?} has one range; remove one of them",
            words.0, words.1, characters.0, characters.1, values["analyzer"].trim()
        ));
    }
    if given("char_ngram_range") || !given("ngram_range") {
        tfidf.ngram_range = characters;
    } else {
        tfidf.char_ngram_range = words;
    }
}

/// Values that are good alone and not together.
pub fn conflicts(values: &Values, mode: Tune, settings: &Settings, problems: &mut Vec<String>) {
    let linear = settings.algorithm == Algorithm::Logistic;
    let algorithm = name(settings.algorithm);
    if settings.beta != 1.0 && settings.tfidf.weighting != Weighting::Nb {
        problems.push(format!(
            "beta = {} interpolates the weights of log-count ratios; set weighting = \"nb\" too, or remove beta",
            settings.beta
        ));
    }
    if settings.loss == Loss::SquaredHinge && settings.solver == Solver::Linfa {
        problems.push("solver = \"linfa\" has no loss = \"squared_hinge\"; set solver = \"sparse\"".into());
    }
    if !linear && settings.tfidf.weighting == Weighting::Nb {
        problems.push(format!(
            "weighting = \"nb\" is for a linear classifier, and algorithm is {algorithm:?}; remove one of them"
        ));
    }
    if !linear && settings.loss == Loss::SquaredHinge {
        problems.push(format!(
            "loss = \"squared_hinge\" is for a linear classifier, and algorithm is {algorithm:?}; remove one of them"
        ));
    }
    if mode == Tune::Cv && !linear {
        problems.push(format!(
            "tune = \"cv\" searches among linear classifiers, and algorithm is {algorithm:?}; set tune = \"none\""
        ));
    }
    if let Some(beta) = values.get("beta").filter(|_| !linear && settings.beta == 1.0) {
        problems.push(format!("beta = {beta} is for a linear classifier, and algorithm is {algorithm:?}; remove it"));
    }
}

/// Tells of values that were given and do nothing beside the others.
pub fn no_effect(values: &Values, mode: Tune, settings: &Settings, notes: &mut Vec<String>) {
    for (name, because) in idle(settings) {
        let open =
            ["analyzer", "weighting"].into_iter().any(|by| because.starts_with(by) && searched(values, mode, by));
        if values.contains_key(name) && !open {
            notes.push(format!("hyperparameter {name} has no effect with {because}"));
        }
    }
}

/// Whether the hyperparameter does nothing beside the other settings.
pub fn is_idle(name: &str, settings: &Settings) -> bool {
    idle(settings).iter().any(|(idle, _)| *idle == name)
}

/// Hyperparameters that do nothing beside the other settings, and which setting makes them idle.
fn idle(settings: &Settings) -> Vec<(&'static str, String)> {
    let mut idle = Vec::new();
    let mut add = |because: &str, value: String, names: &[&'static str]| {
        idle.extend(names.iter().map(|name| (*name, format!("{because} = {value:?}"))));
    };
    let algorithm: &[&str] = match settings.algorithm {
        Algorithm::Logistic => &["max_depth", "min_samples_leaf", "n_estimators", "tree_features"],
        Algorithm::Tree => &["solver", "loss", "beta", "C", "max_iter", "tol", "calibration", "n_estimators"],
        _ => &["solver", "loss", "beta", "C", "max_iter", "tol", "calibration"],
    };
    add("algorithm", name(settings.algorithm), algorithm);
    let analyzer = settings.tfidf.analyzer;
    let characters: &[&str] = match analyzer {
        AnalyzerKind::Char | AnalyzerKind::CharWb => &["stop_words", "token_pattern", "ngram_range"],
        AnalyzerKind::Word => &["char_ngram_range"],
        AnalyzerKind::WordCharWb => &[],
    };
    add("analyzer", name(analyzer), characters);
    if settings.tfidf.weighting == Weighting::Nb {
        add("weighting", name(Weighting::Nb), &["smooth_idf", "sublinear_tf"]);
    } else {
        add("weighting", name(settings.tfidf.weighting), &["beta"]);
    }
    idle
}

/// A setting's value as a hyperparameter names it.
fn name<T: Serialize>(setting: T) -> String {
    serde_json::to_value(setting).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
