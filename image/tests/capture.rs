//! What `serve` captures by itself, `monitor` reads: the two programs share a format and no code.

use axum::body::Body;
use axum::http::Request;
use model::{Artifact, Provenance, Settings, TextClassifier, fit_classifier};
use monitor::capture::Exchange;
use monitor::settings::{Halves, Window};
use serve::{App, Capture, CaptureSettings, Limits, router};
use std::path::Path;
use std::sync::Arc;
use tower::ServiceExt;

fn artifact(folder: &Path) -> Artifact {
    let (texts, targets) = (["a wonderful film", "a great story", "a dull film", "a terrible story"], vec![1, 1, 0, 0]);
    let settings = Settings::default();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, 2).unwrap();
    let dataset = model::Dataset::new(records, targets.into());
    let classifier = fit_classifier(&settings, &dataset, 2, None).unwrap().classifier;
    let classes = vec!["0".into(), "1".into()];
    let fitted = TextClassifier { featurizer, classifier, calibration: model::Calibration::None, classes };
    fitted.save(folder, &Provenance::default()).unwrap();
    Artifact::open(folder).unwrap()
}

#[tokio::test]
async fn monitor_reads_what_serve_captures() {
    let root = tempfile::tempdir().unwrap();
    let captures = root.path().join("captures");
    let app =
        App::new(Limits::default()).captured(Some(Capture::start(CaptureSettings::new(captures.clone())).unwrap()));
    app.install(artifact(&root.path().join("model")));
    let app = Arc::new(app);
    for (content_type, accept, body) in [
        ("application/json", "application/json", r#"["a dull film", 7, {"text": "a wonderful story"}]"#),
        ("application/jsonlines", "application/jsonlines", "\"a dull film\"\n{}\n\"a wonderful story\"\n"),
        ("text/csv", "text/csv", "a dull film\n\"a wonderful story\"\r\n"),
        ("text/plain", "text/csv", "a wonderful story"),
    ] {
        let request = Request::post("/invocations")
            .header("content-type", content_type)
            .header("accept", accept)
            .header("x-amzn-sagemaker-inference-id", content_type)
            .body(Body::from(body))
            .unwrap();
        assert_eq!(router(Arc::clone(&app)).oneshot(request).await.unwrap().status(), 200, "{content_type}");
    }
    let counted = app.capture().unwrap().stop();
    assert_eq!((counted.written, counted.dropped()), (4, 0));

    let mut lanes = [Vec::<Exchange>::new()];
    let (both, always) = (Halves { input: true, output: true }, Window::default());
    let tally =
        monitor::capture::read(&captures, both, always, &mut lanes, &|lane, _, exchange| lane.push(exchange)).unwrap();
    assert_eq!((tally.requests, tally.unreadable, tally.damaged), (4, 0, 0), "{:?}", tally.first_unreadable());
    let [exchanges] = lanes;
    for exchange in &exchanges {
        let (texts, answers) = (exchange.texts.as_ref().unwrap(), exchange.answers.as_ref().unwrap());
        for (text, answer) in texts.iter().zip(answers) {
            let want = if text == "a dull film" { "0" } else { "1" };
            assert_eq!(answer.label, want, "{exchange:?}");
        }
    }
    let documents: Vec<usize> = exchanges.iter().map(|exchange| exchange.texts.as_ref().unwrap().len()).collect();
    assert_eq!(documents, [2, 2, 2, 1]);
    let ids: Vec<_> = exchanges.iter().map(|exchange| exchange.id.as_deref().unwrap()).collect();
    assert_eq!(ids, ["application/json", "application/jsonlines", "text/csv", "text/plain"]);
}
