//! Monitoring that runs by itself: settings handed to the jobs, alarms, messages, the ledger of windows, `--watch`.

use std::{
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::Stdio,
};

use serde_json::{Value, json};

use crate::{
    cli::{Emulator, Project, signal},
    sdk,
};

/// What SageMaker answers to an operation in JSON.
fn call(emulator: &Emulator, operation: &str, request: &Value) -> Value {
    let address = emulator.url.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    let body = request.to_string();
    write!(
        stream,
        "POST / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/x-amz-json-1.1\r\nX-Amz-Target: SageMaker.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200"), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// The mails that were sent to `to`, one after another.
fn mails(project: &Project, to: &str) -> Vec<String> {
    let folder = project.path(".sagebrush/outbox/email").join(to.replace('@', "%40"));
    let Ok(files) = std::fs::read_dir(folder) else { return Vec::new() };
    files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
}

const SETTINGS: &str = r#"
project = "story"
[monitor]
config = "monitor.toml"
ground_truth = "labels.jsonl"
report_link = "https://reports.example.com/{window}/report.html"
[alarms]
email = ["ops@example.com"]
"#;
/// No requests but those of the test: a deployment's own are captured too, and say the same few texts again and again.
const QUIET: &str = "project = \"story\"\n[endpoint]\nlatency_calls = 0\n";

#[test]
fn what_the_settings_say_reaches_the_job_and_what_it_finds_a_person() {
    let project = Project::new();
    project.write("pipeline.toml", SETTINGS);
    project.write("monitor.toml", "[[rules]]\nname = \"too quiet\"\nwhen = 'documents < 100'\n");
    project.write("labels.jsonl", "");
    project.run(&["run"]).exit(0);
    // The labels of what `run` sent, each the wrong one of two.
    let record: Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    let id = record["traffic"]["id"].as_str().unwrap();
    let label = |n: usize| json!({"groundTruthData": {"data": "1", "encoding": "CSV"}, "eventMetadata": {"eventId": format!("{id}{n}")}, "eventVersion": "0"});
    project.write("labels.jsonl", (0..12).map(|n| label(n).to_string() + "\n").collect::<String>());
    let before = mails(&project, "ops@example.com").len();
    let looked = project.run(&["monitor", "--json"]).exit(3);
    let done = looked.json();
    assert!(done["violations"].to_string().contains("Rule `documents < 100`"), "{done:#}");
    let page = std::fs::read_to_string(project.path(".sagebrush/reports/drift.html")).unwrap();
    assert!(page.contains("Accuracy, measured"), "labels are joined");
    assert_eq!(done["alarms"]["names"].as_array().unwrap().len(), 6, "{done:#}");
    assert_eq!(done["alarms"]["outcome"], "unchanged", "`run` made them");
    let mails = mails(&project, "ops@example.com");
    let told: Vec<&String> = mails.iter().filter(|mail| mail.contains("Subject: Drift on endpoint story")).collect();
    let job = done["monitoring"]["watch"]["job"].as_str().unwrap();
    let link = format!("https://reports.example.com/{job}/report.html");
    assert!(mails.len() > before && told.iter().any(|mail| mail.contains(&link)), "{mails:#?}");

    let destroyed = project.run(&["destroy", "--yes"]).exit(0);
    for gone in ["alarm story-errors-5xx", "alarm story-drift", "topic arn:aws:sns:us-east-1:000000000000:story-alarms"]
    {
        assert!(destroyed.stdout.contains(gone), "{gone}\n{}", destroyed.stdout);
    }
}

#[test]
fn an_address_without_labels_is_refused_before_a_job_is_started() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    project.write(
        "pipeline.toml",
        "project = \"story\"\n[monitor]\nground_truth = \"s3://story-000000000000-us-east-1/labels/\"\n",
    );
    let refused = project.run(&["monitor"]).exit(1);
    assert!(refused.stderr.contains("nothing lies there"), "{}", refused.stderr);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedules_job_does_each_window_once() {
    let project = Project::new();
    project.write("pipeline.toml", QUIET);
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let config = sdk::config(&emulator.url);
    let schedule = aws_sdk_scheduler::Client::new(&config).get_schedule().name("story-monitor").send().await.unwrap();
    let input = schedule.target().unwrap().input().unwrap().to_owned();
    // What the scheduler would do ten minutes after the next full hour, and does twice.
    let now = jiff::Timestamp::now().as_second();
    let at = jiff::Timestamp::from_second((now / 3600 + 1) * 3600 + 600).unwrap().to_string();
    let sagemaker = aws_sdk_sagemaker::Client::new(&config);
    let mut said = Vec::new();
    for execution in ["first", "second"] {
        let input =
            input.replace("<aws.scheduler.execution-id>", execution).replace("<aws.scheduler.scheduled-time>", &at);
        let request: Value = serde_json::from_str(&input).unwrap();
        call(&emulator, "CreateProcessingJob", &request);
        let name = request["ProcessingJobName"].as_str().unwrap();
        said.push(loop {
            let job = sagemaker.describe_processing_job().processing_job_name(name).send().await.unwrap();
            if job.processing_end_time().is_some() {
                break job.exit_message().unwrap_or_default().to_owned();
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        });
    }
    assert!(said[0].contains("documents look like the baseline"), "{said:?}");
    assert_eq!(said[1], "Completed: every window that has passed is done.");
    let s3 = sdk::s3(&emulator.url);
    let bucket = "story-000000000000-us-east-1";
    let listed = s3.list_objects_v2().bucket(bucket).prefix("monitoring/ledger/story/").send().await.unwrap();
    assert_eq!(listed.contents().len(), 2, "the beginning and one window");
    let reports = s3.list_objects_v2().bucket(bucket).prefix("monitoring/windows/story/").send().await.unwrap();
    assert!(reports.contents().iter().any(|o| o.key().unwrap().ends_with("00-00Z/report.html")), "{reports:?}");
    // What the job printed is a metric.
    let cloudwatch = aws_sdk_cloudwatch::Client::new(&config);
    let listed = cloudwatch.list_metrics().namespace("Sagebrush").metric_name("MonitoredWindows").send().await.unwrap();
    assert_eq!(listed.metrics().len(), 1, "{listed:?}");
    let alarms = cloudwatch.describe_alarms().alarm_name_prefix("story-").send().await.unwrap();
    let state = |name: &str| {
        let alarm = alarms.metric_alarms().iter().find(|alarm| alarm.alarm_name() == Some(name)).unwrap();
        alarm.state_value().unwrap().as_str().to_owned()
    };
    assert_eq!((state("story-drift"), state("story-monitoring-missing")), ("OK".to_owned(), "OK".to_owned()));
    assert_eq!(emulator.stop(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn watch_follows_the_windows_and_tells_of_each_once() {
    let project = Project::new();
    project.write("pipeline.toml", format!("{QUIET}[alarms]\nemail = [\"ops@example.com\"]\n"));
    project.run(&["run"]).exit(0);
    let emulator = project.emulator();
    let s3 = sdk::s3(&emulator.url);
    let bucket = "story-000000000000-us-east-1";
    let put = async |key: String, content: Value| {
        let put = s3.put_object().bucket(bucket).key(key).body(content.to_string().into_bytes().into());
        put.send().await.unwrap();
    };
    let entry = |end: &str| {
        json!({
            "format": "sagebrush.window/1", "start": "2026-01-19T19:00:00Z", "end": format!("2026-01-19T{end}:00:00Z"), "revision": 1,
            "requests": 700, "documents": 700, "violations": ["log_odds"], "verdict": "700 documents differ from the baseline: log_odds.",
            "because": "Mean log-odds of 1 −0.41, of which refund −0.12, app −0.08, late −0.05.",
            "words": [["refund", -0.12], ["app", -0.08], ["late", -0.05]],
        })
    };
    let told = || {
        let mut mails = mails(&project, "ops@example.com");
        mails.retain(|mail| mail.contains("Subject: Drift on endpoint story: 1 violation"));
        mails
    };
    // The first window's message was somebody's who was killed before it went out.
    let marker = |end: &str| format!("monitoring/announced/story/2026-01-19T{end}-00-00Z-1");
    put(marker("20"), json!({"state": "sending", "until": "2026-01-19T20:12:00Z"})).await;
    for (end, messages) in [("20", 1), ("20", 1), ("21", 2)] {
        let mut child = project.command(&["monitor", "--watch"]).stdout(Stdio::piped()).spawn().unwrap();
        put(format!("monitoring/ledger/story/2026-01-19T{end}-00-00Z.json"), entry(end)).await;
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut next = || lines.next().unwrap().unwrap();
        let drifted = format!("2026-01-19 19:00 to {end}:00  DRIFT       700 documents, violated: log_odds");
        // Those of the time before come first.
        while next() != drifted {}
        assert_eq!(next(), "  strongest words  refund -0.12, app -0.08, late -0.05");
        assert!(next().ends_with(&format!("/monitoring/windows/story/2026-01-19T{end}-00-00Z/report.html")));
        // The message follows the line, and the word that it is out the message.
        loop {
            let marker = s3.get_object().bucket(bucket).key(marker(end)).send().await;
            let marker = match marker {
                Ok(found) => found.body.collect().await.unwrap().to_vec(),
                Err(_) => Vec::new(),
            };
            if marker == br#"{"state":"sent"}"# {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        signal(child.id(), "INT");
        assert_eq!(child.wait().unwrap().code(), Some(0), "Ctrl-C is how it ends");
        assert_eq!(told().len(), messages, "{:#?}", told());
    }
    assert_eq!(emulator.stop(), Some(0));
    let told = told();
    assert!(told.iter().all(|mail| mail.contains("of which refund −0.12, app −0.08, late −0.05")), "{told:#?}");
}
