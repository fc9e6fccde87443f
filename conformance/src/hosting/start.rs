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
    /// The slowest connection.
    connection: Duration,
    /// A try that was not answered in time, or broke.
    broken: Option<Broken>,
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
        connection: Duration::ZERO,
        broken: None,
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
                pings.connection = pings.connection.max(connection);
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
                // A port that the engine forwards takes connections before anybody listens inside.
                if matches!(broken, Broken::Late(_)) {
                    pings.tries += 1;
                    pings.broken = Some(broken);
                }
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

/// What the pings say.
pub(super) fn judge(pings: &Pings, judge: &mut Judge<'_>) {
    judge.pass(&SERVE_START, format!("200 after {}", shown(pings.took)));
    let limit = shown(pings.limit);
    judge.decide(
        &PING_TIME,
        match &pings.broken {
            Some(broken) => {
                Err((format!("every try of /ping is answered within {limit}, 503 while it loads"), broken.to_string()))
            }
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
    judge.decide(
        &ACCEPT_TIME,
        match pings.connection {
            took if took <= ACCEPT => Ok(format!("slowest: {}", shown(took))),
            took => Err((format!("every connection within {}", shown(ACCEPT)), format!("one took {}", shown(took)))),
        },
    );
}
