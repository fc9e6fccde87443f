//! A tuning job: training jobs over a space of hyperparameters, so many at once, until there are enough.

mod early;
mod space;

use std::{sync::Arc, time::Duration};

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::{
    sync::watch,
    time::{Instant, sleep_until},
};

pub(crate) use self::space::{Point, Space};
use self::{early::Curves, space::Search};
use super::{ABANDONED, metrics::Heard, run_training, supervise::asked};
use crate::{
    account::Account,
    sagemaker::{TrainingJob, Trial, TuningJob, record_training_job},
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
    let curves = job.stops_early().then(|| Arc::new(Curves::new(job.minimizes())));
    // Nothing more is begun from here on.
    let (mut ending, mut status) = (false, "Completed");
    loop {
        while !ending && launched < job.most() && running.len() < job.parallel() {
            let now = account.tuning_jobs.get(&job.name).unwrap_or_else(|| job.clone());
            let best = now.best().map(|trial| trial.tuned.clone());
            let Some(point) = search.next(best.as_ref()) else { break };
            launched += 1;
            let trial = Trial::new(job.trial_name(launched, &point), point);
            let request = job.training_job(&trial);
            let name = trial.name.clone();
            account.tuning_jobs.change(&job.name, |job| job.trials.push(trial));
            record_training_job(account, &request).map_err(|fault| format!("ClientError: {}", fault.message))?;
            let heard = curves.as_ref().map(|curves| listening(account, job, &name, curves));
            running.push(async move {
                run_training(account, &name, heard).await;
                name
            });
        }
        if running.is_empty() {
            break;
        }
        tokio::select! {
            Some(name) = running.next() => {
                let training = account.training_jobs.get(&name);
                if let Some(curves) = &curves {
                    curves.ended(&name, training.as_ref().is_some_and(|training| training.status == "Completed"));
                }
                account.tuning_jobs.change(&job.name, |job| job.ended_trial(&name, training.as_ref()));
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

/// Ends a training job as soon as a value of its objective promises nothing.
fn listening(account: &Arc<Account>, job: &TuningJob, trial: &str, curves: &Arc<Curves>) -> Heard {
    let (account, curves) = (account.clone(), curves.clone());
    let (trial, objective) = (trial.to_owned(), job.metric().to_owned());
    Arc::new(move |metric, value| {
        if metric == objective && curves.hopeless(&trial, value) {
            stop_trial(&account, &trial);
        }
    })
}

/// Asks what still runs to stop.
fn stop_trials(account: &Account, job: &TuningJob) {
    for trial in account.tuning_jobs.get(&job.name).map(|job| job.trials).unwrap_or_default() {
        stop_trial(account, &trial.name);
    }
}

/// Asks one training job to stop, where it still runs.
fn stop_trial(account: &Account, name: &str) {
    if let Some(training) = account.training_jobs.get(name).filter(|training| !training.is_over()) {
        account.training_jobs.change(name, TrainingJob::begin_to_stop);
        account.stops.ask(&training.arn);
    }
}
