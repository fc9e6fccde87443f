//! A deployment that proves itself: step by step, back where an alarm says so, measured, scaled.

use crate::{
    cli::{Project, reviews},
    sdk::config,
};

const SETTINGS: &str = r#"
project = "story"
[endpoint]
latency_calls = 7
[endpoint.rollout]
shift = "linear"
step_percent = 50
rollback_alarms = ["story-errors"]
[endpoint.autoscaling]
max_instances = 3
scale_in = false
invocations_per_minute = 600.0
[[endpoint.autoscaling.scheduled]]
name = "day"
schedule = "cron(0 7 * * ? *)"
min_instances = 2
"#;

async fn alarm(url: &str, state: &str) {
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config(url));
    let made = cloudwatch.put_metric_alarm().alarm_name("story-errors").namespace("AWS/SageMaker");
    let made = made.metric_name("Invocation5XXErrors").statistic(aws_sdk_cloudwatch::types::Statistic::Sum).period(60);
    let made = made.evaluation_periods(1).threshold(1.0);
    let above = aws_sdk_cloudwatch::types::ComparisonOperator::GreaterThanThreshold;
    made.comparison_operator(above).send().await.unwrap();
    let set = cloudwatch.set_alarm_state().alarm_name("story-errors").state_value(state.into());
    set.state_reason("a test").send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollout_that_an_alarm_stops_is_a_failure_and_one_that_goes_well_is_measured_and_scaled() {
    let project = Project::new();
    let first = project.run(&["run", "--json"]).exit(0).json();
    let old = first["live"]["deployment"]["deployment"]["config"].as_str().unwrap().to_owned();
    let emulator = project.emulator();
    project.write("data/train.csv", reviews(38, 0));
    project.write("pipeline.toml", SETTINGS);
    for stage in [&["data"][..], &["train"], &["evaluate"], &["register"], &["approve", "--reason", "a test"]] {
        project.run(stage).exit(0);
    }

    alarm(&emulator.url, "ALARM").await;
    let stopped = project.run(&["deploy"]).exit(1);
    assert!(stopped.stderr.contains(&format!("{old} goes on serving")), "{}", stopped.stderr);
    assert!(stopped.stderr.contains("went into ALARM state during the deployment: story-errors"), "{}", stopped.stderr);

    alarm(&emulator.url, "OK").await;
    let done = project.run(&["deploy", "--json"]).exit(0).json();
    assert_eq!(done["latency"]["calls"], 7, "{done}");
    assert!(done["latency"]["p50_ms"].as_f64() <= done["latency"]["p99_ms"].as_f64(), "{done}");
    assert_eq!((&done["scaled"]["target"], &done["scaled"]["max"]), (&600.0.into(), &3.into()), "{done}");
    let scaling = aws_sdk_applicationautoscaling::Client::new(&config(&emulator.url));
    let policies = scaling.describe_scaling_policies().service_namespace("sagemaker".into()).send().await.unwrap();
    let policy = policies.scaling_policies()[0].target_tracking_scaling_policy_configuration().unwrap();
    assert_eq!((policy.target_value(), policy.disable_scale_in()), (600.0, Some(true)));
    let actions = scaling.describe_scheduled_actions().service_namespace("sagemaker".into()).send().await.unwrap();
    assert_eq!(actions.scheduled_actions()[0].scheduled_action_name(), "day");
    let again = project.run(&["deploy", "--json"]).exit(0).json();
    assert_eq!((&again["outcome"], &again["deployment"]), (&"unchanged".into(), &done["deployment"]));

    let plan = project.run(&["plan"]).exit(0).stdout;
    let scaling_of =
        "scaling of endpoint story: 1 to 3 instances, 600 invocations a minute on each, day at cron(0 7 * * ? *)";
    assert!(plan.contains(&format!("  keep        {scaling_of}\n              3 x ml.m5.large in all")), "{plan}");
    project.write("pipeline.toml", SETTINGS.replace("min_instances = 2", "min_instances = 3"));
    let plan = project.run(&["plan"]).exit(0).stdout;
    assert!(plan.contains(&format!("  change      {scaling_of}")), "{plan}");

    // Without a figure in the settings it is measured.
    let measured = SETTINGS.replace("invocations_per_minute = 600.0", "latency_p99_ms = 10000.0");
    project.write("pipeline.toml", measured);
    let load = project.run(&["loadtest", "--seconds", "0.1", "--json"]).exit(0).json();
    let rate = load["load"]["requests_per_second"].as_f64().unwrap();
    assert!(rate > 0.0 && load["load"]["config"] == done["deployment"]["config"], "{load}");
    let scaled = project.run(&["deploy", "--json"]).exit(0).json();
    assert_eq!(scaled["scaled"]["target"].as_f64().unwrap(), (rate * 60.0 * 0.7).floor().max(1.0), "{scaled}");

    // What scales goes, whether or not the settings still name it.
    project.write("pipeline.toml", "project = \"story\"\n");
    let plan = project.run(&["plan"]).exit(0).stdout;
    assert!(plan.contains("  keep        scaling of endpoint story: no longer asked for, until destroy"), "{plan}");
    let gone = project.run(&["destroy"]).exit(0).stdout;
    assert!(gone.starts_with("deleted       scaling of endpoint story\ndeleted       endpoint story\n"), "{gone}");
    let targets = scaling.describe_scalable_targets().service_namespace("sagemaker".into()).send().await.unwrap();
    assert!(targets.scalable_targets().is_empty());
    assert_eq!(emulator.stop(), Some(0));
}

#[test]
fn a_serverless_endpoint_captures_nothing_and_answers() {
    let project = Project::new();
    project
        .write("pipeline.toml", "project = \"story\"\n[endpoint.serverless]\nmemory_mb = 2048\nmax_concurrency = 8\n");
    let done = project.run(&["run"]).exit(0);
    assert!(done.stderr.contains("no captured requests yet"), "{}", done.stderr);
    let answer = project.run(&["invoke", "excellent, I love it", "--json"]).exit(0).json();
    assert_eq!(answer["predictions"][0]["label"], "1");
}
