//! `IMAGE train`: a good job, the SDK's quoting, a bad job, a job without a network, a job that is told to stop.

mod job;

use std::{fs, path::Path, time::Duration};

use crate::{
    contract::*,
    error::Result,
    http::shown,
    judge::Judge,
    layout::{Root, files},
    plan::{Plan, Training},
    runner::{Role, Subject},
};

use job::{Done, End, laid_out, run};

/// Characters of the failure file that reach `FailureReason`.
const REASON: usize = 1024;
/// When a job is told to stop: at a half of the time that it takes, or sooner where that was too late.
const STOP_AT: [u32; 3] = [2, 4, 16];

/// Judges it; the root of the good job, whose model others may use.
pub(crate) async fn judge(subject: &Subject, plan: &Plan, judge: &mut Judge<'_>) -> Result<Option<Root>> {
    if let Err(reason) = subject.offers(Role::Train) {
        judge.rest(Contract::Training, reason);
        return Ok(None);
    }
    let training = &plan.training;
    let good = match &training.data {
        Some(data) => Some(good(subject, plan, training, data, judge).await?),
        None => None,
    };
    bad(subject, plan, judge).await?;
    let reason =
        if good.is_some() { "the job on good input did not succeed" } else { "no training data were given (--data)" };
    judge.rest(Contract::Training, reason);
    Ok(good.flatten())
}

async fn good(
    subject: &Subject,
    plan: &Plan,
    training: &Training,
    data: &Path,
    judge: &mut Judge<'_>,
) -> Result<Option<Root>> {
    judge.say("training: a job on good input");
    let limit = plan.limits.job();
    let start = |root: Root| run(subject, plan, root, End::Itself, false);
    let done = start(laid_out(training, Some(data), false)?).await?;
    let succeeded = done.exit == Some(0);
    let expected = "exit code 0: the job is Completed";
    judge.decide(&TRAIN_SUCCESS, success(&done, limit, expected));
    judge.decide(&TRAIN_INPUT, untouched(&done));
    if !succeeded {
        return Ok(None);
    }
    let (model, failure) = (files(&done.root.path().join("model")), done.root.path().join("output/failure"));
    judge.decide(
        &TRAIN_MODEL,
        match model.len() {
            0 => Err((
                "files in /opt/ml/model: they become model.tar.gz".to_owned(),
                "exit code 0, and nothing there".to_owned(),
            )),
            n => Ok(format!("{n} files")),
        },
    );
    judge.decide(
        &TRAIN_NO_FAILURE,
        match failure.exists() {
            true => Err((
                "no such file, or an exit code other than 0".to_owned(),
                format!("exit code 0, and a failure: {}", beginning(&failure)),
            )),
            false => Ok("none".to_owned()),
        },
    );
    let mut takes = done.took;
    if training.hyperparameters.is_empty() {
        judge.not_applicable(&TRAIN_QUOTED, "no hyperparameters were given (--set)");
    } else {
        judge.say("training: hyperparameters as the SDK quotes them");
        let done = start(laid_out(training, Some(data), true)?).await?;
        takes = takes.min(done.took);
        judge.decide(&TRAIN_QUOTED, success(&done, limit, "exit code 0, as with the same values not quoted"));
    }
    match subject.isolation() {
        Err(reason) => judge.not_applicable(&TRAIN_ISOLATED, reason),
        Ok(()) => {
            judge.say("training: without a network");
            let root = laid_out(training, Some(data), false)?;
            let done = run(subject, plan, root, End::Itself, true).await?;
            judge.decide(&TRAIN_ISOLATED, success(&done, limit, "exit code 0, as with a network"));
        }
    }
    stopped(subject, plan, data, takes, judge).await?;
    Ok(Some(done.root))
}

async fn stopped(subject: &Subject, plan: &Plan, data: &Path, takes: Duration, judge: &mut Judge<'_>) -> Result<()> {
    judge.say("training: told to stop");
    let limit = plan.limits.train_stop();
    for part in STOP_AT {
        let root = laid_out(&plan.training, Some(data), false)?;
        let done = run(subject, plan, root, End::Term(takes / part), false).await?;
        if done.early {
            continue;
        }
        let took = shown(done.took);
        judge.decide(
            &TRAIN_TERM,
            match done.exit {
                Some(code) => Ok(format!("exit code {code}, {took} after SIGTERM")),
                None => Err((
                    format!("its end within {} of SIGTERM; SIGKILL follows, and what it holds is lost", shown(limit)),
                    "it ran on".to_owned(),
                )),
            },
        );
        return Ok(());
    }
    judge.not_applicable(&TRAIN_TERM, "every job had ended before the signal; give more data");
    Ok(())
}

async fn bad(subject: &Subject, plan: &Plan, judge: &mut Judge<'_>) -> Result<()> {
    judge.say("training: a job on bad input");
    let training = &plan.training;
    let done = run(subject, plan, laid_out(training, training.bad_data.as_deref(), false)?, End::Itself, false).await?;
    let input = if training.bad_data.is_some() { "the bad data" } else { "a channel without a file" };
    let hint =
        if training.bad_data.is_some() { "" } else { "; if that is good input for it, give bad data (--bad-data)" };
    let failure = done.root.path().join("output/failure");
    judge.decide(
        &TRAIN_BAD_EXIT,
        match done.exit {
            Some(0) => Err((
                format!("an exit code other than 0 on {input}: the job is then Failed"),
                format!("exit code 0{}{hint}", if failure.exists() { ", although it left a failure file" } else { "" }),
            )),
            Some(code) => Ok(format!("exit code {code} on {input}")),
            None => Err((
                format!("an exit code other than 0 on {input}"),
                format!("it still ran after {}", shown(plan.limits.job())),
            )),
        },
    );
    let expected = format!("/opt/ml/output/failure, in UTF-8, whose first {REASON} characters tell the reason");
    judge.decide(
        &TRAIN_BAD_FILE,
        match fs::read(&failure) {
            Err(_) => Err((expected, format!("no such file{}", last(&done.said)))),
            Ok(bytes) => reason(&bytes).map_err(|seen| (expected, seen)),
        },
    );
    Ok(())
}

/// What of a failure file a user would read, or what is wrong with it.
fn reason(bytes: &[u8]) -> std::result::Result<String, String> {
    let text = std::str::from_utf8(bytes).map_err(|e| format!("no UTF-8: {e}"))?;
    let first: String = text.chars().take(REASON).collect();
    let words = first.split(|c: char| !c.is_alphanumeric()).filter(|word| word.chars().any(char::is_alphabetic));
    match words.count() {
        0 | 1 => Err(format!("its first {REASON} characters say nothing: `{}`", first.trim().escape_debug())),
        _ => Ok(first.lines().find(|line| !line.trim().is_empty()).unwrap_or_default().chars().take(80).collect()),
    }
}

fn success(done: &Done, limit: Duration, expected: &str) -> std::result::Result<String, (String, String)> {
    match done.exit {
        Some(0) => Ok(format!("exit code 0 after {}", shown(done.took))),
        Some(code) => {
            let failure = done.root.path().join("output/failure");
            let why = if failure.exists() { format!("\n{}", beginning(&failure)) } else { last(&done.said) };
            Err((expected.to_owned(), format!("exit code {code}{why}")))
        }
        None => Err((expected.to_owned(), format!("it still ran after {}", shown(limit)))),
    }
}

fn untouched(done: &Done) -> std::result::Result<String, (String, String)> {
    match &done.changed {
        None => Ok("nothing changed".to_owned()),
        Some(what) => {
            Err(("no change below /opt/ml/input: FastFile and other channels are read-only".to_owned(), what.clone()))
        }
    }
}

fn beginning(path: &Path) -> String {
    let text = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(&text).chars().take(300).collect()
}

/// The last lines it printed, to stand below what was seen.
pub(crate) fn last(said: &str) -> String {
    if said.is_empty() { ", and it printed nothing".to_owned() } else { format!("; it printed last:\n{said}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_more_than_a_ruler() {
        assert_eq!(reason(b"train.csv:3: no label"), Ok("train.csv:3: no label".to_owned()));
        let late = format!("{}the reason", "=".repeat(REASON));
        for bad in [&b"\xff\xfe"[..], b"", b"   \n", b"Error", late.as_bytes()] {
            assert!(reason(bad).is_err(), "{}", bad.escape_ascii());
        }
    }
}
