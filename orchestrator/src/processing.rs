//! A processing job that runs `monitor`: one description, given to the API now or to the scheduler for later.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::{
    operation::describe_processing_job::DescribeProcessingJobOutput,
    types::{
        AppSpecification, ProcessingClusterConfig, ProcessingInput, ProcessingInstanceType, ProcessingJobStatus,
        ProcessingOutput, ProcessingOutputConfig, ProcessingResources, ProcessingS3DataDistributionType,
        ProcessingS3DataType, ProcessingS3Input, ProcessingS3InputMode, ProcessingS3Output, ProcessingS3UploadMode,
        ProcessingStoppingCondition, Tag,
    },
};
use serde_json::{Value, json};

use crate::{
    error::{Failure, Found as _, Made as _, Result},
    logs::Tail,
    output::Outcome,
    stages::Context,
};

/// Where a job's only output comes from.
pub const OUTPUT: &str = "/opt/ml/processing/output";

/// Where entries of the ledger come from.
pub const DONE: &str = "/opt/ml/processing/done";

/// What `monitor` is to do.
#[derive(Clone, Debug)]
pub struct MonitorJob {
    /// `s3://` prefix and the folder it is laid at, by name.
    pub inputs: Vec<(&'static str, String, &'static str)>,
    /// `s3://` prefix of what it leaves.
    pub output: String,
    /// `s3://` prefix of the entries that it adds to the ledger, if it does.
    pub ledger: Option<String>,
    /// The monitor's settings.
    pub environment: BTreeMap<String, String>,
    /// What the job bears.
    pub tags: Vec<Tag>,
}

impl MonitorJob {
    /// As the scheduler's universal target takes it.
    pub fn request(&self, context: &Context, name: &str) -> Value {
        let settings = &context.settings.training;
        let input = |(name, uri, path): &(&str, String, &str)| {
            json!({ "InputName": name, "S3Input": {
                "S3Uri": uri, "LocalPath": path, "S3DataType": "S3Prefix", "S3InputMode": "File",
                "S3DataDistributionType": "FullyReplicated",
            }})
        };
        let output = |(name, uri, path): (&str, &String, &str)| {
            let target = json!({ "S3Uri": uri, "LocalPath": path, "S3UploadMode": "EndOfJob" });
            json!({ "OutputName": name, "S3Output": target })
        };
        let outputs = self.outputs().map(output).collect::<Vec<_>>();
        json!({
            "ProcessingJobName": name,
            "RoleArn": context.account.role,
            "AppSpecification": { "ImageUri": context.account.image, "ContainerEntrypoint": ["monitor"] },
            "Environment": self.environment,
            "ProcessingInputs": self.inputs.iter().map(input).collect::<Vec<_>>(),
            "ProcessingOutputConfig": { "Outputs": outputs },
            "ProcessingResources": { "ClusterConfig": {
                "InstanceCount": 1, "InstanceType": settings.instance_type, "VolumeSizeInGB": settings.volume_gb,
            }},
            "Tags": self.tags.iter().map(|tag| json!({ "Key": tag.key(), "Value": tag.value() })).collect::<Vec<_>>(),
            "StoppingCondition": { "MaxRuntimeInSeconds": settings.max_runtime_minutes.saturating_mul(60) },
        })
    }

    /// Name, address and folder of each output, the ledger's last: what an entry speaks of is there by then.
    fn outputs(&self) -> impl Iterator<Item = (&'static str, &String, &'static str)> {
        let ledger = self.ledger.iter().map(|uri| ("ledger", uri, DONE));
        std::iter::once(("output", &self.output, OUTPUT)).chain(ledger)
    }

    async fn create(&self, context: &Context, name: &str) -> Result<()> {
        let settings = &context.settings.training;
        let mut request = context.aws.sagemaker.create_processing_job().processing_job_name(name);
        for (name, uri, path) in &self.inputs {
            let source = ProcessingS3Input::builder()
                .s3_uri(uri)
                .local_path(*path)
                .s3_data_type(ProcessingS3DataType::S3Prefix)
                .s3_input_mode(ProcessingS3InputMode::File)
                .s3_data_distribution_type(ProcessingS3DataDistributionType::Fullyreplicated)
                .build();
            request = request.processing_inputs(ProcessingInput::builder().input_name(*name).s3_input(source).build());
        }
        let output = |(name, uri, path): (&str, &String, &str)| {
            let upload = ProcessingS3Output::builder().s3_uri(uri).local_path(path);
            let upload = upload.s3_upload_mode(ProcessingS3UploadMode::EndOfJob).build();
            ProcessingOutput::builder().output_name(name).s3_output(upload).build()
        };
        let outputs = self.outputs().map(output).collect();
        let cluster = ProcessingClusterConfig::builder()
            .instance_count(1)
            .instance_type(ProcessingInstanceType::from(settings.instance_type.as_str()))
            .volume_size_in_gb(settings.volume_gb)
            .build();
        let program =
            AppSpecification::builder().image_uri(&context.account.image).container_entrypoint("monitor").build();
        let stop = ProcessingStoppingCondition::builder()
            .max_runtime_in_seconds(settings.max_runtime_minutes.saturating_mul(60))
            .build();
        request
            .role_arn(&context.account.role)
            .app_specification(program)
            .set_environment(Some(self.environment.clone().into_iter().collect()))
            .processing_output_config(ProcessingOutputConfig::builder().set_outputs(Some(outputs)).build())
            .processing_resources(ProcessingResources::builder().cluster_config(cluster).build())
            .stopping_condition(stop)
            .set_tags(Some(self.tags.clone()))
            .send()
            .await
            .made(format!("processing job {name} cannot be made"))
    }

    /// Runs the job of this name to its end, or finds the one that ran. `output` is made of the name of the attempt.
    pub async fn run(
        mut self,
        context: &Context,
        base: &str,
        output: impl Fn(&str) -> String,
    ) -> Result<(String, String, Outcome)> {
        let mut attempt = 1_u32;
        loop {
            let name = if attempt == 1 { base.to_owned() } else { format!("{base}-{attempt}") };
            self.output = output(&name);
            let outcome = match describe(context, &name).await? {
                Some(there) => match there.processing_job_status() {
                    Some(ProcessingJobStatus::Completed) => return Ok((name, self.output, Outcome::Unchanged)),
                    Some(ProcessingJobStatus::Failed | ProcessingJobStatus::Stopped) => {
                        attempt += 1;
                        continue;
                    }
                    _ => Outcome::Done,
                },
                None => {
                    self.create(context, &name).await?;
                    Outcome::Done
                }
            };
            follow(context, &name).await?;
            return Ok((name, self.output, outcome));
        }
    }
}

async fn describe(context: &Context, name: &str) -> Result<Option<DescribeProcessingJobOutput>> {
    let answer = context.aws.sagemaker.describe_processing_job().processing_job_name(name).send().await;
    answer.found(format!("processing job {name} cannot be looked at"))
}

async fn follow(context: &Context, name: &str) -> Result<()> {
    let mut progress = context.out.progress();
    let mut tail = Tail::new("/aws/sagemaker/ProcessingJobs", &format!("{name}/"));
    let runtime = context.settings.training.max_runtime_minutes;
    let mut waiting = context.waiting(format!("processing job {name}"), runtime);
    loop {
        let Some(found) = describe(context, name).await? else {
            return Err(Failure::new(format!("processing job {name} is gone")).hint("run `monitor` again"));
        };
        tail.follow(&context.aws, &mut progress).await?;
        progress.tick();
        match found.processing_job_status() {
            Some(ProcessingJobStatus::Completed) => return Ok(()),
            Some(status @ (ProcessingJobStatus::Failed | ProcessingJobStatus::Stopped)) => {
                tail.last(&context.aws, &mut progress).await?;
                let reason = found.exit_message().or(found.failure_reason()).unwrap_or("no reason was given");
                return Err(Failure::new(format!("processing job {name}: {}: {reason}", status.as_str()))
                    .because(tail.last_lines())
                    .hint("mend what the reason names and repeat the command: it starts a new job"));
            }
            status => waiting.next(&mut progress, status.map_or("", |status| status.as_str())).await?,
        }
    }
}
