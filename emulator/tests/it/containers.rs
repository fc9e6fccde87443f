//! Images run in containers: the test container, packed into an image, in podman.
//!
//! Where podman cannot run a container these tests are skipped and say so; with `SAGEBRUSH_REQUIRE_CONTAINERS` set they
//! fail.

use std::{
    collections::BTreeSet,
    fs::File,
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Output},
    time::Duration,
};

use emulator::{Engine, Runtime, Settings, StartError, Timing, connect, start_with};
use serde_json::{Value, json};

use crate::lab::{self, BUCKET, Lab, ROLE};

/// The test container's image, gone from podman when dropped.
struct Image(String);

impl Image {
    /// Packs the test container with the libraries that it is linked to; none where no container can be run.
    fn make() -> Option<Image> {
        let folder = tempfile::tempdir().expect("temporary folder");
        let archive = folder.path().join("root.tar");
        pack(&archive);
        let image = Image(format!("localhost/sagebrush-test-{}", uuid::Uuid::new_v4().simple()));
        let change = ["ENV PATH=/bin", "ENTRYPOINT [\"container\"]"];
        let made = podman(&["import", "--change", change[0], "--change", change[1], text(&archive), &image.0]);
        let tried = made.and_then(|_| podman(&["run", "--rm", "--network", "host", &image.0, "nothing"]));
        match tried {
            Err(said) if said.contains("unknown command") => Some(image),
            other => {
                let said = format!("podman cannot run a container: {other:?}");
                assert!(std::env::var_os("SAGEBRUSH_REQUIRE_CONTAINERS").is_none(), "{said}");
                // Not `eprintln!`, which the test harness keeps to itself where a test passes.
                let _ = writeln!(
                    std::io::stderr(),
                    "skipped: {said}; set SAGEBRUSH_REQUIRE_CONTAINERS to make this a failure"
                );
                None
            }
        }
    }

    /// The names of the containers that there are of it.
    fn containers(&self) -> BTreeSet<String> {
        self.listed(&["--all"])
    }

    /// The names of those that run.
    fn running(&self) -> BTreeSet<String> {
        self.listed(&[])
    }

    fn listed(&self, which: &[&str]) -> BTreeSet<String> {
        let ancestor = format!("ancestor={}", self.0);
        let listed = podman(&[&["ps", "--format", "{{.Names}}", "--filter", &ancestor], which].concat()).expect("ps");
        listed.lines().map(str::to_owned).collect()
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // Of an image that was never made there is nothing to remove.
        let _ = podman(&["rmi", "--force", &self.0]);
    }
}

fn podman(arguments: &[&str]) -> Result<String, String> {
    let ran = Command::new("podman").args(arguments).output();
    let Output { status, stdout, stderr } = ran.map_err(|e| e.to_string())?;
    let (out, err) = (String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    if status.success() { Ok(out.trim().to_owned()) } else { Err(format!("{}: {out}{err}", arguments[0])) }
}

/// The root of the image: the program and, below the paths they have here, its libraries.
fn pack(archive: &Path) {
    let program = lab::container();
    let mut root = tar::Builder::new(File::create(archive).expect("archive"));
    // Podman knows no sparse files.
    root.sparse(false);
    root.append_path_with_name(&program, "bin/container").expect("program");
    let linked = Command::new("ldd").arg(&program).output().expect("ldd").stdout;
    let linked = String::from_utf8(linked).expect("text");
    for library in linked.split_whitespace().filter(|word| word.starts_with('/')) {
        let file = PathBuf::from(library).canonicalize().expect(library);
        root.append_path_with_name(file, library.trim_start_matches('/')).expect(library);
    }
    root.finish().expect("archive");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a path in UTF-8")
}

fn settings(folder: &tempfile::TempDir) -> Settings {
    Settings { runtime: Runtime::Engine(Engine::Podman), ..lab::settings(folder) }
}

async fn start() -> Lab {
    let folder = tempfile::tempdir().expect("temporary folder");
    let settings = settings(&folder);
    Lab::start_as(folder, settings, timing()).await
}

/// An engine on a busy machine takes its time to start one.
fn timing() -> Timing {
    Timing { startup: Duration::from_secs(60), ..lab::timing() }
}

fn job(name: &str, image: &str, environment: Value) -> Value {
    json!({
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {"TrainingImage": image, "TrainingInputMode": "File"},
        "OutputDataConfig": {"S3OutputPath": format!("s3://{BUCKET}/jobs")},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 5},
        "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        "Environment": environment,
    })
}

async fn over(lab: &Lab, name: &str) -> Value {
    let over = |job: &Value| !["InProgress", "Stopping"].contains(&job["TrainingJobStatus"].as_str().expect("status"));
    lab.until("DescribeTrainingJob", json!({"TrainingJobName": name}), over).await
}

#[tokio::test(flavor = "multi_thread")]
async fn jobs_run_the_image_that_they_name() {
    let Some(image) = Image::make() else { return };
    let lab = start().await;
    let good = job("good", &image.0, json!({"SAY": "one line", "WORDS": "two words, and = a sign"}));
    lab.call("CreateTrainingJob", good).await.expect("create");
    let done = over(&lab, "good").await;
    assert_eq!(done["TrainingJobStatus"], "Completed", "{done:#}");
    let log = lab.log("/aws/sagemaker/TrainingJobs", "good/").await;
    assert_eq!(log[0], format!("[emulator] podman runs: {} train", image.0));
    assert!(log.contains(&"one line".to_owned()), "{log:?}");
    let archive = lab.get("jobs/good/output/model.tar.gz").await.expect("artifact");
    let seen = lab::unpacked(&archive, "seen.txt");
    for line in
        ["env TRAINING_JOB_NAME=good", "env WORDS=two words, and = a sign", "file input/config/hyperparameters.json={}"]
    {
        assert!(seen.lines().any(|seen| seen == line), "{line} in {seen}");
    }
    assert!(!seen.contains("env CARGO"), "the environment is clean: {seen}");

    let absent = job("absent", "localhost/sagebrush-test-absent", json!({}));
    let mut other = job("other", &image.0, json!({}));
    other["AlgorithmSpecification"]["ContainerEntrypoint"] = json!(["no-such-program"]);
    let told = job("told", &image.0, json!({"FAIL": "column `sentiment` is missing", "EXIT": "125"}));
    for (request, want) in [
        (absent, "ClientError: the container cannot be started: podman has no image `localhost/sagebrush-test-absent`"),
        (other, "ClientError: the container cannot be started: Error: "),
        (told, "AlgorithmError: column `sentiment` is missing, exit code: 125"),
    ] {
        let name = request["TrainingJobName"].as_str().expect("name").to_owned();
        lab.call("CreateTrainingJob", request).await.expect("create");
        let failed = over(&lab, &name).await;
        let reason = failed["FailureReason"].as_str().expect("reason");
        assert!(reason.starts_with(want), "{name}: {reason}");
    }
    assert_eq!(image.containers(), BTreeSet::new());
    lab.emulator.shutdown().await;
}

/// A container's first process ignores SIGTERM unless it says otherwise: the one that does not is killed.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_in_a_container_is_told_to_end_and_then_made_to() {
    let Some(image) = Image::make() else { return };
    let lab = start().await;
    for (name, environment) in
        [("polite", json!({"SLEEP_MS": "60000", "END_ON_TERM": "1"})), ("deaf", json!({"SLEEP_MS": "60000"}))]
    {
        lab.call("CreateTrainingJob", job(name, &image.0, environment)).await.expect("create");
        let begun = |log: Option<Vec<String>>| log.is_some_and(|log| log.iter().any(|line| line == "container: train"));
        while !begun(lab.try_log("/aws/sagemaker/TrainingJobs", name).await) {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        lab.call("StopTrainingJob", json!({"TrainingJobName": name})).await.expect("stop");
        assert_eq!(over(&lab, name).await["TrainingJobStatus"], "Stopped");
        let log = lab.log("/aws/sagemaker/TrainingJobs", name).await;
        assert_eq!(log.contains(&"told to end".to_owned()), name == "polite", "{log:?}");
    }
    assert_eq!(image.containers(), BTreeSet::new());
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_in_a_container_serves_a_model_that_it_cannot_write() {
    let Some(image) = Image::make() else { return };
    let lab = start().await;
    lab.put("models/m/name", "first").await;
    let source =
        json!({"S3Uri": format!("s3://{BUCKET}/models/m/"), "S3DataType": "S3Prefix", "CompressionType": "None"});
    let request = json!({
        "ModelName": "m", "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {
            "Image": image.0, "ModelDataSource": {"S3DataSource": source}, "Environment": {"TRY_WRITING": "1"},
        },
    });
    lab.call("CreateModel", request).await.expect("model");
    lab.config("c", "m", json!({})).await;
    let endpoint = lab.endpoint("live", "c").await;
    assert_eq!(endpoint["EndpointStatus"], "InService", "{endpoint:#}");
    assert!(lab.invoke("live", &[], "x").await.text().starts_with("first|"));
    let log = lab.log("/aws/sagemaker/Endpoints/live", "main/").await;
    assert!(log.contains(&"writable: root false, ml true, model false".to_owned()), "{log:?}");

    // It dies, and another takes its place.
    lab.invoke("live", &[], "crash").await;
    assert!(lab.invoke("live", &[], "x").await.text().starts_with("first|"));
    assert_eq!(image.containers().len(), 1);
    lab.emulator.shutdown().await;
    assert_eq!(image.containers(), BTreeSet::new(), "no container outlives its emulator");
}

/// A short command on a state that holds an endpoint closes while the endpoint's container comes up.
#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_comes_up_while_the_emulator_closes_leaves_no_container() {
    let Some(image) = Image::make() else { return };
    let lab = start().await;
    // It starts for longer than anybody waits: the emulator closes first, whenever it does.
    let request = json!({
        "ModelName": "m", "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"Image": image.0, "Environment": {"START_MS": "600000"}},
    });
    lab.call("CreateModel", request).await.expect("model");
    lab.config("c", "m", json!({})).await;
    lab.call("CreateEndpoint", json!({"EndpointName": "live", "EndpointConfigName": "c"})).await.expect("endpoint");
    let Lab { mut emulator, folder, .. } = lab;
    let entries = || std::fs::read_dir(folder.path().join("state/processes")).expect("list").count();
    // As soon as the container is written down, before there is one; then once it runs.
    let moments: [&(dyn Fn() -> bool + Sync); 2] = [&|| entries() == 1, &|| image.running().len() == 1];
    for come in moments {
        let comes = async {
            while !come() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(60), comes).await.expect("a container comes up");
        emulator.shutdown().await;
        assert_eq!((image.containers(), entries()), (BTreeSet::new(), 0));
        emulator = start_with(settings(&folder), timing()).await.expect("start");
    }
    emulator.shutdown().await;
    assert_eq!((image.containers(), entries()), (BTreeSet::new(), 0));
}

/// Nobody can end the containers of an emulator that was killed but the next emulator on its state.
#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_a_killed_emulator_left_is_removed() {
    let Some(image) = Image::make() else { return };
    let folder = tempfile::tempdir().expect("temporary folder");
    let processes = folder.path().join("state/processes");
    std::fs::create_dir_all(&processes).expect("folder");
    let name = format!("sagebrush-{}", uuid::Uuid::new_v4().simple());
    for name in [&name, "sagebrush-that-is-gone"] {
        let entry = json!({"engine": "podman", "container": name});
        std::fs::write(processes.join(format!("{name}.json")), entry.to_string()).expect("entry");
    }
    let run = ["run", "--detach", "--network", "host", "--env", "SLEEP_MS=60000", "--name", &name, &image.0, "train"];
    podman(&run).expect("run");
    assert_eq!(image.containers().len(), 1);
    // An emulator of processes knows them too.
    let lab = Lab::start_in(folder).await;
    assert_eq!(image.containers(), BTreeSet::new());
    assert_eq!(std::fs::read_dir(&processes).expect("list").count(), 0);

    let refused = connect(settings(&lab.folder)).await.err().expect("it runs images in another way");
    assert!(matches!(&refused, StartError::Differs { ours: "podman", theirs, .. } if theirs == "process"), "{refused}");
    lab.emulator.shutdown().await;
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_named() {
    if Command::new("docker").arg("version").output().is_ok_and(|ran| ran.status.success()) {
        return; // It is there.
    }
    let folder = tempfile::tempdir().expect("temporary folder");
    let wanted = Settings { runtime: Runtime::Engine(Engine::Docker), ..lab::settings(&folder) };
    let refused = start_with(wanted, lab::timing()).await.err().expect("refused").to_string();
    assert!(refused.starts_with("images cannot be run: `docker"), "{refused}");
}
