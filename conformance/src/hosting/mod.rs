//! `IMAGE serve`: one server for everything that can be asked of it, and more for what needs a start of its own.

mod batch;
mod load;
mod multi_model;
mod requests;
mod start;

use std::{
    path::Path,
    time::{Duration, Instant},
};

use crate::{
    contract::*,
    error::Result,
    http::{Ask, Server, shown},
    judge::Judge,
    layout::Root,
    plan::{Plan, Request},
    runner::{Image, Port, Role, Running, Start, Subject, Told},
    training::last,
};

/// A healthy server and what it is sent.
struct Served<'a> {
    server: Server,
    plan: &'a Plan,
    request: Request,
    body: bytes::Bytes,
}

impl Served<'_> {
    /// The request that most checks send.
    fn ask(&self) -> Ask {
        self.ask_with(self.body.clone())
    }

    fn ask_with(&self, body: impl Into<bytes::Bytes>) -> Ask {
        let ask = Ask::post("/invocations", &self.request.content_type, body);
        match &self.request.accept {
            Some(accept) => ask.with("accept", accept),
            None => ask,
        }
    }

    /// Whether /ping still answers 200; what came instead.
    async fn healthy(&self) -> std::result::Result<(), String> {
        match self.server.ask(Ask::get("/ping"), self.plan.limits.ping()).await {
            Ok(answer) if answer.status == 200 => Ok(()),
            Ok(answer) => Err(format!("/ping then answers {}", answer.shown())),
            Err(broken) => Err(format!("/ping then: {broken}")),
        }
    }
}

/// What is sent where nobody said what: a line of text.
fn request(plan: &Plan) -> Request {
    let line = || Request {
        content_type: "text/csv".to_owned(),
        body: Some("a short line of text\n".to_owned()),
        ..Request::default()
    };
    plan.hosting.request.first().cloned().unwrap_or_else(line)
}

/// Judges hosting, batch and the multi-model API. `trained`: a root whose model may be served.
pub(crate) async fn judge(subject: &Subject, plan: &Plan, trained: Option<&Root>, judge: &mut Judge<'_>) -> Result<()> {
    let contracts = [Contract::Hosting, Contract::Batch, Contract::MultiModel];
    if let Err(reason) = subject.offers(Role::Serve) {
        contracts.into_iter().for_each(|contract| judge.rest(contract, reason));
        return Ok(());
    }
    let left = trained.map(|root| root.path().join("model"));
    let Some(model) = plan.hosting.model.clone().or(left) else {
        let reason = "no model was given (--model; an empty folder where it needs none), and no training job left one";
        contracts.into_iter().for_each(|contract| judge.rest(contract, reason));
        return Ok(());
    };
    if plan.judges(Contract::Hosting) || plan.judges(Contract::Batch) {
        one_model(subject, plan, &model, judge).await?;
    }
    if plan.judges(Contract::MultiModel) {
        multi_model::judge(subject, plan, &model, judge).await?;
    }
    Ok(())
}

async fn one_model(subject: &Subject, plan: &Plan, model: &Path, judge: &mut Judge<'_>) -> Result<()> {
    judge.say("hosting: a server");
    let binds = binds_to_port(subject, plan);
    let root = laid_out(model)?;
    let before = root.snapshot();
    let port = subject.port(binds)?;
    let started = start::until_healthy(subject, plan, Start { port: Some(port), ..start(plan, &root) }).await?;
    let mut running = match started {
        Ok((running, pings)) => {
            start::judge(pings, judge).await;
            running
        }
        Err(seen) => {
            let expected = format!("/ping answers 200 on port {} within {}", port.inside, shown(plan.limits.startup()));
            judge.fail(&SERVE_START, expected, seen);
            judge.rest(Contract::Hosting, "the server did not become healthy");
            judge.rest(Contract::Batch, "the server did not become healthy");
            return Ok(());
        }
    };
    let request = request(plan);
    let body = request.bytes()?.into();
    let served = Served { server: Server { port: port.outside, inside: None }, plan, request, body };
    let usable = requests::judge(&served, judge).await?;
    if usable {
        load::judge(&served, judge).await;
        batch::judge(&served, judge).await;
    }
    batch::parameters(&served, judge).await;
    if let Some(code) = running.ended().await {
        let reason = format!("the server had ended by then, with exit code {code}{}", last(&running.said()));
        judge.fail(&SERVE_TERM, "a server that runs until it is told to stop", reason);
    } else {
        stopped(&served, &mut running, usable, judge).await;
    }
    judge.decide(
        &MODEL,
        match root.changed(&before) {
            None => Ok("nothing changed".to_owned()),
            Some(what) => Err(("no change below /opt/ml/model: it is read-only".to_owned(), what)),
        },
    );
    drop(running);
    bind_to_port(subject, plan, model, binds, port, judge).await?;
    isolated(subject, &served, model, usable, judge).await?;
    let reason =
        if usable { "not reached" } else { "the request is not taken; give a good one (--body, --content-type)" };
    judge.rest(Contract::Hosting, reason);
    judge.rest(Contract::Batch, reason);
    Ok(())
}

fn start<'a>(plan: &Plan, root: &'a Root) -> Start<'a> {
    let environment = plan.hosting.environment.clone().into_iter().collect();
    Start { environment, ..Start::new(Role::Serve, root) }
}

/// The model, to be read only.
fn laid_out(model: &Path) -> Result<Root> {
    let mut root = Root::new()?;
    root.fill("model", model)?;
    root.seal("model")?;
    Ok(root)
}

fn binds_to_port(subject: &Subject, plan: &Plan) -> bool {
    plan.hosting.bind_to_port.unwrap_or(matches!(subject, Subject::Image(image) if image.binds_to_port()))
}

/// SIGTERM, while a request's body is on its way where it takes the request; then the end.
async fn stopped(served: &Served<'_>, running: &mut Running, usable: bool, judge: &mut Judge<'_>) {
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

async fn bind_to_port(
    subject: &Subject,
    plan: &Plan,
    model: &Path,
    binds: bool,
    first: Port,
    judge: &mut Judge<'_>,
) -> Result<()> {
    if first.told == Told::Flag {
        judge.not_applicable(&SERVE_PORT, "the command takes its port as {port}");
    } else if !binds {
        judge.not_applicable(&SERVE_PORT, "neither a label nor --bind-to-port says that it does");
    } else {
        judge.say("hosting: on another port");
        let root = laid_out(model)?;
        let port = subject.port(true)?;
        let started = start::until_healthy(subject, plan, Start { port: Some(port), ..start(plan, &root) }).await?;
        judge.decide(
            &SERVE_PORT,
            match started {
                Ok(_) => Ok(format!("healthy on port {}", port.inside)),
                Err(seen) => Err((format!("/ping answers 200 on port {}", port.inside), seen)),
            },
        );
    }
    Ok(())
}

async fn isolated(
    subject: &Subject,
    served: &Served<'_>,
    model: &Path,
    usable: bool,
    judge: &mut Judge<'_>,
) -> Result<()> {
    if let Err(reason) = subject.isolation() {
        judge.not_applicable(&SERVE_ISOLATED, reason);
        return Ok(());
    }
    judge.say("hosting: without a network");
    let (plan, root) = (served.plan, laid_out(model)?);
    let port = subject.port(binds_to_port(subject, plan))?;
    let start = Start { port: Some(port), isolated: true, ..start(plan, &root) };
    match start::until_healthy(subject, plan, start).await? {
        Ok(_) if !usable => judge.pass(&SERVE_ISOLATED, "healthy"),
        Ok((_running, pings)) => {
            let answer = pings.server.ask(served.ask(), plan.limits.invocation()).await;
            judge.decide(&SERVE_ISOLATED, requests::good(answer, "2xx, as with a network"));
        }
        Err(seen) if seen.contains("Operation not permitted") => {
            judge.not_applicable(&SERVE_ISOLATED, "the kit may not enter its network here");
        }
        Err(seen) => judge.fail(&SERVE_ISOLATED, "/ping answers 200, as with a network", seen),
    }
    Ok(())
}

/// Read-only, without capabilities, as any user: no part of the contract, and good to know.
pub(crate) async fn hardened(
    subject: &Subject,
    plan: &Plan,
    image: &Image,
    trained: Option<&Root>,
    judge: &mut Judge<'_>,
) -> Result<()> {
    let left = trained.map(|root| root.path().join("model"));
    let Some(model) = plan.hosting.model.clone().or(left) else { return Ok(()) };
    judge.say(&format!("image: {}, read-only and without capabilities", image.name));
    let root = laid_out(&model)?;
    let port = subject.port(binds_to_port(subject, plan))?;
    let start = Start { port: Some(port), hardened: true, ..start(plan, &root) };
    judge.decide(
        &READ_ONLY,
        match start::until_healthy(subject, plan, start).await? {
            Ok(_) => Ok("healthy".to_owned()),
            Err(seen) => {
                Err(("/ping answers 200, as without --read-only --cap-drop ALL --user 10001:10001".to_owned(), seen))
            }
        },
    );
    Ok(())
}
