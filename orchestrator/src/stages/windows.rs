//! `monitor --watch`: the windows of the schedule as they are done, a line each, and a message for each that drifted.

use std::{collections::BTreeSet, fmt, io::IsTerminal as _, io::Write as _, time::Duration};

use jiff::Timestamp;
use report::drift::PastWindow;
use serde::Serialize;
use tokio::time::sleep;

use super::Context;
use crate::{
    announced::{self, Said},
    bucket,
    error::{Failure, Result},
    settings::Target,
    topic,
};

/// Windows that are shown of the time before.
const BEFORE: usize = 12;

/// Where the entries of the windows done lie, as `monitor` writes them.
pub fn ledger(context: &Context, endpoint: &str) -> String {
    bucket::uri(&context.account.bucket, &format!("monitoring/ledger/{endpoint}/"))
}

/// Where the files of the windows lie, a folder each.
pub fn files(context: &Context, endpoint: &str) -> String {
    bucket::uri(&context.account.bucket, &format!("monitoring/windows/{endpoint}/"))
}

/// One window as a line.
#[derive(Debug, Serialize)]
struct Told<'w> {
    window: &'w PastWindow,
    report: String,
}

impl fmt::Display for Told<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let w = self.window;
        let short = |at: &str| at.get(..16).unwrap_or(at).replace('T', " ");
        let state = match (w.violations.is_empty(), w.documents) {
            (true, 0) => "no requests".to_owned(),
            (true, n) => format!("alike       {n} documents"),
            (false, n) => format!("DRIFT       {n} documents, violated: {}", w.violations.join(", ")),
        };
        let end = w.end.get(11..16).unwrap_or(&w.end);
        write!(f, "{} to {end}  {state}", short(&w.start))?;
        if w.revision > 1 {
            write!(f, "; done again, {} requests came late", w.late)?;
        }
        if !w.violations.is_empty() {
            let words: Vec<String> = w.words.iter().map(|(term, by)| format!("{term} {by:+.2}")).collect();
            if !words.is_empty() {
                write!(f, "\n  strongest words  {}", words.join(", "))?;
            }
            write!(f, "\n  report           {}", self.report)?;
        }
        Ok(())
    }
}

/// Follows the ledger until it is interrupted.
pub async fn watch(context: &Context, endpoint: &str) -> Result<()> {
    let pause = match context.settings.target {
        Target::Local => Duration::from_millis(500),
        Target::Aws => Duration::from_secs(30),
    };
    let folder = ledger(context, endpoint);
    let live = std::io::stderr().is_terminal() && !context.out.json();
    let (mut seen, mut first) = (BTreeSet::new(), true);
    // Windows that another watch is telling of: until it has, or has not for so long that it must be gone.
    let mut untold: Vec<(PastWindow, String)> = Vec::new();
    context.out.say(format_args!("watching the windows of endpoint {endpoint}; Ctrl-C ends it"));
    loop {
        let mut new = unseen(context, &folder, &mut seen).await?;
        if live && !new.is_empty() {
            status_line("");
        }
        if first {
            new.drain(..new.len().saturating_sub(BEFORE));
        }
        if first && new.is_empty() {
            context.out.say("no window is done yet");
        }
        for (window, revised) in new {
            context.out.result(&Told { window: &window, report: report(context, endpoint, &window) })?;
            if !window.violations.is_empty() && context.settings.alarms.enabled {
                untold.push((window, revised));
            }
        }
        let mut later = Vec::new();
        for (window, revised) in untold {
            if announce(context, endpoint, &window, &revised).await? == Said::BySomebody {
                later.push((window, revised));
            }
        }
        untold = later;
        first = false;
        if live {
            status_line(&next(context));
        }
        sleep(pause).await;
    }
}

/// Replaces the last line of the terminal; its own end moves on.
fn status_line(text: &str) {
    // A terminal that is gone is no reason to stop.
    let _ = write!(std::io::stderr(), "\r\x1b[2K{text}").and_then(|()| std::io::stderr().flush());
}

/// When the window that runs now ends.
fn next(context: &Context) -> String {
    let length = i64::from(context.settings.monitor.window_hours) * 3600;
    let end = (Timestamp::now().as_second().div_euclid(length) + 1) * length;
    let end = Timestamp::from_second(end).unwrap_or_default();
    let schedule = &context.settings.monitor.schedule;
    format!("the window that runs now ends at {} UTC; the schedule is {schedule}", end.strftime("%H:%M"))
}

/// Entries that were not there, or not like this, when the folder was last looked at.
async fn unseen(
    context: &Context,
    folder: &str,
    seen: &mut BTreeSet<(String, String)>,
) -> Result<Vec<(PastWindow, String)>> {
    let (name, prefix) = bucket::parse(folder)?;
    let mut pages = context.aws.s3.list_objects_v2().bucket(name).prefix(prefix).into_paginator().send();
    let mut new = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(crate::error::aws(format!("{folder} cannot be listed")))?;
        for object in page.contents() {
            let (Some(key), tag) = (object.key(), object.e_tag().unwrap_or_default()) else { continue };
            if key.ends_with("/begin.json") || !seen.insert((key.to_owned(), tag.to_owned())) {
                continue;
            }
            let address = bucket::uri(name, key);
            let Some(bytes) = bucket::get(&context.aws.s3, &address).await? else { continue };
            let entry = serde_json::from_slice(&bytes);
            let entry: PastWindow = entry.map_err(|e| Failure::new(format!("{address} cannot be read")).because(e))?;
            let told =
                format!("{}-{}", key.rsplit('/').next().unwrap_or(key).trim_end_matches(".json"), entry.revision);
            new.push((entry, told));
        }
    }
    Ok(new)
}

fn report(context: &Context, endpoint: &str, window: &PastWindow) -> String {
    let name = window.end.replace(':', "-");
    match &context.settings.monitor.report_link {
        Some(link) => link.replace("{window}", &name),
        None => format!("{}{name}/report.html", files(context, endpoint)),
    }
}

/// A message for a window that drifted, for each revision of it.
async fn announce(context: &Context, endpoint: &str, window: &PastWindow, told: &str) -> Result<Said> {
    let key = format!("monitoring/announced/{endpoint}/{told}");
    let link = report(context, endpoint, window);
    let because = window.because.as_deref().unwrap_or_default();
    let text = format!("{} to {}\n{}\n{because}\n{link}\n", window.start, window.end, window.verdict);
    let (topic, subject) = (topic::arn(context), subject(endpoint, window.violations.len()));
    announced::once(context, &key, async || topic::publish(context, &topic, &subject, &text).await).await
}

/// The subject of a message on drift.
pub fn subject(endpoint: &str, violations: usize) -> String {
    let s = if violations == 1 { "" } else { "s" };
    format!("Drift on endpoint {endpoint}: {violations} violation{s}")
}
