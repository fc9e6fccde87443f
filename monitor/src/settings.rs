//! What a job is to do: Model Monitor's environment variables, and ours beside them.

use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;

use crate::documents::Columns;
use crate::error::{MonitorError, Result};

/// The job, typed.
#[derive(Clone, Debug, PartialEq)]
pub enum Job {
    /// Make a baseline from labelled files.
    Baseline(BaselineJob),
    /// Hold captured traffic against a baseline.
    Watch(WatchJob),
}

/// Paths of a baseline.
#[derive(Clone, Debug, PartialEq)]
pub struct BaselineJob {
    /// Folder of the files that the artifact was trained on.
    pub dataset: PathBuf,
    /// Folder of files it has not seen, if there is one.
    pub held_out: Option<PathBuf>,
    /// Folder of captures of the first healthy days, if there is one.
    pub traffic: Option<PathBuf>,
    /// Times of the captures that count.
    pub window: Window,
    /// Folder of the artifact.
    pub model: PathBuf,
    /// Where the results go.
    pub output: PathBuf,
    /// Columns or keys of text and label.
    pub columns: Columns,
}

/// Paths and window of a run.
#[derive(Clone, Debug, PartialEq)]
pub struct WatchJob {
    /// Folder of the captures.
    pub dataset: PathBuf,
    /// Which halves of a capture are read.
    pub halves: Halves,
    /// Folder of the artifact.
    pub model: PathBuf,
    /// The baseline's `statistics.json`; the files it needs beside lie there too.
    pub statistics: PathBuf,
    /// The baseline's `constraints.json`.
    pub constraints: PathBuf,
    /// What is asked for beside, if anything: `monitor.toml`.
    pub config: Option<PathBuf>,
    /// Folder of labels that came later, if there is one.
    pub truth: Option<PathBuf>,
    /// Address of the report for people, if there is one.
    pub report_link: Option<String>,
    /// Where the results go.
    pub output: PathBuf,
    /// Times of the requests that count.
    pub window: Window,
    /// Folder of windows that are done, if there is one: the report shows them.
    pub ledger: Option<PathBuf>,
    /// Every window that is due, instead of the one above.
    pub windows: Option<Windows>,
    /// For the report and the metrics.
    pub endpoint: String,
    /// For the metrics.
    pub schedule: Option<String>,
    /// Whether metrics are written.
    pub publish_metrics: bool,
}

/// The windows of a schedule.
#[derive(Clone, Debug, PartialEq)]
pub struct Windows {
    /// Folder of what is done.
    pub ledger: PathBuf,
    /// Where entries of what is done now go.
    pub done: PathBuf,
    /// Seconds of a window.
    pub length: i64,
    /// Windows that have passed by then are due.
    pub now: Timestamp,
    /// How many windows back one that was missed is still done, and one is done again for captures that came late.
    pub catch_up: u32,
}

/// Which halves of a capture are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Halves {
    /// `endpointInput`: the documents.
    pub input: bool,
    /// `endpointOutput`: the predictions.
    pub output: bool,
}

/// `start ≤ t < end`; a missing side is open.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Window {
    /// Inclusive.
    pub start: Option<Timestamp>,
    /// Exclusive.
    pub end: Option<Timestamp>,
}

impl Window {
    /// Whether `time` is in it.
    pub fn holds(&self, time: Timestamp) -> bool {
        self.start.is_none_or(|start| start <= time) && self.end.is_none_or(|end| time < end)
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DatasetFormat {
    csv: Option<serde_json::Value>,
    json: Option<serde_json::Value>,
    sagemaker_capture_json: Option<CaptureFormat>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CaptureFormat {
    capture_index_names: Option<Vec<String>>,
}

/// Reads the job from variables; paths that begin with `/opt/ml` are taken below `root`. `now` closes a window that is
/// given by its length alone.
pub fn job(root: &Path, variable: &dyn Fn(&str) -> Option<String>, now: Timestamp) -> Result<Job> {
    let vars = Variables { root, variable };
    let dataset = vars.path("dataset_source", "/opt/ml/processing/input");
    let model = vars.path("model_source", "/opt/ml/processing/model");
    let output = vars.path("output_path", "/opt/ml/processing/output");
    let text = vars.get("dataset_format").ok_or_else(|| unknown_format(""))?;
    match serde_json::from_str::<DatasetFormat>(&text) {
        Ok(DatasetFormat { csv: None, json: None, sagemaker_capture_json: Some(format) }) => {
            let wanted = format.capture_index_names;
            let has = |name: &str| wanted.as_ref().is_none_or(|names| names.iter().any(|n| n == name));
            let halves = Halves { input: has("endpointInput"), output: has("endpointOutput") };
            if !halves.input && !halves.output {
                return Err(unknown_format(&text));
            }
            let window = vars.window(now)?;
            Ok(Job::Watch(WatchJob {
                ledger: vars.optional_path("ledger_source"),
                windows: vars.windows(window)?,
                dataset,
                halves,
                model,
                statistics: vars.path("baseline_statistics", "/opt/ml/processing/baseline/statistics.json"),
                constraints: vars.path("baseline_constraints", "/opt/ml/processing/baseline/constraints.json"),
                config: vars.optional_path("monitor_config"),
                truth: vars.optional_path("ground_truth_source"),
                report_link: vars.get("report_link"),
                output,
                window,
                endpoint: vars.get("sagemaker_endpoint_name").unwrap_or_default(),
                schedule: vars.get("sagemaker_monitoring_schedule_name"),
                publish_metrics: vars.enabled("publish_cloudwatch_metrics")?,
            }))
        }
        Ok(DatasetFormat { csv, json, sagemaker_capture_json: None }) if csv.is_some() || json.is_some() => {
            Ok(Job::Baseline(BaselineJob {
                dataset,
                held_out: vars.optional_path("held_out_source"),
                traffic: vars.optional_path("traffic_source"),
                window: vars.window(now)?,
                model,
                output,
                columns: Columns {
                    text: vars.get("text_column").unwrap_or_else(|| "review_text".into()),
                    label: vars.get("label_column").unwrap_or_else(|| "sentiment".into()),
                },
            }))
        }
        _ => Err(unknown_format(&text)),
    }
}

fn unknown_format(found: &str) -> MonitorError {
    MonitorError::Variable {
        name: "dataset_format",
        found: found.to_string(),
        expected: r#"{"csv":{"header":true}} or {"json":{"line":true}} to make a baseline, {"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}} to watch captures"#.into(),
    }
}

struct Variables<'e> {
    root: &'e Path,
    variable: &'e dyn Fn(&str) -> Option<String>,
}

impl Variables<'_> {
    /// None where it is unset or empty.
    fn get(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.trim().is_empty())
    }

    fn path(&self, name: &str, default: &str) -> PathBuf {
        self.below(&self.get(name).unwrap_or_else(|| default.into()))
    }

    fn optional_path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|path| self.below(&path))
    }

    /// A container's path as it lies on this machine.
    fn below(&self, path: &str) -> PathBuf {
        match Path::new(path).strip_prefix("/opt/ml") {
            Ok(inside) => self.root.join(inside),
            Err(_) => PathBuf::from(path),
        }
    }

    fn time(&self, name: &'static str) -> Result<Option<Timestamp>> {
        let Some(text) = self.get(name) else { return Ok(None) };
        text.trim().parse().map(Some).map_err(|_| MonitorError::Variable {
            name,
            found: text,
            expected: "a time such as 2026-01-19T19:00:00Z".into(),
        })
    }

    fn window(&self, now: Timestamp) -> Result<Window> {
        let (mut start, mut end) = (self.time("start_time")?, self.time("end_time")?);
        if let (None, Some(text)) = (start, self.get("window_seconds")) {
            let bad = || MonitorError::Variable {
                name: "window_seconds",
                found: text.clone(),
                expected: "a whole number of seconds, 1 or more".into(),
            };
            let seconds = text.trim().parse().ok().filter(|&s: &i64| s > 0).ok_or_else(bad)?;
            let closed = *end.get_or_insert(now);
            start = Some(closed.checked_sub(SignedDuration::from_secs(seconds)).map_err(|_| bad())?);
        }
        if let (Some(from), Some(to)) = (start, end)
            && from >= to
        {
            let expected = format!("a time before end_time, which is {to}");
            return Err(MonitorError::Variable { name: "start_time", found: from.to_string(), expected });
        }
        Ok(Window { start, end })
    }

    /// Where a job is to write into the ledger, it does what is due by the window's end.
    fn windows(&self, window: Window) -> Result<Option<Windows>> {
        let (Some(ledger), Some(done)) = (self.optional_path("ledger_source"), self.optional_path("ledger_output"))
        else {
            return Ok(None);
        };
        let (Some(start), Some(now)) = (window.start, window.end) else {
            let expected = "the length of the windows that ledger_output is for".to_string();
            return Err(MonitorError::Variable { name: "window_seconds", found: String::new(), expected });
        };
        let text = self.get("catch_up").unwrap_or_else(|| "24".into());
        let bad = || MonitorError::Variable {
            name: "catch_up",
            found: text.clone(),
            expected: "a number of windows from 1 to 1000".into(),
        };
        let catch_up = text.trim().parse().ok().filter(|n| (1..=1000).contains(n)).ok_or_else(bad)?;
        Ok(Some(Windows { ledger, done, length: now.as_second() - start.as_second(), now, catch_up }))
    }

    fn enabled(&self, name: &'static str) -> Result<bool> {
        match self.get(name).as_deref() {
            None | Some("Disabled") => Ok(false),
            Some("Enabled") => Ok(true),
            Some(found) => {
                Err(MonitorError::Variable { name, found: found.into(), expected: "Enabled or Disabled".into() })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CAPTURE: &str = r#"{"sagemakerCaptureJson":{"captureIndexNames":["endpointInput","endpointOutput"]}}"#;

    fn read(pairs: &[(&str, &str)]) -> Result<Job, String> {
        let variable = |name: &str| pairs.iter().find(|(n, _)| *n == name).map(|(_, v)| v.to_string());
        job(Path::new("/tmp/ml"), &variable, "2026-01-19T20:00:00Z".parse().unwrap()).map_err(|e| e.to_string())
    }

    fn window(pairs: &[(&str, &str)]) -> Result<(String, String), String> {
        let mut all = vec![("dataset_format", CAPTURE)];
        all.extend(pairs);
        match read(&all)? {
            Job::Watch(WatchJob { window, .. }) => {
                let shown = |t: Option<Timestamp>| t.map_or("open".into(), |t| t.to_string());
                Ok((shown(window.start), shown(window.end)))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_baseline_takes_paths_below_the_root() {
        let job = read(&[
            ("dataset_format", r#"{"csv":{"header":true}}"#),
            ("dataset_source", "/opt/ml/processing/input/train"),
            ("held_out_source", "/elsewhere"),
            ("text_column", ""),
        ]);
        let want = BaselineJob {
            dataset: "/tmp/ml/processing/input/train".into(),
            held_out: Some("/elsewhere".into()),
            traffic: None,
            window: Window::default(),
            model: "/tmp/ml/processing/model".into(),
            output: "/tmp/ml/processing/output".into(),
            columns: Columns { text: "review_text".into(), label: "sentiment".into() },
        };
        assert_eq!(job, Ok(Job::Baseline(want)));
    }

    #[test]
    fn windows() {
        let (one, two) = ("2026-01-19T18:00:00Z", "2026-01-19T19:00:00Z");
        for (pairs, want) in [
            (vec![], ("open", "open")),
            (vec![("start_time", one), ("end_time", two)], (one, two)),
            (vec![("end_time", two), ("window_seconds", "3600")], (one, two)),
            (vec![("window_seconds", "7200")], (one, "2026-01-19T20:00:00Z")),
            (vec![("start_time", one), ("window_seconds", "60")], (one, "open")),
        ] {
            assert_eq!(window(&pairs), Ok((want.0.into(), want.1.into())), "{pairs:?}");
        }
        for (pairs, message) in [
            (
                vec![("start_time", two), ("end_time", one)],
                "start_time is `2026-01-19T19:00:00Z`; expected a time before",
            ),
            (vec![("end_time", "yesterday")], "end_time is `yesterday`; expected a time such as"),
            (vec![("window_seconds", "0")], "window_seconds is `0`; expected a whole number"),
            (vec![("window_seconds", "99999999999999999")], "window_seconds is `99999999999999999`"),
        ] {
            let error = window(&pairs).unwrap_err();
            assert!(error.contains(message), "{error}");
        }
    }

    #[test]
    fn formats_that_mean_nothing_are_refused() {
        for format in ["", "csv", "{}", r#"{"parquet":{}}"#, r#"{"sagemakerCaptureJson":{"captureIndexNames":[]}}"#] {
            let error = read(&[("dataset_format", format)]).unwrap_err();
            assert!(error.starts_with("environment variable dataset_format is"), "{format}: {error}");
        }
        let error = read(&[("dataset_format", CAPTURE), ("publish_cloudwatch_metrics", "yes")]).unwrap_err();
        assert!(error.ends_with("expected Enabled or Disabled"), "{error}");
    }
}
