//! From the start of a server to its first 200 on `/ping`.

use std::time::{Duration, Instant};

use tokio::time::sleep;

use crate::{
    contract::*,
    error::Result,
    http::{Ask, Broken, Server, shown},
    judge::Judge,
    plan::Plan,
    runner::{Running, Start, Subject},
    training::last,
};

/// How long after a try the next follows.
const PAUSE: Duration = Duration::from_millis(20);
/// Tries after the first 200.
const STEADY: usize = 5;
/// How long a connection may take.
const ACCEPT: Duration = Duration::from_millis(250);

/// What was seen until the first 200.
pub(super) struct Pings {
    /// Where it listens.
    pub server: Server,
    /// From start to the first 200.
    took: Duration,
    /// Tries that reached it.
    tries: u32,
    /// The slowest of them.
    slowest: Duration,
    /// How long each connection took.
    connections: Vec<Duration>,
    /// Tries that were not answered in time while it started: it is asked again.
    late: u32,
    /// Bytes of the body of the 200.
    body: usize,
    limit: Duration,
}

/// A server that is healthy; or, in words, what it was instead.
pub(super) type Started = std::result::Result<(Running, Pings), String>;

/// Starts a server and asks it until it is healthy. In a network of its own its port is the one inside.
pub(super) async fn until_healthy(subject: &Subject, plan: &Plan, start: Start<'_>) -> Result<Started> {
    let (isolated, port) = (start.isolated, start.port);
    let mut running = subject.start(start).await?;
    let (begun, limit) = (Instant::now(), plan.limits.ping());
    let server =
        |inside| Server { port: port.map_or(0, |port| if isolated { port.inside } else { port.outside }), inside };
    let mut pings = Pings {
        server: server(None),
        took: Duration::ZERO,
        tries: 0,
        slowest: Duration::ZERO,
        connections: Vec::new(),
        late: 0,
        body: 0,
        limit,
    };
    let mut last_seen = "nobody listened".to_owned();
    while begun.elapsed() < plan.limits.startup() {
        let inside = if isolated { running.pid().await } else { None };
        pings.server = server(inside);
        match ping(&pings.server, limit).await {
            _ if isolated && inside.is_none() => {}
            Ok((answer, connection)) => {
                pings.tries += 1;
                pings.slowest = pings.slowest.max(answer.took);
                pings.connections.push(connection);
                if answer.status == 200 {
                    // Another program may hold the port and have answered in its place.
                    if running.ended().await.is_none() {
                        (pings.took, pings.body) = (begun.elapsed(), answer.body.len());
                        return Ok(Ok((running, pings)));
                    }
                }
                last_seen = format!("/ping answered {}", answer.shown());
            }
            Err(Broken::Refused) => {}
            Err(broken) => {
                last_seen = format!("/ping: {broken}");
                // A port that the engine forwards takes connections before anybody listens inside: those are no tries.
                pings.late += u32::from(matches!(broken, Broken::Late(_)));
            }
        }
        if let Some(code) = running.ended().await {
            let said = running.said();
            subject.could_run(Some(code), &said)?;
            return Ok(Err(format!("it ended with exit code {code}{}", last(&said))));
        }
        sleep(PAUSE).await;
    }
    Ok(Err(format!("after {}: {last_seen}{}", shown(begun.elapsed()), last(&running.said()))))
}

async fn ping(server: &Server, limit: Duration) -> std::result::Result<(crate::http::Answer, Duration), Broken> {
    let asked = async {
        let mut connection = server.connect().await?;
        let took = connection.took;
        Ok((connection.ask(Ask::get("/ping")).await?, took))
    };
    tokio::time::timeout(limit, asked).await.unwrap_or(Err(Broken::Late(limit)))
}

/// What the pings say, and some more now that it is healthy.
pub(super) async fn judge(mut pings: Pings, judge: &mut Judge<'_>) {
    let late = match pings.late {
        0 => String::new(),
        n => format!(", {n} tries late before"),
    };
    judge.pass(&SERVE_START, format!("200 after {}{late}", shown(pings.took)));
    let mut other = None;
    for _ in 0..STEADY {
        match ping(&pings.server, pings.limit).await {
            Ok((answer, connection)) => {
                pings.tries += 1;
                pings.slowest = pings.slowest.max(answer.took);
                pings.connections.push(connection);
                other = other.or((answer.status != 200).then(|| answer.shown()));
            }
            Err(broken) => other = other.or(Some(broken.to_string())),
        }
    }
    judge.decide(
        &PING_TIME,
        match other {
            Some(seen) => Err((format!("200 within {} at every try, once healthy", shown(pings.limit)), seen)),
            None => Ok(format!("slowest of {}: {}", pings.tries, shown(pings.slowest))),
        },
    );
    judge.decide(
        &PING_BODY,
        match pings.body {
            0 => Ok("empty".to_owned()),
            n => Err(("200 with an empty body".to_owned(), format!("200 with {n} bytes"))),
        },
    );
    // The median: one connection may have waited for this machine and not for the server.
    pings.connections.sort();
    let connection = pings.connections.get(pings.connections.len() / 2).copied().unwrap_or_default();
    judge.decide(
        &ACCEPT_TIME,
        match connection <= ACCEPT {
            true => Ok(format!("median of {}: {}", pings.connections.len(), shown(connection))),
            false => {
                Err((format!("connections within {}", shown(ACCEPT)), format!("the median took {}", shown(connection))))
            }
        },
    );
}
