//! A job's or an endpoint's CloudWatch log, followed as it grows.

use std::collections::VecDeque;

use crate::{
    aws::Aws,
    error::{self, Found as _, Result},
    output::Progress,
};

/// Lines kept for the case of failure.
const KEPT: usize = 20;

/// A log that is read on from where it was left.
#[derive(Debug)]
pub struct Tail {
    group: String,
    prefix: String,
    stream: Option<String>,
    token: Option<String>,
    last: VecDeque<String>,
}

impl Tail {
    /// The first stream of `group` whose name begins with `prefix`.
    pub fn new(group: &str, prefix: &str) -> Self {
        Tail { group: group.into(), prefix: prefix.into(), stream: None, token: None, last: VecDeque::new() }
    }

    /// Shows what came since the last call. A log that is not there yet is no error.
    pub async fn follow(&mut self, aws: &Aws, progress: &mut Progress) -> Result<()> {
        let what = format!("the log {} cannot be read", self.group);
        if self.stream.is_none() {
            let streams = aws.logs.describe_log_streams().log_group_name(&self.group);
            let mut pages = streams.log_stream_name_prefix(&self.prefix).into_paginator().send();
            // A page may be empty and not the last.
            while let (None, Some(page)) = (&self.stream, pages.next().await) {
                let Some(page) = page.found(&what)? else { return Ok(()) };
                let first = page.log_streams().first();
                self.stream = first.and_then(|stream| stream.log_stream_name()).map(str::to_owned);
            }
        }
        let Some(stream) = &self.stream else { return Ok(()) };
        loop {
            let events = aws.logs.get_log_events().log_group_name(&self.group).log_stream_name(stream);
            let events = events.start_from_head(true).set_next_token(self.token.clone()).send().await;
            let Some(page) = events.found(&what)? else { return Ok(()) };
            for event in page.events() {
                let line = event.message().unwrap_or_default().trim_end();
                progress.line(format!("| {line}"));
                if self.last.len() == KEPT {
                    self.last.pop_front();
                }
                self.last.push_back(line.to_owned());
            }
            let next = page.next_forward_token().map(str::to_owned);
            // The end of a log answers with the token that it was asked with; a page may be empty before that.
            let ended = next == self.token;
            self.token = next;
            if ended {
                return Ok(());
            }
        }
    }

    /// What a job that has ended said last: its log may lag behind its end.
    pub async fn last(&mut self, aws: &Aws, progress: &mut Progress) -> Result<()> {
        self.follow(aws, progress).await?;
        aws.poll.wait().await;
        self.follow(aws, progress).await
    }

    /// The last lines, for a message.
    pub fn last_lines(&self) -> String {
        if self.last.is_empty() {
            return format!("the log {} holds no line", self.group);
        }
        let lines: Vec<String> = self.last.iter().map(|line| format!("| {line}")).collect();
        let stream = self.stream.as_deref().unwrap_or_default();
        format!("last lines of the log {}, {stream}:\n{}", self.group, lines.join("\n"))
    }
}

/// The last lines of the newest streams below `group`, for a message about an endpoint.
pub async fn endpoint_lines(aws: &Aws, endpoint: &str) -> Result<String> {
    let group = format!("/aws/sagemaker/Endpoints/{endpoint}");
    let what = format!("the log {group} cannot be read");
    let request = aws.logs.describe_log_streams().log_group_name(&group);
    let order = aws_sdk_cloudwatchlogs::types::OrderBy::LastEventTime;
    let Some(found) = request.order_by(order).descending(true).limit(1).send().await.found(&what)? else {
        return Ok(format!("there is no log {group}"));
    };
    let Some(stream) = found.log_streams().first().and_then(|stream| stream.log_stream_name()) else {
        return Ok(format!("the log {group} holds no stream"));
    };
    let request = aws.logs.get_log_events().log_group_name(&group).log_stream_name(stream);
    let events = request.limit(KEPT as i32).send().await.map_err(error::aws(what))?;
    let lines: Vec<String> = events.events().iter().map(|e| format!("| {}", e.message().unwrap_or_default())).collect();
    Ok(format!("last lines of the log {group}, {stream}:\n{}", lines.join("\n")))
}
