//! Interrupted anywhere: the orchestrator is killed after a call, or a call goes wrong; the next run ends where an
//! undisturbed one ends, with the same resources, each made once.
//!
//! By default at the calls that make something, each in one way; every call of the loop in every way with `--ignored`, but
//! for the fifth and later times that the same poll is repeated:
//!
//! ```sh
//! cargo test -p orchestrator --test it matrix:: -- --ignored --nocapture --test-threads 1
//! ```

use std::{
    collections::BTreeMap,
    io::{Read as _, Write as _},
    net::TcpStream,
    process::{Child, Stdio},
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread::sleep,
    time::Duration,
};

use serde_json::{Value, json};

use crate::{
    cli::{Done, Emulator, Project, done, reviews, signal},
    sdk,
};

/// One disturbance of one run.
#[derive(Clone, Debug)]
struct Cell {
    /// Kills the orchestrator where the answer hangs; else lets it run to its end.
    kill: bool,
    /// The rule in the emulator.
    rule: Value,
}

/// What came of it.
#[derive(Debug, PartialEq, Eq)]
enum Came {
    /// The disturbed run ended well by itself.
    Through,
    /// It said why it could not, with exit code 1.
    Failed(String),
    /// It was killed.
    Killed,
    /// The call was not reached: polls are not always as many.
    NotReached,
}

/// Asks the emulator's `/_faults`.
pub fn faults(emulator: &Emulator, method: &str, body: &Value) -> Value {
    let address = emulator.url.trim_start_matches("http://");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{method} /_faults HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// A small project; the loop over it makes about a hundred calls.
fn project() -> Project {
    let project = Project::new();
    project.write("data/test.csv", reviews(6, 40));
    project.write("pipeline.toml", "project = \"story\"\n[gate]\naccuracy = 0.5\n");
    project
}

/// Everything that is there at the end, without what differs from run to run.
fn left(project: &Project, emulator: &Emulator) -> Value {
    let mut found = tokio::runtime::Runtime::new().unwrap().block_on(resources(&emulator.url));
    let record = std::fs::read(project.path("run.json")).unwrap();
    let record: Value = serde_json::from_slice(&record).unwrap_or_else(|e| panic!("run.json: {e}"));
    for part in [
        "/data/digest",
        "/training/job",
        "/evaluation/job",
        "/evaluation/passed",
        "/model_package/arn",
        "/approval/package",
        "/deployment/config",
        "/deployment/endpoint",
        "/traffic/endpoint",
        "/monitoring/schedule",
        "/monitoring/baseline_uri",
    ] {
        found[part] = record.pointer(part).cloned().unwrap_or_default();
    }
    let beside = project.listing().into_keys().filter(|path| path.extension().is_some_and(|end| end == "partial"));
    found["partial files"] = beside.map(|path| path.display().to_string()).collect();
    found
}

/// The resources of the account, by name and state.
async fn resources(url: &str) -> Value {
    let sagemaker = aws_sdk_sagemaker::Client::new(&sdk::config(url));
    let jobs = sagemaker.list_training_jobs().send().await.unwrap();
    let training = jobs
        .training_job_summaries()
        .iter()
        .map(|job| format!("{} {}", job.training_job_name().unwrap(), job.training_job_status().unwrap().as_str()));
    let jobs = sagemaker.list_processing_jobs().max_results(100).send().await.unwrap();
    let processing = jobs
        .processing_job_summaries()
        .iter()
        .map(|job| format!("{} {}", job.processing_job_name().unwrap(), job.processing_job_status().unwrap().as_str()));
    let models = sagemaker.list_models().send().await.unwrap();
    let models = models.models().iter().map(|model| model.model_name().unwrap());
    let configs = sagemaker.list_endpoint_configs().send().await.unwrap();
    let configs = configs.endpoint_configs().iter().map(|config| config.endpoint_config_name().unwrap());
    let endpoint = sagemaker.describe_endpoint().endpoint_name("story").send().await.unwrap();
    let endpoint = (endpoint.endpoint_status().unwrap().as_str(), endpoint.endpoint_config_name().unwrap());
    let packages = sagemaker.list_model_packages().model_package_group_name("story").send().await.unwrap();
    let packages = packages.model_package_summary_list().iter().map(|package| {
        format!("{} {}", package.model_package_arn().unwrap(), package.model_approval_status().unwrap().as_str())
    });
    let schedules = aws_sdk_scheduler::Client::new(&sdk::config(url)).list_schedules().send().await.unwrap();
    let schedules = schedules.schedules().iter().map(|schedule| schedule.name().unwrap());
    let objects = sdk::s3(url).list_objects_v2().bucket("story-000000000000-us-east-1").send().await.unwrap();
    let objects = objects.contents().iter().map(|object| object.key().unwrap());
    // Each look at the traffic is a job of its own, and captures come as requests come.
    let of_traffic = |name: &str| name.contains("-watch-") || name.starts_with("capture/");
    json!({
        "training jobs": training.collect::<Vec<_>>(),
        "processing jobs": processing.filter(|name| !of_traffic(name)).collect::<Vec<_>>(),
        "models": models.collect::<Vec<_>>(),
        "endpoint configs": configs.collect::<Vec<_>>(),
        "endpoint": endpoint,
        "packages": packages.collect::<Vec<_>>(),
        "schedules": schedules.collect::<Vec<_>>(),
        "objects": objects.filter(|key| !of_traffic(key)).collect::<Vec<_>>(),
    })
}

/// What an undisturbed run leaves, and the operations that it calls, in order.
fn undisturbed() -> &'static (Value, Vec<String>) {
    static LEFT: OnceLock<(Value, Vec<String>)> = OnceLock::new();
    LEFT.get_or_init(|| {
        let project = project();
        let record = project.path("calls.jsonl");
        let emulator = project.emulator_with(|command| {
            command.env("SAGEBRUSH_RECORD", &record);
        });
        project.run(&["run"]).exit(0);
        let calls = std::fs::read_to_string(&record).unwrap();
        let operation =
            |line: &str| serde_json::from_str::<Value>(line).unwrap()["operation"].as_str().unwrap().to_owned();
        let calls: Vec<String> = calls.lines().map(operation).collect();
        let left = left(&project, &emulator);
        assert_eq!(left["training jobs"].as_array().unwrap().len(), 1, "{left:#}");
        assert_eq!(left["endpoint configs"].as_array().unwrap().len(), 1, "{left:#}");
        (left, calls)
    })
}

/// Runs the loop with the disturbance, then without.
fn disturbed(cell: &Cell) -> Result<Came, String> {
    let project = project();
    let emulator = project.emulator();
    faults(&emulator, "POST", &cell.rule);
    let child = project.command(&["run"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let came = if cell.kill { kill_at_hang(child, &emulator) } else { end(child, &emulator) };
    faults(&emulator, "DELETE", &Value::Null);
    if let Came::Failed(said) = &came
        && !said.contains("error: ")
    {
        return Err(format!("{cell:?}: ended without a word: {said}"));
    }
    let Done { code, stderr, .. } = project.run(&["run"]);
    if code != Some(0) {
        return Err(format!("{cell:?} {came:?}: the next run ends with {code:?}: {stderr}"));
    }
    let (found, (wanted, _)) = (left(&project, &emulator), undisturbed());
    if found != *wanted {
        let other = wanted.as_object().unwrap().iter().filter(|(part, what)| found[part.as_str()] != **what);
        let other: Vec<_> =
            other.map(|(part, what)| format!("{part}: {} instead of {what}", found[part.as_str()])).collect();
        return Err(format!("{cell:?} {came:?}:\n  {}", other.join("\n  ")));
    }
    Ok(came)
}

fn fired(emulator: &Emulator) -> bool {
    faults(emulator, "GET", &Value::Null)["rules"][0]["fired"] != 0
}

fn kill_at_hang(mut child: Child, emulator: &Emulator) -> Came {
    loop {
        if fired(emulator) {
            signal(child.id(), "KILL");
            child.wait().unwrap();
            return Came::Killed;
        }
        if child.try_wait().unwrap().is_some() {
            return end(child, emulator);
        }
        sleep(Duration::from_millis(5));
    }
}

fn end(child: Child, emulator: &Emulator) -> Came {
    let Done { code, stderr, .. } = done(&["run"], child.wait_with_output().unwrap());
    match code {
        Some(0) if !fired(emulator) => Came::NotReached,
        Some(0) => Came::Through,
        _ => Came::Failed(format!("{code:?}: {stderr}")),
    }
}

/// Every cell, two at a time; fails with all that went wrong.
fn all(name: &str, cells: &[Cell]) {
    undisturbed();
    let (next, results) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some(cell) = cells.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let result = disturbed(cell);
                    if let Err(why) = &result {
                        eprintln!("{why}");
                    }
                    results.lock().unwrap().push((cell, result));
                }
            });
        }
    });
    let results = results.into_inner().unwrap();
    let count = |wanted: fn(&Came) -> bool| results.iter().filter(|(_, r)| r.as_ref().is_ok_and(wanted)).count();
    let wrong: Vec<&String> = results.iter().filter_map(|(_, result)| result.as_ref().err()).collect();
    println!(
        "{name}: {} cells: {} killed, {} went through by themselves, {} failed with a reason, {} not reached; {} left something else",
        results.len(),
        count(|came| *came == Came::Killed),
        count(|came| *came == Came::Through),
        count(|came| matches!(came, Came::Failed(_))),
        count(|came| *came == Came::NotReached),
        wrong.len()
    );
    for (cell, result) in &results {
        if let Ok(Came::Failed(said)) = result {
            let said = said.lines().find(|line| line.contains("error: ")).unwrap_or_default();
            println!("  {} failed by itself: {said}", cell.rule);
        }
    }
    assert!(wrong.is_empty(), "{name}: {} of {} cells", wrong.len(), results.len());
}

/// Asked again and again until something has ended: how often is a matter of speed, so that the first few stand for all.
const POLLS: [&str; 6] = [
    "DescribeEndpoint",
    "DescribeLogStreams",
    "DescribeProcessingJob",
    "DescribeTrainingJob",
    "GetLogEvents",
    "InvokeEndpoint",
];
/// So many stand for all.
const FEW: usize = 4;

/// Every single call of the loop, in one way.
fn every_call(name: &str) {
    let (_, calls) = undisturbed();
    let mut times = BTreeMap::<&str, usize>::new();
    let mut cells = Vec::new();
    for operation in calls {
        let nth = times.entry(operation).or_default();
        *nth += 1;
        if *nth <= FEW || !POLLS.contains(&operation.as_str()) {
            let (kill, effect) = if name == "kill" { (true, "hang") } else { (false, name) };
            let rule = json!({ "operation": operation, "nth": *nth, "effect": effect, "delay_ms": 200 });
            cells.push(Cell { kill, rule });
        }
    }
    println!("{name}: {} calls of {} operations", calls.len(), times.len());
    all(name, &cells);
}

#[test]
fn what_is_made_is_made_once() {
    // Every call that makes something, in the way that is worst for it, and one poll in each way that is quick.
    let cells = [
        ("CreateTrainingJob", "kill"),
        ("CreateTrainingJob", "reset-after"),
        ("CreateModelPackage", "reset-after"),
        ("CreateModelPackage", "duplicate"),
        ("UpdateModelPackage", "kill"),
        ("CreateModel", "reset-after"),
        ("CreateEndpointConfig", "kill"),
        ("CreateEndpoint", "reset-after"),
        ("CreateProcessingJob", "kill"),
        ("CreateSchedule", "reset-after"),
        ("PutObject", "throttle"),
    ];
    let cells = cells.map(|(operation, effect)| {
        let (kill, effect) = if effect == "kill" { (true, "hang") } else { (false, effect) };
        Cell { kill, rule: json!({ "operation": operation, "effect": effect }) }
    });
    all("what is made", &cells);
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn killed_after_every_call() {
    every_call("kill");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_throttled() {
    every_call("throttle");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_fails() {
    every_call("internal-error");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_unavailable() {
    every_call("unavailable");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_delayed() {
    every_call("delay");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_lost_on_the_way() {
    every_call("reset-before");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_answer_lost() {
    every_call("reset-after");
}

#[test]
#[ignore = "a minute or more; see the top of this file"]
fn every_call_delivered_twice() {
    every_call("duplicate");
}
