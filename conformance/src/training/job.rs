//! A training job, from the folder it finds to what it leaves.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use crate::{
    error::Result,
    layout::{Root, folders},
    plan::{Plan, Training},
    runner::{Role, Start, Subject},
};

/// How a job is told to end.
pub(super) enum End {
    Itself,
    Term(Duration),
}

/// A job that is over.
pub(super) struct Done {
    pub root: Root,
    pub exit: Option<i32>,
    pub took: Duration,
    /// Whether it ended by itself before it was told to.
    pub early: bool,
    pub said: String,
    pub changed: Option<String>,
}

/// `data`: the channels' files; without, they have none.
pub(super) fn laid_out(training: &Training, data: Option<&Path>, quoted: bool) -> Result<Root> {
    let mut root = Root::new()?;
    let names = training.data.as_deref().or(data).map(folders).unwrap_or_default();
    let whole = names.is_empty();
    let names = if whole { vec!["train".to_owned()] } else { names };
    for name in &names {
        let to = format!("input/data/{name}");
        match data.map(|data| if whole { data.to_path_buf() } else { data.join(name) }) {
            Some(from) if from.is_dir() => root.fill(&to, &from)?,
            _ => drop(root.folder(&to)?),
        }
    }
    let value = |value: &String| match serde_json::from_str::<Value>(value) {
        // The SDK encodes what the user wrote in Python: a number stays as it is, a string gains quotes.
        Err(_) if quoted => json!(json!(value).to_string()),
        _ => json!(value),
    };
    let hyperparameters: serde_json::Map<_, _> =
        training.hyperparameters.iter().map(|(k, v)| (k.clone(), value(v))).collect();
    let mut channel =
        json!({"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated", "RecordWrapperType": "None"});
    if let Some(kind) = &training.content_type {
        channel["ContentType"] = json!(kind);
    }
    let channels: serde_json::Map<_, _> = names.iter().map(|name| (name.clone(), channel.clone())).collect();
    let hosts = json!(["algo-1"]);
    root.json("input/config/hyperparameters.json", &Value::Object(hyperparameters))?;
    root.json("input/config/inputdataconfig.json", &Value::Object(channels))?;
    root.json("input/config/resourceconfig.json", &json!({
        "current_host": "algo-1", "hosts": hosts, "network_interface_name": "eth0",
        "current_instance_type": "ml.m5.large", "current_group_name": "homogeneousCluster",
        "instance_groups": [{"instance_group_name": "homogeneousCluster", "instance_type": "ml.m5.large", "hosts": hosts}],
    }))?;
    root.folder("model")?;
    root.folder("output/data")?;
    root.folder("checkpoints")?;
    root.folder("output")?;
    root.seal("input")?;
    Ok(root)
}

pub(super) async fn run(subject: &Subject, plan: &Plan, root: Root, end: End, isolated: bool) -> Result<Done> {
    let before = root.snapshot();
    let name = "conformance";
    let mut environment = vec![
        ("TRAINING_JOB_NAME".to_owned(), name.to_owned()),
        ("TRAINING_JOB_ARN".to_owned(), format!("arn:aws:sagemaker:us-east-1:000000000000:training-job/{name}")),
        ("AWS_REGION".to_owned(), "us-east-1".to_owned()),
    ];
    environment.extend(plan.training.environment.clone());
    let mut running = subject.start(Start { environment, isolated, ..Start::new(Role::Train, &root) }).await?;
    let (mut begun, mut limit, mut early) = (Instant::now(), plan.limits.job(), false);
    if let End::Term(after) = end {
        early = running.wait(after).await.is_some();
        running.terminate().await;
        (begun, limit) = (Instant::now(), plan.limits.train_stop());
    }
    let exit = running.wait(limit).await;
    let (took, said) = (begun.elapsed(), running.said());
    drop(running);
    subject.could_run(exit, &said)?;
    let changed = root.changed(&before);
    Ok(Done { root, exit, took, early, said, changed })
}
