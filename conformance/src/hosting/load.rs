//! Much at once: large bodies, connections that stay open, requests at the same time.

use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::task::JoinSet;

use crate::{
    contract::*,
    http::{Ask, Broken, shown},
    judge::Judge,
};

use super::{
    Served,
    requests::{good, is_success},
};

/// Requests at the same time.
const AT_ONCE: usize = 16;
/// How often a large body is sent that is not answered.
const TRIES: usize = 3;
/// Pings meanwhile.
const PINGS: usize = 10;
/// The limits of a request's body, before and now.
const PAYLOADS: [(&Check, usize); 2] = [(&PAYLOAD_6, 6 << 20), (&PAYLOAD_25, 25 << 20)];

pub(super) async fn judge(served: &Served<'_>, judge: &mut Judge<'_>) {
    judge.say("hosting: connections, load, large bodies");
    keep_alive(served, judge).await;
    at_once(served, judge).await;
    for (check, size) in PAYLOADS {
        payload(served, check, size, judge).await;
    }
}

async fn keep_alive(served: &Served<'_>, judge: &mut Judge<'_>) {
    let limit = served.plan.limits.invocation();
    let asked = async {
        let mut connection = served.server.connect().await?;
        let first = connection.ask(served.ask()).await?;
        if first.closes {
            return Ok(None);
        }
        connection.ask(served.ask()).await.map(Some)
    };
    let asked = tokio::time::timeout(limit, asked).await.unwrap_or(Err(Broken::Late(limit)));
    match asked {
        Ok(None) => judge.not_applicable(&KEEP_ALIVE, "it says `Connection: close` after each answer"),
        Ok(Some(second)) => judge.decide(&KEEP_ALIVE, good(Ok(second), "2xx on the same connection")),
        Err(broken) => judge.fail(
            &KEEP_ALIVE,
            "a second answer on the same connection, or `Connection: close`",
            broken.to_string(),
        ),
    }
}

async fn at_once(served: &Served<'_>, judge: &mut Judge<'_>) {
    let (server, limits) = (served.server, served.plan.limits);
    let mut requests = JoinSet::new();
    for _ in 0..AT_ONCE {
        let ask = served.ask();
        requests.spawn(async move { server.ask(ask, limits.invocation()).await });
    }
    let mut slowest = Duration::ZERO;
    let mut late = None;
    for _ in 0..PINGS {
        match server.ask(Ask::get("/ping"), limits.ping()).await {
            Ok(answer) if answer.status == 200 => slowest = slowest.max(answer.took),
            Ok(answer) => late = late.or(Some(answer.shown())),
            Err(broken) => late = late.or(Some(broken.to_string())),
        }
    }
    let expected = format!("200 within {}, with {AT_ONCE} requests under way", shown(limits.ping()));
    judge.decide(
        &PING_BUSY,
        match late {
            None => Ok(format!("slowest of {PINGS}: {}", shown(slowest))),
            Some(seen) => Err((expected, seen)),
        },
    );
    let answers = requests.join_all().await;
    let answered = answers.iter().filter(|answer| matches!(answer, Ok(answer) if is_success(answer))).count();
    let other = answers.iter().find(|answer| !matches!(answer, Ok(answer) if is_success(answer)));
    judge.decide(
        &CONCURRENT,
        match other {
            None => Ok(format!("{answered} of {AT_ONCE}")),
            Some(other) => {
                let other = other.as_ref().map_or_else(Broken::to_string, |answer| answer.shown());
                Err((format!("2xx to {AT_ONCE} good requests"), format!("{answered} were; another: {other}")))
            }
        },
    );
}

async fn payload(served: &Served<'_>, check: &'static Check, size: usize, judge: &mut Judge<'_>) {
    let Some(body) = grown(&served.request.content_type, &served.body, size) else {
        return judge.not_applicable(check, "the request's body cannot be grown: it is empty");
    };
    let (ask, begun) = (served.ask_with(body), Instant::now());
    let mut answer = served.server.status(&ask, served.plan.limits.invocation()).await;
    for _ in 1..TRIES {
        // A refusal before all is sent may be overtaken by the end of its connection.
        if matches!(answer, Err(Broken::Closed(_))) && served.healthy().await.is_ok() {
            answer = served.server.status(&ask, served.plan.limits.invocation()).await;
        }
    }
    let expected = || "2xx, or a 4xx such as 413".to_owned();
    let found = match answer {
        Ok(status @ 200..500) => match served.healthy().await {
            Ok(()) => Ok(format!("{status} in {}", shown(begun.elapsed()))),
            Err(seen) => Err(("a server that is healthy afterwards".to_owned(), seen)),
        },
        Ok(status) => Err((expected(), status.to_string())),
        Err(broken) => Err((expected(), broken.to_string())),
    };
    judge.decide(check, found);
}

/// A body of that size: JSON with white space before it, all else said again and again.
fn grown(content_type: &str, body: &[u8], size: usize) -> Option<Bytes> {
    if body.is_empty() {
        return None;
    }
    if content_type.starts_with("application/json") && !content_type.contains("lines") {
        let mut grown = vec![b' '; size.saturating_sub(body.len())];
        grown.extend_from_slice(body);
        return Some(grown.into());
    }
    let mut record = body.to_vec();
    if is_lines(content_type) && !record.ends_with(b"\n") {
        record.push(b'\n');
    }
    let mut grown = record.repeat(size.div_ceil(record.len()));
    // Whole records, so that the body stays good.
    grown.truncate(size - size % record.len());
    Some(grown.into())
}

/// Whether a body of this type is records, one a line.
pub(super) fn is_lines(content_type: &str) -> bool {
    ["text/csv", "jsonlines", "jsonl", "ndjson", "x-ndjson"].iter().any(|kind| content_type.contains(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grown_body_is_as_good_as_the_small_one() {
        assert_eq!(grown("text/csv", b"a,b", 10).as_deref(), Some(&b"a,b\na,b\n"[..]));
        let json = grown("application/json; charset=utf-8", b"{\"a\": 1}", 100).expect("grown");
        assert_eq!(
            (json.len(), serde_json::from_slice::<serde_json::Value>(&json).expect("JSON")["a"].as_u64()),
            (100, Some(1))
        );
        assert_eq!(grown("text/plain", b"", 10), None);
    }
}
