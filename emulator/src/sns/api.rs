//! The operations, by name.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::{
    Subscription, Topic,
    deliver::{self, Message},
};
use crate::{ACCOUNT, account::Account, fault::Fault, sagemaker::tags, time};

/// Items on a page.
const PAGE: usize = 100;
/// Largest message, bytes.
const LARGEST: usize = 256 << 10;
/// Where a subscription can lead.
const PROTOCOLS: [&str; 9] =
    ["http", "https", "email", "email-json", "sms", "sqs", "application", "lambda", "firehose"];

/// Answers one operation; `Null` for those that answer nothing.
pub(crate) fn answer(account: &Arc<Account>, operation: &str, request: &Value) -> Result<Value, Fault> {
    match operation {
        "CreateTopic" => create(account, request),
        "DeleteTopic" => delete(account, request),
        "ListTopics" => {
            page(request, account.topics.all().iter().map(|t| json!({"TopicArn": t.arn})).collect(), "Topics")
        }
        "GetTopicAttributes" => attributes(account, request),
        "SetTopicAttributes" => set_attributes(account, request),
        "Subscribe" => subscribe(account, request),
        "ConfirmSubscription" => confirm(account, request),
        "Unsubscribe" => {
            account.subscriptions.remove(text(request, "SubscriptionArn"))?;
            Ok(Value::Null)
        }
        "ListSubscriptions" => subscriptions(account, request, None),
        "ListSubscriptionsByTopic" => {
            let topic = topic(account, text(request, "TopicArn"))?;
            subscriptions(account, request, Some(&topic.arn))
        }
        "Publish" => {
            let arn =
                ["TopicArn", "TargetArn"].map(|member| text(request, member)).into_iter().find(|arn| !arn.is_empty());
            let arn = arn.ok_or_else(|| invalid("TopicArn or TargetArn: the emulator publishes to topics alone"))?;
            let subject = request["Subject"].as_str();
            let id = published(account, arn, subject, text(request, "Message"), &request["MessageAttributes"])?;
            Ok(json!({"MessageId": id}))
        }
        "TagResource" => tags::add(account, request.clone()).map(|_| json!({})),
        "UntagResource" => tags::delete(account, request.clone()),
        _ => tags::list(account, request.clone()),
    }
}

fn text<'a>(request: &'a Value, member: &str) -> &'a str {
    request[member].as_str().unwrap_or_default()
}

fn invalid(what: &str) -> Fault {
    Fault::new("InvalidParameter", format!("Invalid parameter: {what}"))
}

fn not_found(what: &str) -> Fault {
    Fault { status: 404, ..Fault::new("NotFound", format!("{what} does not exist")) }
}

fn topic(account: &Account, arn: &str) -> Result<Topic, Fault> {
    account.topics.get(arn).ok_or_else(|| not_found("Topic"))
}

/// Making a topic that is there gives its ARN.
fn create(account: &Account, request: &Value) -> Result<Value, Fault> {
    let name = text(request, "Name");
    let spelled = name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if name.is_empty() || name.len() > 256 || !spelled {
        return Err(invalid("Topic Name"));
    }
    let arn = format!("arn:aws:sns:{}:{ACCOUNT}:{name}", account.region);
    let attributes = request["Attributes"].as_object().cloned().unwrap_or_default();
    account.topics.add(&arn, Topic { arn: arn.clone(), attributes, created: time::now() })?;
    tags::attach(account, &arn, request)?;
    Ok(json!({"TopicArn": arn}))
}

fn delete(account: &Account, request: &Value) -> Result<Value, Fault> {
    let arn = text(request, "TopicArn");
    if account.topics.remove(arn)? {
        tags::detach(account, arn)?;
        for subscription in account.subscriptions.all().into_iter().filter(|s| s.topic == arn) {
            account.subscriptions.remove(&subscription.arn)?;
        }
    }
    Ok(Value::Null)
}

fn attributes(account: &Account, request: &Value) -> Result<Value, Fault> {
    let topic = topic(account, text(request, "TopicArn"))?;
    let all = account.subscriptions.all();
    let count = |confirmed| all.iter().filter(|s| s.topic == topic.arn && s.confirmed == confirmed).count();
    let mut attributes = topic.attributes;
    for (name, value) in [
        ("TopicArn", topic.arn.clone()),
        ("Owner", ACCOUNT.to_owned()),
        ("SubscriptionsConfirmed", count(true).to_string()),
        ("SubscriptionsPending", count(false).to_string()),
        ("SubscriptionsDeleted", "0".to_owned()),
    ] {
        attributes.insert(name.to_owned(), Value::String(value));
    }
    attributes.entry("DisplayName").or_insert_with(|| json!(""));
    Ok(json!({"Attributes": attributes}))
}

fn set_attributes(account: &Account, request: &Value) -> Result<Value, Fault> {
    let (arn, name) = (text(request, "TopicArn"), text(request, "AttributeName").to_owned());
    let value = json!(text(request, "AttributeValue"));
    let set = account.topics.update(arn, |topic| topic.attributes.insert(name, value))?;
    set.map(|_| Value::Null).ok_or_else(|| not_found("Topic"))
}

/// Subscribing the same endpoint again gives the same subscription.
fn subscribe(account: &Arc<Account>, request: &Value) -> Result<Value, Fault> {
    let topic = topic(account, text(request, "TopicArn"))?;
    let (protocol, endpoint) = (text(request, "Protocol"), text(request, "Endpoint"));
    if !PROTOCOLS.contains(&protocol) {
        return Err(invalid(&format!("Protocol {protocol}")));
    }
    let fits = match protocol {
        "http" | "https" => endpoint.starts_with(&format!("{protocol}://")) && endpoint.parse::<http::Uri>().is_ok(),
        "email" | "email-json" => endpoint.split_once('@').is_some_and(|(to, at)| !to.is_empty() && !at.is_empty()),
        _ => !endpoint.is_empty(),
    };
    if !fits {
        return Err(invalid(&format!("Endpoint {endpoint} must match the protocol {protocol}")));
    }
    let same = |s: &Subscription| (&*s.topic, &*s.protocol, &*s.endpoint) == (&*topic.arn, protocol, endpoint);
    let subscription = match account.subscriptions.all().into_iter().find(same) {
        Some(known) => known,
        None => {
            let new = Subscription {
                arn: format!("{}:{}", topic.arn, uuid::Uuid::new_v4()),
                topic: topic.arn.clone(),
                protocol: protocol.to_owned(),
                endpoint: endpoint.to_owned(),
                token: uuid::Uuid::new_v4().simple().to_string(),
                // A webhook has to confirm; nobody could click in a mail that is a file.
                confirmed: protocol != "http",
                attributes: request["Attributes"].as_object().cloned().unwrap_or_default(),
            };
            account.subscriptions.add(&new.arn, new.clone())?;
            new
        }
    };
    if !subscription.confirmed {
        deliver::ask(account, subscription.clone());
    }
    let whole = subscription.confirmed || request["ReturnSubscriptionArn"].as_bool().unwrap_or(false);
    Ok(json!({"SubscriptionArn": if whole { &subscription.arn } else { "pending confirmation" }}))
}

fn confirm(account: &Account, request: &Value) -> Result<Value, Fault> {
    let token = text(request, "Token");
    let known =
        account.subscriptions.all().into_iter().find(|s| s.topic == text(request, "TopicArn") && s.token == token);
    let known = known.ok_or_else(|| invalid("Token"))?;
    account.subscriptions.update(&known.arn, |subscription| subscription.confirmed = true)?;
    Ok(json!({"SubscriptionArn": known.arn}))
}

fn subscriptions(account: &Account, request: &Value, topic: Option<&str>) -> Result<Value, Fault> {
    let all = account.subscriptions.all().into_iter().filter(|s| topic.is_none_or(|topic| s.topic == topic));
    let shown = |s: Subscription| {
        let arn = if s.confirmed { s.arn } else { "PendingConfirmation".to_owned() };
        json!({"SubscriptionArn": arn, "Owner": ACCOUNT, "Protocol": s.protocol, "Endpoint": s.endpoint, "TopicArn": s.topic})
    };
    page(request, all.map(shown).collect(), "Subscriptions")
}

fn page(request: &Value, items: Vec<Value>, member: &str) -> Result<Value, Fault> {
    let from = match text(request, "NextToken") {
        "" => 0,
        token => token.parse::<usize>().map_err(|_| invalid("NextToken"))?,
    };
    let more = items.len() > from.saturating_add(PAGE);
    let page: Vec<Value> = items.into_iter().skip(from).take(PAGE).collect();
    let mut answer = json!({member: page});
    if more {
        answer["NextToken"] = json!((from + PAGE).to_string());
    }
    Ok(answer)
}

/// Sends a message to all subscribers of a topic; its id. For the services that publish by themselves.
pub(crate) fn publish(
    account: &Arc<Account>,
    topic: &str,
    subject: Option<&str>,
    text: &str,
) -> Result<String, String> {
    published(account, topic, subject, text, &Value::Null).map_err(|fault| fault.message)
}

fn published(
    account: &Arc<Account>,
    arn: &str,
    subject: Option<&str>,
    text: &str,
    attributes: &Value,
) -> Result<String, Fault> {
    let topic = topic(account, arn)?;
    if text.is_empty() {
        return Err(invalid("Empty message"));
    }
    if text.len() > LARGEST {
        return Err(invalid("Message too long"));
    }
    let plain = |subject: &str| {
        subject.len() <= 100 && !subject.is_empty() && subject.bytes().all(|b| (0x20..0x7f).contains(&b))
    };
    if subject.is_some_and(|subject| !plain(subject)) {
        return Err(invalid("Subject"));
    }
    let id = uuid::Uuid::new_v4().to_string();
    let message = Arc::new(Message {
        id: id.clone(),
        topic: topic.arn.clone(),
        subject: subject.map(str::to_owned),
        text: text.to_owned(),
        attributes: attributes.as_object().cloned().unwrap_or_else(Map::new),
        at: time::now(),
    });
    for subscription in account.subscriptions.all().into_iter().filter(|s| s.topic == topic.arn && s.confirmed) {
        deliver::send(account, subscription, message.clone());
    }
    Ok(id)
}
