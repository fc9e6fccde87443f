//! How often windows raise a violation, and how near the accuracy without labels comes: `bench/monitoring/run` calls it.
//!
//! `window_study ML_ROOT NAME WINDOWS SIZES TEXTS.csv`: over an ml-root that has a model and a baseline, draws windows of
//! each of the sizes (`100,500`) from the labelled texts without replacement, runs the monitor over each as a job, with
//! ground truth, and prints one line a size.

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};

use model::{Artifact, SplitMix64};
use report::DriftReport;
use serde_json::json;

const CAPTURE: &str = r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}"#;

struct Row {
    text: String,
    label: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [root, name, windows, sizes, texts] = arguments.as_slice() else {
        return Err("usage: window_study ML_ROOT NAME WINDOWS SIZES TEXTS.csv".into());
    };
    let root = PathBuf::from(root);
    let artifact = Artifact::open(&root.join("processing/model"))?;
    let rows: Vec<Row> = csv::Reader::from_path(texts)?
        .records()
        .map(|record| record.map(|r| Row { text: r[0].into(), label: r[1].into() }))
        .collect::<Result<_, _>>()?;
    for size in sizes.split(',') {
        let size: usize = size.parse()?;
        if size > rows.len() {
            continue;
        }
        let mut study = Study::default();
        for window in 0..windows.parse()? {
            let mut order: Vec<&Row> = rows.iter().collect();
            SplitMix64::new(size as u64, window).draw(&mut order, size);
            study.add(&watch(&root, &artifact, &order[..size])?);
        }
        study.print(name, size);
    }
    Ok(())
}

/// One job over one window.
fn watch(root: &Path, artifact: &Artifact, rows: &[&Row]) -> Result<DriftReport, Box<dyn Error>> {
    let (mut captures, mut truth) = (String::new(), String::new());
    for (number, row) in rows.iter().enumerate() {
        let prediction = artifact.predict(&row.text)?;
        let answer = json!({"predictions": [{
            "label": artifact.classes()[prediction.class], "score": prediction.score(),
        }]});
        let half = |data: String| json!({"observedContentType": "application/json", "data": data, "encoding": "JSON"});
        let metadata = json!({"eventId": number.to_string(), "inferenceTime": "2026-01-19T19:00:00Z"});
        let halves = json!({
            "endpointInput": half(json!({"text": row.text}).to_string()),
            "endpointOutput": half(answer.to_string()),
        });
        captures += &(json!({"captureData": halves, "eventMetadata": metadata}).to_string() + "\n");
        let label = json!({"groundTruthData": {"data": row.label, "encoding": "CSV"}, "eventMetadata": metadata});
        truth += &(label.to_string() + "\n");
    }
    for (folder, lines) in [("capture", captures), ("truth", truth)] {
        let folder = root.join("processing/input").join(folder);
        std::fs::create_dir_all(&folder)?;
        std::fs::write(folder.join("window.jsonl"), lines)?;
    }
    let variable = |name: &str| match name {
        "dataset_format" => Some(CAPTURE.to_string()),
        "dataset_source" => Some("/opt/ml/processing/input/capture".into()),
        "ground_truth_source" => Some("/opt/ml/processing/input/truth".into()),
        _ => None,
    };
    let job = monitor::settings::job(root, &variable, jiff::Timestamp::now())?;
    let monitor::settings::Job::Watch(job) = job else { return Err("the job is no watch".into()) };
    Ok(monitor::watch::run(&job, root, jiff::Timestamp::now(), &monitor::ledger::Ledger::default())?)
}

#[derive(Default)]
struct Study {
    windows: f64,
    alarms: f64,
    features: BTreeMap<String, u64>,
    truth: f64,
    estimate: f64,
    inside: f64,
    held_out: f64,
    confidence: f64,
    mix: f64,
    doubted: f64,
}

impl Study {
    fn add(&mut self, report: &DriftReport) {
        self.windows += 1.0;
        // The measured accuracy knows the labels; what is asked here is what can be seen without them.
        let labelled = |feature: &str| {
            feature == "accuracy" && report.checks.iter().any(|c| c.statistic == "measured_loss" && c.violated)
        };
        let mut seen: Vec<&str> =
            report.violations.iter().map(|v| v.feature_name.as_str()).filter(|feature| !labelled(feature)).collect();
        seen.dedup();
        self.alarms += f64::from(u8::from(!seen.is_empty()));
        seen.iter().for_each(|feature| *self.features.entry(feature.to_string()).or_default() += 1);
        if let (Some(estimate), Some(measured)) = (&report.accuracy, &report.measured) {
            self.truth += measured.all.accuracy;
            self.estimate += estimate.accuracy;
            self.confidence += estimate.by_confidence;
            self.mix += estimate.by_mix;
            self.held_out += estimate.baseline;
            let (low, high) = estimate.interval;
            self.inside += f64::from(u8::from((low..=high).contains(&measured.all.accuracy)));
            self.doubted += f64::from(u8::from(estimate.unreliable.is_some()));
        }
    }

    fn print(&self, name: &str, size: usize) {
        let mean = |sum: f64| 100.0 * sum / self.windows;
        let features: Vec<String> =
            self.features.iter().map(|(f, n)| format!("{f} {:.0} %", mean(*n as f64))).collect();
        println!(
            "| {name} | {size} | {} | {:.1} % | {:.1} | {:.1} | {:.1} | {:.1} | {:.1} | {:.0} % | {:.0} % | {} |",
            self.windows,
            mean(self.alarms),
            mean(self.truth),
            mean(self.held_out),
            mean(self.estimate),
            mean(self.confidence),
            mean(self.mix),
            mean(self.inside),
            mean(self.doubted),
            features.join(", ")
        );
    }
}
