//! Reading `pipeline.toml`, and what the command line says over it.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use super::{Settings, Strategy, Target};
use crate::error::{Failure, Result};

/// The name that is looked for where none is given.
const DEFAULT: &str = "pipeline.toml";

/// What the command line says over the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--target`
    pub target: Option<Target>,
    /// `--train`
    pub train: Vec<PathBuf>,
    /// `--test`
    pub test: Vec<PathBuf>,
    /// `--text-column`
    pub text_column: Option<String>,
    /// `--label-column`
    pub label_column: Option<String>,
    /// `--set name=value`
    pub set: Vec<(String, String)>,
}

/// Settings from `file` (else from `pipeline.toml`, else the defaults), with `overrides`.
pub fn load(file: Option<&Path>, overrides: Overrides) -> Result<Settings> {
    let path = file.unwrap_or(Path::new(DEFAULT));
    let mut settings = match std::fs::read_to_string(path) {
        Ok(text) => parse(path, &text)?,
        Err(e) if e.kind() == ErrorKind::NotFound && file.is_none() => Settings::default(),
        Err(e) => {
            return Err(Failure::usage(format!("{}: cannot be read", path.display())).because(e));
        }
    };
    let base = path.parent().unwrap_or(Path::new(""));
    for path in settings.data.train.iter_mut().chain(&mut settings.data.test).chain([&mut settings.local.state]) {
        *path = base.join(&*path);
    }
    let ground_truth = settings.monitor.ground_truth.as_mut().filter(|given| !given.starts_with("s3://"));
    if let Some(path) = ground_truth {
        *path = base.join(&*path).to_string_lossy().into_owned();
    }
    settings.monitor.config = settings.monitor.config.take().map(|path| base.join(path));
    apply(&mut settings, overrides);
    check(&settings)?;
    Ok(settings)
}

fn parse(path: &Path, text: &str) -> Result<Settings> {
    let mut settings: Settings = toml::from_str(text).map_err(|e| {
        let line = e.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
        let message = e.message().replace("unknown field", "unknown key").replace("expected one of", "known here:");
        Failure::usage(format!("{}:{line}: {message}", path.display()))
            .hint("every key stands with its meaning in the repository's own pipeline.toml")
    })?;
    settings.file = Some(path.to_path_buf());
    Ok(settings)
}

fn apply(settings: &mut Settings, overrides: Overrides) {
    if let Some(target) = overrides.target {
        settings.target = target;
    }
    if !overrides.train.is_empty() {
        settings.data.train = overrides.train;
    }
    if !overrides.test.is_empty() {
        settings.data.test = overrides.test;
    }
    for (name, value) in overrides.set {
        settings.training.hyperparameters.insert(name, toml::Value::String(value));
    }
    for (name, given, kept) in [
        ("text_column", overrides.text_column, &mut settings.data.text_column),
        ("label_column", overrides.label_column, &mut settings.data.label_column),
    ] {
        // One truth: as a hyperparameter it says the same thing.
        let set = settings.training.hyperparameters.remove(name).map(|value| match value {
            toml::Value::String(text) => text,
            other => other.to_string(),
        });
        if let Some(column) = given.or(set) {
            *kept = column;
        }
    }
}

fn check(settings: &Settings) -> Result<()> {
    let at = settings.source();
    let wrong = |key: &str, found: String, expected: &str| {
        Err(Failure::usage(format!("{at}: {key} = {found}: expected {expected}")))
    };
    let words = settings.project.split('-').filter(|word| !word.is_empty()).count();
    let spelled = settings.project.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !spelled || words == 0 || settings.project.starts_with('-') || settings.project.ends_with('-') {
        return wrong("project", format!("{:?}", settings.project), "lower-case letters, digits and inner hyphens");
    }
    if settings.project.len() > 26 {
        return wrong(
            "project",
            format!("{:?}", settings.project),
            "at most 26 characters, since names of 63 are built on it",
        );
    }
    if !(settings.wait_minutes > 0.0 && settings.wait_minutes <= 10_080.0) {
        return wrong("wait_minutes", settings.wait_minutes.to_string(), "a number above 0, up to a week's 10080");
    }
    let gate = settings.gate.accuracy;
    if !(0.0..1.0).contains(&gate) {
        return wrong("gate.accuracy", gate.to_string(), "a number from 0 up to, not including, 1");
    }
    let confidence = settings.gate.confidence;
    if !(confidence > 0.5 && confidence < 1.0) {
        return wrong("gate.confidence", confidence.to_string(), "a number above 0.5 and below 1");
    }
    settings.business.check().map_err(|why| Failure::usage(format!("{at}: {why}")))?;
    let capture = settings.endpoint.capture_percentage;
    if !(0..=100).contains(&capture) {
        return wrong("endpoint.capture_percentage", capture.to_string(), "0 to 100");
    }
    for (key, value) in [
        ("endpoint.instance_count", settings.endpoint.instance_count),
        ("training.volume_gb", settings.training.volume_gb),
        ("training.max_runtime_minutes", settings.training.max_runtime_minutes),
        ("tune.max_jobs", settings.tune.max_jobs),
        ("tune.max_parallel", settings.tune.max_parallel),
        ("transform.instance_count", settings.transform.instance_count),
        ("transform.max_payload_mb", settings.transform.max_payload_mb),
    ] {
        if value < 1 {
            return wrong(key, value.to_string(), "1 or more");
        }
    }
    for price in &settings.prices {
        if !(price.usd_an_hour.is_finite() && price.usd_an_hour >= 0.0) {
            return wrong("prices.usd_an_hour", price.usd_an_hour.to_string(), "a number, 0 or more");
        }
    }
    let serverless = settings.endpoint.serverless;
    let endpoint = settings.endpoint.rollout.check(serverless.is_some());
    let scaling = settings.endpoint.autoscaling.as_ref();
    if let Some(Err((key, found, expected))) = scaling.map(|scaling| scaling.check(serverless.is_some())) {
        return wrong(key, found, expected);
    }
    let name = settings.endpoint();
    let shadow = settings.endpoint.shadow.as_ref();
    if let Some(Err((key, found, expected))) = shadow.map(|s| s.check(name, capture, serverless.is_some())) {
        return wrong(key, found, expected);
    }
    if let Err((key, found, expected)) = endpoint.and_then(|()| serverless.map_or(Ok(()), |s| s.check())) {
        return wrong(key, found, expected);
    }
    if let Err((key, found, expected)) = settings.regions.check(settings.region.as_deref()) {
        return wrong(key, found, expected);
    }
    let share = settings.tune.validation_share;
    if !(share > 0.0 && share < 1.0) {
        return wrong("tune.validation_share", share.to_string(), "a number above 0 and below 1");
    }
    if settings.tune.early_stopping && settings.tune.strategy == Strategy::Hyperband {
        return wrong(
            "tune.early_stopping",
            "true".into(),
            "false with hyperband, which stops training jobs by itself",
        );
    }
    if settings.transform.max_concurrent < 0 {
        return wrong("transform.max_concurrent", settings.transform.max_concurrent.to_string(), "0 or more");
    }
    if settings.monitor.window_hours < 1 {
        return wrong("monitor.window_hours", settings.monitor.window_hours.to_string(), "1 or more");
    }
    if !(1..=1000).contains(&settings.monitor.catch_up) {
        return wrong("monitor.catch_up", settings.monitor.catch_up.to_string(), "1 to 1000");
    }
    let alarms = &settings.alarms;
    for (key, value, most) in [
        ("alarms.error_share", alarms.error_share, 1.0),
        ("alarms.client_error_share", alarms.client_error_share, 1.0),
        ("alarms.latency_p99_ms", alarms.latency_p99_ms, 60_000.0),
    ] {
        if !(value > 0.0 && value <= most) {
            return wrong(key, value.to_string(), &format!("a number above 0, up to {most}"));
        }
    }
    if !(1..=168).contains(&alarms.quiet_hours) {
        return wrong("alarms.quiet_hours", alarms.quiet_hours.to_string(), "1 to a week's 168");
    }
    if let Some(url) = alarms.webhook.as_ref().filter(|url| !url.starts_with("http://") && !url.starts_with("https://"))
    {
        return wrong("alarms.webhook", format!("{url:?}"), "an address that begins with https:// or http://");
    }
    if let Some(to) = alarms.email.iter().find(|to| !to.contains('@')) {
        return wrong("alarms.email", format!("{to:?}"), "e-mail addresses");
    }
    for (key, files) in [("data.train", &settings.data.train), ("data.test", &settings.data.test)] {
        if files.is_empty() {
            return wrong(key, "[]".into(), "at least one file");
        }
    }
    if settings.target == Target::Aws {
        for (key, value) in [("role_arn", &settings.role_arn), ("image", &settings.image)] {
            if value.is_none() {
                return Err(Failure::usage(format!("{at}: target \"aws\" needs {key}"))
                    .hint("infra/stack.yaml makes it and prints it among its outputs"));
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str) -> String {
        parse(Path::new("pipeline.toml"), text).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_named_with_its_line_and_the_known_ones() {
        let one = message("project = \"x\"\n\n[gate]\nacuracy = 0.9\n");
        assert!(
            one.starts_with("error: pipeline.toml:4: unknown key `acuracy`, known here: `accuracy`, `rules`"),
            "{one}"
        );
        let known = message("[endpoint]\nsize = 1\n");
        assert!(known.contains("pipeline.toml:2: unknown key `size`, known here: `name`, `instance_type`"), "{known}");
    }

    #[test]
    fn a_rule_that_means_nothing_is_refused_by_its_line() {
        for (rule, want) in [
            ("metric = \"acuracy\"\nabove = 0.8", "metric \"acuracy\" is unknown; known are accuracy, "),
            ("metric = \"accuracy\"", "rule on accuracy: it needs one of above, at_least, below, at_most, or a test"),
            ("metric = \"lower(accuracy)\"\nbelow = 0.8", "lower(…) is held above a bound, upper(…) below one"),
            ("metric = \"lower(latency_p99_ms)\"\nabove = 1", "latency_p99_ms has no confidence bound"),
            ("metric = \"accuracy\"\ntest = \"better\"", "a test is against = \"champion\""),
            ("metric = \"accuracy\"\nagainst = \"champion\"\ntest = \"non_inferior\"", "needs a margin above 0"),
            ("metric = \"accuracy\"\nabove = 0.8\nclass = \"1\"", "it is of no class; leave `class` out"),
            ("metric = \"accuracy\"\nabove = 0.8\nslice = \"DE\"", "slice is written column=value"),
            ("metric = \"disparate_impact\"\nat_least = 0.8", "it needs slice = \"column\", whose groups it compares"),
            ("metric = \"accuracy\"\nabove = 0.8\nmargn = 1", "unknown key `margn`, known here: `metric`"),
        ] {
            let said = message(&format!("project = \"x\"\n[[gate.rules]]\n{rule}\n"));
            assert!(said.contains(want), "{said}");
            assert!(said.starts_with("error: pipeline.toml:"), "{said}");
        }
    }

    #[test]
    fn the_commented_example_is_the_default() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline.toml");
        let text = std::fs::read_to_string(&path).unwrap();
        let parsed = Settings { file: None, ..parse(&path, &text).unwrap() };
        assert_eq!(parsed, Settings::default());
    }

    #[test]
    fn every_key_is_documented_in_the_example() {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../pipeline.toml")).unwrap();
        for section in [
            "",
            "data",
            "training",
            "tune",
            "transform",
            "gate",
            "business",
            "registry",
            "endpoint",
            "endpoint.rollout",
            "endpoint.shadow",
            "regions",
            "monitor",
            "alarms",
            "local",
        ] {
            let probe = if section.is_empty() { "\"?\" = 1".into() } else { format!("[{section}]\n\"?\" = 1") };
            let known = message(&probe);
            let keys: Vec<&str> = known.split('`').skip(3).step_by(2).collect();
            assert!(!keys.is_empty(), "{known}");
            for key in keys {
                let shown = text.lines().any(|line| {
                    let line = line.trim_start_matches(['#', ' ']);
                    line.starts_with(&format!("{key} ="))
                        || line.starts_with(&format!("[{key}]"))
                        || line.starts_with(&format!("[[{key}]]"))
                        || line.starts_with(&format!("[{section}.{key}]"))
                        || line.starts_with(&format!("[[{section}.{key}]]"))
                });
                assert!(shown, "{section}.{key} is not in pipeline.toml");
            }
        }
    }

    #[test]
    fn bad_values_are_named() {
        for (change, want) in [
            ("project = \"My Project\"", "project = \"My Project\": expected lower-case"),
            ("[gate]\naccuracy = 1.5", "gate.accuracy = 1.5: expected"),
            ("wait_minutes = 0.0", "wait_minutes = 0: expected a number above 0"),
            ("[gate]\nconfidence = 1.0", "gate.confidence = 1: expected"),
            ("[business]\nendpoint_price_a_month = 84.0", "say in business.priced_on which day"),
            ("[endpoint]\ncapture_percentage = 101", "endpoint.capture_percentage = 101: expected 0 to 100"),
            ("[monitor]\ncatch_up = 0", "monitor.catch_up = 0: expected 1 to 1000"),
            ("[alarms]\nerror_share = 2.0", "alarms.error_share = 2: expected a number above 0, up to 1"),
            ("[alarms]\nwebhook = \"ftp://x\"", "expected an address that begins with https:// or http://"),
            ("[alarms]\nemail = [\"ops\"]", "alarms.email = \"ops\": expected e-mail addresses"),
            ("target = \"aws\"", "target \"aws\" needs role_arn"),
            (
                "[endpoint.rollout]\nshift = \"linear\"\nstep_percent = 5",
                "endpoint.rollout.step_percent = 5: expected 10 to 50",
            ),
            (
                "[endpoint.serverless]\nmemory_mb = 1000\nmax_concurrency = 1",
                "endpoint.serverless.memory_mb = 1000: expected 1024",
            ),
            (
                "[endpoint.autoscaling]\nmin_instances = 0",
                "endpoint.autoscaling.min_instances = 0: expected 1 or more: an instance variant cannot go to zero",
            ),
            ("[endpoint.shadow]\nmax_changed = 10.0", "endpoint.shadow.max_changed = 10: expected a share, 0 to 1"),
            (
                "[endpoint.shadow]\nrequests = 10",
                "endpoint.shadow.min_requests = 20: expected at most endpoint.shadow.requests",
            ),
            (
                "[endpoint]\ncapture_percentage = 0\n[endpoint.shadow]",
                "endpoint.capture_percentage = 0: expected 1 to 100, since endpoint.shadow replays what was captured",
            ),
            (
                "[endpoint]\nserverless = { memory_mb = 2048, max_concurrency = 1 }\n[endpoint.shadow]",
                "endpoint.shadow = a table: expected to be left out: SageMaker captures nothing of serverless endpoints",
            ),
            ("[regions]\nwaves = [[\"Frankfurt\"]]", "regions.waves = \"Frankfurt\": expected names of AWS regions"),
            (
                "region = \"us-east-1\"\n[regions]\nwaves = [[\"eu-west-1\"], [\"us-east-1\"]]",
                "regions.waves = \"us-east-1\": expected each region once",
            ),
            ("[regions]\nhealthy_minutes = -1.0", "regions.healthy_minutes = -1: expected 0 to"),
            ("[tune]\nvalidation_share = 1.0", "tune.validation_share = 1: expected"),
            (
                "[tune]\nstrategy = \"hyperband\"\nearly_stopping = true",
                "tune.early_stopping = true: expected false with hyperband",
            ),
            ("[data]\ntrain = []", "data.train = []: expected at least one file"),
        ] {
            let settings = parse(Path::new("pipeline.toml"), change).unwrap();
            let failure = check(&settings).unwrap_err().to_string();
            assert!(failure.contains(want), "{failure}");
        }
    }
}
