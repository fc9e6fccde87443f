//! What SIGTERM does to a server and to what it has accepted.

use std::time::{Duration, Instant};

use crate::{contract::*, http::shown, judge::Judge, runner::Running};

use super::Served;

/// SIGTERM, while a request's body is on its way where it takes the request; then the end.
pub(super) async fn judge(served: &Served<'_>, running: &mut Running, usable: bool, judge: &mut Judge<'_>) {
    judge.say("hosting: told to stop, with a request in flight");
    let mut told = Instant::now();
    let idle = if usable {
        let stop = async {
            running.terminate().await;
            told = Instant::now();
            // A server that drops what it holds does so at once.
            let _ = running.wait(Duration::from_millis(500)).await;
        };
        let answer = served.server.status_around(&served.ask(), stop, served.plan.limits.invocation()).await;
        let answered = Instant::now();
        judge.decide(
            &IN_FLIGHT,
            match answer {
                Ok(status @ 200..300) => Ok(format!("{status}, its body sent after SIGTERM")),
                Ok(status) => {
                    Err(("2xx, as without SIGTERM".to_owned(), format!("{status}, its body sent after SIGTERM")))
                }
                Err(broken) => Err(("an answer to what was accepted before SIGTERM".to_owned(), broken.to_string())),
            },
        );
        answered
    } else {
        running.terminate().await;
        told = Instant::now();
        told
    };
    let limit = served.plan.limits.serve_stop();
    judge.decide(
        &SERVE_TERM,
        match running.wait(limit.saturating_sub(told.elapsed())).await {
            Some(code) => Ok(format!("exit code {code}, {} after its last answer", shown(idle.elapsed()))),
            None => {
                Err((format!("its end within {} of SIGTERM; SIGKILL follows", shown(limit)), "it ran on".to_owned()))
            }
        },
    );
}
