//! What is damaged is never computed with, whether it is verified before it is served or after.

use crate::fixture::{post, send};
use axum::http::StatusCode;
use model::{Calibration, Provenance, Settings, TextClassifier, fit_classifier};
use serve::opening::open;
use serve::{App, Limits};
use std::path::Path;
use std::sync::Arc;
use tempfile::TempDir;

fn text(document: usize) -> String {
    (0..1000).map(|word| format!("w{document}x{word} ")).collect()
}

/// An artifact of several blocks, the last byte of whose numbers was changed.
fn damaged() -> TempDir {
    let texts: Vec<String> = (0..20).map(text).collect();
    let targets: Vec<usize> = (0..20).map(|document| document % 2).collect();
    let settings = Settings::default();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, 2).unwrap();
    let dataset = model::Dataset::new(records, targets.into());
    let classifier = fit_classifier(&settings, &dataset, 2, None).unwrap().classifier;
    let classes = vec!["0".into(), "1".into()];
    let fitted = TextClassifier { featurizer, classifier, calibration: Calibration::None, classes };
    let dir = tempfile::tempdir().unwrap();
    fitted.save(dir.path(), &Provenance::default()).unwrap();
    let weights = dir.path().join("tensors.safetensors");
    let mut bytes = std::fs::read(&weights).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    std::fs::write(&weights, bytes).unwrap();
    dir
}

fn opened(dir: &Path, verified_first_bytes: u64) -> (Arc<App>, bool, String) {
    let (app, mut told) = (Arc::new(App::new(Limits::default())), false);
    let error = open(&app, dir, verified_first_bytes, |_| told = true).unwrap_err();
    (app, told, error.to_string())
}

#[tokio::test]
async fn a_damaged_artifact_is_refused_before_or_while_it_is_served() {
    let dir = damaged();
    for (verified_first_bytes, served) in [(u64::MAX, false), (0, true)] {
        let (app, told, error) = opened(dir.path(), verified_first_bytes);
        assert!(error.contains("their checksum is another"), "{error}");
        assert_eq!((told, app.served().is_ok()), (served, served), "{verified_first_bytes}");
    }
    // The time between the start and the end of verifying, for as long as this test likes.
    let (app, ..) = opened(dir.path(), 0);
    let mut refused = 0;
    for document in 0..20 {
        // A word's numbers stand before the pairs', in blocks that are whole.
        let reply = send(&app, post("text/plain", "", format!("w{document}x7"))).await;
        assert_eq!(reply.status, StatusCode::OK, "{reply:?}");
        let reply = send(&app, post("text/plain", "", text(document))).await;
        if reply.status != StatusCode::OK {
            assert!(reply.error().contains("their checksum is another"), "{reply:?}");
            refused += 1;
        }
    }
    assert!(refused > 0);
    app.fail("it is damaged".into());
    let reply = send(&app, post("text/plain", "", "w0x0")).await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(reply.error().contains("it is damaged"), "{reply:?}");
}
