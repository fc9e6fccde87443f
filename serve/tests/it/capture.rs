//! What is captured, in SageMaker's layout and format, and what never is.

use crate::fixture::{Kind, artifact, post, request, send};
use serde_json::{Value, json};
use serve::capture::{Counted, Redaction};
use serve::{App, Capture, CaptureSettings, Limits};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

fn capturing(settings: CaptureSettings) -> Arc<App> {
    let app = App::new(Limits::default()).captured(Some(Capture::start(settings).unwrap()));
    app.install(artifact(Kind::Two));
    Arc::new(app)
}

fn stopped(app: &App) -> Counted {
    app.capture().unwrap().stop()
}

/// Every line below the folder, and the files' paths.
fn captured(dir: &Path) -> (Vec<Value>, Vec<String>) {
    let (mut lines, mut files, mut folders) = (Vec::new(), Vec::new(), vec![dir.to_path_buf()]);
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            assert!(text.ends_with('\n'));
            lines.extend(text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
            files.push(path.strip_prefix(dir).unwrap().display().to_string());
        }
    }
    (lines, files)
}

#[tokio::test]
async fn every_format_becomes_a_line_of_sagemakers() {
    let dir = tempfile::tempdir().unwrap();
    let app = capturing(CaptureSettings::new(dir.path().join("endpoint/variant")));
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all(b"a wonderful film").unwrap();
    let gz = gz.finish().unwrap();
    let long = "a wonderful film ".repeat(2000);
    let mut want = Vec::new();
    for (content_type, accept, body, input, output) in [
        ("application/json", "*/*", r#"{"text": "a wonderful film"}"#, "JSON", "JSON"),
        ("text/csv; header=absent", "text/csv", "a dull film\r\n", "CSV", "CSV"),
        ("application/jsonlines", "application/jsonlines", "\"a\"\n1\n", "BASE64", "BASE64"),
        ("text/plain", "*/*", &long, "BASE64", "JSON"),
    ] {
        let reply = send(&app, post(content_type, accept, body.to_owned())).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let encoded = |text: &str, encoding| match encoding {
            "BASE64" => base64_simd::STANDARD.encode_to_string(text),
            _ => text.to_owned(),
        };
        want.push(json!({
            "endpointInput":
                {"observedContentType": content_type, "mode": "INPUT", "data": encoded(body, input), "encoding": input},
            "endpointOutput": {
                "observedContentType": reply.header("content-type"), "mode": "OUTPUT",
                "data": encoded(&reply.body, output), "encoding": output,
            },
        }));
    }
    let headers = [
        ("content-type", "text/plain"),
        ("content-encoding", "gzip"),
        ("x-amzn-sagemaker-inference-id", "order-7"),
        ("x-amzn-sagemaker-custom-attributes", "explain=1"),
    ];
    assert_eq!(send(&app, request("POST", "/invocations", &headers, gz)).await.status, 200);
    // What is refused is no prediction to watch.
    assert_eq!(send(&app, post("application/json", "*/*", "{")).await.status, 400);
    assert_eq!(stopped(&app), Counted { written: 5, ..Counted::default() });

    let (lines, files) = captured(&dir.path().join("endpoint/variant"));
    assert_eq!(lines[..4].iter().map(|line| &line["captureData"]).collect::<Vec<_>>(), want.iter().collect::<Vec<_>>());
    let last = &lines[4];
    assert_eq!(
        last["captureData"]["endpointInput"]["data"],
        base64_simd::STANDARD.encode_to_string("a wonderful film")
    );
    let metadata = &last["eventMetadata"];
    assert_eq!((&metadata["inferenceId"], &metadata["customAttributes"]), (&json!("order-7"), &json!(["explain=1"])));
    assert_eq!((&last["eventVersion"], lines[0]["eventMetadata"].get("inferenceId")), (&json!("0"), None));
    let ids: std::collections::BTreeSet<_> =
        lines.iter().map(|line| line["eventMetadata"]["eventId"].as_str()).collect();
    assert_eq!(ids.len(), 5);
    for line in &lines {
        let time = line["eventMetadata"]["inferenceTime"].as_str().unwrap();
        assert_eq!((time.len(), &time[10..11], &time[19..]), (20, "T", "Z"), "{time}");
        // Its file is the hour's, or that of the hour that had just begun.
        let hours: Vec<String> = files.iter().map(|file| file[..13].to_owned()).collect();
        assert!(hours.contains(&time[..13].replace(['-', 'T'], "/")) || files.len() > 1, "{time} {files:?}");
    }
    assert!(files.iter().all(|file| file.ends_with(".jsonl")), "{files:?}");
}

#[tokio::test]
async fn what_is_to_be_left_out_is_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let redaction = Redaction::new("all".parse().unwrap(), Some(r"ORD-\d+".parse().unwrap()));
    let app = capturing(CaptureSettings { redaction, ..CaptureSettings::new(dir.path().into()) });
    let text = r#"a wonderful film, says jane.doe\u0040example.org of ORD-177, 4111 1111 1111 1111"#;
    let headers = |kind| {
        [
            ("content-type", kind),
            ("x-amzn-sagemaker-custom-attributes", "explain=50,from=jane.doe@example.org"),
            ("x-amzn-sagemaker-inference-id", "ORD-177"),
        ]
    };
    for (kind, body) in [
        ("application/json", format!("[\"{text}\", {{\"text\": \"{text}\", \"card\": 4111111111111111}}]")),
        ("application/jsonlines", format!("\"{text}\"\njane.doe@example.org\n")),
        ("text/csv", text.replace(r"\u0040", "@").replace(',', "")),
        ("text/plain", text.replace(r"\u0040", "@")),
    ] {
        let reply = send(&app, request("POST", "/invocations", &headers(kind), body)).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        // The client gets its explanation.
        assert!(reply.body.contains("explanation"), "{reply:?}");
    }
    assert_eq!(stopped(&app), Counted { written: 4, ..Counted::default() });
    let (lines, _) = captured(dir.path());
    assert_eq!(lines.len(), 4);
    for line in lines {
        let mut said = line.to_string();
        for side in ["endpointInput", "endpointOutput"] {
            let side = &line["captureData"][side];
            if side["encoding"] == "BASE64" {
                let bytes = base64_simd::STANDARD.decode_to_vec(side["data"].as_str().unwrap()).unwrap();
                said += &String::from_utf8(bytes).unwrap();
            }
        }
        for secret in ["jane", "doe", "177", "4111", "1111"] {
            assert!(!said.contains(secret), "{secret}: {said}");
        }
        assert!(said.contains("[e_mail]") && said.contains("[card_number]") && said.contains("[redacted]"), "{said}");
    }
}

#[tokio::test]
async fn a_folder_that_takes_nothing_costs_captures_and_no_answer() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("file"), "").unwrap();
    let app = capturing(CaptureSettings::new(dir.path().join("file/captures")));
    for _ in 0..20 {
        assert_eq!(send(&app, post("text/plain", "*/*", "a wonderful film")).await.status, 200);
    }
    assert_eq!(stopped(&app), Counted { unwritable: 20, ..Counted::default() });
}

#[tokio::test]
async fn requests_that_are_too_long_are_counted() {
    let dir = tempfile::tempdir().unwrap();
    let app = capturing(CaptureSettings { record_bytes: 1024, ..CaptureSettings::new(dir.path().into()) });
    for words in [10, 100] {
        let body = "wonderful ".repeat(words);
        assert_eq!(send(&app, post("text/plain", "*/*", body)).await.status, 200);
    }
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gz.write_all("wonderful ".repeat(1000).as_bytes()).unwrap();
    let headers = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    assert_eq!(send(&app, request("POST", "/invocations", &headers, gz.finish().unwrap())).await.status, 200);
    assert_eq!(stopped(&app), Counted { written: 1, too_long: 2, ..Counted::default() });
}
