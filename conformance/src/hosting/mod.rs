//! `IMAGE serve`: one server for everything that can be asked of it, and more for what needs a start of its own.

mod batch;
mod load;
mod multi_model;
mod requests;
mod restarts;
mod start;
mod stop;

use std::path::Path;

pub(crate) use restarts::hardened;

use crate::{
    contract::*,
    error::Result,
    http::{Ask, Server, shown},
    judge::Judge,
    layout::Root,
    plan::{Plan, Request},
    runner::{Role, Start, Subject},
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
        stop::judge(&served, &mut running, usable, judge).await;
    }
    judge.decide(
        &MODEL,
        match root.changed(&before) {
            None => Ok("nothing changed".to_owned()),
            Some(what) => Err(("no change below /opt/ml/model: it is read-only".to_owned(), what)),
        },
    );
    drop(running);
    restarts::bind_to_port(subject, plan, model, binds, port, judge).await?;
    restarts::isolated(subject, &served, model, usable, judge).await?;
    let reason =
        if usable { "not reached" } else { "the request is not taken; give a good one (--body, --content-type)" };
    judge.rest(Contract::Hosting, reason);
    judge.rest(Contract::Batch, reason);
    Ok(())
}

pub(super) fn start<'a>(plan: &Plan, root: &'a Root) -> Start<'a> {
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
