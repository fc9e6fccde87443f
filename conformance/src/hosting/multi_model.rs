//! Many models behind one endpoint: loading, listing, asking and unloading over HTTP.

use std::path::Path;

use serde_json::{Value, json};

use crate::{
    contract::*,
    error::Result,
    http::{Answer, Ask, Broken, Server, shown},
    judge::Judge,
    layout::Root,
    plan::Plan,
    runner::{Start, Subject},
};

use super::{
    Served, binds_to_port, request,
    requests::{is_client_error, is_success},
    start,
};

/// Names as the platform makes them: opaque, and no file's.
const NAMES: [&str; 2] = ["a94a8fe5ccb19ba61c4c0873d391e987", "b1d5781111d84f7b3fe45a0852e59758"];
const UNKNOWN: &str = "ffffffffffffffffffffffffffffffff";

type Answered = std::result::Result<Answer, Broken>;

pub(super) async fn judge(subject: &Subject, plan: &Plan, model: &Path, judge: &mut Judge<'_>) -> Result<()> {
    let speaks = plan.hosting.multi_model.unwrap_or(matches!(subject, Subject::Image(image) if image.multi_models()));
    if !speaks {
        judge.rest(Contract::MultiModel, "neither a label nor --multi-model says that it speaks the multi-model API");
        return Ok(());
    }
    judge.say("multi-model: a server of many models");
    let mut root = Root::new()?;
    NAMES.iter().try_for_each(|name| root.fill(&format!("models/{name}/model"), model))?;
    root.seal("models")?;
    let port = subject.port(binds_to_port(subject, plan))?;
    let mut start = Start { port: Some(port), ..super::start(plan, &root) };
    start.environment.push(("SAGEMAKER_MULTI_MODEL".to_owned(), "true".to_owned()));
    // Held until the end: letting it go ends it.
    let _running = match start::until_healthy(subject, plan, start).await? {
        Ok((running, _)) => running,
        Err(seen) => {
            let expected =
                format!("/ping answers 200 within {}, with SAGEMAKER_MULTI_MODEL=true", shown(plan.limits.startup()));
            judge.fail(&MULTI_START, expected, seen);
            judge.rest(Contract::MultiModel, "the server did not become healthy");
            return Ok(());
        }
    };
    judge.pass(&MULTI_START, "healthy");
    let request = request(plan);
    let body = request.bytes()?.into();
    let served = Served { server: Server { port: port.outside, inside: None }, plan, request, body };
    let ml = subject.ml(&root);
    if load(&served, &ml, judge).await {
        look(&served, &ml, judge).await;
        invoke(&served, judge).await;
        unload(&served, judge).await;
    }
    judge.rest(Contract::MultiModel, "no model could be loaded");
    Ok(())
}

impl Served<'_> {
    async fn one(&self, ask: Ask) -> Answered {
        self.server.ask(ask, self.plan.limits.invocation()).await
    }

    async fn load(&self, name: &str, ml: &Path) -> Answered {
        let url = url(name, ml);
        self.one(Ask::post("/models", "application/json", json!({"model_name": name, "url": url}).to_string())).await
    }

    async fn invoke(&self, name: &str) -> Answered {
        let mut ask = self.ask();
        ask.path = format!("/models/{name}/invoke");
        self.one(ask).await
    }
}

fn url(name: &str, ml: &Path) -> String {
    ml.join(format!("models/{name}/model")).to_string_lossy().into_owned()
}

/// The status that is wanted, or what came instead.
fn status(answer: Answered, wanted: u16) -> std::result::Result<String, (String, String)> {
    match answer {
        Ok(answer) if answer.status == wanted => Ok(answer.shown()),
        Ok(answer) => Err((wanted.to_string(), answer.shown())),
        Err(broken) => Err((wanted.to_string(), broken.to_string())),
    }
}

/// Whether the first model is loaded.
async fn load(served: &Served<'_>, ml: &Path, judge: &mut Judge<'_>) -> bool {
    let mut loaded = status(served.load(NAMES[0], ml).await, 200);
    let first = loaded.is_ok();
    if first {
        loaded = status(served.load(NAMES[1], ml).await, 200).and(loaded);
    }
    judge.decide(&MULTI_LOAD, loaded);
    if first {
        judge.decide(&MULTI_TWICE, status(served.load(NAMES[0], ml).await, 409));
    }
    let expected = "4xx or 5xx: there is no such folder";
    judge.decide(
        &MULTI_BAD,
        match served.load("missing", ml).await {
            Ok(answer) if answer.status >= 400 => match served.healthy().await {
                Ok(()) => Ok(answer.shown()),
                Err(seen) => Err(("a server that is healthy afterwards".to_owned(), seen)),
            },
            Ok(answer) => Err((expected.to_owned(), answer.shown())),
            Err(broken) => Err((expected.to_owned(), broken.to_string())),
        },
    );
    first
}

async fn look(served: &Served<'_>, ml: &Path, judge: &mut Judge<'_>) {
    let expected = |name: &str| json!({"modelName": name, "modelUrl": url(name, ml)});
    let named =
        |value: &Value, name: &str| value["modelName"] == json!(name) && value["modelUrl"] == json!(url(name, ml));
    let all = json!({"models": NAMES.map(expected)}).to_string();
    let listed = |value: &Value| {
        let models = value["models"].as_array().map(Vec::as_slice).unwrap_or_default();
        NAMES.iter().all(|name| models.iter().any(|model| named(model, name)))
    };
    let list = served.one(Ask::get("/models")).await;
    judge.decide(&MULTI_LIST, value(list, listed).map_err(|seen| (format!("200, and {all}, in any order"), seen)));
    let one = served.one(Ask::get(&format!("/models/{}", NAMES[0]))).await;
    let found = value(one, |value| named(value, NAMES[0]));
    judge.decide(&MULTI_GET, found.map_err(|seen| (format!("200, and {}", expected(NAMES[0])), seen)));
    let unknown = served.one(Ask::get(&format!("/models/{UNKNOWN}"))).await;
    judge.decide(&MULTI_GET_UNKNOWN, status(unknown, 404));
}

/// A 200 whose JSON is as wanted, or what it is instead.
fn value(answer: Answered, good: impl Fn(&Value) -> bool) -> std::result::Result<String, String> {
    let answer = answer.map_err(|broken| broken.to_string())?;
    match serde_json::from_slice::<Value>(&answer.body) {
        Ok(value) if answer.status == 200 && good(&value) => Ok(answer.shown()),
        _ => Err(format!("{}: {}", answer.status, answer.text())),
    }
}

async fn invoke(served: &Served<'_>, judge: &mut Judge<'_>) {
    match served.invoke(NAMES[0]).await {
        Ok(answer) if is_client_error(&answer) && answer.status != 404 && !served.request.given => {
            judge.not_applicable(
                &MULTI_INVOKE,
                "the kit's own request is not taken; give a good one (--body, --content-type)",
            );
        }
        Ok(answer) if is_success(&answer) => judge.pass(&MULTI_INVOKE, answer.shown()),
        other => judge.decide(&MULTI_INVOKE, status(other, 200)),
    }
    judge.decide(&MULTI_INVOKE_UNKNOWN, status(served.invoke(UNKNOWN).await, 404));
}

async fn unload(served: &Served<'_>, judge: &mut Judge<'_>) {
    let path = format!("/models/{}", NAMES[0]);
    judge.decide(&MULTI_UNLOAD, status(served.one(Ask::delete(&path)).await, 200));
    let mut gone = Ok("404 to all three".to_owned());
    for (what, answer) in [
        ("GET", served.one(Ask::get(&path)).await),
        ("invoke", served.invoke(NAMES[0]).await),
        ("DELETE", served.one(Ask::delete(&path)).await),
    ] {
        if let Err((wanted, seen)) = status(answer, 404) {
            gone = gone.and(Err((format!("{wanted} to {what} of an unloaded model"), seen)));
        }
    }
    judge.decide(&MULTI_UNLOADED, gone);
}
