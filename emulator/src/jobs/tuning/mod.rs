//! A tuning job: training jobs over a space of hyperparameters, so many at once, until there are enough.

mod space;

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

use self::space::Search;
pub(crate) use self::space::{Point, Space};
use super::{ABANDONED, run_training, supervise::asked};
use crate::{
    account::Account,
    sagemaker::{Trial, TuningJob, record_training_job},
};

pub(super) async fn run(account: Arc<Account>, job: TuningJob, mut stop: watch::Receiver<bool>) {
    let outcome = search(&account, &job, &mut stop).await;
    account.tuning_jobs.change(&job.name, |job| match outcome {
        Ok(status) => job.enter(status),
        Err(reason) => job.fail(&reason),
    });
    account.stops.leave(&job.arn);
}

async fn search(
    account: &Arc<Account>,
    job: &TuningJob,
    stop: &mut watch::Receiver<bool>,
) -> Result<&'static str, String> {
    let mut search = Search::new(job.space()?, job.strategy(), job.seed(), job.most())?;
    let deadline = Instant::now() + job.longest().unwrap_or(Duration::from_secs(86_400 * 30));
    let (mut running, mut launched) = (FuturesUnordered::new(), 0);
    // Nothing more is begun from here on.
    let (mut ending, mut status) = (false, "Completed");
    loop {
        while !ending && launched < job.most() && running.len() < job.parallel() {
            let now = account.tuning_jobs.get(&job.name).unwrap_or_else(|| job.clone());
            let best = now.best().map(|trial| trial.tuned.clone());
            let Some(point) = search.next(best.as_ref()) else { break };
            launched += 1;
            let trial = Trial { name: job.trial_name(launched, &point), tuned: point, value: None };
            let request = job.training_job(&trial);
            let name = trial.name.clone();
            account.tuning_jobs.change(&job.name, |job| job.trials.push(trial));
            record_training_job(account, &request).map_err(|fault| format!("ClientError: {}", fault.message))?;
            running.push(async move {
                run_training(account, &name).await;
                name
            });
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            Some(name) = running.next() => {
                let value = account.training_jobs.get(&name).and_then(|trial| job.objective_of(&trial));
                account.tuning_jobs.change(&job.name, |job| job.ended_trial(&name, value));
                if account.tuning_jobs.get(&job.name).is_some_and(|job| job.has_enough()) {
                    ending = true;
                    stop_trials(account, job);
                }
            }
            () = asked(stop), if status == "Completed" => {
                (ending, status) = (true, "Stopped");
                stop_trials(account, job);
            }
            () = sleep_until(deadline), if !ending => {
                ending = true;
                stop_trials(account, job);
            }
            // The jobs that run see it too, and end.
            () = account.tasks.closing(), if !ending => ending = true,
        }
    }
    if account.tasks.is_closing() {
        return Err(ABANDONED.to_owned());
    }
    let now = account.tuning_jobs.get(&job.name).unwrap_or_else(|| job.clone());
    if status == "Completed" && now.best().is_none() {
        return Err("All training jobs failed or gave no objective metric. Please look at the failure reasons of the training jobs.".to_owned());
    }
    Ok(status)
}

/// Asks what still runs to stop.
fn stop_trials(account: &Account, job: &TuningJob) {
    for trial in account.tuning_jobs.get(&job.name).map(|job| job.trials).unwrap_or_default() {
        let Some(training) = account.training_jobs.get(&trial.name).filter(|training| !training.is_over()) else {
            continue;
        };
        account.training_jobs.change(&trial.name, crate::sagemaker::TrainingJob::begin_to_stop);
        account.stops.ask(&training.arn);
    }
}
