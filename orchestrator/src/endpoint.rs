//! An endpoint as it is: waiting until it has settled, asking it, proving it, deleting it.

use aws_sdk_sagemaker::{operation::describe_endpoint::DescribeEndpointOutput, types::EndpointStatus};
use aws_sdk_sagemakerruntime::primitives::Blob;
use report::evaluation::Golden;
use serde::Deserialize;

use crate::{
    error::{self, Failure, Found as _, Result},
    stages::Context,
};

/// The one variant of an endpoint.
pub const VARIANT: &str = "AllTraffic";
/// How far a live probability may be from the evaluation's.
const TOLERANCE: f64 = 1e-6;

/// An endpoint that is not on its way anywhere.
#[derive(Debug)]
pub enum Live {
    /// There is none.
    None,
    /// It answers.
    InService {
        /// With this config.
        config: String,
    },
    /// It can only be deleted.
    Failed {
        /// Why.
        reason: String,
    },
}

/// A prediction as `serve` writes it.
#[derive(Debug, Deserialize)]
pub struct Prediction {
    /// Predicted class.
    pub label: String,
    /// Its probability.
    pub score: f64,
    /// Probability a class.
    pub probabilities: std::collections::BTreeMap<String, f64>,
    /// The strongest terms, where they were asked for.
    pub explanation: Option<Explanation>,
}

/// Why a prediction is what it is.
#[derive(Debug, Deserialize)]
pub struct Explanation {
    /// Strongest first.
    pub terms: Vec<Term>,
}

/// A term's part in the score.
#[derive(Debug, Deserialize)]
pub struct Term {
    /// The term.
    pub term: String,
    /// Weight × value.
    pub contribution: f64,
}

/// An answer to a document of a request.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum Record {
    /// Its prediction.
    Prediction(Prediction),
    /// It is no document.
    Refusal {
        /// What is wrong with it.
        #[serde(rename = "error")]
        _error: String,
    },
}

/// An answer in JSON.
#[derive(Debug, Deserialize)]
pub struct Predictions<P = Prediction> {
    /// One a document, in order.
    pub predictions: Vec<P>,
}

/// The endpoint as AWS describes it.
pub async fn describe(context: &Context, name: &str) -> Result<Option<DescribeEndpointOutput>> {
    let answer = context.aws.sagemaker.describe_endpoint().endpoint_name(name).send().await;
    answer.found(format!("endpoint {name} cannot be looked at"))
}

/// Waits until it is in service, failed or gone.
pub async fn settled(context: &Context, name: &str) -> Result<Live> {
    let mut progress = context.out.progress();
    let mut shown = None;
    let mut waiting =
        context.waiting(format!("endpoint {name}"), crate::rollout::minutes(&context.settings.endpoint.rollout));
    loop {
        let Some(found) = describe(context, name).await? else { return Ok(Live::None) };
        let status = found.endpoint_status().cloned();
        if shown != status {
            progress.line(format!("endpoint {name}: {}", status.as_ref().map_or("", |status| status.as_str())));
            shown.clone_from(&status);
        }
        progress.tick();
        match status {
            Some(EndpointStatus::InService) => {
                return Ok(Live::InService { config: found.endpoint_config_name().unwrap_or_default().into() });
            }
            Some(EndpointStatus::Failed | EndpointStatus::OutOfService | EndpointStatus::UpdateRollbackFailed) => {
                return Ok(Live::Failed { reason: found.failure_reason().unwrap_or("no reason was given").into() });
            }
            status => waiting.next(&mut progress, status.as_ref().map_or("", |status| status.as_str())).await?,
        }
    }
}

/// Why the last update was not taken.
pub async fn failure_reason(context: &Context, name: &str) -> Result<String> {
    let found = describe(context, name).await?;
    Ok(found
        .and_then(|found| found.failure_reason().map(str::to_owned))
        .unwrap_or_else(|| "no reason was given".into()))
}

/// Deletes it and waits until it is gone.
pub async fn delete(context: &Context, name: &str) -> Result<()> {
    let request = context.aws.sagemaker.delete_endpoint().endpoint_name(name);
    if request.send().await.found(format!("endpoint {name} cannot be deleted"))?.is_none() {
        return Ok(());
    }
    let mut progress = context.out.progress();
    let mut waiting = context.waiting(format!("endpoint {name}"), 0);
    while let Some(found) = describe(context, name).await? {
        waiting.next(&mut progress, found.endpoint_status().map_or("", |status| status.as_str())).await?;
    }
    Ok(())
}

/// Predictions of `texts`, in order.
pub async fn predict(context: &Context, name: &str, texts: &[&str], explain: Option<usize>) -> Result<Vec<u8>> {
    ask(context, name, texts, explain, None).await
}

/// The same for the pipeline's own sake: monitoring passes over it.
pub async fn check(context: &Context, name: &str, texts: &[&str]) -> Result<Vec<u8>> {
    ask(context, name, texts, None, Some(::monitor::OWN_REQUEST)).await
}

async fn ask(
    context: &Context,
    name: &str,
    texts: &[&str],
    explain: Option<usize>,
    inference_id: Option<&str>,
) -> Result<Vec<u8>> {
    let body = serde_json::to_vec(&serde_json::json!({ "instances": texts }))
        .map_err(|e| error::io("the request as JSON")(e.into()))?;
    let mut request = context.aws.runtime.invoke_endpoint().endpoint_name(name).body(Blob::new(body));
    request = request
        .set_inference_id(inference_id.map(str::to_owned))
        .content_type("application/json")
        .accept("application/json");
    if let Some(k) = explain {
        request = request.custom_attributes(format!("explain={k}"));
    }
    let answer = request.send().await.map_err(error::aws(format!("endpoint {name} gives no prediction")))?;
    Ok(answer.body.map(Blob::into_inner).unwrap_or_default())
}

/// Reads an answer to as many documents as `expected`.
pub fn parse(name: &str, answer: &[u8], expected: usize) -> Result<Vec<Prediction>> {
    let failed = |why: String| Failure::new(format!("endpoint {name} answers what is no prediction")).because(why);
    let read: Predictions = serde_json::from_slice(answer)
        .map_err(|e| failed(format!("{e}: {}", String::from_utf8_lossy(&answer[..answer.len().min(300)]))))?;
    if read.predictions.len() != expected {
        return Err(failed(format!("{} predictions for {expected} documents", read.predictions.len())));
    }
    Ok(read.predictions)
}

/// Asks for the golden documents; a prediction other than the evaluation's is a failure.
pub async fn verify(context: &Context, name: &str, golden: &[Golden]) -> Result<()> {
    if golden.is_empty() {
        return Err(Failure::new("the evaluation holds no golden document, so the deployment cannot be proved"));
    }
    let texts: Vec<&str> = golden.iter().map(|golden| golden.text.as_str()).collect();
    let live = parse(name, &check(context, name, &texts).await?, golden.len())?;
    for (n, (want, got)) in golden.iter().zip(&live).enumerate() {
        if let Some(why) = difference(want, got) {
            return Err(Failure::new(format!("endpoint {name} does not repeat golden prediction {}: {why}", n + 1))
                .because(format!("document: {}", want.text.chars().take(200).collect::<String>())));
        }
    }
    Ok(())
}

fn difference(want: &Golden, got: &Prediction) -> Option<String> {
    if want.label != got.label {
        return Some(format!("label {:?}, evaluated {:?}", got.label, want.label));
    }
    if want.probabilities.keys().ne(got.probabilities.keys()) {
        return Some(format!("classes {:?}, evaluated {:?}", got.probabilities.keys(), want.probabilities.keys()));
    }
    let far = |a: f64, b: f64| (a - b).is_nan() || (a - b).abs() > TOLERANCE;
    if far(got.score, want.score) {
        return Some(format!("score {}, evaluated {}", got.score, want.score));
    }
    let pairs = want.probabilities.iter().zip(got.probabilities.values());
    pairs
        .into_iter()
        .find(|((_, want), got)| far(**want, **got))
        .map(|((class, want), got)| format!("probability {got} of {class:?}, evaluated {want}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn golden(score: f64) -> Golden {
        let probabilities = [("0".to_owned(), 1.0 - score), ("1".to_owned(), score)].into();
        Golden { text: "good".into(), label: "1".into(), score, probabilities }
    }

    #[test]
    fn a_golden_prediction_is_repeated_to_a_millionth() {
        for (label, score, same) in [
            ("1", 0.75, true),
            ("1", 0.750_000_9, true),
            ("1", 0.750_002, false),
            ("0", 0.75, false),
            ("1", f64::NAN, false),
        ] {
            let Golden { probabilities, .. } = golden(score);
            let got = Prediction { label: label.into(), score, probabilities, explanation: None };
            assert_eq!(difference(&golden(0.75), &got).is_none(), same, "{label} {score}");
        }
    }
}
