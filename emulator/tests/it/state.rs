//! What outlives a process, and who may have it.

use std::{net::TcpListener, path::Path, time::Duration};

use emulator::{Connection, Runtime, StartError, connect, start};
use http::StatusCode;
use serde_json::{Value, json};

use crate::{
    lab::{Http, Lab, settings},
    processing::{job, over},
};

/// The pids that the state says are alive.
fn children(state: &Path) -> Vec<i32> {
    let entries = std::fs::read_dir(state.join("processes")).expect("processes");
    entries.filter_map(|e| e.ok()?.path().file_stem()?.to_str()?.parse().ok()).collect()
}

fn lives(pid: i32) -> bool {
    nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), None).is_ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_answers_again_after_a_restart() {
    let lab = Lab::start().await;
    lab.model("m", json!({"START_MS": "100"})).await;
    lab.config("c", "m", json!({})).await;
    lab.endpoint("live", "c").await;
    let pids = children(&lab.folder.path().join("state"));
    assert_eq!(pids.len(), 1);
    let lab = lab.restart().await;
    assert!(!lives(pids[0]), "no process outlives its emulator");
    let answer = lab.invoke("live", &[], "x").await;
    assert_eq!(
        answer.status,
        StatusCode::OK,
        "a request to an endpoint that is coming up waits for it: {}",
        answer.text()
    );
    let endpoint = lab.call("DescribeEndpoint", json!({"EndpointName": "live"})).await.expect("describe");
    assert_eq!((&endpoint["EndpointStatus"], &endpoint["EndpointConfigName"]), (&json!("InService"), &json!("c")));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_ran_when_the_emulator_ended_has_failed() {
    let lab = Lab::start().await;
    lab.put("in/a", "x").await;
    lab.call("CreateProcessingJob", job("slow", json!({"SLEEP_MS": "60000", "IGNORE_TERM": "1"})))
        .await
        .expect("create");
    let started = |job: &Value| job.get("ProcessingStartTime").is_some();
    lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "slow"}), started).await;
    let lab = lab.restart().await;
    let done = lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "slow"}), over).await;
    assert_eq!(done["FailureReason"], "InternalServerError: the emulator stopped while the job ran");
    assert_eq!(children(&lab.folder.path().join("state")), Vec::<i32>::new());
    lab.emulator.shutdown().await;
}

/// What a killed emulator leaves is put right by the next: its job is over, its child is ended.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_emulator_left_is_put_right() {
    use std::os::unix::process::CommandExt;

    let lab = Lab::start().await;
    lab.put("in/a", "x").await;
    lab.call("CreateProcessingJob", job("old", json!({}))).await.expect("create");
    lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "old"}), over).await;
    let Lab { emulator, folder, .. } = lab;
    emulator.shutdown().await;
    let state = folder.path().join("state");
    let record = state.join("sagemaker/processing-jobs/old.json");
    let mut kept: Value = serde_json::from_slice(&std::fs::read(&record).expect("record")).expect("json");
    kept["status"] = json!("InProgress");
    std::fs::write(&record, kept.to_string()).expect("write");
    let mut orphan = std::process::Command::new("sleep").arg("60").process_group(0).spawn().expect("sleep");
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", orphan.id())).expect("stat");
    let began = stat.rsplit_once(')').expect("stat").1.split_whitespace().nth(19).expect("field").to_owned();
    let entry = json!({"pid": orphan.id(), "began": began});
    std::fs::write(state.join(format!("processes/{}.json", orphan.id())), entry.to_string()).expect("write");

    let lab = Lab::start_in(folder).await;
    assert!(!orphan.wait().expect("wait").success());
    let done = lab.call("DescribeProcessingJob", json!({"ProcessingJobName": "old"})).await.expect("describe");
    assert_eq!(done["ProcessingJobStatus"], "Failed");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_on_a_state_attaches_to_the_first() {
    let lab = Lab::start().await;
    let refused = start(settings(&lab.folder)).await.err().expect("held");
    assert!(matches!(&refused, StartError::Held { pid, .. } if *pid == std::process::id()), "{refused}");
    let second = connect(settings(&lab.folder)).await.expect("attached");
    assert!(matches!(&second, Connection::Attached { pid, .. } if *pid == std::process::id()));
    assert_eq!(second.url(), lab.emulator.url());
    lab.model("m", json!({})).await;
    Http::new(second.url()).call("DescribeModel", json!({"ModelName": "m"})).await.expect("it is the same state");
    second.close().await;
    lab.call("ListModels", json!({})).await.expect("the first goes on");
    let Lab { emulator, folder, .. } = lab;
    emulator.shutdown().await;
    let third = connect(settings(&folder)).await.expect("started");
    assert!(matches!(third, Connection::Started(_)));
    third.close().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_start_that_cannot_be_says_why() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let taken = TcpListener::bind("127.0.0.1:0").expect("bind");
    let port = taken.local_addr().expect("address").port();
    let mut wanted = settings(&folder);
    wanted.port = port;
    let error = start(wanted.clone()).await.err().expect("taken").to_string();
    assert!(error.contains(&format!("127.0.0.1:{port}")), "{error}");
    wanted.port = 0;
    std::fs::create_dir_all(wanted.state.join("sagemaker/models")).expect("folder");
    std::fs::write(wanted.state.join("sagemaker/models/x.json"), "{").expect("write");
    let error = start(wanted.clone()).await.err().expect("damaged").to_string();
    assert!(error.contains("models/x.json"), "{error}");
    wanted.runtime = Runtime::Process(Vec::new());
    assert!(matches!(start(wanted).await, Err(StartError::NoContainer)));
}

#[tokio::test(flavor = "multi_thread")]
async fn shutting_down_is_quick_whatever_runs() {
    let lab = Lab::start().await;
    lab.model("deaf", json!({"IGNORE_TERM": "1"})).await;
    lab.config("c", "deaf", json!({})).await;
    lab.endpoint("live", "c").await;
    lab.put("in/a", "x").await;
    lab.call("CreateProcessingJob", job("slow", json!({"SLEEP_MS": "60000"}))).await.expect("create");
    let began = std::time::Instant::now();
    lab.emulator.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    assert_eq!(children(&lab.folder.path().join("state")), Vec::<i32>::new());
}
