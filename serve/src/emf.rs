//! Counts as a line of CloudWatch's Embedded Metric Format: CloudWatch Logs, which holds a container's stderr, makes
//! metrics of it without any agent.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use crate::app::App;
use crate::capture::Counted;
use crate::log::say;
use crate::metrics::Totals;
use serde_json::{Map, Value, json};
use std::sync::Arc;
use std::time::{Duration, SystemTime};
use tokio::sync::oneshot;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Metrics that a line may define.
const MOST_METRICS: usize = 100;
/// Those beside the classes'.
const OWN_METRICS: usize = 11;

/// Under which name the metrics are found, and how often they are told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Emf {
    /// CloudWatch's namespace.
    pub namespace: Namespace,
    /// Dimensions of all metrics: an endpoint's name, say.
    pub dimensions: Dimensions,
    /// Time between two lines.
    pub every: Duration,
}

/// A namespace that CloudWatch takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Namespace(String);

impl std::str::FromStr for Namespace {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "./_#:- ".contains(c);
        if name.trim().is_empty() || name.len() > 255 || !name.chars().all(allowed) || name.starts_with("AWS/") {
            return Err("expected 1 to 255 ASCII letters, digits and . - _ / # : that do not begin with AWS/".into());
        }
        Ok(Self(name.into()))
    }
}

/// Names and values, in order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Dimensions(Vec<(String, String)>);

impl std::str::FromStr for Dimensions {
    type Err = String;

    fn from_str(pairs: &str) -> Result<Self, String> {
        let text = |text: &str, most: usize| {
            let plain = text.chars().all(|c| c.is_ascii() && !c.is_ascii_control());
            (plain && !text.is_empty() && text.len() <= most).then(|| text.to_owned())
        };
        let pair = |pair: &str| {
            let (name, value) = pair.split_once('=')?;
            // What begins so is the format's own, or could be a metric's name.
            let name = text(name.trim(), 250).filter(|name| !name.starts_with(['_', ':']) && !is_metric(name))?;
            Some((name, text(value.trim(), 1024)?))
        };
        let pairs: Option<Vec<_>> = pairs.split(',').filter(|pair| !pair.trim().is_empty()).map(pair).collect();
        match pairs {
            Some(pairs) if pairs.len() <= 30 => Ok(Self(pairs)),
            _ => Err("expected up to 30 of NAME=VALUE, parted by commas, in ASCII, say Endpoint=reviews".into()),
        }
    }
}

fn is_metric(name: &str) -> bool {
    let totals = crate::metrics::Metrics::new().totals();
    name.starts_with(CLASS_SHARE) || metrics(&totals, None, &[]).iter().any(|metric| metric.0 == name)
}

/// How the metrics of the classes begin.
const CLASS_SHARE: &str = "ClassShare.";

impl Emf {
    /// The line for these counts, of the time that ended `now`.
    pub fn line(&self, counted: &Totals, captured: Option<Counted>, classes: &[String], now: SystemTime) -> String {
        let mut root = Map::new();
        let timestamp = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis() as u64;
        let Dimensions(dimensions) = &self.dimensions;
        let names: Vec<&str> = dimensions.iter().map(|(name, _)| name.as_str()).collect();
        let (mut definitions, mut values) = (Vec::new(), Vec::new());
        for (name, unit, value) in metrics(counted, captured, classes) {
            if let Some(value) = value {
                definitions.push(json!({"Name": name, "Unit": unit}));
                values.push((name, value));
            }
        }
        let directive = json!({"Namespace": self.namespace.0, "Dimensions": [names], "Metrics": definitions});
        root.insert("_aws".into(), json!({"Timestamp": timestamp, "CloudWatchMetrics": [directive]}));
        root.extend(dimensions.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))));
        root.extend(values);
        Value::Object(root).to_string()
    }

    /// Tells a line each time, and one when `stop` is told, of the rest.
    pub(crate) async fn tell(self, app: Arc<App>, mut stop: oneshot::Receiver<()>) {
        let Some(metrics) = app.metrics() else { return };
        let mut ticks = interval_at(Instant::now() + self.every, self.every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let captures = || app.capture().map(|capture| capture.counted());
        let (mut told, mut told_captures) = (metrics.totals(), captures());
        loop {
            let last = tokio::select! {
                _ = ticks.tick() => false,
                _ = &mut stop => true,
            };
            let (now, captured) = (metrics.totals(), captures());
            let since = captured.zip(told_captures).map(|(now, before)| now.since(&before));
            say(&self.line(&now.since(&told), since, metrics.classes(), SystemTime::now()));
            if last {
                return;
            }
            (told, told_captures) = (now, captured);
        }
    }
}

/// Name, unit and value of each; without a value where there was nothing to take it of.
fn metrics(
    counted: &Totals,
    captured: Option<Counted>,
    classes: &[String],
) -> Vec<(String, &'static str, Option<Value>)> {
    let share = |part: u64, whole: u64| (whole > 0).then(|| json!(part as f64 / whole as f64));
    let score = (counted.documents > 0).then(|| json!(counted.score as f64 / 1e9 / counted.documents as f64));
    let mut metrics: Vec<(String, &str, Option<Value>)> = vec![
        ("Requests".into(), "Count", Some(counted.requests.into())),
        ("ClientErrors".into(), "Count", Some(counted.client_errors.into())),
        ("ServerErrors".into(), "Count", Some(counted.server_errors.into())),
        ("LatencyP50".into(), "Microseconds", counted.latency_us(0.5).map(Value::from)),
        ("LatencyP99".into(), "Microseconds", counted.latency_us(0.99).map(Value::from)),
        ("Documents".into(), "Count", Some(counted.documents.into())),
        ("RefusedRecords".into(), "Count", Some(counted.refused.into())),
        ("ScoreMean".into(), "None", score),
        ("OutOfVocabularyRate".into(), "None", share(counted.unknown, counted.units)),
        ("CaptureWritten".into(), "Count", captured.map(|captured| captured.written.into())),
        ("CaptureDropped".into(), "Count", captured.map(|captured| captured.dropped().into())),
    ];
    debug_assert_eq!(metrics.len(), OWN_METRICS);
    let mut shares: Vec<(usize, &String, u64)> =
        classes.iter().zip(&counted.classes).enumerate().map(|(i, (class, count))| (i, class, *count)).collect();
    // Where there are more than fit, the rarest are left out.
    shares.sort_by_key(|&(i, _, count)| (std::cmp::Reverse(count), i));
    shares.truncate(MOST_METRICS - OWN_METRICS);
    shares.sort_unstable_by_key(|&(i, ..)| i);
    metrics.extend(shares.into_iter().map(|(i, class, count)| {
        // A name that CloudWatch might not take is the class's number instead.
        let plain = !class.is_empty() && class.len() <= 200 && class.chars().all(|c| c.is_ascii_graphic() || c == ' ');
        let name = if plain { class.clone() } else { format!("#{i}") };
        (format!("{CLASS_SHARE}{name}"), "None", share(count, counted.documents))
    }));
    metrics
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    fn emf(dimensions: &str) -> Emf {
        let every = Duration::from_secs(60);
        Emf { namespace: "Sagebrush".parse().unwrap(), dimensions: dimensions.parse().unwrap(), every }
    }

    #[test]
    fn nothing_counted_is_zero_and_no_mean() {
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(1_700_000_000_123);
        let line = emf("").line(&Metrics::new().totals(), None, &[], time);
        let names = ["Requests", "ClientErrors", "ServerErrors", "Documents", "RefusedRecords"];
        let definitions: Vec<Value> = names.iter().map(|name| json!({"Name": name, "Unit": "Count"})).collect();
        let directive = json!({"Namespace": "Sagebrush", "Dimensions": [[]], "Metrics": definitions});
        let mut want = json!({"_aws": {"Timestamp": 1_700_000_000_123_u64, "CloudWatchMetrics": [directive]}});
        for name in names {
            want[name] = 0.into();
        }
        assert_eq!(serde_json::from_str::<Value>(&line).unwrap(), want);
    }

    #[test]
    fn classes_are_named_and_the_rarest_of_too_many_left_out() {
        let mut classes: Vec<String> = (0..200).map(|class| format!("class {class}")).collect();
        classes[7] = "über".into();
        let metrics = Metrics::new();
        metrics.count_classes(&classes);
        for class in (100..200).chain([7, 7]) {
            metrics.document(class, 0.5);
        }
        let line = emf("Endpoint=a").line(&metrics.totals(), None, &classes, SystemTime::now());
        let line: Value = serde_json::from_str(&line).unwrap();
        let defined = line["_aws"]["CloudWatchMetrics"][0]["Metrics"].as_array().unwrap();
        // Two of latencies, one of words and two of captures have nothing to tell.
        assert_eq!(defined.len(), MOST_METRICS - 5, "{line}");
        assert_eq!(line["ClassShare.#7"], 2.0 / 102.0);
        assert_eq!((&line["ClassShare.class 100"], &line["ClassShare.class 99"]), (&json!(1.0 / 102.0), &Value::Null));
    }

    #[test]
    fn what_cloudwatch_would_not_take_is_refused() {
        for (namespace, taken) in [("a", true), ("A/b-c_d.e#f:g h", true), ("", false), ("é", false), ("AWS/x", false)]
        {
            assert_eq!(namespace.parse::<Namespace>().is_ok(), taken, "{namespace}");
        }
        for (dimensions, taken) in [
            ("", true),
            ("Endpoint=reviews,Variant = All Traffic", true),
            ("a==b", true),
            ("Endpoint", false),
            ("=a", false),
            ("a=", false),
            ("a=é", false),
            ("_aws=a", false),
            ("LatencyP99=a", false),
            ("ClassShare.0=a", false),
        ] {
            assert_eq!(dimensions.parse::<Dimensions>().is_ok(), taken, "{dimensions}");
        }
        assert!((0..31).map(|i| format!("d{i}=a,")).collect::<String>().parse::<Dimensions>().is_err());
    }
}
