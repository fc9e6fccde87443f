//! Tuning jobs: training jobs over a space, the best of them found, stopped where they are asked to.

use serde_json::{Value, json};

use crate::lab::{BUCKET, Lab, ROLE, unpacked};

fn job(name: &str, strategy: &str, ranges: Value, environment: Value) -> Value {
    json!({
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": strategy,
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "objective"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 4, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": ranges,
            "RandomSeed": 7,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {"C": "1.0"},
            "AlgorithmSpecification": {
                "TrainingImage": "registry/image:1", "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "objective", "Regex": r"\bobjective=([-+0-9.eE]+);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": format!("s3://{BUCKET}/jobs")},
            "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
            "Environment": environment,
        },
    })
}

fn grid() -> Value {
    json!({"CategoricalParameterRanges": [{"Name": "x", "Values": ["1", "2", "3", "5"]}]})
}

async fn ended(lab: &Lab, name: &str) -> Value {
    let over = |job: &Value| {
        !["InProgress", "Stopping"].contains(&job["HyperParameterTuningJobStatus"].as_str().unwrap_or_default())
    };
    lab.until("DescribeHyperParameterTuningJob", json!({"HyperParameterTuningJobName": name}), over).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grid_finds_the_best_of_its_combinations() {
    let lab = Lab::start().await;
    let request = job("grid", "Grid", grid(), json!({"SAY_TUNED": "1"}));
    let made = lab.call("CreateHyperParameterTuningJob", request).await.expect("create");
    let arn = "arn:aws:sagemaker:us-east-1:000000000000:hyper-parameter-tuning-job/grid";
    assert_eq!(made["HyperParameterTuningJobArn"], arn);
    let done = ended(&lab, "grid").await;
    assert_eq!(done["HyperParameterTuningJobStatus"], "Completed", "{done:#}");
    assert_eq!(done["TrainingJobStatusCounters"]["Completed"], 4);
    assert_eq!(done["ObjectiveStatusCounters"], json!({"Succeeded": 4, "Pending": 0, "Failed": 0}));
    let best = &done["BestTrainingJob"];
    assert_eq!(best["TunedHyperParameters"], json!({"x": "3"}));
    assert_eq!(best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"], 0.0);

    let request = json!({"HyperParameterTuningJobName": "grid", "SortBy": "FinalObjectiveMetricValue", "SortOrder": "Descending", "MaxResults": 3});
    let listed = lab.call("ListTrainingJobsForHyperParameterTuningJob", request).await.expect("list");
    let of = |trial: &Value| trial["TunedHyperParameters"]["x"].as_str().expect("x").to_owned();
    let order: Vec<String> = listed["TrainingJobSummaries"].as_array().expect("trials").iter().map(of).collect();
    assert_eq!((order[0].as_str(), order.len()), ("3", 3), "{order:?}");
    assert!(listed["NextToken"].is_string());

    let name = best["TrainingJobName"].as_str().expect("name");
    assert!(name.starts_with("grid-003-"), "{name}");
    let training = lab.call("DescribeTrainingJob", json!({"TrainingJobName": name})).await.expect("job");
    assert_eq!(training["TuningJobArn"], arn);
    let seen = unpacked(&lab.get(&format!("jobs/{name}/output/model.tar.gz")).await.expect("artifact"), "seen.txt");
    let want = r#"{"C":"1.0","_tuning_objective_metric":"objective","x":"3"}"#;
    let given = seen.lines().find_map(|l| l.strip_prefix("file input/config/hyperparameters.json=")).expect(&seen);
    assert_eq!(serde_json::from_str::<Value>(given).expect("json"), serde_json::from_str::<Value>(want).expect("json"));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_drawn_and_the_same_seed_draws_the_same() {
    let lab = Lab::start().await;
    let ranges = json!({"ContinuousParameterRanges": [{"Name": "x", "MinValue": "0.01", "MaxValue": "10", "ScalingType": "Logarithmic"}]});
    let mut drawn = Vec::new();
    for (name, strategy) in [("one", "Random"), ("two", "Random"), ("around", "Bayesian")] {
        let mut request = job(name, strategy, ranges.clone(), json!({"SAY_TUNED": "1"}));
        // One after the other: a search that learns draws what depends on which ended first.
        request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = json!(1);
        lab.call("CreateHyperParameterTuningJob", request).await.expect("create");
        let done = ended(&lab, name).await;
        assert_eq!(done["HyperParameterTuningJobStatus"], "Completed", "{done:#}");
        let request = json!({"HyperParameterTuningJobName": name, "SortBy": "Name"});
        let listed = lab.call("ListTrainingJobsForHyperParameterTuningJob", request).await.expect("list");
        let values = listed["TrainingJobSummaries"].as_array().expect("trials").clone();
        let values: Vec<String> = values.iter().map(|t| t["TunedHyperParameters"]["x"].to_string()).collect();
        assert_eq!(values.len(), 4);
        drawn.push(values);
    }
    assert_eq!(drawn[0], drawn[1]);
    assert_ne!(drawn[0], drawn[2]);

    // Enough is enough: -10 is reached by the first.
    let mut enough = job("enough", "Random", ranges, json!({"SAY_TUNED": "1"}));
    enough["HyperParameterTuningJobConfig"]["TuningJobCompletionCriteria"] =
        json!({"TargetObjectiveMetricValue": -10.0});
    enough["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = json!(1);
    lab.call("CreateHyperParameterTuningJob", enough).await.expect("create");
    assert_eq!(ended(&lab, "enough").await["TrainingJobStatusCounters"]["Completed"], 1);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_that_finds_nothing_fails_and_one_that_is_stopped_stops_its_jobs() {
    let lab = Lab::start().await;
    lab.call("CreateHyperParameterTuningJob", job("quiet", "Grid", grid(), json!({}))).await.expect("create");
    let done = ended(&lab, "quiet").await;
    assert_eq!(
        (&done["HyperParameterTuningJobStatus"], &done["ObjectiveStatusCounters"]["Failed"]),
        (&json!("Failed"), &json!(4))
    );
    assert!(
        done["FailureReason"].as_str().expect("reason").starts_with("All training jobs failed or gave no objective")
    );

    lab.call("CreateHyperParameterTuningJob", job("slow", "Grid", grid(), json!({"SLEEP_MS": "60000"})))
        .await
        .expect("create");
    let two = |job: &Value| job["TrainingJobStatusCounters"]["InProgress"] == 2;
    lab.until("DescribeHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "slow"}), two).await;
    lab.call("StopHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "slow"})).await.expect("stop");
    let done = ended(&lab, "slow").await;
    assert_eq!(
        (&done["HyperParameterTuningJobStatus"], &done["TrainingJobStatusCounters"]["Stopped"]),
        (&json!("Stopped"), &json!(2))
    );
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_training_job_that_promises_nothing_is_stopped_early() {
    let lab = Lab::start().await;
    // Objectives rise to -|x - 3| in three epochs, so that 1 and 5 are worse than 2 from the first one on, and 3 never.
    let ranges = json!({"CategoricalParameterRanges": [{"Name": "x", "Values": ["2", "1", "3", "5"]}]});
    for (name, early) in [("off", "Off"), ("auto", "Auto")] {
        let mut request = job(name, "Grid", ranges.clone(), json!({"SAY_TUNED": "3"}));
        request["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxParallelTrainingJobs"] = json!(1);
        request["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] = json!(early);
        lab.call("CreateHyperParameterTuningJob", request).await.expect("create");
    }
    assert_eq!(ended(&lab, "off").await["TrainingJobStatusCounters"]["Completed"], 4);
    let done = ended(&lab, "auto").await;
    assert_eq!(done["HyperParameterTuningJobStatus"], "Completed", "{done:#}");
    let counters = &done["TrainingJobStatusCounters"];
    assert_eq!((&counters["Completed"], &counters["Stopped"]), (&json!(2), &json!(2)), "{done:#}");
    assert_eq!(done["ObjectiveStatusCounters"], json!({"Succeeded": 4, "Pending": 0, "Failed": 0}));
    assert_eq!(done["BestTrainingJob"]["TunedHyperParameters"], json!({"x": "3"}));
    let request = json!({"HyperParameterTuningJobName": "auto", "StatusEquals": "Stopped", "SortBy": "Name"});
    let listed = lab.call("ListTrainingJobsForHyperParameterTuningJob", request).await.expect("list");
    for (trial, (x, after_one)) in
        listed["TrainingJobSummaries"].as_array().expect("two").iter().zip([("1", -4.0), ("5", -4.0)])
    {
        assert_eq!((&trial["TunedHyperParameters"]["x"], &trial["ObjectiveStatus"]), (&json!(x), &json!("Succeeded")));
        assert_eq!(trial["FinalHyperParameterTuningJobObjectiveMetric"]["Value"], after_one, "its only epoch");
        let name = trial["TrainingJobName"].as_str().expect("name");
        let training = lab.call("DescribeTrainingJob", json!({"TrainingJobName": name})).await.expect("job");
        assert_eq!(training["SecondaryStatus"], "Stopped");
    }
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_tuned_is_refused() {
    let lab = Lab::start().await;
    let with = |change: &dyn Fn(&mut Value)| {
        let mut request = job("refused", "Random", grid(), json!({}));
        change(&mut request);
        request
    };
    for (request, want) in [
        (
            with(&|r| {
                r["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["MetricName"] = json!("f1")
            }),
            "The objective metric `f1` must be one of the metric definitions of the training job definition.",
        ),
        (
            with(&|r| r["HyperParameterTuningJobConfig"]["ParameterRanges"] = json!({})),
            "ParameterRanges needs at least one range, and each hyperparameter once.",
        ),
        (
            with(&|r| {
                r["HyperParameterTuningJobConfig"]["Strategy"] = json!("Grid");
                r["HyperParameterTuningJobConfig"]["ResourceLimits"]["MaxNumberOfTrainingJobs"] = json!(3);
            }),
            "MaxNumberOfTrainingJobs must be 4, the number of combinations of the grid, or not be given.",
        ),
        (
            with(
                &|r| r["WarmStartConfig"] = json!({"ParentHyperParameterTuningJobs": [{"HyperParameterTuningJobName": "p"}], "WarmStartType": "TransferLearning"}),
            ),
            "WarmStartConfig is not supported by the emulator; use a tuning job without parents.",
        ),
        (
            with(&|r| {
                r["HyperParameterTuningJobConfig"]["Strategy"] = json!("Hyperband");
                r["HyperParameterTuningJobConfig"]["TrainingJobEarlyStoppingType"] = json!("Auto");
            }),
            "TrainingJobEarlyStoppingType must be Off for the Hyperband strategy",
        ),
        (with(&|r| r["TrainingJobDefinition"]["ResourceConfig"]["InstanceCount"] = json!(2)), ""),
    ] {
        let kind = if want.is_empty() { "ResourceLimitExceeded" } else { "ValidationException" };
        let said = lab.refused("CreateHyperParameterTuningJob", request, kind).await;
        assert!(said.starts_with(want), "{said}");
    }
    let missing = lab
        .refused("DescribeHyperParameterTuningJob", json!({"HyperParameterTuningJobName": "gone"}), "ResourceNotFound")
        .await;
    assert!(missing.starts_with("Amazon SageMaker can't find a tuning job with ARN "), "{missing}");
    lab.emulator.shutdown().await;
}
