//! A batch through the approved model, from files and from a prefix.

use crate::{
    cli::{Done, Project},
    sdk::s3,
};

async fn text(url: &str, uri: &str) -> String {
    let (bucket, key) = uri.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let object = s3(url).get_object().bucket(bucket).key(key).send().await.unwrap();
    String::from_utf8(object.body.collect().await.unwrap().to_vec()).unwrap()
}

fn output(done: &Done) -> String {
    done.json()["transform"]["output_uri"].as_str().unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_what_the_endpoint_would_say() {
    let project = Project::new();
    project.run(&["run"]).exit(0);
    let texts = ["excellent, I love it", "terrible, a waste of money", "great and easy to use"];
    let lines: Vec<String> =
        texts.iter().enumerate().map(|(n, t)| serde_json::json!({"id": n, "text": t}).to_string()).collect();
    project.write("batch/a.jsonl", lines.join("\n"));
    project.write("batch/b.csv", "7,\"excellent, I love it\"\n8,\"terrible, it broke\"\n");
    let emulator = project.emulator();

    let arguments = ["transform", "batch/a.jsonl", "--join", "--input-filter", "$['text']", "--json"];
    let done = project.run(&arguments).exit(0);
    assert_eq!((&done.json()["outcome"], &done.json()["transform"]["objects"]), (&"done".into(), &1.into()));
    let out = text(&emulator.url, &format!("{}a.jsonl.out", output(&done))).await;
    let rows: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let asked = project.run(&[&["invoke"], &texts[..], &["--json"]].concat()).exit(0).json();
    for (n, row) in rows.iter().enumerate() {
        assert_eq!((row["id"].as_u64(), row["text"].as_str()), (Some(n as u64), Some(texts[n])));
        assert_eq!(row["SageMakerOutput"], asked["predictions"][n], "{row}");
    }
    assert_eq!(rows.len(), 3);
    let again = project.run(&arguments).exit(0);
    assert_eq!((&again.json()["outcome"], output(&again)), (&"unchanged".into(), output(&done)));
    let record: serde_json::Value = serde_json::from_slice(&std::fs::read(project.path("run.json")).unwrap()).unwrap();
    assert_eq!(record["transform"], done.json()["transform"]);

    // What lies in the bucket, joined as columns.
    let input = format!("{}source/", output(&done));
    let (bucket, key) = input.strip_prefix("s3://").unwrap().split_once('/').unwrap();
    let rows = std::fs::read(project.path("batch/b.csv")).unwrap();
    s3(&emulator.url).put_object().bucket(bucket).key(format!("{key}b.csv")).body(rows.into()).send().await.unwrap();
    let done = project
        .run(&["transform", &input, "--join", "--input-filter", "$[1]", "--output-filter", "$[0,2]", "--json"])
        .exit(0);
    assert_eq!(text(&emulator.url, &format!("{}b.csv.out", output(&done))).await, "7,1\n8,0\n");

    project.write("batch/bad.jsonl", "{\"text\": \"fine\"}\n{\"txt\": \"odd\"}\n");
    let failed = project.run(&["transform", "batch/bad.jsonl", "--input-filter", "$.text"]).exit(1);
    assert!(failed.stderr.contains("record 2: the filter finds nothing in {\"txt\":\"odd\"}"), "{}", failed.stderr);
    for (arguments, want) in [
        (vec!["transform", "batch/gone.jsonl"], "batch/gone.jsonl: cannot be read"),
        (vec!["transform", "batch/a.jsonl", "batch/b.csv"], "is application/jsonlines and"),
        (vec!["transform", "pipeline.toml"], "is neither CSV nor JSON Lines"),
        (vec!["transform", "s3://story/nothing", "--join"], "s3://story/nothing"),
    ] {
        let refused = project.run(&arguments);
        assert!(refused.code != Some(0) && refused.stderr.contains(want), "{arguments:?}: {}", refused.stderr);
    }
    assert_eq!(emulator.stop(), Some(0));
    assert_eq!(project.processes(), Vec::<String>::new(), "the batch's container is gone");
}
