//! Metrics and alarms, on a clock that the test sets.

use std::sync::Mutex;

use emulator::{Clock, Timing};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::lab::{Lab, settings, timing};

/// An alarm on the sum of `errors`, of two minutes both of which have to be over 3.
fn alarm(more: Value) -> Value {
    let mut alarm = json!({
        "AlarmName": "errors", "Namespace": "Test", "MetricName": "errors", "Dimensions": [{"Name": "Endpoint", "Value": "live"}],
        "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 2, "Threshold": 3.0,
        "ComparisonOperator": "GreaterThanThreshold", "Tags": [{"Key": "sagebrush:project", "Value": "story"}],
    });
    for (member, value) in more.as_object().into_iter().flatten() {
        alarm[member] = value.clone();
    }
    alarm
}

struct Watched {
    lab: Lab,
    clock: Clock,
    now: Mutex<Timestamp>,
}

impl Watched {
    async fn start() -> Watched {
        let now: Timestamp = Timestamp::from_second(Timestamp::now().as_second()).expect("now");
        let clock = Clock::stopped_at(now);
        let folder = tempfile::tempdir().expect("temporary folder");
        let settings = settings(&folder);
        let lab = Lab::start_as(folder, settings, Timing { clock: clock.clone(), ..timing() }).await;
        Watched { lab, clock, now: Mutex::new(now) }
    }

    fn pass(&self, seconds: i64) {
        let mut now = self.now.lock().expect("now");
        *now += SignedDuration::from_secs(seconds);
        self.clock.set(*now);
    }

    async fn say(&self, operation: &str, request: Value) -> Value {
        self.lab.cloudwatch(operation, request).await.unwrap_or_else(|e| panic!("{operation}: {e}"))
    }

    async fn put(&self, value: f64) {
        let datum = json!({"MetricName": "errors", "Dimensions": [{"Name": "Endpoint", "Value": "live"}], "Value": value, "Unit": "Count"});
        self.say("PutMetricData", json!({"Namespace": "Test", "MetricData": [datum]})).await;
    }

    async fn state(&self, name: &str) -> String {
        let answer = self.say("DescribeAlarms", json!({"AlarmNames": [name]})).await;
        answer["MetricAlarms"][0]["StateValue"].as_str().expect("state").to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_follows_the_values_of_its_metric() {
    let watched = Watched::start().await;
    watched.say("PutMetricAlarm", alarm(json!({}))).await;
    assert_eq!(watched.state("errors").await, "INSUFFICIENT_DATA");
    watched.put(9.0).await;
    assert_eq!(watched.state("errors").await, "OK", "one minute of two");
    watched.pass(60);
    watched.put(2.0).await;
    watched.put(2.0).await;
    assert_eq!(watched.state("errors").await, "ALARM", "9 and 2 + 2");
    watched.pass(60);
    assert_eq!(watched.state("errors").await, "OK", "the last minute is missing");
    watched.pass(600);
    assert_eq!(watched.state("errors").await, "INSUFFICIENT_DATA");

    // What is set by hand holds for a period.
    let set = json!({"AlarmName": "errors", "StateValue": "ALARM", "StateReason": "a test"});
    watched.say("SetAlarmState", set).await;
    assert_eq!(watched.state("errors").await, "ALARM");
    watched.pass(61);
    assert_eq!(watched.state("errors").await, "INSUFFICIENT_DATA");
    let history =
        watched.say("DescribeAlarmHistory", json!({"AlarmName": "errors", "HistoryItemType": "StateUpdate"})).await;
    let lines: Vec<&str> = history["AlarmHistoryItems"]
        .as_array()
        .expect("items")
        .iter()
        .map(|i| i["HistorySummary"].as_str().expect("summary"))
        .collect();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(lines[0], "Alarm updated from ALARM to INSUFFICIENT_DATA");
    watched.lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn missing_data_means_what_the_alarm_says() {
    let watched = Watched::start().await;
    for (treat, want) in [
        ("breaching", "ALARM"),
        ("notBreaching", "OK"),
        ("ignore", "INSUFFICIENT_DATA"),
        ("missing", "INSUFFICIENT_DATA"),
    ] {
        watched.say("PutMetricAlarm", alarm(json!({"AlarmName": treat, "TreatMissingData": treat}))).await;
        assert_eq!(watched.state(treat).await, want, "{treat}");
    }
    watched.put(1.0).await;
    for (treat, want) in [("breaching", "OK"), ("notBreaching", "OK"), ("ignore", "OK"), ("missing", "OK")] {
        assert_eq!(watched.state(treat).await, want, "{treat}");
    }
    watched.pass(300);
    for (treat, want) in [("breaching", "ALARM"), ("ignore", "OK"), ("missing", "INSUFFICIENT_DATA")] {
        assert_eq!(watched.state(treat).await, want, "{treat}");
    }
    watched.lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn alarms_are_kept_changed_listed_and_deleted() {
    let lab = Lab::start().await;
    for name in ["a", "b", "other"] {
        lab.cloudwatch("PutMetricAlarm", alarm(json!({"AlarmName": name}))).await.expect("put");
    }
    lab.cloudwatch("PutMetricAlarm", alarm(json!({"AlarmName": "a", "Threshold": 7.5}))).await.expect("change");
    let arn = "arn:aws:cloudwatch:us-east-1:000000000000:alarm:a";
    let tags = lab.cloudwatch("ListTagsForResource", json!({"ResourceARN": arn})).await.expect("tags");
    assert_eq!(tags["Tags"], json!([{"Key": "sagebrush:project", "Value": "story"}]));
    let lab = lab.restart().await;
    let page = lab.cloudwatch("DescribeAlarms", json!({"MaxRecords": 2})).await.expect("list");
    let names: Vec<&Value> = page["MetricAlarms"].as_array().expect("alarms").iter().map(|a| &a["AlarmName"]).collect();
    assert_eq!(names, ["a", "b"]);
    assert_eq!(
        (&page["MetricAlarms"][0]["Threshold"], &page["MetricAlarms"][0]["AlarmArn"]),
        (&json!(7.5), &json!(arn))
    );
    let rest = lab.cloudwatch("DescribeAlarms", json!({"NextToken": page["NextToken"]})).await.expect("rest");
    assert_eq!(rest["MetricAlarms"][0]["AlarmName"], "other");
    lab.cloudwatch("DeleteAlarms", json!({"AlarmNames": ["a", "b"]})).await.expect("delete");
    lab.cloudwatch("DeleteAlarms", json!({"AlarmNames": ["a"]})).await.expect("gone is gone");
    let left = lab.cloudwatch("DescribeAlarms", json!({})).await.expect("list");
    assert_eq!(left["MetricAlarms"].as_array().map(Vec::len), Some(1));
    for (request, kind) in [
        (alarm(json!({"Period": 45})), "ValidationError"),
        (alarm(json!({"Statistic": "Median"})), "ValidationError"),
        (alarm(json!({"ExtendedStatistic": "p99"})), "InvalidParameterCombination"),
        (alarm(json!({"Threshold": null})), "MissingParameter"),
        (alarm(json!({"Metrics": [{"Id": "m", "Expression": "a/b"}]})), "ValidationError"),
        (alarm(json!({"DatapointsToAlarm": 3})), "ValidationError"),
    ] {
        let fault = lab.cloudwatch("PutMetricAlarm", request.clone()).await.expect_err("refused");
        assert_eq!(fault["__type"], kind, "{request}: {fault}");
    }
    let fault =
        lab.cloudwatch("SetAlarmState", json!({"AlarmName": "gone", "StateValue": "OK", "StateReason": "x"})).await;
    assert_eq!(fault.expect_err("none")["__type"], "ResourceNotFound");
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_counts_its_invocations() {
    let watched = Watched::start().await;
    let lab = &watched.lab;
    lab.model("m", json!({})).await;
    lab.config("c", "m", json!({})).await;
    lab.endpoint("live", "c").await;
    for body in ["one", "two", "three"] {
        assert_eq!(lab.invoke("live", &[], body).await.status, 200);
    }
    let dimensions = json!([{"Name": "EndpointName", "Value": "live"}, {"Name": "VariantName", "Value": "main"}]);
    let listed = watched.say("ListMetrics", json!({"Namespace": "AWS/SageMaker", "Dimensions": dimensions})).await;
    let names: Vec<&Value> = listed["Metrics"].as_array().expect("metrics").iter().map(|m| &m["MetricName"]).collect();
    assert!(names.contains(&&json!("Invocations")) && names.contains(&&json!("Invocation5XXErrors")), "{names:?}");
    let now = watched.now.lock().expect("now").as_second() as f64;
    let asked = |metric: &str, more: Value| {
        let mut asked = json!({"Namespace": "AWS/SageMaker", "MetricName": metric, "Dimensions": dimensions,
            "StartTime": now - 60.0, "EndTime": now + 60.0, "Period": 3600});
        for (member, value) in more.as_object().into_iter().flatten() {
            asked[member] = value.clone();
        }
        asked
    };
    let sum = |answer: Value| {
        answer["Datapoints"].as_array().expect("points").iter().filter_map(|p| p["Sum"].as_f64()).sum::<f64>()
    };
    let plain = json!({"Statistics": ["Sum"]});
    assert_eq!(sum(watched.say("GetMetricStatistics", asked("Invocations", plain.clone())).await), 3.0);
    assert_eq!(sum(watched.say("GetMetricStatistics", asked("Invocation5XXErrors", plain)).await), 0.0);
    let latency =
        watched.say("GetMetricStatistics", asked("ModelLatency", json!({"ExtendedStatistics": ["p99"]}))).await;
    let point = &latency["Datapoints"][0];
    assert!(
        point["ExtendedStatistics"]["p99"].as_f64().expect("p99") > 0.0 && point["Unit"] == "Microseconds",
        "{latency}"
    );
    watched.lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_tells_its_topic_once() {
    let watched = Watched::start().await;
    let topic = "arn:aws:sns:us-east-1:000000000000:alerts";
    watched.lab.sns("CreateTopic", &[("Name", "alerts")]).await;
    let subscribe = [("TopicArn", topic), ("Protocol", "email"), ("Endpoint", "ops@example.com")];
    assert_eq!(watched.lab.sns("Subscribe", &subscribe).await.status, 200);
    let actions = json!({"EvaluationPeriods": 1, "AlarmActions": [topic], "AlarmDescription": "too many errors"});
    watched.say("PutMetricAlarm", alarm(actions)).await;
    for _ in 0..3 {
        watched.put(5.0).await;
        assert_eq!(watched.state("errors").await, "ALARM");
    }
    let folder = watched.lab.folder.path().join("state/outbox/email/ops%40example.com");
    let mails: Vec<_> = std::fs::read_dir(folder).expect("outbox").collect();
    assert_eq!(mails.len(), 1, "one change of state, one mail");
    let mail = std::fs::read_to_string(mails[0].as_ref().expect("entry").path()).expect("mail");
    for part in [
        "To: ops@example.com",
        "Subject: ALARM: \"errors\" in us-east-1",
        "too many errors",
        "Threshold Crossed",
        "\"OldStateValue\":\"INSUFFICIENT_DATA\"",
    ] {
        assert!(mail.contains(part), "{part}\n{mail}");
    }
    watched.lab.emulator.shutdown().await;
}
