//! Stage `invoke`: documents in, predictions out, through the live endpoint.

use std::{
    fmt,
    io::{self, IsTerminal as _, Read as _},
};

use aws_sdk_sagemakerruntime::primitives::Blob;

use super::Context;
use crate::{
    endpoint::{self, Prediction},
    error::{self, Failure, Result},
};

/// What to ask.
#[derive(Debug)]
pub enum Asked {
    /// Documents of the command line.
    Texts(Vec<String>),
    /// A body as it is, with its content type.
    Body(Vec<u8>, String),
}

/// What was asked from the command line or stdin.
pub fn asked(texts: Vec<String>, content_type: Option<String>) -> Result<Asked> {
    if !texts.is_empty() {
        return match content_type {
            None => Ok(Asked::Texts(texts)),
            Some(kind) => Ok(Asked::Body(texts.join("\n").into_bytes(), kind)),
        };
    }
    if io::stdin().is_terminal() {
        return Err(
            Failure::usage("nothing to predict").hint("give a text, or pipe one in: orchestrator invoke \"It works.\"")
        );
    }
    let mut body = Vec::new();
    io::stdin().read_to_end(&mut body).map_err(error::io("stdin cannot be read"))?;
    if let Some(kind) = content_type {
        return Ok(Asked::Body(body, kind));
    }
    let text = String::from_utf8(body).map_err(|e| {
        Failure::new("stdin is not UTF-8").because(e).hint("convert the text, or say with --content-type what it is")
    })?;
    match text.trim() {
        "" => Err(Failure::new("stdin is empty").hint("pipe a text in, or give one as an argument")),
        text => Ok(Asked::Texts(vec![text.to_owned()])),
    }
}

/// Predictions and the documents they are of, for a person.
#[derive(Debug)]
struct InvokeDone {
    predictions: Vec<Prediction>,
    texts: Vec<String>,
}

impl fmt::Display for InvokeDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (prediction, text) in self.predictions.iter().zip(&self.texts) {
            let short: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let mut short: String = short.chars().take(100).collect();
            if short.len() < text.trim().len() {
                short.push('…');
            }
            writeln!(f, "{}  {:.4}  {short}", prediction.label, prediction.score)?;
            for term in prediction.explanation.iter().flat_map(|why| &why.terms) {
                writeln!(f, "    {:+.4}  {}", term.contribution, term.term)?;
            }
        }
        Ok(())
    }
}

/// Asks `endpoint`; prints the answer.
pub async fn invoke(context: &Context, name: &str, asked: Asked, explain: Option<usize>) -> Result<()> {
    let texts = match asked {
        Asked::Texts(texts) => texts,
        Asked::Body(body, kind) => return context.out.raw(&raw(context, name, body, kind, explain).await?),
    };
    let asked: Vec<&str> = texts.iter().map(String::as_str).collect();
    let answer = endpoint::predict(context, name, &asked, explain).await.map_err(|e| advise(e, name))?;
    let predictions = endpoint::parse(name, &answer, texts.len())?;
    if context.out.json() {
        return context.out.raw(&answer);
    }
    context.out.text(&InvokeDone { predictions, texts })
}

async fn raw(context: &Context, name: &str, body: Vec<u8>, kind: String, explain: Option<usize>) -> Result<Vec<u8>> {
    let mut request =
        context.aws.runtime.invoke_endpoint().endpoint_name(name).body(Blob::new(body)).content_type(kind);
    if let Some(k) = explain {
        request = request.custom_attributes(format!("explain={k}"));
    }
    let answer = request.send().await.map_err(error::aws(format!("endpoint {name} gives no prediction")));
    Ok(answer.map_err(|e| advise(e, name))?.body.map(Blob::into_inner).unwrap_or_default())
}

fn advise(failure: Failure, name: &str) -> Failure {
    if failure.to_string().contains("not found") {
        return failure.hint(format!(
            "endpoint {name} is made by: orchestrator run (or deploy); orchestrator status shows what exists"
        ));
    }
    failure
}
