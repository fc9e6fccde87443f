//! Schedules that fire.

use http::Method;
use serde_json::{Value, json};

use crate::{
    lab::{Answer, Lab, ROLE},
    processing::{job, over},
};

fn schedule(expression: &str, input: &Value) -> Value {
    json!({
        "ScheduleExpression": expression,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {"Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob", "RoleArn": ROLE, "Input": input.to_string()},
    })
}

async fn call(lab: &Lab, method: Method, path: &str, body: Value) -> Answer {
    let scope =
        ("authorization", "AWS4-HMAC-SHA256 Credential=any/20240101/us-east-1/scheduler/aws4_request, Signature=x");
    lab.send(method, path, &[scope], if body.is_null() { String::new() } else { body.to_string() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rate_fires_and_runs_a_processing_job() {
    let lab = Lab::start().await;
    lab.put("in/a", "x").await;
    let input = job("run-<aws.scheduler.execution-id>", json!({"AT": "<aws.scheduler.scheduled-time>"}));
    let made = call(&lab, Method::POST, "/schedules/hourly", schedule("rate(1 hour)", &input)).await;
    assert_eq!(
        made.json()["ScheduleArn"],
        "arn:aws:scheduler:us-east-1:000000000000:schedule/default/hourly",
        "{}",
        made.text()
    );
    assert_eq!(emulator::faults("scheduler", "CreateSchedule", &made.json()), Vec::<String>::new());
    let listed = lab.until("ListProcessingJobs", json!({}), |l| l["ProcessingJobSummaries"] != json!([])).await;
    let name = listed["ProcessingJobSummaries"][0]["ProcessingJobName"].clone();
    let done = lab.until("DescribeProcessingJob", json!({"ProcessingJobName": name}), over).await;
    assert_eq!(done["ProcessingJobStatus"], "Completed", "{done:#}");
    assert!(
        !name.to_string().contains('<') && done["Environment"]["AT"].as_str().expect("time").ends_with('Z'),
        "{done:#}"
    );

    // Started again within the hour, it is not due again.
    let lab = lab.restart().await;
    let got = call(&lab, Method::GET, "/schedules/hourly", Value::Null).await.json();
    assert_eq!(emulator::faults("scheduler", "GetSchedule", &got), Vec::<String>::new());
    assert_eq!((&got["State"], &got["ScheduleExpressionTimezone"]), (&json!("ENABLED"), &json!("UTC")));
    let listed = lab.call("ListProcessingJobs", json!({})).await.expect("list");
    assert_eq!(listed["ProcessingJobSummaries"].as_array().map(Vec::len), Some(1));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn schedules_are_changed_listed_deleted_and_refused() {
    let lab = Lab::start().await;
    let input = job("x", json!({}));
    for name in ["b", "a"] {
        call(&lab, Method::POST, &format!("/schedules/{name}"), schedule("cron(0 * ? * * *)", &input)).await;
    }
    let mut off = schedule("cron(0 6 ? * * *)", &input);
    off["State"] = json!("DISABLED");
    assert_eq!(call(&lab, Method::PUT, "/schedules/a", off).await.status, 200);
    let listed = call(&lab, Method::GET, "/schedules?MaxResults=1", Value::Null).await.json();
    assert_eq!(emulator::faults("scheduler", "ListSchedules", &listed), Vec::<String>::new());
    assert_eq!((&listed["Schedules"][0]["Name"], &listed["Schedules"][0]["State"]), (&json!("a"), &json!("DISABLED")));
    let token = listed["NextToken"].as_str().expect("token").replace('/', "%2F");
    let rest = call(&lab, Method::GET, &format!("/schedules?NextToken={token}"), Value::Null).await.json();
    assert_eq!(rest["Schedules"][0]["Name"], "b");

    for (method, path, body, status, kind) in [
        (Method::POST, "/schedules/a", schedule("rate(1 hour)", &input), 409, "ConflictException"),
        (Method::POST, "/schedules/c", schedule("hourly", &input), 400, "ValidationException"),
        (Method::POST, "/schedules/c?", json!({}), 400, "ValidationException"),
        (Method::PUT, "/schedules/c", schedule("rate(1 hour)", &input), 404, "ResourceNotFoundException"),
        (Method::GET, "/schedules/c", Value::Null, 404, "ResourceNotFoundException"),
    ] {
        let answer = call(&lab, method.clone(), path, body).await;
        assert_eq!(
            (answer.status.as_u16(), answer.headers["x-amzn-errortype"].to_str().expect("kind")),
            (status, kind),
            "{method} {path}"
        );
    }
    assert_eq!(call(&lab, Method::DELETE, "/schedules/a", Value::Null).await.status, 200);
    assert_eq!(call(&lab, Method::GET, "/schedules/a", Value::Null).await.status, 404);
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_goes_by_the_clock_it_is_given() {
    // The hour before Europe's clocks go forward, and what the schedule says is said in that zone.
    let at = |text: &str| text.parse::<jiff::Timestamp>().expect("time");
    let clock = emulator::Clock::stopped_at(at("2026-03-29T00:05:00Z"));
    let folder = tempfile::tempdir().expect("temporary folder");
    let timing = || emulator::Timing { clock: clock.clone(), ..crate::lab::timing() };
    let settings = crate::lab::settings(&folder);
    let lab = Lab::start_as(folder, settings, timing()).await;
    lab.put("in/a", "x").await;
    let input = job("run-<aws.scheduler.execution-id>", json!({"AT": "<aws.scheduler.scheduled-time>"}));
    let mut hourly = schedule("cron(10 * * * ? *)", &input);
    hourly["ScheduleExpressionTimezone"] = json!("Europe/Berlin");
    assert_eq!(call(&lab, Method::POST, "/schedules/hourly", hourly).await.status, 200);
    // Times that its jobs were given, in order.
    async fn asked(lab: &Lab, wanted: usize) -> Vec<String> {
        let enough = |l: &Value| l["ProcessingJobSummaries"].as_array().is_some_and(|all| all.len() >= wanted);
        let listed = lab.until("ListProcessingJobs", json!({"MaxResults": 100}), enough).await;
        let mut times = Vec::new();
        for job in listed["ProcessingJobSummaries"].as_array().expect("jobs") {
            let name = json!({"ProcessingJobName": job["ProcessingJobName"]});
            let job = lab.until("DescribeProcessingJob", name, over).await;
            times.push(job["Environment"]["AT"].as_str().expect("time")[11..16].to_owned());
        }
        times.sort_unstable();
        times
    }
    for (now, wanted) in [("00:10:00", vec!["00:10"]), ("01:10:00", vec!["00:10", "01:10"])] {
        clock.set(at(&format!("2026-03-29T{now}Z")));
        assert_eq!(asked(&lab, wanted.len()).await, wanted, "{now}");
    }
    // No emulator ran at 02:10: nothing is made up for. The ledger of windows is what catches up.
    lab.emulator.shutdown().await;
    clock.set(at("2026-03-29T02:30:00Z"));
    let settings = crate::lab::settings(&lab.folder);
    let lab = Lab::start_as(lab.folder, settings, timing()).await;
    clock.set(at("2026-03-29T03:10:00Z"));
    assert_eq!(asked(&lab, 3).await, ["00:10", "01:10", "03:10"]);
    lab.emulator.shutdown().await;
}
