//! What is made bears the project's tags, and `destroy` takes away what bears them and nothing else.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::{ContainerDefinition, ProductionVariant, ProductionVariantInstanceType, Tag};
use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};

use serde_json::json;

use crate::{
    account::{SETTINGS, at},
    cli::Project,
    sdk,
    stub::{Fate, Stub},
};

const ARN: &str = "arn:aws:sagemaker:us-east-1:000000000000";

async fn tags(client: &aws_sdk_sagemaker::Client, arn: &str) -> BTreeMap<String, String> {
    let listed = client.list_tags().resource_arn(arn).send().await.unwrap();
    let pair = |tag: &Tag| (tag.key().unwrap().to_owned(), tag.value().unwrap().to_owned());
    listed.tags().iter().map(pair).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_bears_the_tags() {
    let project = Project::new();
    project.write("pipeline.toml", "project = \"story\"\nowner = \"reviews team\"\n");
    let emulator = project.emulator();
    let mut run = project.command(&["run", "--json"]);
    run.env("GITHUB_SHA", "0123abc").env("GITHUB_RUN_ID", "77").env("GITHUB_RUN_ATTEMPT", "2");
    crate::cli::done(&["run"], run.output().unwrap()).exit(0);
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    let text = |path: &[&str]| path.iter().fold(&record, |at, key| &at[*key]).as_str().unwrap().to_owned();
    assert_eq!(text(&["id"]), "github-77-2");

    let client = aws_sdk_sagemaker::Client::new(&sdk::config(&emulator.url));
    let jobs = client.list_processing_jobs().send().await.unwrap();
    let mut arns: Vec<String> =
        jobs.processing_job_summaries().iter().map(|job| job.processing_job_arn().unwrap().to_owned()).collect();
    assert!(arns.len() >= 2, "baseline and watch: {arns:?}");
    arns.push(text(&["training", "arn"]));
    for (kind, name) in [
        ("model-package-group", "story".to_owned()),
        ("model", text(&["deployment", "model"])),
        ("endpoint-config", text(&["deployment", "config"])),
        ("endpoint", "story".to_owned()),
    ] {
        arns.push(format!("{ARN}:{kind}/{name}"));
    }
    for arn in arns {
        let found = tags(&client, &arn).await;
        for (key, want) in [
            ("project", "story"),
            ("owner", "reviews team"),
            ("commit", "0123abc"),
            ("run", "github-77-2"),
            ("data", &text(&["data", "digest"])[..16]),
        ] {
            assert_eq!(found.get(&format!("sagebrush:{key}")).map(String::as_str), Some(want), "{arn}: {found:?}");
        }
    }
    let bucket = sdk::s3(&emulator.url).get_bucket_tagging().bucket(text(&["data", "bucket"])).send().await.unwrap();
    assert!(
        bucket.tag_set().iter().any(|tag| (tag.key(), tag.value()) == ("sagebrush:project", "story")),
        "{bucket:?}"
    );
    // A schedule has no tags; the jobs that it starts will.
    let scheduler = aws_sdk_scheduler::Client::new(&sdk::config(&emulator.url));
    let schedule = scheduler.get_schedule().name("story-monitor").send().await.unwrap();
    assert!(schedule.target().unwrap().input().unwrap().contains(r#""Key":"sagebrush:project""#), "{schedule:?}");
}

/// Jobs cannot be deleted; one that runs is stopped, and one that has ended meanwhile is well.
#[test]
fn destroy_stops_the_jobs_that_run() {
    let project = Project::new();
    project.write("pipeline.toml", SETTINGS);
    let emulator = project.emulator();
    let stub = Stub::start(&emulator.url, |call, _| {
        let answer = |body: serde_json::Value| Fate::Answer(200, "application/x-amz-json-1.1", body.to_string());
        let job = |name: &str| {
            let arn = format!("{ARN}:training-job/{name}");
            json!({"TrainingJobName": name, "TrainingJobArn": arn, "CreationTime": 1.0, "TrainingJobStatus": "InProgress"})
        };
        match call {
            "ListTrainingJobs" => answer(json!({"TrainingJobSummaries": [job("story-one")]})),
            "ListTags" => answer(json!({"Tags": [{"Key": "sagebrush:project", "Value": "story"}]})),
            "StopTrainingJob" => crate::stub::json(
                "ValidationException",
                "The request was rejected because the training job is in status Completed.",
            ),
            _ => Fate::Pass,
        }
    });
    let args = ["destroy", "--json"];
    let done = crate::cli::done(&args, at(&project, &stub.url, &args).arg("--yes").output().unwrap()).exit(0).json();
    assert_eq!(done["deleted"], json!(["training job story-one"]), "{done}");
    assert_eq!(stub.calls().iter().filter(|call| *call == "StopTrainingJob").count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn destroy_leaves_what_is_not_ours() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let client = aws_sdk_sagemaker::Client::new(&sdk::config(&emulator.url));
    let container = ContainerDefinition::builder().image("x").build();
    let theirs = |value: &str| Tag::builder().key("sagebrush:project").value(value).build();
    // More than a page of each, with names as ours have them: untagged, and of a project whose name begins with ours.
    for n in 0..13 {
        let name = format!("story-0123456789{n:02}");
        let model = client.create_model().model_name(&name).primary_container(container.clone());
        let model = model.execution_role_arn("arn:aws:iam::000000000000:role/x");
        let model = if n % 2 == 0 { model.tags(theirs("story-eu")) } else { model };
        model.send().await.unwrap();
        let variant = ProductionVariant::builder().variant_name("v").model_name(&name).initial_instance_count(1);
        let variant = variant.instance_type(ProductionVariantInstanceType::MlM5Large).build();
        client.create_endpoint_config().endpoint_config_name(&name).production_variants(variant).send().await.unwrap();
    }
    // What holds our name further on is nobody's whose tags we could read.
    let other = client.create_model().model_name("history-of-story").primary_container(container.clone());
    other.execution_role_arn("arn:aws:iam::000000000000:role/x").send().await.unwrap();
    let scheduler = aws_sdk_scheduler::Client::new(&sdk::config(&emulator.url));
    let target = Target::builder().arn("arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob").input("{}");
    let target = target.role_arn("arn:aws:iam::000000000000:role/x").build().unwrap();
    let exact = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build().unwrap();
    let request = scheduler.create_schedule().name("story-of-another").schedule_expression("rate(30 days)");
    request.target(target).flexible_time_window(exact).send().await.unwrap();

    let done = project.run(&["destroy", "--json"]).exit(0).json();
    let deleted: Vec<&str> = done["deleted"].as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(deleted[0], "endpoint story", "what costs most goes first: {deleted:?}");
    assert_eq!(deleted.len(), 11, "endpoint, schedule, six alarms, topic, config, model: {deleted:?}");
    assert_eq!(done["foreign"].as_array().unwrap().len(), 27, "{done}");
    assert!(done["kept"][0].as_str().unwrap().starts_with("bucket story-"), "{done}");

    let models = client.list_models().max_results(100).send().await.unwrap();
    assert_eq!(models.models().len(), 14, "theirs are there");
    let configs = client.list_endpoint_configs().max_results(100).send().await.unwrap();
    assert_eq!(configs.endpoint_configs().len(), 13);
    let schedules = scheduler.list_schedules().send().await.unwrap();
    assert_eq!(schedules.schedules().iter().filter_map(|s| s.name()).collect::<Vec<_>>(), ["story-of-another"]);
    assert!(project.run(&["destroy"]).exit(0).stdout.contains("deleted       nothing"));

    // An endpoint of our name that another made is not touched either.
    let request = client.create_endpoint().endpoint_name("story").endpoint_config_name("story-012345678900");
    request.send().await.unwrap();
    let done = project.run(&["destroy"]).exit(0);
    assert!(done.stdout.contains("not ours      endpoint story: bears no tag of this project"), "{}", done.stdout);
    assert!(client.describe_endpoint().endpoint_name("story").send().await.is_ok());
}
