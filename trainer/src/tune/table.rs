//! The search as the evaluation and the log show it.

use report::evaluation::{Candidate, Tuning};

use super::race::Runner;
use super::space::Space;
use crate::log::say;

/// The figure that the table's means are of.
const METRIC: &str = "accuracy";

/// What was searched, on what.
pub struct Searched<'a> {
    pub space: &'a Space<'a>,
    /// All candidates, in the order they came.
    pub runners: &'a [Runner],
    /// Index of the winner.
    pub winner: usize,
    /// Folds of the last stage.
    pub folds: usize,
    /// Cost of the search in fits of the winner.
    pub fits: f64,
}

pub fn table(searched: &Searched<'_>) -> Tuning {
    let Searched { space, runners, winner, folds, fits } = *searched;
    let candidate = |(at, runner): (usize, &Runner)| {
        let judged = runner.judged.as_ref();
        let (mean, standard_error) = judged.map_or((0.0, 0.0), |judged| judged.accuracy());
        let seen = judged.map_or(0, |judged| judged.folds()) as u64;
        let lost = || "at the end another had less log loss".to_owned();
        let reason = if at == winner { None } else { Some(runner.left.clone().unwrap_or_else(lost)) };
        Candidate {
            parameters: space.parameters(&runner.settings, judged.map_or(1.0, |judged| judged.beta)),
            mean,
            standard_error,
            folds_seen: Some(seen),
            eliminated_after: runner.left.as_ref().map(|_| seen),
            log_loss: judged.map(|judged| judged.log_loss()),
            reason,
            ..Candidate::default()
        }
    };
    let mut candidates: Vec<Candidate> = runners.iter().enumerate().map(candidate).collect();
    let mut reason = why(runners, winner);
    if let Some(candidate) = candidates.get_mut(winner) {
        candidate.reason = Some(reason.clone());
    }
    reason.push_str(&format!("; the search cost about {fits:.1} fits of the winner"));
    Tuning {
        folds: folds as u64,
        metric: METRIC.into(),
        candidates,
        chosen: winner,
        reason,
        cost_in_fits: Some(fits),
        ..Tuning::default()
    }
}

fn why(runners: &[Runner], winner: usize) -> String {
    let Some(judged) = runners[winner].judged.as_ref() else { return String::new() };
    let folds = judged.folds();
    let mut reason = format!("least log loss of its held-out rows, {:.4} over {folds} folds", judged.log_loss());
    let rivals = runners.iter().enumerate().filter(|(at, runner)| *at != winner && runner.left.is_none());
    let next =
        rivals.filter_map(|(_, runner)| runner.judged.as_ref()).min_by(|a, b| a.log_loss().total_cmp(&b.log_loss()));
    match next {
        Some(next) => {
            let (excess, error) = next.excess(judged);
            reason.push_str(&format!("; the next has {excess:.4} more, standard error {error:.4}"));
        }
        None => reason.push_str("; its last rival had more on the folds that both saw"),
    }
    reason
}

/// Writes the table to the job's log.
pub fn log(tuning: &Tuning, seconds: f64) {
    say!("tuning: {}-fold cross-validation on train ({seconds:.1} s)", tuning.folds);
    for (at, candidate) in tuning.candidates.iter().enumerate() {
        let parameters: Vec<String> =
            candidate.parameters.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        let log_loss = candidate.log_loss.map(|loss| format!(", log loss {loss:.4}")).unwrap_or_default();
        let folds = candidate.folds_seen.unwrap_or(tuning.folds);
        let error = if folds > 1 { format!(" +- {:.4}", candidate.standard_error) } else { String::new() };
        let mark = if at == tuning.chosen { " <- chosen" } else { "" };
        say!(
            "  {}: {} {:.4}{error}{log_loss}, folds {folds}{mark}",
            parameters.join(", "),
            tuning.metric,
            candidate.mean
        );
        if let Some(reason) = candidate.reason.as_ref().filter(|_| at != tuning.chosen) {
            say!("    out: {reason}");
        }
    }
    say!("  {}", tuning.reason);
}
