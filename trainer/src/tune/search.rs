//! The search from beginning to end.

use model::{FitError, Settings};
use ndarray::Array2;
use report::evaluation::Tuning;

use super::judge::{HeldOut, stack};
use super::measure::{Data, Task};
use super::plan;
use super::race::{Race, Runner, climb};
use super::space::Space;
use super::table::{Searched, table};
use crate::folds::{Fold, sample, stratified};
use crate::hyperparameters::Hyperparameters;

/// Kinds of candidates that the first comparison leaves.
const MOST_KINDS: usize = 2;

/// Candidates that the first stage leaves to the second.
const MOST_TO_THE_END: usize = 3;

/// Scores of rows by classifiers that have not seen them: what a calibration is learned from.
#[derive(Clone, Debug)]
pub struct HeldOutScores {
    /// Shape `(rows, vectors)`.
    pub scores: Array2<f64>,
    /// Class indices, one a row of `scores`.
    pub targets: Vec<usize>,
}

/// What a search found.
pub struct Found {
    /// The winner's settings.
    pub settings: Settings,
    /// The table for the log and the evaluation.
    pub tuning: Tuning,
    /// Of the winner, over all folds.
    pub held_out: HeldOutScores,
}

/// Compares candidates on stratified folds of the documents.
pub fn search(data: Data<'_>, asked: &Hyperparameters) -> Result<Found, FitError> {
    let space = Space::new(asked, data.classes);
    let seed = asked.settings.seed;
    let rows = data.targets.len();
    let begin = plan::rows_to_begin(rows);
    let mut race = Race::new(data, &space, folds_of(data, begin, seed));
    race.enter(space.beginning());
    race.run(1)?;
    race.drop_weak(MOST_KINDS, true);
    climb(&mut race, &space)?;
    let best = race.ranked().first().map(|&at| race.runners[at].settings.clone());
    race.enter(best.iter().flat_map(|best| space.variants(best)));
    race.run(1)?;
    race.drop_weak(MOST_TO_THE_END, true);
    let mut past: Vec<Runner> = Vec::new();
    if begin < rows {
        let ranked = race.ranked().into_iter();
        let stay: Vec<Settings> = ranked.map(|at| race.runners[at].settings.clone()).collect();
        past = race.runners.into_iter().filter(|runner| runner.left.is_some()).collect();
        race = Race::new(data, &space, folds_of(data, rows, seed));
        race.enter(stay);
    }
    let folds = race.folds();
    for fold in 1..=folds {
        race.run(fold)?;
        race.drop_weak(plan::most_after(fold, folds), false);
    }
    let Some(&winner) = race.ranked().first() else { return Err(FitError::EmptyVocabulary { documents: rows }) };
    let won = &race.runners[winner];
    let held_out: Vec<HeldOut> = won.held_out().cloned().collect();
    let settings = Settings { beta: won.beta(), ..won.settings.clone() };
    let winner = past.len() + winner;
    past.extend(race.runners);
    let work: f64 = past.iter().map(|runner| runner.work).sum();
    let non_zeros = data.corpus.featurize(&settings.tfidf, None, data.targets, data.classes)?.1.non_zeros();
    let fit = plan::scaling(non_zeros) + plan::solving(non_zeros, data.classes);
    let fits = (work + fit) / (plan::counting(non_zeros) + fit);
    let searched = Searched { space: &space, runners: &past, winner, folds, fits };
    let (order, scores) = stack(&held_out, settings.beta);
    let targets = order.iter().map(|&row| data.targets[row]).collect();
    Ok(Found { tuning: table(&searched), settings, held_out: HeldOutScores { scores, targets } })
}

/// Scores of every row by the settings as they are, each by a classifier that has not seen it.
pub fn held_out(data: Data<'_>, settings: &Settings) -> Result<HeldOutScores, FitError> {
    let folds = stratified(data.targets, data.classes, plan::folds(data.targets.len()), settings.seed);
    let task = |fold| Task { candidates: vec![settings], means: settings.beta != 1.0, fold };
    let tasks: Vec<Task<'_>> = folds.iter().map(task).collect();
    let done = data.measure(&tasks).into_iter().collect::<Result<Vec<_>, _>>()?;
    let (order, scores) = stack(done.iter().flat_map(|done| &done.held_out), settings.beta);
    Ok(HeldOutScores { scores, targets: order.iter().map(|&row| data.targets[row]).collect() })
}

/// Stratified folds of a stratified sample of about so many rows.
fn folds_of(data: Data<'_>, rows: usize, seed: u64) -> Vec<Fold> {
    let share = rows as f64 / data.targets.len() as f64;
    let folds = plan::folds(rows);
    if share >= 1.0 {
        return stratified(data.targets, data.classes, folds, seed);
    }
    let seen = sample(data.targets, data.classes, share, plan::LEAST_ROWS_OF_A_CLASS, seed);
    let targets: Vec<usize> = seen.iter().map(|&row| data.targets[row]).collect();
    let of_all = |rows: Vec<usize>| rows.into_iter().map(|row| seen[row]).collect();
    let folds = stratified(&targets, data.classes, folds, seed).into_iter();
    folds.map(|fold| Fold { fit: of_all(fold.fit), held_out: of_all(fold.held_out) }).collect()
}
