//! Every format in, every format out, and the explanation.

use crate::fixture::{KINDS, Kind, app, artifact, post, request, send};
use axum::http::StatusCode;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Value, json};
use serve::Limits;

const INPUTS: [&str; 6] = ["object", "instances", "array", "jsonlines", "csv", "csv with a header"];
const ACCEPTS: [&str; 5] = ["", "application/json", "application/jsonlines", "application/x-jsonlines", "text/csv"];

/// The texts as a body of that form, with its content type.
fn body(input: &str, texts: &[String]) -> (&'static str, String) {
    let csv = |first: &[&str]| {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        for text in first.iter().copied().chain(texts.iter().map(String::as_str)) {
            writer.write_record([text]).unwrap();
        }
        String::from_utf8(writer.into_inner().unwrap()).unwrap()
    };
    // Every other one as an object: both may stand in one list.
    let mixed = || -> Vec<Value> {
        let each = texts.iter().enumerate();
        each.map(|(i, text)| if i % 2 == 0 { json!(text) } else { json!({"id": i, "text": text}) }).collect()
    };
    match input {
        "object" => ("application/json", json!({"text": texts[0]}).to_string()),
        "instances" => ("application/json; charset=utf-8", json!({"instances": mixed()}).to_string()),
        "array" => ("application/json", json!(mixed()).to_string()),
        "jsonlines" => ("application/jsonlines", mixed().iter().map(|line| format!("{line}\n")).collect()),
        "csv" => ("text/csv", csv(&[])),
        "csv with a header" => ("text/csv; header=present", csv(&["review_text"])),
        // The one line end that is not part of the document.
        "text" => ("text/plain", format!("{}\n", texts[0])),
        other => unreachable!("{other}"),
    }
}

#[tokio::test]
async fn a_threshold_moves_the_line_and_nothing_else() {
    let texts = vec!["good".to_owned(), "bad".to_owned(), "good bad".to_owned(), "unknown".to_owned()];
    let plain = artifact(Kind::Two);
    let (kind, sent) = body("instances", &texts);
    for from in [0.01, 0.3, 0.5, 0.9, 0.99] {
        let app = serve::App::new(Limits::default()).thresholded(Some(from.to_string().parse().unwrap()));
        app.install(artifact(Kind::Two));
        let app = std::sync::Arc::new(app);
        let answer = send(&app, post(kind, "application/json", sent.clone())).await.json();
        for (text, got) in texts.iter().zip(answer["predictions"].as_array().unwrap()) {
            let want = plain.predict(text).unwrap();
            let class = usize::from(want.probabilities[1] >= from);
            assert_eq!(got["label"], plain.classes()[class], "{text} from {from}");
            let score = got["score"].as_f64().unwrap();
            assert!((score - want.probabilities[class]).abs() < 1e-12, "{text} from {from}: {got}");
        }
    }
    for refused in ["0", "1", "-0.5", "half", "NaN"] {
        assert!(refused.parse::<serve::Threshold>().is_err(), "{refused}");
    }
}

/// Label and score of each prediction, whatever the form of the answer.
fn predictions(accept: &str, answer: &str) -> Vec<(String, f64, Option<Value>)> {
    let of_json = |prediction: &Value| {
        let label = prediction["label"].as_str().unwrap().to_owned();
        (label, prediction["score"].as_f64().unwrap(), Some(prediction["probabilities"].clone()))
    };
    match accept {
        "" | "application/json" => {
            let answer: Value = serde_json::from_str(answer).unwrap();
            answer["predictions"].as_array().unwrap().iter().map(of_json).collect()
        }
        "text/csv" => {
            let mut reader = csv::ReaderBuilder::new().has_headers(false).from_reader(answer.as_bytes());
            let records = reader.records().map(Result::unwrap);
            records.map(|record| (record[0].to_owned(), record[1].parse().unwrap(), None)).collect()
        }
        _ => answer.lines().map(|line| of_json(&serde_json::from_str(line).unwrap())).collect(),
    }
}

/// serde_json reads numbers to the last bit but one.
fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-15
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        "(wonderful|terrible|dull|schön|[a-z]{1,8})( (great|slow|film|loved|,|\"so\"|\n)){0,9}",
        "\\PC{0,30}[\\w,\"\r\n]{0,9}[a-zé😀]",
    ]
}

#[test]
fn documents_in_any_format_are_predictions_in_order() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for kind in KINDS {
        let (app, artifact) = (app(kind, Limits::default()), artifact(kind));
        let mut runner = TestRunner::new(Config { cases: 32, failure_persistence: None, ..Config::default() });
        let tried = runner.run(&prop::collection::vec(text(), 1..9), |texts| {
            for (input, accept) in INPUTS.iter().chain(&["text"]).flat_map(|i| ACCEPTS.map(|accept| (*i, accept))) {
                let asked = if matches!(input, "object" | "text") { &texts[..1] } else { &texts[..] };
                let (content_type, body) = body(input, asked);
                let reply = runtime.block_on(send(&app, post(content_type, accept, body)));
                prop_assert_eq!(reply.status, StatusCode::OK, "{} {}: {}", input, accept, reply.body);
                let answered = if accept.is_empty() { "application/json" } else { accept };
                prop_assert!(reply.header("content-type").starts_with(answered), "{} {:?}", accept, reply.headers);
                let found = predictions(accept, &reply.body);
                prop_assert_eq!(found.len(), asked.len(), "{} {}: {}", input, accept, reply.body);
                for (text, (label, score, probabilities)) in asked.iter().zip(found) {
                    let want = artifact.predict(text).unwrap();
                    prop_assert_eq!(&label, &artifact.classes()[want.class], "{} {}: {:?}", input, accept, text);
                    prop_assert!(close(score, want.score()), "{} {}: {:?}", input, accept, text);
                    let Some(probabilities) = probabilities else { continue };
                    prop_assert_eq!(probabilities.as_object().unwrap().len(), artifact.classes().len());
                    for (class, want) in artifact.classes().iter().zip(&want.probabilities) {
                        prop_assert!(close(probabilities[class].as_f64().unwrap(), *want), "{}: {:?}", class, text);
                    }
                }
            }
            Ok(())
        });
        tried.unwrap_or_else(|error| panic!("{kind:?}: {error}"));
    }
}

#[tokio::test]
async fn large_bodies_are_answered_the_same() {
    let app = app(Kind::Two, Limits::default());
    let texts: Vec<String> = (0..2000).map(|i| format!("a {} film {i}", ["great", "dull"][i % 2])).collect();
    let (content_type, body) = body("array", &texts);
    assert!(body.len() > app.limits().inline_bytes);
    let reply = send(&app, post(content_type, "text/csv", body)).await;
    assert_eq!(reply.header("content-type"), "text/csv; charset=utf-8");
    let labels: Vec<_> = predictions("text/csv", &reply.body).into_iter().map(|(label, ..)| label).collect();
    assert_eq!(labels, ["1", "0"].repeat(1000));
}

/// What is not ASCII before the terms shows which unit their places have.
const GREAT_BUT_DULL: &str = "😀 É! GREAT, but dull";

#[tokio::test]
async fn an_explanation_sums_to_the_score() {
    for kind in [Kind::Two, Kind::Three] {
        let app = app(kind, Limits::default());
        let query = request("POST", "/invocations?explain=1000", &[("content-type", "text/plain")], GREAT_BUT_DULL);
        let attribute = request(
            "POST",
            "/invocations",
            &[
                ("content-type", "text/plain"),
                ("accept", "application/jsonlines"),
                ("x-amzn-sagemaker-custom-attributes", "trace=1;explain=1000"),
            ],
            GREAT_BUT_DULL,
        );
        let first = send(&app, query).await.json()["predictions"][0].clone();
        assert_eq!(first, send(&app, attribute).await.json(), "{kind:?}");
        let explanation = &first["explanation"];
        let mut sum = explanation["intercept"].as_f64().unwrap();
        let terms = explanation["terms"].as_array().unwrap();
        assert!(terms.iter().any(|term| term["term"] == "great"), "{kind:?}: {explanation}");
        for term in terms {
            let product = term["value"].as_f64().unwrap() * term["weight"].as_f64().unwrap();
            assert!((term["contribution"].as_f64().unwrap() - product).abs() < 1e-12, "{kind:?}: {term}");
            sum += product;
        }
        for term in terms {
            let spans = term["spans"].as_array().unwrap();
            assert_eq!(spans.len() as u64, term["count"].as_u64().unwrap(), "{kind:?}: {term}");
            let place = |at: &Value| at.as_u64().unwrap() as usize;
            let (start, end) = (place(&spans[0][0]), place(&spans[0][1]));
            let part: String = GREAT_BUT_DULL.chars().skip(start).take(end - start).collect();
            assert_eq!(part.to_lowercase().replace(", ", " "), term["term"].as_str().unwrap(), "{kind:?}: {term}");
        }
        let total = explanation["total"].as_f64().unwrap();
        assert!((sum - total).abs() < 1e-9, "{kind:?}: {sum} instead of {total}");
        if kind == Kind::Two {
            let second_class = 1.0 / (1.0 + (-total).exp());
            assert!((first["probabilities"]["1"].as_f64().unwrap() - second_class).abs() < 1e-9, "{first}");
        }

        let k = request("POST", "/invocations?explain=1", &[("content-type", "text/plain")], GREAT_BUT_DULL);
        let strongest = send(&app, k).await.json()["predictions"][0]["explanation"].clone();
        assert_eq!(strongest["terms"], json!([terms[0]]), "{kind:?}");
        let parts = ["intercept", "rest"].iter().map(|part| strongest[*part].as_f64().unwrap()).sum::<f64>();
        let sum = parts + terms[0]["contribution"].as_f64().unwrap();
        assert!((sum - total).abs() < 1e-9, "{kind:?}: {sum} instead of {total}");
    }
}
