//! Early stopping (`TrainingJobEarlyStoppingType` `Auto`): a training job ends whose objective is worse than the median of
//! the running means of the completed ones, each up to the same value ("Stop Training Jobs Early", SageMaker's guide).

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// The objective of every training job of one search, value by value.
#[derive(Debug)]
pub(super) struct Curves {
    minimize: bool,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    running: BTreeMap<String, Mean>,
    completed: Vec<Vec<f64>>,
}

/// The mean after each value.
#[derive(Debug, Default)]
struct Mean {
    sum: f64,
    after: Vec<f64>,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.after.push(self.sum / (self.after.len() + 1) as f64);
    }
}

impl Curves {
    pub fn new(minimize: bool) -> Curves {
        Curves { minimize, kept: Mutex::default() }
    }

    /// Takes the next value of a running job; whether it promises nothing. With nothing to compare it with, it may go on.
    pub fn hopeless(&self, job: &str, value: f64) -> bool {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = kept.running.entry(job.to_owned()).or_default();
        mean.add(value);
        let epoch = mean.after.len() - 1;
        let others = kept.completed.iter().filter_map(|after| after.get(epoch)).copied().collect();
        median(others).is_some_and(|median| if self.minimize { value > median } else { value < median })
    }

    /// A job has ended; later ones are compared with it where it was completed.
    pub fn ended(&self, job: &str, completed: bool) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mean = kept.running.remove(job);
        kept.completed.extend(mean.filter(|_| completed).map(|mean| mean.after));
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[half]),
        _ => Some(f64::midpoint(values[half - 1], values[half])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether each value of a job is one to end it by; it is not ended.
    fn said(curves: &Curves, job: &str, values: &[f64], completed: bool) -> Vec<bool> {
        let said = values.iter().map(|value| curves.hopeless(job, *value)).collect();
        curves.ended(job, completed);
        said
    }

    #[test]
    fn a_value_is_held_against_the_median_of_running_means() {
        let curves = Curves::new(false);
        assert_eq!(said(&curves, "first", &[0.2, 0.4, 0.9], true), [false; 3], "nothing to be worse than");
        // Means of the first: 0.2, 0.3, 0.5. A fourth value has nothing beside it.
        assert_eq!(said(&curves, "second", &[0.2, 0.29, 0.51, 0.0], true), [false, true, false, false]);
        // Means of the second: 0.2, 0.245, 0.333…; medians of both: 0.2, 0.2725, 0.41666….
        assert_eq!(said(&curves, "third", &[0.19, 0.27, 0.42], true), [true, true, false]);
    }

    #[test]
    fn what_is_minimized_is_worse_above_and_only_completed_jobs_count() {
        let curves = Curves::new(true);
        said(&curves, "stopped", &[0.1], false);
        assert_eq!(said(&curves, "first", &[3.0, 2.0], true), [false; 2]);
        assert_eq!(said(&curves, "second", &[3.0, 2.6, 9.0], false), [false, true, false]);
    }
}
