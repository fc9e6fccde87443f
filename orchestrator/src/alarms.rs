//! CloudWatch's alarms on an endpoint and on its monitoring: a table, made or mended.

use aws_sdk_cloudwatch::types::{ComparisonOperator, Dimension, MetricAlarm, StateValue, Statistic, Tag};
use serde::Serialize;

use crate::{
    endpoint,
    error::{self, Made as _, Result},
    output::Outcome,
    run_record::RunRecord,
    settings::Target,
    stages::Context,
    tags, topic,
};

/// What an endpoint itself tells CloudWatch.
const SAGEMAKER: &str = "AWS/SageMaker";
/// What `monitor` tells it.
const OURS: &str = "Sagebrush";
/// CloudWatch looks back so many seconds at most.
const LONGEST: i64 = 7 * 86_400;
/// Its longest period.
const DAY: i64 = 86_400;

/// How a period's values become one.
#[derive(Clone, Copy, PartialEq)]
enum Of {
    Plain(&'static str),
    Percentile(&'static str),
}

/// One alarm that there is to be.
struct Wanted {
    /// After the project's name.
    name: &'static str,
    /// What somebody who is woken by it reads first.
    about: String,
    namespace: &'static str,
    metric: &'static str,
    of: Of,
    /// Seconds, and how many such periods of which how many have to breach.
    period: i64,
    periods: (i64, i64),
    above: bool,
    threshold: f64,
    /// `breaching` or `notBreaching`.
    missing: &'static str,
}

/// What there is in the end.
#[derive(Debug, Serialize)]
pub struct AlarmsDone {
    /// Whether any was made or changed now.
    pub outcome: Outcome,
    /// The topic that they tell.
    pub topic: String,
    /// Their names.
    pub names: Vec<String>,
}

fn full(context: &Context, name: &str) -> String {
    format!("{}-{name}", context.settings.project)
}

fn wanted(context: &Context) -> Vec<Wanted> {
    let (settings, monitor) = (&context.settings.alarms, &context.settings.monitor);
    let endpoint = context.settings.endpoint();
    let share = |value: f64| format!("{:.3} %", value * 100.0);
    let window = i64::from(monitor.window_hours) * 3600;
    let quiet = i64::from(settings.quiet_hours);
    let latency = settings.latency_p99_ms;
    vec![
        Wanted {
            name: "errors-5xx",
            about: format!(
                "More than {} of the requests to endpoint {endpoint} fail in the model's container or in front of it. Look at its log: orchestrator status.",
                share(settings.error_share)
            ),
            namespace: SAGEMAKER,
            metric: "Invocation5XXErrors",
            of: Of::Plain("Average"),
            period: 60,
            periods: (5, 3),
            above: true,
            threshold: settings.error_share,
            missing: "notBreaching",
        },
        Wanted {
            name: "errors-4xx",
            about: format!(
                "More than {} of the requests to endpoint {endpoint} are refused: a client sends what it does not take.",
                share(settings.client_error_share)
            ),
            namespace: SAGEMAKER,
            metric: "Invocation4XXErrors",
            of: Of::Plain("Average"),
            period: 300,
            periods: (3, 3),
            above: true,
            threshold: settings.client_error_share,
            missing: "notBreaching",
        },
        Wanted {
            name: "latency-p99",
            about: format!(
                "One in a hundred requests to endpoint {endpoint} takes longer than {latency} ms in the model's container."
            ),
            namespace: SAGEMAKER,
            metric: "ModelLatency",
            of: Of::Percentile("p99"),
            period: 60,
            periods: (5, 3),
            above: true,
            threshold: latency * 1000.0,
            missing: "notBreaching",
        },
        Wanted {
            name: "no-invocations",
            about: format!(
                "Nobody has asked endpoint {endpoint} anything for {quiet} hours: is the client still there, and is the endpoint still needed?"
            ),
            namespace: SAGEMAKER,
            metric: "Invocations",
            of: Of::Plain("Sum"),
            period: 3600,
            periods: (quiet, quiet),
            above: false,
            threshold: 1.0,
            missing: "breaching",
        },
        Wanted {
            name: "drift",
            about: format!(
                "The traffic of endpoint {endpoint} has drifted. Which words, and what they do to the scores: orchestrator monitor --watch, or the reports below monitoring/windows/{endpoint}/ in bucket {}.",
                context.account.bucket
            ),
            namespace: OURS,
            metric: "DriftViolations",
            of: Of::Plain("Maximum"),
            period: window.min(DAY),
            periods: (1, 1),
            above: true,
            threshold: 0.0,
            missing: "notBreaching",
        },
        Wanted {
            name: "monitoring-missing",
            about: format!(
                "No window of endpoint {endpoint}'s traffic was looked at for two windows' time: the monitoring job fails, or nothing starts it. Look at schedule {}-monitor and at the newest processing job.",
                context.settings.project
            ),
            namespace: OURS,
            metric: "MonitoredWindows",
            of: Of::Plain("SampleCount"),
            period: window.min(DAY),
            periods: (2, 2),
            above: false,
            threshold: 1.0,
            missing: "breaching",
        },
    ]
}

impl Wanted {
    fn dimensions(&self, endpoint: &str) -> Vec<Dimension> {
        let pair = |name: &str, value: &str| Dimension::builder().name(name).value(value).build();
        match self.namespace {
            SAGEMAKER => vec![pair("EndpointName", endpoint), pair("VariantName", endpoint::VARIANT)],
            _ => vec![pair("Endpoint", endpoint)],
        }
    }

    fn operator(&self) -> ComparisonOperator {
        if self.above { ComparisonOperator::GreaterThanThreshold } else { ComparisonOperator::LessThanThreshold }
    }

    /// Whole periods, as many as CloudWatch looks back over.
    fn evaluated(&self) -> (i32, i32) {
        let most = (LONGEST / self.period).max(1);
        let within = |n: i64| i32::try_from(n.min(most)).unwrap_or(1);
        (within(self.periods.0), within(self.periods.1))
    }

    /// Whether the alarm that is there is this one.
    fn is(&self, there: &MetricAlarm, endpoint: &str, topic: &str) -> bool {
        let (periods, needed) = self.evaluated();
        let statistic = match self.of {
            Of::Plain(name) => there.statistic().is_some_and(|s| s.as_str() == name),
            Of::Percentile(name) => there.extended_statistic() == Some(name),
        };
        statistic
            && there.alarm_description() == Some(self.about.as_str())
            && there.namespace() == Some(self.namespace)
            && there.metric_name() == Some(self.metric)
            && there.dimensions() == self.dimensions(endpoint)
            && there.period().map(i64::from) == Some(self.period)
            && there.evaluation_periods() == Some(periods)
            && there.datapoints_to_alarm() == Some(needed)
            && there.comparison_operator() == Some(&self.operator())
            && there.threshold() == Some(self.threshold)
            && there.treat_missing_data() == Some(self.missing)
            && there.alarm_actions() == [topic]
            && there.ok_actions() == [topic]
    }
}

/// The alarms that say how an endpoint answers, whatever it is asked.
const SERVING: [&str; 3] = ["errors-5xx", "errors-4xx", "latency-p99"];

/// The topic and every alarm as the settings want them; none of it where they are switched off.
pub async fn ensure(context: &Context, run: &RunRecord) -> Result<Option<AlarmsDone>> {
    put(context, run, wanted(context)).await
}

/// The same where nothing but the endpoint's answers is watched.
pub async fn ensure_serving(context: &Context, run: &RunRecord) -> Result<Option<AlarmsDone>> {
    let wanted = wanted(context).into_iter().filter(|alarm| SERVING.contains(&alarm.name));
    put(context, run, wanted.collect()).await
}

/// Alarms that say that the endpoint does not answer well, or that may roll it back, and that have gone off.
pub async fn alarming(context: &Context) -> Result<Vec<String>> {
    let rollback = &context.settings.endpoint.rollout.rollback_alarms;
    let names = SERVING.iter().map(|name| full(context, name)).chain(rollback.iter().cloned()).collect();
    let request = context.aws.cloudwatch.describe_alarms().set_alarm_names(Some(names));
    let found = request.state_value(StateValue::Alarm).send().await;
    let found = found.map_err(error::aws("the alarms cannot be looked at"))?;
    let told = |alarm: &MetricAlarm| {
        format!("alarm {}: {}", alarm.alarm_name().unwrap_or_default(), alarm.state_reason().unwrap_or_default())
    };
    Ok(found.metric_alarms().iter().map(told).collect())
}

async fn put(context: &Context, run: &RunRecord, wanted: Vec<Wanted>) -> Result<Option<AlarmsDone>> {
    if !context.settings.alarms.enabled {
        return Ok(None);
    }
    let topic = topic::ensure(context, run).await?;
    let (cloudwatch, endpoint) = (&context.aws.cloudwatch, context.settings.endpoint());
    let names: Vec<String> = wanted.iter().map(|alarm| full(context, alarm.name)).collect();
    let there = cloudwatch.describe_alarms().set_alarm_names(Some(names.clone())).send().await;
    let there = there.map_err(error::aws("the alarms cannot be looked at"))?;
    let mut outcome = Outcome::Unchanged;
    for (alarm, name) in wanted.iter().zip(&names) {
        let known = there.metric_alarms().iter().find(|known| known.alarm_name() == Some(name.as_str()));
        if known.is_some_and(|known| alarm.is(known, endpoint, &topic)) {
            continue;
        }
        if outcome == Outcome::Unchanged && context.settings.target == Target::Aws {
            context
                .out
                .say(format_args!("{} alarms cost about $0.10 each a month until: orchestrator destroy", names.len()));
        }
        outcome = Outcome::Done;
        let (periods, needed) = alarm.evaluated();
        let tag = |(key, value): (&str, String)| Tag::builder().key(key).value(value).build();
        let request = cloudwatch
            .put_metric_alarm()
            .alarm_name(name)
            .alarm_description(&alarm.about)
            .namespace(alarm.namespace)
            .metric_name(alarm.metric)
            .set_dimensions(Some(alarm.dimensions(endpoint)))
            .period(i32::try_from(alarm.period).unwrap_or(3600))
            .evaluation_periods(periods)
            .datapoints_to_alarm(needed)
            .comparison_operator(alarm.operator())
            .threshold(alarm.threshold)
            .treat_missing_data(alarm.missing)
            .alarm_actions(&topic)
            .ok_actions(&topic)
            .set_tags(Some(tags::labels(context, run).into_iter().map(tag).collect()));
        let request = match alarm.of {
            Of::Plain(name) => request.statistic(Statistic::from(name)),
            Of::Percentile(name) => request.extended_statistic(name),
        };
        request.send().await.made(format!("alarm {name} cannot be made"))?;
    }
    Ok(Some(AlarmsDone { outcome, topic, names }))
}

/// Alarms whose name begins with the project's, and whether they are ours.
pub async fn all(context: &Context) -> Result<Vec<(String, bool)>> {
    let cloudwatch = &context.aws.cloudwatch;
    let prefix = format!("{}-", context.settings.project);
    let mut pages = cloudwatch.describe_alarms().alarm_name_prefix(&prefix).into_paginator().send();
    let mut found = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws("the alarms cannot be listed"))?;
        for alarm in page.metric_alarms() {
            let (Some(name), Some(arn)) = (alarm.alarm_name(), alarm.alarm_arn()) else { continue };
            let tags = cloudwatch.list_tags_for_resource().resource_arn(arn).send().await;
            let tags = tags.map_err(error::aws(format!("the tags of {arn} cannot be listed")))?;
            let project = context.settings.project.as_str();
            let ours = tags.tags().iter().any(|t| (t.key(), t.value()) == (Some(tags::PROJECT), Some(project)));
            found.push((name.to_owned(), ours));
        }
    }
    Ok(found)
}
