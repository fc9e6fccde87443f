//! Stage `transform`: every document below a prefix, or in files of this machine, predicted as a batch by the approved
//! model.

use std::{fmt, path::PathBuf};

use aws_sdk_sagemaker::{
    operation::describe_transform_job::DescribeTransformJobOutput,
    types::{
        AssemblyType, BatchStrategy, CompressionType, DataProcessing, JoinSource, S3DataType, SplitType,
        TransformDataSource, TransformInput, TransformInstanceType, TransformJobStatus, TransformOutput,
        TransformResources, TransformS3DataSource,
    },
};
use serde::Serialize;

use super::{Context, deploy};
use crate::{
    bucket,
    error::{self, Failure, Found as _, Made as _, Result},
    logs::Tail,
    names,
    output::Outcome,
    run_record::{RunRecord, TransformPart},
    tags::tags,
};

/// What to predict and what to write.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Where the documents are.
    pub input: Input,
    /// Where predictions go; none: below the bucket.
    pub output: Option<String>,
    /// Of the documents; none: as the names say.
    pub content_type: Option<String>,
    /// Whether each document is written with its prediction.
    pub join: bool,
    /// What of a record is sent.
    pub input_filter: Option<String>,
    /// What of the result is written.
    pub output_filter: Option<String>,
}

/// Where the documents are.
#[derive(Clone, Debug)]
pub enum Input {
    /// Below a prefix of a bucket.
    Prefix(String),
    /// In files of this machine, each with its bytes.
    Files(Vec<(PathBuf, Vec<u8>)>),
}

impl Input {
    /// Reads the command line's; a prefix alone, or files that can be read.
    pub fn read(given: Vec<String>) -> Result<Input> {
        if let Some(prefix) = given.iter().find(|text| text.starts_with("s3://")) {
            if given.len() > 1 {
                return Err(Failure::usage("a prefix of a bucket stands alone").because(given.join(" ")));
            }
            bucket::parse(prefix)?;
            return Ok(Input::Prefix(prefix.clone()));
        }
        let read = |path: String| {
            let bytes = std::fs::read(&path).map_err(error::io(format!("{path}: cannot be read")))?;
            Ok((PathBuf::from(path), bytes))
        };
        given.into_iter().map(read).collect::<Result<_>>().map(Input::Files)
    }
}

/// What the stage leaves.
#[derive(Debug, Serialize)]
pub struct TransformDone {
    /// Whether a job ran now.
    pub outcome: Outcome,
    /// The job.
    pub transform: TransformPart,
}

impl fmt::Display for TransformDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = &self.transform;
        writeln!(f, "transform job {}: {}, {} objects", self.outcome, part.job, part.objects)?;
        writeln!(f, "  input       {}", part.input_uri)?;
        write!(f, "  output      {}", part.output_uri)
    }
}

/// Runs the job, or finds the one that ran on the same objects.
pub async fn transform(context: &Context, run: &mut RunRecord, asked: &Asked) -> Result<TransformDone> {
    let package = run.model_package()?.clone();
    let model = deploy::model_of(context, run, &package).await?;
    let input = match &asked.input {
        Input::Prefix(prefix) => prefix.clone(),
        Input::Files(files) => upload(context, files).await?,
    };
    let objects = objects(context, &input).await?;
    let form = Form::of(asked, &input, &objects)?;
    let settings = &context.settings.transform;
    let listed: Vec<String> = objects.iter().map(|(key, tag)| format!("{key} {tag}")).collect();
    let words = [model.clone(), input.clone(), listed.join("\n"), format!("{asked:?}"), format!("{settings:?}")];
    let words: Vec<&str> = words.iter().map(String::as_str).chain([context.account.code.as_str()]).collect();
    let base = names::name(&context.settings.project, &[&["transform"], &words[..]].concat());
    let mut attempt = 1_u32;
    let (job, found) = loop {
        let job = if attempt == 1 { base.clone() } else { format!("{base}-{attempt}") };
        match describe(context, &job).await? {
            Some(ended) if matches!(status(&ended), TransformJobStatus::Failed | TransformJobStatus::Stopped) => {
                attempt += 1
            }
            found => break (job, found),
        }
    };
    let default = || bucket::uri(&context.account.bucket, &format!("transform/{job}/"));
    let output = asked.output.clone().unwrap_or_else(default);
    let outcome = match &found {
        Some(there) if status(there) == TransformJobStatus::Completed => Outcome::Unchanged,
        Some(_) => Outcome::Done,
        None => {
            create(context, run, &job, (&model, &input, &output), asked, &form).await?;
            Outcome::Done
        }
    };
    follow(context, &job, outcome).await?;
    let part = TransformPart {
        job,
        model,
        package: package.arn,
        input_uri: input,
        output_uri: output,
        objects: objects.len() as u64,
    };
    run.transform = Some(part.clone());
    Ok(TransformDone { outcome, transform: part })
}

/// Puts files side by side; gives back their prefix, which is a function of what is in them.
async fn upload(context: &Context, files: &[(PathBuf, Vec<u8>)]) -> Result<String> {
    let name = |path: &PathBuf| path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let digests: Vec<String> =
        files.iter().map(|(path, bytes)| format!("{} {}", name(path), names::sha256(bytes))).collect();
    let digests: Vec<&str> = digests.iter().map(String::as_str).collect();
    let folder = format!("transform/input/{}", &names::digest(&digests)[..16]);
    for (path, bytes) in files {
        bucket::put(&context.aws.s3, &context.account.bucket, &format!("{folder}/{}", name(path)), bytes.clone())
            .await?;
    }
    Ok(bucket::uri(&context.account.bucket, &format!("{folder}/")))
}

/// Keys below the prefix, each with what changes when its content does.
async fn objects(context: &Context, uri: &str) -> Result<Vec<(String, String)>> {
    let (name, prefix) = bucket::parse(uri)?;
    let mut pages = context.aws.s3.list_objects_v2().bucket(name).prefix(prefix).into_paginator().send();
    let mut objects = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws(format!("{uri} cannot be listed")))?;
        let found = page
            .contents()
            .iter()
            .filter_map(|object| Some((object.key()?.to_owned(), object.e_tag().unwrap_or_default().to_owned())));
        objects.extend(found.filter(|(key, _)| !key.ends_with('/')));
    }
    if objects.is_empty() {
        return Err(
            Failure::new(format!("there is no object below {uri}")).hint("name a prefix that has some, or files")
        );
    }
    Ok(objects)
}

/// What the objects are.
struct Form {
    content_type: String,
    gzip: bool,
}

impl Form {
    fn of(asked: &Asked, input: &str, objects: &[(String, String)]) -> Result<Form> {
        let gzip = objects.iter().filter(|(key, _)| key.ends_with(".gz")).count();
        let known = |key: &str| match key.trim_end_matches(".gz").rsplit_once('.') {
            Some((_, "csv")) => Some("text/csv"),
            Some((_, "jsonl" | "jsonlines" | "ndjson")) => Some("application/jsonlines"),
            _ => None,
        };
        let first = &objects[0].0;
        let of_first = asked.content_type.as_deref().or_else(|| known(first));
        let Some(content_type) = of_first.filter(|kind| matches!(*kind, "text/csv" | "application/jsonlines")) else {
            let found = asked.content_type.as_deref().unwrap_or(first);
            return Err(Failure::usage(format!("{input}: {found} is neither CSV nor JSON Lines"))
                .hint("a batch is split by lines: give .jsonl or .csv, or say --content-type application/jsonlines"));
        };
        let other = objects.iter().find(|(key, _)| asked.content_type.is_none() && known(key) != Some(content_type));
        if let Some((key, _)) = other.filter(|_| gzip == 0 || gzip == objects.len()) {
            return Err(Failure::usage(format!("{input}: {first} is {content_type} and {key} is not"))
                .hint("name prefixes of one kind, one after the other"));
        }
        if gzip != 0 && gzip != objects.len() {
            return Err(Failure::usage(format!("{input}: {gzip} of {} objects end in .gz", objects.len()))
                .hint("a job takes either all of them compressed or none"));
        }
        Ok(Form { content_type: content_type.to_owned(), gzip: gzip > 0 })
    }
}

fn status(job: &DescribeTransformJobOutput) -> TransformJobStatus {
    job.transform_job_status().cloned().unwrap_or(TransformJobStatus::InProgress)
}

async fn describe(context: &Context, job: &str) -> Result<Option<DescribeTransformJobOutput>> {
    let answer = context.aws.sagemaker.describe_transform_job().transform_job_name(job).send().await;
    answer.found(format!("transform job {job} cannot be looked at"))
}

async fn create(
    context: &Context,
    run: &RunRecord,
    job: &str,
    (model, from, to): (&str, &str, &str),
    asked: &Asked,
    form: &Form,
) -> Result<()> {
    let settings = &context.settings.transform;
    let source = TransformS3DataSource::builder().s3_data_type(S3DataType::S3Prefix).s3_uri(from).build();
    let input = TransformInput::builder()
        .data_source(TransformDataSource::builder().s3_data_source(source).build())
        .content_type(&form.content_type)
        .split_type(SplitType::Line)
        .compression_type(if form.gzip { CompressionType::Gzip } else { CompressionType::None });
    let output =
        TransformOutput::builder().s3_output_path(to).accept(&form.content_type).assemble_with(AssemblyType::Line);
    let resources = TransformResources::builder()
        .instance_type(TransformInstanceType::from(settings.instance_type.as_str()))
        .instance_count(settings.instance_count);
    let request = context.aws.sagemaker.create_transform_job().transform_job_name(job).model_name(model);
    let mut request = request
        .batch_strategy(BatchStrategy::MultiRecord)
        .max_payload_in_mb(settings.max_payload_mb)
        .transform_input(input.build())
        .transform_output(output.build())
        .transform_resources(resources.build())
        .set_tags(Some(tags(context, run)));
    if settings.max_concurrent > 0 {
        request = request.max_concurrent_transforms(settings.max_concurrent);
    }
    if asked.join || asked.input_filter.is_some() || asked.output_filter.is_some() {
        let processing = DataProcessing::builder()
            .join_source(if asked.join { JoinSource::Input } else { JoinSource::None })
            .set_input_filter(asked.input_filter.clone())
            .set_output_filter(asked.output_filter.clone());
        request = request.data_processing(processing.build());
    }
    request.send().await.made(format!("transform job {job} cannot be made"))
}

async fn follow(context: &Context, job: &str, outcome: Outcome) -> Result<()> {
    let mut progress = context.out.progress();
    let mut tail = Tail::new("/aws/sagemaker/TransformJobs", &format!("{job}/"));
    let mut shown = None;
    let runtime = context.settings.training.max_runtime_minutes;
    let mut waiting = context.waiting(format!("transform job {job}"), runtime);
    loop {
        let Some(found) = describe(context, job).await? else {
            return Err(Failure::new(format!("transform job {job} is gone")).hint("run `transform` again"));
        };
        let now = status(&found);
        if outcome == Outcome::Unchanged {
            return Ok(());
        }
        if shown.as_ref() != Some(&now) {
            progress.line(format!("transform job {job}: {}", now.as_str()));
            shown = Some(now.clone());
        }
        tail.follow(&context.aws, &mut progress).await?;
        progress.tick();
        match now {
            TransformJobStatus::Completed => return Ok(()),
            TransformJobStatus::Failed | TransformJobStatus::Stopped => {
                tail.last(&context.aws, &mut progress).await?;
                let reason = found.failure_reason().unwrap_or("no reason was given");
                return Err(Failure::new(format!("transform job {job}: {}: {reason}", now.as_str()))
                    .because(tail.last_lines())
                    .hint("mend what the reason names and repeat the command: it starts a new job"));
            }
            now => waiting.next(&mut progress, now.as_str()).await?,
        }
    }
}
