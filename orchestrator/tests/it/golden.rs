//! A deployment that answers otherwise than the evaluation says is taken back.

use serde_json::Value;

use crate::{
    cli::{Project, reviews},
    sdk,
};

/// Changes the stored evaluation so that the model cannot repeat it, and the run record so that it is believed.
fn tamper(project: &Project) {
    let mut record: Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    let uri = record["evaluation"]["uri"].as_str().unwrap().to_owned();
    let (bucket, key) = uri.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let emulator = project.emulator();
    let changed = tokio::runtime::Runtime::new().unwrap().block_on(async {
        let s3 = sdk::s3(&emulator.url);
        let stored = s3.get_object().bucket(bucket).key(key).send().await.unwrap().body.collect().await.unwrap();
        let mut evaluation: Value = serde_json::from_slice(&stored.to_vec()).unwrap();
        let golden = &mut evaluation["golden"][0];
        golden["score"] = (golden["score"].as_f64().unwrap() - 0.01).into();
        let changed = serde_json::to_vec(&evaluation).unwrap();
        s3.put_object().bucket(bucket).key(key).body(changed.clone().into()).send().await.unwrap();
        changed
    });
    assert_eq!(emulator.stop(), Some(0));
    record["evaluation"]["sha256"] = sha256(&changed).into();
    project.write("run.json", serde_json::to_vec(&record).unwrap());
}

fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn up_to_approval(project: &Project) {
    for stage in [&["data"][..], &["train"], &["evaluate"], &["register"], &["approve", "--reason", "test"]] {
        project.run(stage).exit(0);
    }
}

#[test]
fn a_first_deployment_that_fails_its_proof_is_deleted() {
    let project = Project::new();
    up_to_approval(&project);
    tamper(&project);
    let failed = project.run(&["deploy"]).exit(1);
    assert!(failed.stderr.contains("endpoint story does not repeat golden prediction 1: score "), "{}", failed.stderr);
    assert!(failed.stderr.contains("endpoint story was deleted: it served nothing before"), "{}", failed.stderr);
    project.run(&["invoke", "hello"]).exit(1);
}

#[test]
fn a_later_one_gives_way_to_the_one_before() {
    let project = Project::new();
    let first = project.run(&["run", "--json"]).exit(0).json();
    let config = first["live"]["deployment"]["deployment"]["config"].as_str().unwrap();
    project.write("data/train.csv", reviews(30, 0));
    up_to_approval(&project);
    tamper(&project);
    let failed = project.run(&["deploy"]).exit(1);
    assert!(failed.stderr.contains(&format!("rolled back to {config}")), "{}", failed.stderr);
    assert!(project.run(&["invoke", "great"]).exit(0).stdout.starts_with("1 "));
}
