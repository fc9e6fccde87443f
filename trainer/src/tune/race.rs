//! The race: all candidates on few rows, the weak ones dropped, the rest on more.

use model::{FitError, Settings};

use super::judge::{HeldOut, Judged};
use super::measure::{Data, Task};
use super::plan;
use super::space::Space;
use crate::folds::Fold;

/// Standard errors of the paired difference beyond which a candidate is dropped.
const TOO_FAR: f64 = 2.0;

/// Steps of `C` beyond the first.
const MOST_STEPS: usize = 3;

/// A candidate and what is known of it.
pub struct Runner {
    /// But for `beta`, where the search chooses it.
    pub settings: Settings,
    /// By fold of the stage.
    held_out: Vec<Option<HeldOut>>,
    /// As the folds seen so far show it; none before the first.
    pub judged: Option<Judged>,
    /// Why it left the race, where it did.
    pub left: Option<String>,
    /// Work done for it.
    pub work: f64,
}

impl Runner {
    fn new(settings: Settings, folds: usize) -> Self {
        Runner { settings, held_out: vec![None; folds], judged: None, left: None, work: 0.0 }
    }

    pub fn log_loss(&self) -> f64 {
        self.judged.as_ref().map_or(f64::INFINITY, Judged::log_loss)
    }

    /// The best share of the fitted weights.
    pub fn beta(&self) -> f64 {
        self.judged.as_ref().map_or(self.settings.beta, |judged| judged.beta)
    }

    /// The folds measured.
    pub fn held_out(&self) -> impl Iterator<Item = &HeldOut> {
        self.held_out.iter().flatten()
    }
}

/// Runners on the folds of one set of rows.
pub struct Race<'a> {
    data: Data<'a>,
    space: &'a Space<'a>,
    folds: Vec<Fold>,
    /// In the order they came.
    pub runners: Vec<Runner>,
}

impl<'a> Race<'a> {
    /// Nobody in it yet.
    pub fn new(data: Data<'a>, space: &'a Space<'a>, folds: Vec<Fold>) -> Self {
        Race { data, space, folds, runners: Vec::new() }
    }

    /// Number of folds.
    pub fn folds(&self) -> usize {
        self.folds.len()
    }

    /// Lets candidates in that are not in already.
    pub fn enter(&mut self, candidates: impl IntoIterator<Item = Settings>) {
        for settings in candidates {
            if !self.runners.iter().any(|runner| runner.settings == settings) {
                self.runners.push(Runner::new(settings, self.folds.len()));
            }
        }
    }

    /// Measures all that are in the race on the first `folds` folds, where they are not yet. What cannot be fitted leaves;
    /// an error where nothing is left then.
    pub fn run(&mut self, folds: usize) -> Result<(), FitError> {
        // Those that share their records share a task, in ascending order of C.
        let mut groups: Vec<(usize, Vec<usize>)> = Vec::new();
        for fold in 0..folds.min(self.folds.len()) {
            for (at, runner) in self.runners.iter().enumerate() {
                if runner.left.is_some() || runner.held_out[fold].is_some() {
                    continue;
                }
                let kin = |(other_fold, others): &&mut (usize, Vec<usize>)| {
                    let other = &self.runners[others[0]].settings;
                    *other_fold == fold && other.tfidf == runner.settings.tfidf
                };
                match groups.iter_mut().find(kin) {
                    Some((_, group)) => group.push(at),
                    None => groups.push((fold, vec![at])),
                }
            }
        }
        for (_, group) in &mut groups {
            group.sort_by(|&a, &b| self.runners[a].settings.c.total_cmp(&self.runners[b].settings.c));
        }
        let task = |(fold, group): &(usize, Vec<usize>)| Task {
            candidates: group.iter().map(|&at| &self.runners[at].settings).collect(),
            means: group.iter().any(|&at| self.space.betas(&self.runners[at].settings).iter().any(|beta| *beta != 1.0)),
            fold: &self.folds[*fold],
        };
        let tasks: Vec<Task<'_>> = groups.iter().map(task).collect();
        let done = self.data.measure(&tasks);
        drop(tasks);
        let mut failed = None;
        for ((fold, group), done) in groups.into_iter().zip(done) {
            let done = match done {
                Ok(done) => done,
                Err(error) => {
                    let reason = format!("it cannot be fitted: {error}");
                    group.iter().for_each(|&at| self.runners[at].left = Some(reason.clone()));
                    failed = Some(error);
                    continue;
                }
            };
            let work =
                plan::solving(done.non_zeros, self.data.classes) + plan::scaling(done.non_zeros) / group.len() as f64;
            for (at, held_out) in group.into_iter().zip(done.held_out) {
                self.runners[at].work += work;
                self.runners[at].held_out[fold] = Some(held_out);
            }
        }
        self.judge();
        match failed {
            Some(error) if self.running().is_empty() => Err(error),
            _ => Ok(()),
        }
    }

    fn judge(&mut self) {
        let news = |at: &usize| {
            let runner = &self.runners[*at];
            runner.judged.as_ref().is_none_or(|judged| judged.folds() < runner.held_out().count())
        };
        let running: Vec<usize> = self.running().into_iter().filter(news).collect();
        let judged = model::threads::map(running.len(), |at| {
            let runner = &self.runners[running[at]];
            let folds: Vec<&HeldOut> = runner.held_out().collect();
            Judged::of(&folds, &self.space.betas(&runner.settings), self.data.targets)
        });
        for (at, judged) in running.into_iter().zip(judged) {
            self.runners[at].judged = Some(judged);
        }
    }

    /// Those still in the race, in the order they came.
    pub fn running(&self) -> Vec<usize> {
        (0..self.runners.len()).filter(|&at| self.runners[at].left.is_none()).collect()
    }

    /// Those still in the race, the least log loss first (the first come of equals).
    pub fn ranked(&self) -> Vec<usize> {
        let mut ranked = self.running();
        ranked.sort_by(|&a, &b| self.runners[a].log_loss().total_cmp(&self.runners[b].log_loss()));
        ranked
    }

    /// Drops those that are beyond chance worse than the best, and of the others all but the best `most`. Where these would be
    /// of one kind (analyzer and weighting) and another is still in the race, the last place is the best other's: which kind is
    /// best changes with the number of rows.
    pub fn drop_weak(&mut self, most: usize, mixed: bool) {
        let ranked = self.ranked();
        let Some(&best) = ranked.first() else { return };
        let (mut near, mut within) = (vec![best], Vec::new());
        for &at in &ranked[1..] {
            let (Some(winner), Some(own)) = (&self.runners[best].judged, &self.runners[at].judged) else { continue };
            let (excess, error) = own.excess(winner);
            if excess > TOO_FAR * error {
                let folds = counted(own.folds());
                let reason =
                    format!("after {folds} its log loss was {excess:.4} above the best, standard error {error:.4}");
                self.runners[at].left = Some(reason);
            } else {
                near.push(at);
                within.push((at, excess, error));
            }
        }
        let kind = |at: usize| (self.runners[at].settings.tfidf.analyzer, self.runners[at].settings.tfidf.weighting);
        let mut stay: Vec<usize> = near.iter().copied().take(most).collect();
        if mixed && stay.len() == most && stay.iter().all(|&at| kind(at) == kind(best)) {
            stay.pop();
            stay.extend(
                near.iter().copied().skip(most - 1).find(|&at| kind(at) != kind(best)).or(near.get(most - 1).copied()),
            );
        }
        for (at, excess, error) in within.into_iter().filter(|(at, ..)| !stay.contains(at)) {
            let folds = counted(self.runners[at].judged.as_ref().map_or(0, Judged::folds));
            self.runners[at].left = Some(format!(
                "after {folds} its log loss was {excess:.4} above the best, standard error {error:.4}: no more than chance, \
                 but {} went on",
                stay.len()
            ));
        }
    }
}

fn counted(folds: usize) -> String {
    if folds == 1 { "1 fold".to_owned() } else { format!("{folds} folds") }
}

/// Tries other `C` for those in the race, on the first fold: the next greater and smaller, and on as long as the best is at an
/// end of what was tried.
pub fn climb(race: &mut Race<'_>, space: &Space<'_>) -> Result<(), FitError> {
    let start: Vec<Settings> = race.running().into_iter().map(|at| race.runners[at].settings.clone()).collect();
    race.enter(start.iter().flat_map(|settings| [-1, 1].map(|steps| space.c_step(settings, steps))).flatten());
    race.run(1)?;
    for _ in 0..MOST_STEPS {
        let Some(&best) = race.ranked().first() else { return Ok(()) };
        let settings = race.runners[best].settings.clone();
        let before = race.runners.len();
        race.enter([-1, 1].iter().filter_map(|&steps| space.c_step(&settings, steps)));
        if race.runners.len() == before {
            break;
        }
        race.run(1)?;
    }
    Ok(())
}
