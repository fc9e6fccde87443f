//! The endpoint of a comparison: both models side by side, asked, and taken away.

use std::time::{Duration, Instant};

use aws_sdk_sagemaker::types::{ProductionVariant, ProductionVariantInstanceType};
use aws_sdk_sagemakerruntime::{operation::invoke_endpoint::InvokeEndpointError, primitives::Blob};
use jiff::Timestamp;

use super::{
    comparison::{Answer, Comparison},
    part::ShadowPart,
    replay::{self, Captured, Request},
};
use crate::{
    endpoint::{self, Live},
    error::{self, Failure, Found as _, Made as _, Result},
    names,
    run_record::RunRecord,
    settings::{Shadow, Target},
    stages::{Context, deploy::Names},
    tags::tags,
};

/// What serves.
const LIVE: &str = "Live";
/// What is to serve.
const CANDIDATE: &str = "Candidate";

/// The endpoint of the comparison.
pub struct Apart<'c> {
    context: &'c Context,
    /// The endpoint that requests are to be shifted on.
    serving: &'c str,
    name: String,
    config: String,
    /// The config that serves.
    pub live: String,
    /// What is to serve.
    pub wanted: &'c Names,
}

impl<'c> Apart<'c> {
    /// None where nothing serves yet, or what serves is what is wanted.
    pub fn of(context: &'c Context, serving: &'c str, wanted: &'c Names, before: &Live) -> Option<Self> {
        let Live::InService { config: live } = before else { return None };
        (*live != wanted.config).then(|| Apart {
            context,
            serving,
            name: context.settings.shadow_endpoint(),
            config: names::name(&context.settings.project, &["shadow-config", live, &wanted.config]),
            live: live.clone(),
            wanted,
        })
    }

    /// None where there is nothing to replay and none is asked for.
    pub async fn replay(&self, run: &RunRecord, bounds: &Shadow) -> Result<Option<ShadowPart>> {
        let (context, serving) = (self.context, self.serving);
        let (variant, Captured { requests, unreadable }) = self.captured(bounds.requests as usize).await?;
        if requests.len() < bounds.min_requests as usize {
            let found = format!(
                "{} requests to {serving} were captured, endpoint.shadow.min_requests is {}",
                requests.len(),
                bounds.min_requests
            );
            let mut failure = Failure::new(found).because(format!("endpoint {serving} keeps {}", self.live));
            if unreadable > 0 {
                failure = failure.because(format!("{unreadable} lines of the capture cannot be read"));
            }
            return Err(failure.hint(
                "wait for traffic (captures land minutes late), lower the number, or leave [endpoint.shadow] out",
            ));
        }
        if requests.is_empty() {
            context.out.say(format_args!("no requests to {serving} were captured: nothing is compared"));
            return Ok(None);
        }
        // Whatever came of it, nothing of it goes on costing money.
        let asked = async {
            self.bring(run, &variant).await?;
            self.ask_both(&requests).await
        };
        let (asked, removed) = (asked.await, self.remove().await);
        let comparison = asked?;
        removed?;
        let at = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        Ok(Some(comparison.part(&self.live, &self.wanted.config, at, bounds)))
    }

    /// The variant that serves, and what it was asked last.
    async fn captured(&self, most: usize) -> Result<(ProductionVariant, Captured)> {
        let (live, serving) = (&self.live, self.serving);
        let describe = self.context.aws.sagemaker.describe_endpoint_config().endpoint_config_name(live);
        let config = describe.send().await.found(format!("endpoint config {live} cannot be looked at"))?;
        let variant = config.as_ref().and_then(|config| config.production_variants().first());
        let Some((variant, config)) = variant.cloned().zip(config) else {
            return Err(Failure::new(format!(
                "endpoint config {live} of endpoint {serving} is gone: nothing can be compared"
            ))
            .hint("leave [endpoint.shadow] out for this deployment"));
        };
        let Some(capture) = config.data_capture_config() else { return Ok((variant, Captured::default())) };
        let folder = capture.destination_s3_uri().unwrap_or_default().trim_end_matches('/');
        let prefix = format!("{folder}/{serving}/{}/", variant.variant_name().unwrap_or_default());
        let captured = replay::last(self.context, &prefix, most).await?;
        Ok((variant, captured))
    }

    /// Both models on an endpoint of their own.
    async fn bring(&self, run: &RunRecord, live: &ProductionVariant) -> Result<()> {
        let (context, sagemaker, name) = (self.context, &self.context.aws.sagemaker, &self.name);
        match endpoint::settled(context, name).await? {
            Live::InService { config } if config == self.config => return Ok(()),
            Live::None => {}
            // An interrupted comparison of others.
            Live::InService { .. } | Live::Failed { .. } => drop(remove(context, name).await?),
        }
        let ours = ProductionVariantInstanceType::from(context.settings.endpoint.instance_type.as_str());
        let machine = live.instance_type().unwrap_or(&ours);
        let variant = |name: &str, model: &str, machine: &ProductionVariantInstanceType| {
            let variant = ProductionVariant::builder().variant_name(name).model_name(model).initial_variant_weight(1.0);
            variant.instance_type(machine.clone()).initial_instance_count(1).build()
        };
        let request = sagemaker.create_endpoint_config().endpoint_config_name(&self.config);
        let request = request.production_variants(variant(LIVE, live.model_name().unwrap_or_default(), machine));
        let request = request.production_variants(variant(CANDIDATE, &self.wanted.model, &ours));
        let request = request.set_tags(Some(tags(context, run)));
        request.send().await.made(format!("endpoint config {} cannot be made", self.config))?;
        if context.settings.target == Target::Aws {
            context.out.say(format_args!(
                "endpoint {name}: {} and {} for the time of the comparison",
                machine.as_str(),
                ours.as_str()
            ));
        }
        let request = sagemaker.create_endpoint().endpoint_name(name).endpoint_config_name(&self.config);
        let request = request.set_tags(Some(tags(context, run)));
        request.send().await.made(format!("endpoint {name} cannot be made"))?;
        match endpoint::settled(context, name).await? {
            Live::InService { config } if config == self.config => Ok(()),
            Live::Failed { reason } => Err(Failure::new(format!("endpoint {name} failed: {reason}"))
                .because(crate::logs::endpoint_lines(&context.aws, name).await?)
                .because(format!("endpoint {} keeps {}", self.serving, self.live))),
            Live::InService { .. } | Live::None => {
                Err(Failure::new(format!("endpoint {name} was changed or deleted during the comparison")))
            }
        }
    }

    /// Every request to both, who is first in turn: what is measured is an instance that has nothing else to do.
    async fn ask_both(&self, requests: &[Request]) -> Result<Comparison> {
        let mut progress = self.context.out.progress();
        progress.line(format!("{} captured requests are asked again", requests.len()));
        let mut comparison = Comparison::default();
        for (place, request) in requests.iter().enumerate() {
            let (live, candidate) = if place % 2 == 0 {
                let live = self.ask(LIVE, request).await?;
                (live, self.ask(CANDIDATE, request).await?)
            } else {
                let candidate = self.ask(CANDIDATE, request).await?;
                (self.ask(LIVE, request).await?, candidate)
            };
            comparison.add(request, live, candidate);
            progress.tick();
        }
        Ok(comparison)
    }

    async fn ask(&self, variant: &str, asked: &Request) -> Result<(Answer, Duration)> {
        let request = self.context.aws.runtime.invoke_endpoint().endpoint_name(&self.name).target_variant(variant);
        let request = request.content_type(&asked.content_type).accept("application/json");
        let request = request.inference_id(::monitor::OWN_REQUEST).body(Blob::new(asked.body.clone()));
        let start = Instant::now();
        let answer = request.send().await;
        let took = start.elapsed();
        let answer: Answer = match answer {
            Ok(answer) => {
                let body = answer.body.map(Blob::into_inner).unwrap_or_default();
                serde_json::from_slice(&body).map_err(|_| "no prediction".to_owned())
            }
            // Its message repeats what the container said, which may quote the request.
            Err(e) => match e.as_service_error() {
                Some(InvokeEndpointError::ModelError(model)) => {
                    Err(format!("ModelError, status {}", model.original_status_code().unwrap_or_default()))
                }
                _ => return Err(error::aws(format!("endpoint {} cannot be asked", self.name))(e)),
            },
        };
        Ok((answer, took))
    }

    pub async fn remove(&self) -> Result<()> {
        let config = remove(self.context, &self.name).await?;
        // A kill may have left it alone.
        if config.as_ref() == Some(&self.config) { Ok(()) } else { forget(self.context, &self.config).await }
    }
}

/// Takes away an endpoint and its config, whatever state it is in; the config's name, where there was one.
pub async fn remove(context: &Context, name: &str) -> Result<Option<String>> {
    let Some(found) = endpoint::describe(context, name).await? else { return Ok(None) };
    // Only an endpoint that is on its way nowhere can be deleted.
    if !matches!(endpoint::settled(context, name).await?, Live::None) {
        endpoint::delete(context, name).await?;
    }
    let Some(config) = found.endpoint_config_name else { return Ok(None) };
    forget(context, &config).await?;
    Ok(Some(config))
}

async fn forget(context: &Context, config: &str) -> Result<()> {
    let request = context.aws.sagemaker.delete_endpoint_config().endpoint_config_name(config);
    request.send().await.found(format!("endpoint config {config} cannot be deleted"))?;
    Ok(())
}
