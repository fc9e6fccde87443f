//! Further regions of a deployment: artifact and image are there first, then wave after wave, each only after the one before
//! has stayed healthy.

use std::time::{Duration, Instant};

use aws_sdk_sagemaker::{operation::describe_model_package::DescribeModelPackageOutput, types::ContainerDefinition};
use report::evaluation::Golden;

use super::{Context, data, deploy};
use crate::{
    alarms, bucket, ecr, endpoint,
    error::{Failure, Result},
    names,
    output::duration,
    run_record::{RegionPart, RunRecord},
    scaling::{self, Scaled},
    settings::Target,
};

/// A region that is to serve a copy.
pub(super) struct Copy {
    context: Context,
    wave: usize,
    /// The image in that region's repository.
    image: String,
    /// The artifact in the first region's bucket.
    model_uri: String,
    environment: std::collections::HashMap<String, String>,
}

/// The regions of the settings' waves. That the image is in every one of them is known before anything is changed in any.
pub(super) async fn copies(context: &Context, package: &DescribeModelPackageOutput) -> Result<Vec<Copy>> {
    if context.settings.regions.waves.is_empty() {
        return Ok(Vec::new());
    }
    let arn = package.model_package_arn().unwrap_or_default();
    let container = package.inference_specification().and_then(|inference| inference.containers().first());
    let Some((container, image, model_uri)) = container.and_then(|c| Some((c, c.image()?, c.model_data_url()?))) else {
        return Err(Failure::new(format!("{arn} names no image and artifact that could be copied to another region")));
    };
    let digest = match context.settings.target {
        Target::Aws => Some(ecr::digest(&context.aws, image).await?),
        Target::Local => None,
    };
    let mut copies = Vec::new();
    for (wave, region) in named(context) {
        if *region == context.aws.region {
            return Err(Failure::usage(format!("regions.waves names {region}, which is the pipeline's own region"))
                .hint("leave it out: it is the first by itself"));
        }
        let there = context.in_region(region);
        let image = match &digest {
            Some(digest) => ecr::replica(&there.aws, image, digest).await?,
            None => ecr::in_region(image, region),
        };
        let environment = container.environment().cloned().unwrap_or_default();
        copies.push(Copy { context: there, wave, image, model_uri: model_uri.to_owned(), environment });
    }
    Ok(copies)
}

/// The project in every region but the first that the settings name, or the record, with its wave where the settings have one.
pub fn further(context: &Context, run: Option<&RunRecord>) -> Vec<(Option<usize>, Context)> {
    let mut found: Vec<(Option<usize>, &String)> = named(context).map(|(wave, region)| (Some(wave), region)).collect();
    for part in run.into_iter().flat_map(|run| &run.regions) {
        if part.region != context.aws.region && !found.iter().any(|(_, region)| **region == part.region) {
            found.push((None, &part.region));
        }
    }
    found.into_iter().map(|(wave, region)| (wave, context.in_region(region))).collect()
}

/// The settings' regions, each with its wave; the first region's is 0.
fn named(context: &Context) -> impl Iterator<Item = (usize, &String)> {
    let waves = context.settings.regions.waves.iter().enumerate();
    waves.flat_map(|(n, wave)| wave.iter().map(move |region| (n + 1, region)))
}

/// After the first region, every wave in turn. Where one fails, the later ones are left as they are, and what each serves is said.
pub(super) async fn follow(
    context: &Context,
    run: &mut RunRecord,
    copies: &[Copy],
    golden: &[Golden],
    scaled: Option<&Scaled>,
) -> Result<Vec<RegionPart>> {
    let Some(last) = copies.iter().map(|copy| copy.wave).max() else { return Ok(Vec::new()) };
    let first = run.deployment()?;
    let part = RegionPart {
        region: context.aws.region.clone(),
        wave: 0,
        config: first.config.clone(),
        model: first.model.clone(),
        model_uri: copies.first().map(|copy| copy.model_uri.clone()).unwrap_or_default(),
        healthy: None,
    };
    keep(run, part);
    for wave in 0..=last {
        for copy in copies.iter().filter(|copy| copy.wave == wave) {
            match serve(context, run, copy, golden, scaled).await {
                Ok(part) => keep(run, part),
                Err(failed) => {
                    return Err(told(context, run, copies, failed.in_region(&copy.context.aws.region)).await);
                }
            }
        }
        if wave < last
            && let Err(failed) = watch(context, run, copies, wave, golden).await
        {
            return Err(told(context, run, copies, failed).await);
        }
    }
    Ok(run
        .regions
        .iter()
        .filter(|part| part.region == context.aws.region || of(copies, part).is_some())
        .cloned()
        .collect())
}

/// What was watched already with this very config need not be again.
fn keep(run: &mut RunRecord, mut part: RegionPart) {
    let old = run.regions.iter().position(|old| old.region == part.region).map(|n| run.regions.remove(n));
    part.healthy = old.filter(|old| old.config == part.config).and_then(|old| old.healthy);
    run.regions.push(part);
    run.regions.sort_by_key(|part| part.wave);
}

fn of<'a>(copies: &'a [Copy], part: &RegionPart) -> Option<&'a Context> {
    copies.iter().map(|copy| &copy.context).find(|there| there.aws.region == part.region)
}

/// Copies the artifact, and puts it behind the region's endpoint.
async fn serve(
    from: &Context,
    run: &RunRecord,
    copy: &Copy,
    golden: &[Golden],
    scaled: Option<&Scaled>,
) -> Result<RegionPart> {
    let (there, package) = (&copy.context, run.model_package()?);
    there.out.say(format_args!("region {}, wave {}", there.aws.region, copy.wave));
    data::ensure_bucket(there, run).await?;
    let model_uri = artifact(from, there, &copy.model_uri).await?;
    let names = deploy::wanted(there, &package.arn, &package.job);
    // A package is its own region's: elsewhere the model is made of what the package names.
    let container = ContainerDefinition::builder().image(&copy.image).model_data_url(&model_uri);
    let container = container.set_environment(Some(copy.environment.clone())).build();
    deploy::ensure_model(there, run, &names.model, container).await?;
    deploy::ensure_config(there, run, &names.config, &names.model).await?;
    let before = endpoint::settled(there, there.settings.endpoint()).await?;
    deploy::prove(there, run, &names.config, &before, golden).await?;
    if let (Some(settings), Some(scaled)) = (&there.settings.endpoint.autoscaling, scaled) {
        let target = (scaled.target, scaled.because.clone());
        scaling::ensure(there, there.settings.endpoint(), settings, target).await?;
    }
    let (region, deploy::Names { config, model }) = (there.aws.region.clone(), names);
    Ok(RegionPart { region, wave: copy.wave, config, model, model_uri, healthy: None })
}

/// The artifact under the same key in the region's bucket, read back from there and held against the original.
async fn artifact(from: &Context, to: &Context, uri: &str) -> Result<String> {
    let (_, key) = bucket::parse(uri)?;
    let gone = || Failure::new(format!("{uri} is gone")).hint("the artifact was deleted; train again");
    let bytes = bucket::get(&from.aws.s3, uri).await?.ok_or_else(gone)?;
    let (sha256, copy) = (names::sha256(&bytes), bucket::uri(&to.account.bucket, key));
    let digest = |there: Option<Vec<u8>>| there.map(|bytes| names::sha256(&bytes));
    if digest(bucket::get(&to.aws.s3, &copy).await?).as_ref() != Some(&sha256) {
        bucket::put(&to.aws.s3, &to.account.bucket, key, bytes).await?;
        let found = digest(bucket::get(&to.aws.s3, &copy).await?).unwrap_or_else(|| "nothing".into());
        if found != sha256 {
            return Err(Failure::new(format!("{copy} is not what was copied"))
                .because(format!("expected SHA-256 {sha256} as of {uri}, found {found}"))
                .hint("delete that object and repeat the command"));
        }
        to.out.progress().line(format!("{copy}: copied, SHA-256 {}", &sha256[..12]));
    }
    Ok(copy)
}

/// Looks at the wave's regions until they have been healthy as long as they are to be.
async fn watch(context: &Context, run: &mut RunRecord, copies: &[Copy], wave: usize, golden: &[Golden]) -> Result<()> {
    let minutes = context.settings.regions.healthy_minutes;
    let (start, limit) = (Instant::now(), Duration::from_secs_f64(minutes * 60.0));
    let parts: Vec<usize> =
        (0..run.regions.len()).filter(|n| run.regions[*n].wave == wave && run.regions[*n].healthy.is_none()).collect();
    if parts.is_empty() {
        return Ok(());
    }
    context.out.say(format_args!("wave {wave} is watched for {minutes} minutes before wave {}", wave + 1));
    loop {
        let waited = start.elapsed();
        for part in parts.iter().map(|n| &run.regions[*n]) {
            if let Some(ill) = ailment(of(copies, part).unwrap_or(context), &part.config, golden).await? {
                let what = format!("region {} did not stay healthy for {minutes} minutes", part.region);
                return Err(Failure::new(what).because(format!("after {}: {ill}", duration(waited))).hint(
                    "nothing was rolled back there: look at it, mend it or deploy another package, then repeat `deploy`",
                ));
            }
        }
        if waited >= limit {
            break;
        }
        context.aws.poll.wait().await;
    }
    let now = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    for n in parts {
        run.regions[n].healthy = Some(now.clone());
    }
    Ok(())
}

/// What is wrong with a region's endpoint; none where it serves the config, no alarm has gone off, and golden documents are predicted.
async fn ailment(there: &Context, config: &str, golden: &[Golden]) -> Result<Option<String>> {
    let (name, live) = (there.settings.endpoint(), live(there).await?);
    if live != in_service(name, config) {
        return Ok(Some(live));
    }
    let alarms = alarms::alarming(there).await?;
    if !alarms.is_empty() {
        return Ok(Some(alarms.join("\n")));
    }
    Ok(endpoint::verify(there, name, golden).await.err().map(|wrong| wrong.to_string()))
}

fn in_service(name: &str, config: &str) -> String {
    format!("endpoint {name} is InService with {config}")
}

/// What a region's endpoint is at the moment.
async fn live(there: &Context) -> Result<String> {
    let name = there.settings.endpoint();
    let found = endpoint::describe(there, name).await?;
    Ok(found.map_or_else(
        || format!("no endpoint {name}"),
        |found| {
            let status = found.endpoint_status().map_or("", |status| status.as_str());
            format!("endpoint {name} is {status} with {}", found.endpoint_config_name().unwrap_or_default())
        },
    ))
}

/// The failure, and what every region serves now.
async fn told(context: &Context, run: &RunRecord, copies: &[Copy], mut failed: Failure) -> Failure {
    for there in [context].into_iter().chain(copies.iter().map(|copy| &copy.context)) {
        let region = &there.aws.region;
        let wanted = run.model_package().map(|package| deploy::wanted(there, &package.arn, &package.job).config);
        let part = run.regions.iter().find(|part| part.region == *region && wanted.as_ref().ok() == Some(&part.config));
        let done = match part {
            Some(RegionPart { healthy: Some(_), .. }) => "deployed, stayed healthy",
            Some(_) => "deployed",
            None => "not deployed",
        };
        let live = live(there).await.unwrap_or_else(|_| "its endpoint cannot be looked at".into());
        failed = failed.because(format!("{region}: {done}; {live}"));
    }
    failed
}
