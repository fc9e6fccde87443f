//! Topics and their subscribers, over the Query protocol.

use std::sync::{Arc, Mutex};

use axum::{Router, body::Bytes, extract::State, routing::post};
use http::{HeaderMap, Method};
use serde_json::Value;
use tokio::{net::TcpListener, sync::mpsc};

use crate::lab::{Answer, Lab};

const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:alerts";

type Seen = (String, Value);

/// A webhook of our own; what it is sent comes out of the channel. It fails as often as it is told to.
async fn webhook(failures: usize) -> (String, mpsc::UnboundedReceiver<Seen>) {
    let (to, from) = mpsc::unbounded_channel();
    let state = (to, Arc::new(Mutex::new(failures)));
    type Shared = (mpsc::UnboundedSender<Seen>, Arc<Mutex<usize>>);
    let take = |State((to, left)): State<Shared>, headers: HeaderMap, body: Bytes| async move {
        let mut left = left.lock().expect("count");
        if *left > 0 {
            *left -= 1;
            return http::StatusCode::SERVICE_UNAVAILABLE;
        }
        let kind = headers["x-amz-sns-message-type"].to_str().expect("kind").to_owned();
        to.send((kind, serde_json::from_slice(&body).expect("JSON"))).expect("listener");
        http::StatusCode::OK
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("port");
    let url = format!("http://{}/hook", listener.local_addr().expect("address"));
    let router = Router::new().route("/hook", post(take)).with_state(state);
    tokio::spawn(async move { axum::serve(listener, router).await });
    (url, from)
}

/// The text of an element.
fn inside(answer: &Answer, element: &str) -> String {
    let text = answer.text();
    let found = text.split_once(&format!("<{element}>")).and_then(|(_, rest)| rest.split_once('<'));
    found.unwrap_or_else(|| panic!("{element} in {text}")).0.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_confirms_and_then_gets_what_is_published() {
    let lab = Lab::start().await;
    assert_eq!(inside(&lab.sns("CreateTopic", &[("Name", "alerts")]).await, "TopicArn"), TOPIC);
    assert_eq!(inside(&lab.sns("CreateTopic", &[("Name", "alerts")]).await, "TopicArn"), TOPIC, "again");
    let (url, mut seen) = webhook(1).await;
    let subscribe = [("TopicArn", TOPIC), ("Protocol", "http"), ("Endpoint", &*url)];
    assert_eq!(inside(&lab.sns("Subscribe", &subscribe).await, "SubscriptionArn"), "pending confirmation");
    let (kind, asked) = seen.recv().await.expect("after one failure, again");
    assert_eq!((&*kind, &asked["TopicArn"]), ("SubscriptionConfirmation", &Value::from(TOPIC)));
    lab.sns("Publish", &[("TopicArn", TOPIC), ("Message", "too early")]).await;
    let link = asked["SubscribeURL"].as_str().expect("link").to_owned();
    let path = link.strip_prefix(lab.emulator.url()).expect("ours");
    assert_eq!(lab.send(Method::GET, path, &[], "").await.status, 200);
    let published = lab.sns("Publish", &[("TopicArn", TOPIC), ("Subject", "drift"), ("Message", "refund & app")]).await;
    let (kind, told) = seen.recv().await.expect("message");
    assert_eq!(
        (&*kind, told["Message"].as_str(), told["Subject"].as_str()),
        ("Notification", Some("refund & app"), Some("drift"))
    );
    assert_eq!(told["MessageId"], inside(&published, "MessageId"));
    let lab = lab.restart().await;
    let listed = lab.sns("ListSubscriptionsByTopic", &[("TopicArn", TOPIC)]).await;
    assert_eq!((inside(&listed, "Protocol"), inside(&listed, "Endpoint")), ("http".to_owned(), url));
    let arn = inside(&listed, "SubscriptionArn");
    assert!(arn.starts_with(TOPIC), "{arn}");
    lab.sns("Unsubscribe", &[("SubscriptionArn", &arn)]).await;
    assert!(!lab.sns("ListSubscriptions", &[]).await.text().contains("<member>"));
    lab.emulator.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_is_refused() {
    let lab = Lab::start().await;
    lab.sns("CreateTopic", &[("Name", "alerts"), ("Tags.member.1.Key", "k"), ("Tags.member.1.Value", "v")]).await;
    assert_eq!(inside(&lab.sns("ListTagsForResource", &[("ResourceArn", TOPIC)]).await, "Key"), "k");
    for (operation, parameters, status, code) in [
        ("CreateTopic", vec![("Name", "not a name")], 400, "InvalidParameter"),
        ("CreateTopic", vec![], 400, "InvalidParameter"),
        ("Publish", vec![("TopicArn", "arn:aws:sns:us-east-1:000000000000:gone"), ("Message", "x")], 404, "NotFound"),
        ("Subscribe", vec![("TopicArn", TOPIC), ("Protocol", "pigeon"), ("Endpoint", "x")], 400, "InvalidParameter"),
        (
            "Subscribe",
            vec![("TopicArn", TOPIC), ("Protocol", "http"), ("Endpoint", "https://x")],
            400,
            "InvalidParameter",
        ),
        ("Fly", vec![], 400, "InvalidAction"),
    ] {
        let answer = lab.sns(operation, &parameters).await;
        assert_eq!((answer.status.as_u16(), &*inside(&answer, "Code")), (status, code), "{operation} {parameters:?}");
    }
    lab.sns("DeleteTopic", &[("TopicArn", TOPIC)]).await;
    assert!(!lab.sns("ListTopics", &[]).await.text().contains("<member>"));
    lab.emulator.shutdown().await;
}
