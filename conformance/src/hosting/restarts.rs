//! Servers started once more, each in a way of its own: on another port, without a network, without rights.

use std::path::Path;

use crate::{
    contract::*,
    error::Result,
    judge::Judge,
    layout::Root,
    plan::Plan,
    runner::{Image, Port, Start, Subject, Told},
};

use super::{Served, binds_to_port, laid_out, requests, start};

pub(super) async fn bind_to_port(
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

pub(super) async fn isolated(
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
