//! Bodies sent as gzip.

use crate::fixture::{Kind, app, post, request, send};
use axum::http::StatusCode;
use flate2::Compression;
use flate2::write::GzEncoder;
use serve::Limits;
use std::io::Write;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn packed(encoding: &str, body: Vec<u8>) -> axum::http::Request<axum::body::Body> {
    request("POST", "/invocations", &[("content-type", "application/json"), ("content-encoding", encoding)], body)
}

#[tokio::test]
async fn gzip_is_answered_as_plain() {
    let app = app(Kind::Two, Limits::default());
    let long = format!("[{}\"good\"]", "\"a dull film\",".repeat(5000));
    for body in ["{\"text\": \"a wonderful film\"}", &long] {
        let plain = send(&app, post("application/json", "", body.to_owned())).await;
        for encoding in ["gzip", "x-gzip", "GZIP"] {
            let reply = send(&app, packed(encoding, gzip(body.as_bytes()))).await;
            assert_eq!((reply.status, reply.body), (StatusCode::OK, plain.body.clone()), "{encoding}");
        }
    }
}

#[tokio::test]
async fn a_bomb_is_413_and_costs_no_more_than_the_limit() {
    let limits = Limits { body_bytes: 1 << 20, upload_bytes: 1 << 20, ..Limits::default() };
    let app = app(Kind::Two, limits);
    // 64 MB in 64 kB; and the same packed again, whose inside stays packed and is no JSON.
    let bomb = gzip(&vec![b' '; 64 << 20]);
    assert!(bomb.len() < 1 << 19);
    let reply = send(&app, packed("gzip", bomb.clone())).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE, "{reply:?}");
    assert!(reply.error().starts_with("the body is longer than 1048576 bytes"), "{reply:?}");
    let reply = send(&app, packed("gzip", gzip(&bomb))).await;
    assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{reply:?}");
    // What it held was given back.
    assert_eq!(send(&app, packed("gzip", gzip(b"[\"good\"]"))).await.status, StatusCode::OK);
}

#[tokio::test]
async fn broken_or_other_encodings_are_refused() {
    let app = app(Kind::Two, Limits::default());
    let whole = gzip(b"[\"good\"]");
    for (encoding, body, status) in [
        ("gzip", b"[\"good\"]".to_vec(), 400),
        ("gzip", whole[..whole.len() - 4].to_vec(), 400),
        ("br", whole.clone(), 415),
        ("gzip, gzip", whole.clone(), 415),
    ] {
        let reply = send(&app, packed(encoding, body)).await;
        assert_eq!(reply.status, status, "{encoding}: {reply:?}");
        assert!(reply.error().contains("; send "), "{encoding}: {reply:?}");
    }
}
