//! More than is taken on at once is refused at once.

use crate::fixture::{Arriving, Kind, app, post, send};
use axum::http::StatusCode;
use serve::Limits;
use std::sync::Arc;
use std::time::Duration;

#[tokio::test]
async fn overload_is_refused_and_passes() {
    let app = app(Kind::Two, Limits { in_flight: 1, ..Limits::default() });
    let (sender, body) = Arriving::channel();
    let first = tokio::spawn({
        let app = Arc::clone(&app);
        async move { send(&app, post("text/plain", "", body)).await }
    });
    sender.send("a great ").await.unwrap();
    sender.send("film").await.unwrap();

    let refused = send(&app, post("text/plain", "", "good")).await;
    assert_eq!(refused.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(refused.header("retry-after"), "1");
    assert!(refused.error().starts_with("1 requests are being answered"), "{refused:?}");

    drop(sender);
    let first = first.await.unwrap();
    assert_eq!(first.json()["predictions"][0]["label"], "1");
    assert_eq!(send(&app, post("text/plain", "", "good")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn memory_for_large_bodies_is_bounded() {
    let app = app(Kind::Two, Limits { inline_bytes: 8, body_bytes: 2048, upload_bytes: 2048, ..Limits::default() });
    let (sender, body) = Arriving::channel();
    let first = tokio::spawn({
        let app = Arc::clone(&app);
        async move { send(&app, post("text/plain", "", body)).await }
    });
    // The second has been taken once a third was: from then on all the memory is set aside for this body.
    for piece in ["a great ", "and moving ", "film"] {
        sender.send(piece).await.unwrap();
    }

    let large = send(&app, post("text/plain", "", "a very dull film")).await;
    assert_eq!(large.status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(large.error().starts_with("2048 bytes of large bodies"), "{large:?}");
    assert_eq!(send(&app, post("text/plain", "", "dull")).await.status, StatusCode::OK);

    drop(sender);
    assert_eq!(first.await.unwrap().status, StatusCode::OK);
    assert_eq!(send(&app, post("text/plain", "", "a very dull film")).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_body_over_the_limit_is_413() {
    let app = app(Kind::Two, Limits { body_bytes: 10, ..Limits::default() });
    assert_eq!(send(&app, post("text/plain", "", "ten bytes.")).await.status, StatusCode::OK);

    let known = send(&app, post("text/plain", "", "eleven byte")).await;
    let (sender, body) = Arriving::channel();
    let chunked = tokio::spawn(async move { send(&app, post("text/plain", "", body)).await });
    for piece in ["one ", "two ", "three ", "four "] {
        sender.send(piece).await.unwrap();
    }
    drop(sender);
    for reply in [known, chunked.await.unwrap()] {
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert!(reply.error().starts_with("the body is longer than 10 bytes; split"), "{reply:?}");
    }
}

#[tokio::test]
async fn documents_and_answer_are_bounded() {
    let app = app(Kind::Two, Limits { documents: 3, answer_bytes: 200, ..Limits::default() });
    for (body, want) in [
        (r#"["a", "b", "c", "d"]"#, "the body holds more than 3 documents"),
        (r#"["a", "b", "c"]"#, "the answer would be longer than 200 bytes"),
    ] {
        let reply = send(&app, post("application/json", "", body)).await;
        assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{body}");
        assert!(reply.error().starts_with(want), "{body}: {reply:?}");
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_is_408() {
    let app = app(Kind::Two, Limits { body_time: Duration::from_millis(20), ..Limits::default() });
    let (sender, body) = Arriving::channel();
    let reply = send(&app, post("text/plain", "", body)).await;
    drop(sender);
    assert_eq!(reply.status, StatusCode::REQUEST_TIMEOUT);
    assert!(reply.error().starts_with("the body did not arrive within"), "{reply:?}");
}

/// A huge document is computed beside the thread that answers: a short one that comes after it is answered before it.
#[tokio::test]
async fn a_huge_document_does_not_stand_before_a_short_one() {
    let app = app(Kind::Two, Limits::default());
    let answered = std::sync::Mutex::new(Vec::new());
    let ask = async |body: String| {
        let length = body.len();
        let reply = send(&app, post("text/plain", "", body)).await;
        assert_eq!(reply.status, 200);
        answered.lock().unwrap().push(length);
    };
    let huge = "a wonderful film ".repeat(500_000);
    tokio::join!(ask(huge.clone()), ask("good".to_owned()));
    assert_eq!(*answered.lock().unwrap(), [4, huge.len()]);
}
