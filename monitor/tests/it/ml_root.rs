//! A folder laid out as a processing container's `/opt/ml`, and small artifacts for it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use model::{Artifact, Calibration, Dataset, Provenance, Settings, TextClassifier, fit_classifier};
use serde::de::DeserializeOwned;

/// Asks for captures.
pub const CAPTURE: &str = r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}"#;
/// Asks for a baseline.
pub const CSV: &str = r#"{"csv":{"header":true}}"#;

/// A labelled document.
pub type Row = (String, String);

pub struct MlRoot {
    folder: tempfile::TempDir,
}

impl MlRoot {
    /// With an artifact fitted on `train`, and that file.
    pub fn new(train: &[Row]) -> Self {
        let root = Self { folder: tempfile::tempdir().unwrap() };
        fit(train, &root.path("processing/model"));
        root.write_csv("processing/input/train/train.csv", train);
        root
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    pub fn write(&self, below: &str, content: impl AsRef<[u8]>) {
        let path = self.path(below);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub fn write_csv(&self, below: &str, rows: &[Row]) {
        let mut table = csv::Writer::from_writer(Vec::new());
        table.write_record(["review_text", "sentiment"]).unwrap();
        rows.iter().for_each(|(text, label)| table.write_record([text, label]).unwrap());
        self.write(below, table.into_inner().unwrap());
    }

    /// Captures of `texts` as the artifact answers them, one request each, a minute apart from 19:00 on.
    pub fn write_captures(&self, texts: &[&str]) {
        let artifact = Artifact::open(&self.path("processing/model")).unwrap();
        let lines: String = texts.iter().enumerate().map(|(n, text)| capture(&artifact, text, n) + "\n").collect();
        self.write("processing/input/capture/reviews/AllTraffic/2026/01/19/19/00-00-000-a.jsonl", lines);
    }

    /// The baseline job, with held-out files where there are any.
    pub fn baseline(&self) -> ExitCode {
        self.baseline_with(&[])
    }

    /// The same with more variables.
    pub fn baseline_with(&self, more: &[(&str, &str)]) -> ExitCode {
        let held_out = self.path("processing/input/test").exists();
        let mut variables = vec![
            ("dataset_format", CSV),
            ("dataset_source", "/opt/ml/processing/input/train"),
            ("output_path", "/opt/ml/processing/baseline"),
        ];
        if held_out {
            variables.push(("held_out_source", "/opt/ml/processing/input/test"));
        }
        variables.extend(more);
        self.run(&variables)
    }

    /// A run over the captures.
    pub fn watch(&self, more: &[(&str, &str)]) -> ExitCode {
        let mut variables = vec![
            ("dataset_format", CAPTURE),
            ("dataset_source", "/opt/ml/processing/input/capture"),
            ("baseline_statistics", "/opt/ml/processing/baseline/statistics.json"),
            ("baseline_constraints", "/opt/ml/processing/baseline/constraints.json"),
            ("output_path", "/opt/ml/processing/output"),
            ("sagemaker_endpoint_name", "reviews"),
        ];
        variables.extend(more);
        self.run(&variables)
    }

    pub fn run(&self, variables: &[(&str, &str)]) -> ExitCode {
        // The last one of a name holds.
        let variable = |name: &str| variables.iter().rev().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        monitor::cli::run(self.folder.path(), &variable)
    }

    pub fn message(&self) -> String {
        std::fs::read_to_string(self.path("output/message")).unwrap()
    }

    pub fn json<T: DeserializeOwned>(&self, below: &str) -> T {
        serde_json::from_slice(&std::fs::read(self.path(below)).unwrap()).unwrap()
    }

    pub fn report(&self) -> report::DriftReport {
        self.json("processing/output/drift.json")
    }
}

pub fn fit(train: &[Row], folder: &Path) {
    let settings = Settings::default();
    let texts: Vec<&str> = train.iter().map(|(text, _)| text.as_str()).collect();
    let mut classes: Vec<String> = train.iter().map(|(_, label)| label.clone()).collect();
    classes.sort_unstable();
    classes.dedup();
    let targets: Vec<usize> =
        train.iter().map(|(_, label)| classes.iter().position(|class| class == label).unwrap()).collect();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, classes.len()).unwrap();
    let fitted = fit_classifier(&settings, &Dataset::new(records, targets.into()), classes.len(), None).unwrap();
    let (classifier, calibration) = (fitted.classifier, Calibration::None);
    let classifier = TextClassifier { featurizer, classifier, calibration, classes };
    std::fs::create_dir_all(folder.parent().unwrap()).unwrap();
    classifier.save(folder, &Provenance::default()).unwrap();
}

/// One captured request, `number` minutes after 19:00.
pub fn capture(artifact: &Artifact, text: &str, number: usize) -> String {
    let prediction = artifact.predict(text).unwrap();
    let probabilities: BTreeMap<&String, f64> =
        artifact.classes().iter().zip(prediction.probabilities.iter().copied()).collect();
    let label = &artifact.classes()[prediction.class];
    let answer = serde_json::json!({
        "predictions": [{"label": label, "score": prediction.score(), "probabilities": probabilities}]
    });
    let half = |mode: &str, data: String| serde_json::json!({"observedContentType": "application/json", "mode": mode, "data": data, "encoding": "JSON"});
    let time = format!("2026-01-19T{:02}:{:02}:00Z", 19 + number / 60 % 5, number % 60);
    serde_json::json!({
        "captureData": {
            "endpointInput": half("INPUT", serde_json::json!({"text": text}).to_string()),
            "endpointOutput": half("OUTPUT", answer.to_string()),
        },
        "eventMetadata": {"eventId": format!("event-{number}"), "inferenceTime": time},
        "eventVersion": "0",
    })
    .to_string()
}
