//! Messages on their way: webhooks get an HTTP request, what cannot be sent from here is written into `<state>/outbox`.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{Method, Request, header};
use http_body_util::Full;
use hyper_util::{client::legacy::Client, rt::TokioExecutor};
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use tokio::time::{sleep, timeout};

use super::Subscription;
use crate::{account::Account, files, shelf::encode};

/// Pauses between the attempts at a webhook.
const AGAIN: [Duration; 3] = [Duration::from_millis(200), Duration::from_secs(1), Duration::from_secs(5)];
/// How long a webhook may take (AWS: 15 s).
const PATIENCE: Duration = Duration::from_secs(15);
/// Where it is said what came of each message.
const LOG: &str = "/emulator/sns";

/// What was published.
pub(super) struct Message {
    pub id: String,
    pub topic: String,
    pub subject: Option<String>,
    pub text: String,
    pub attributes: Map<String, Value>,
    pub at: Timestamp,
}

/// Asks a webhook to confirm its subscription.
pub(super) fn ask(account: &Arc<Account>, to: Subscription) {
    let id = uuid::Uuid::new_v4().to_string();
    let topic = &to.topic;
    let body = json!({
        "Type": "SubscriptionConfirmation", "MessageId": id, "Token": to.token, "TopicArn": topic,
        "Message": format!("You have chosen to subscribe to the topic {topic}.\nTo confirm the subscription, visit the SubscribeURL included in this message."),
        "SubscribeURL": format!("{}/?Action=ConfirmSubscription&TopicArn={topic}&Token={}", account.url, to.token),
        "Timestamp": crate::time::now().to_string(), "SignatureVersion": "1", "Signature": "", "SigningCertURL": "",
    });
    go(account, to, id, body);
}

/// Sends a message to one subscriber.
pub(super) fn send(account: &Arc<Account>, to: Subscription, message: Arc<Message>) {
    let mut body = json!({
        "Type": "Notification", "MessageId": message.id, "TopicArn": message.topic, "Message": message.text,
        "Timestamp": message.at.to_string(), "SignatureVersion": "1", "Signature": "", "SigningCertURL": "",
        "UnsubscribeURL": format!("{}/?Action=Unsubscribe&SubscriptionArn={}", account.url, to.arn),
    });
    if let Some(subject) = &message.subject {
        body["Subject"] = json!(subject);
    }
    if !message.attributes.is_empty() {
        let shown = |(name, value): (&String, &Value)| {
            (name.clone(), json!({"Type": value["DataType"], "Value": value["StringValue"]}))
        };
        body["MessageAttributes"] = Value::Object(message.attributes.iter().map(shown).collect());
    }
    if to.protocol == "http" {
        return go(account, to, message.id.clone(), body);
    }
    let text = match to.protocol.as_str() {
        "email" => {
            let subject = message.subject.as_deref().unwrap_or("AWS Notification Message");
            let date = message.at.strftime("%a, %d %b %Y %H:%M:%S +0000");
            format!(
                "From: no-reply@sns.invalid\r\nTo: {}\r\nDate: {date}\r\nSubject: {subject}\r\n\r\n{}\r\n",
                to.endpoint, message.text
            )
        }
        _ => body.to_string(),
    };
    let extension = if to.protocol == "email" { "eml" } else { "json" };
    let folder = account.settings.state.join("outbox").join(&to.protocol).join(encode(&to.endpoint));
    let path = folder.join(format!("{}.{extension}", message.id));
    match files::write(&path, text.as_bytes()) {
        Ok(()) => note(account, &to, &format!("{} is written to {}", message.id, path.display())),
        Err(e) => note(account, &to, &format!("{} is lost: {}: {e}", message.id, path.display())),
    }
}

fn note(account: &Account, to: &Subscription, text: &str) {
    account.logs.append(LOG, to.topic.rsplit(':').next().unwrap_or_default(), &format!("{}: {text}", to.endpoint));
}

fn go(account: &Arc<Account>, to: Subscription, id: String, body: Value) {
    let keeper = account.clone();
    account.tasks.spawn(async move {
        let account = keeper;
        for attempt in 0..=AGAIN.len() {
            let failed = match timeout(PATIENCE, post(&to, &id, &body)).await {
                Ok(Ok(())) => return note(&account, &to, &format!("{id} is delivered")),
                Ok(Err(why)) => why,
                Err(_) => "no answer in time".to_owned(),
            };
            let Some(pause) = AGAIN.get(attempt) else {
                return note(&account, &to, &format!("{id} is given up: {failed}"));
            };
            note(&account, &to, &format!("{id} is not delivered yet: {failed}"));
            tokio::select! {
                () = sleep(*pause) => {}
                () = account.tasks.closing() => return note(&account, &to, &format!("{id} is lost: the emulator ends")),
            }
        }
    });
}

async fn post(to: &Subscription, id: &str, body: &Value) -> Result<(), String> {
    let request = Request::builder()
        .method(Method::POST)
        .uri(&to.endpoint)
        .header(header::CONTENT_TYPE, "text/plain; charset=UTF-8")
        .header(header::USER_AGENT, "Amazon Simple Notification Service Agent")
        .header("x-amz-sns-message-type", body["Type"].as_str().unwrap_or_default())
        .header("x-amz-sns-message-id", id)
        .header("x-amz-sns-topic-arn", &to.topic)
        .header("x-amz-sns-subscription-arn", &to.arn)
        .body(Full::new(Bytes::from(body.to_string())))
        .map_err(|e| e.to_string())?;
    let answer =
        Client::builder(TokioExecutor::new()).build_http().request(request).await.map_err(|e| e.to_string())?;
    if answer.status().is_success() { Ok(()) } else { Err(format!("HTTP {}", answer.status())) }
}
