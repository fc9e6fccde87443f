//! Logs read as CloudWatch Logs gives them.

use serde_json::{Value, json};

use crate::{
    lab::Lab,
    processing::{job, over},
};

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_paged_forwards_and_backwards() {
    let lab = Lab::start().await;
    lab.put("in/a", "x").await;
    let say = (0..25).map(|i| format!("line {i}")).collect::<Vec<_>>().join("\n");
    lab.call("CreateProcessingJob", job("talker", json!({"SAY": say}))).await.expect("create");
    lab.until("DescribeProcessingJob", json!({"ProcessingJobName": "talker"}), over).await;
    let group = "/aws/sagemaker/ProcessingJobs";
    let streams = lab
        .logs("DescribeLogStreams", json!({"logGroupName": group, "logStreamNamePrefix": "talker/"}))
        .await
        .expect("streams");
    let stream = streams["logStreams"][0]["logStreamName"].clone();
    let get = |more: Value| {
        let mut request = json!({"logGroupName": group, "logStreamName": stream, "limit": 10});
        request.as_object_mut().expect("object").extend(more.as_object().expect("object").clone());
        let lab = lab.http.clone();
        async move { lab.logs("GetLogEvents", request).await.expect("events") }
    };
    let messages = |answer: &Value| -> Vec<String> {
        let events = answer["events"].as_array().expect("events").iter();
        events.map(|e| e["message"].as_str().expect("message").to_owned()).collect()
    };
    let (mut all, mut answer) = (Vec::new(), get(json!({"startFromHead": true})).await);
    loop {
        all.extend(messages(&answer));
        let token = answer["nextForwardToken"].clone();
        answer = get(json!({"nextToken": token})).await;
        if answer["nextForwardToken"] == token {
            break;
        }
    }
    assert_eq!(messages(&answer), Vec::<String>::new(), "the same token again is the end");
    assert_eq!(all.iter().filter(|m| m.starts_with("line ")).count(), 25);
    let last = get(json!({})).await;
    assert_eq!(messages(&last), all[all.len() - 10..]);
    let before = get(json!({"nextToken": last["nextBackwardToken"]})).await;
    assert_eq!(messages(&before), all[all.len() - 20..all.len() - 10]);

    let found = lab
        .logs("FilterLogEvents", json!({"logGroupName": group, "filterPattern": "\"line 24\""}))
        .await
        .expect("filter");
    assert_eq!(messages(&found), ["line 24"]);
    let groups = lab.logs("DescribeLogGroups", json!({"logGroupNamePrefix": "/aws/sagemaker"})).await.expect("groups");
    assert_eq!(groups["logGroups"][0]["logGroupName"], group);
    let missing =
        lab.logs("GetLogEvents", json!({"logGroupName": "none", "logStreamName": "x"})).await.expect_err("missing");
    assert_eq!(missing["__type"], "ResourceNotFoundException");
    lab.emulator.shutdown().await;
}
