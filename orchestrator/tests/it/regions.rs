//! Several regions: copied, proved and watched wave after wave; where one fails, the later ones stay as they are.

use aws_sdk_sagemaker::types::ContainerDefinition;
use serde_json::Value;

use crate::{
    account::{self, at, aws},
    cli::{Project, done, reviews},
    sdk,
    stub::{self, Fate, Stub},
};

const WAVES: &str = "[regions]\nwaves = [[\"eu-central-1\"], [\"us-west-2\"]]\nhealthy_minutes = 0.005\n";

fn config(url: &str, region: &str) -> aws_config::SdkConfig {
    sdk::config(url).into_builder().region(aws_config::Region::new(region.to_owned())).build()
}

fn sagemaker(url: &str, region: &str) -> aws_sdk_sagemaker::Client {
    aws_sdk_sagemaker::Client::new(&config(url, region))
}

fn record(project: &Project) -> Value {
    serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap()
}

async fn alarm(url: &str, state: &str) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config(url, "eu-central-1"));
    let set = cloudwatch.set_alarm_state().alarm_name("story-errors-5xx").state_value(state.into());
    set.state_reason("a test").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_begins_when_the_one_before_is_healthy() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let first = record(&project);
    let text = |path: &str| first.pointer(path).and_then(Value::as_str).unwrap().to_owned();
    let (model, artifact, old) = (text("/deployment/model"), text("/training/model_uri"), text("/deployment/config"));
    // What serves in Frankfurt will be another model than the one that was evaluated.
    let frankfurt = sagemaker(&emulator.url, "eu-central-1");
    let wrong = ContainerDefinition::builder().image("x").model_data_url(&artifact);
    let wrong = wrong.environment("SAGEBRUSH_THRESHOLD", "0.999999").build();
    let request = frankfurt.create_model().model_name(&model).primary_container(wrong);
    request.execution_role_arn("arn:aws:iam::000000000000:role/x").send().await.unwrap();

    project.write("pipeline.toml", format!("project = \"story\"\n{WAVES}"));
    let failed = project.run(&["deploy"]).exit(1).stderr;
    for want in [
        "wave 0 is watched for 0.005 minutes before wave 1",
        "error: region eu-central-1: endpoint story does not repeat golden prediction",
        &format!("us-east-1: deployed, stayed healthy; endpoint story is InService with {old}"),
        "eu-central-1: not deployed; no endpoint story",
        "us-west-2: not deployed; no endpoint story",
    ] {
        assert!(failed.contains(want), "{want}\n{failed}");
    }
    let oregon = sagemaker(&emulator.url, "us-west-2");
    assert!(oregon.list_models().send().await.unwrap().models().is_empty(), "a later wave is not begun");

    // Repeated after the mending it goes on, and what was watched is not watched again.
    frankfurt.delete_model().model_name(&model).send().await.unwrap();
    let done = project.run(&["deploy", "--json"]).exit(0);
    assert!(!done.stderr.contains("wave 0 is watched"), "{}", done.stderr);
    let regions = done.json()["regions"].as_array().unwrap().clone();
    let told = |part: &Value| (part["region"].clone(), part["wave"].clone(), part["healthy"].is_string());
    let want = [("us-east-1", 0, true), ("eu-central-1", 1, true), ("us-west-2", 2, false)];
    assert_eq!(
        regions.iter().map(told).collect::<Vec<_>>(),
        want.map(|(region, wave, healthy)| (region.into(), wave.into(), healthy))
    );
    assert_eq!(record(&project)["regions"].as_array().unwrap(), &regions);
    let s3 = sdk::s3(&emulator.url);
    let mut copies = Vec::new();
    for part in &regions {
        let uri = part["model_uri"].as_str().unwrap();
        let (bucket, key) = uri.strip_prefix("s3://").unwrap().split_once('/').unwrap();
        let object = s3.get_object().bucket(bucket).key(key).send().await.unwrap();
        copies.push((bucket.to_owned(), object.body.collect().await.unwrap().into_bytes()));
    }
    assert_eq!(copies[1].0, "story-000000000000-eu-central-1");
    assert!(copies.iter().all(|(_, bytes)| *bytes == copies[0].1), "the artifact is the same everywhere");
    let again = project.run(&["deploy", "--json"]).exit(0).json();
    assert_eq!((&again["outcome"], &again["regions"]), (&"unchanged".into(), &regions.clone().into()));
    let status = project.run(&["status"]).exit(0).stdout;
    assert!(status.contains("endpoint        InService            story, eu-central-1\n"), "{status}");
    let plan = project.run(&["plan"]).exit(0).stdout;
    let oregons = regions[2]["config"].as_str().unwrap();
    assert!(plan.contains(&format!("keep        endpoint story with {oregons} in us-west-2, wave 2")), "{plan}");

    // An alarm of the second region keeps the next package from the third.
    project.run(&["monitor"]).exit(0);
    project.write("data/train.csv", reviews(38, 0));
    for stage in [&["data"][..], &["train"], &["evaluate"], &["register"], &["approve", "--reason", "a test"]] {
        project.run(stage).exit(0);
    }
    alarm(&emulator.url, "ALARM").await;
    let failed = project.run(&["deploy"]).exit(1).stderr;
    for want in [
        "error: region eu-central-1 did not stay healthy for 0.005 minutes",
        "alarm story-errors-5xx: a test",
        "eu-central-1: deployed; endpoint story is InService with ",
        &format!("us-west-2: not deployed; endpoint story is InService with {oregons}"),
    ] {
        assert!(failed.contains(want), "{want}\n{failed}");
    }
    alarm(&emulator.url, "OK").await;
    project.run(&["deploy"]).exit(0);

    let gone = project.run(&["destroy"]).exit(0).stdout;
    for want in [
        "endpoint story\n",
        "endpoint story in eu-central-1",
        "endpoint story in us-west-2",
        "bucket story-000000000000-us-west-2:",
    ] {
        assert!(gone.contains(want), "{want}\n{gone}");
    }
    for region in ["us-east-1", "eu-central-1", "us-west-2"] {
        let there = sagemaker(&emulator.url, region);
        assert!(there.list_endpoints().send().await.unwrap().endpoints().is_empty(), "{region}");
        assert!(there.list_models().send().await.unwrap().models().is_empty(), "{region}");
    }
    assert_eq!(emulator.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_is_not_in_the_other_region_stops_it_all() {
    let project = Project::new();
    project.write("pipeline.toml", format!("{}{WAVES}", account::SETTINGS));
    let emulator = project.emulator();
    aws(&project, &emulator, &["run"]).exit(0);
    aws(&project, &emulator, &["approve", "--reason", "a test"]).exit(0);
    // The first question is the first region's.
    let stub = Stub::start(&emulator.url, |call, before| match (call, before) {
        ("DescribeImages", 1..) => stub::json("ImageNotFoundException", "The image with imageId {…} does not exist"),
        _ => Fate::Pass,
    });
    let args = ["deploy"];
    let refused = done(&args, at(&project, &stub.url, &args).arg("--yes").output().unwrap()).exit(1).stderr;
    for want in [
        "error: image 000000000000.dkr.ecr.eu-central-1.amazonaws.com/story@sha256:",
        "hint: push the same image to eu-central-1",
        "in eu-central-1, wave 1, once it is approved",
        "no price    of ml.m5.large for hosting in eu-central-1",
    ] {
        assert!(refused.contains(want), "{want}\n{refused}");
    }
    assert!(stub.calls().iter().all(|call| call != "CreateModel"), "nothing was changed, in no region");

    aws(&project, &emulator, &["deploy"]).exit(0);
    let frankfurt = sagemaker(&emulator.url, "eu-central-1");
    let models = frankfurt.list_models().send().await.unwrap();
    let name = models.models()[0].model_name().unwrap();
    let model = frankfurt.describe_model().model_name(name).send().await.unwrap();
    let image = model.containers()[0].image().unwrap().to_owned();
    assert!(image.starts_with("000000000000.dkr.ecr.eu-central-1.amazonaws.com/story@sha256:"), "{image}");
    aws(&project, &emulator, &["destroy"]).exit(0);
    assert_eq!(emulator.stop(), Some(0));
}
