//! Conditional requests and ranges.

use http::Method;

use super::S3;

/// MD5 of `0123456789`.
const ETAG: &str = "\"781e5e245d69b566979b86e28d23f2c7\"";

#[tokio::test]
async fn reads_take_conditions_and_ranges() {
    let s3 = S3::new().await;
    s3.put("/bucket/k", "0123456789").await;
    let (past, future) = ("Thu, 01 Jan 2015 00:00:00 GMT", "Thu, 01 Jan 2099 00:00:00 GMT");
    for (header, value, status, body) in [
        ("if-match", ETAG, 200, "0123456789"),
        ("if-match", "\"other\"", 412, ""),
        ("if-none-match", ETAG, 304, ""),
        ("if-none-match", "*", 304, ""),
        ("if-none-match", "\"other\"", 200, "0123456789"),
        ("if-modified-since", past, 200, "0123456789"),
        ("if-modified-since", future, 304, ""),
        ("if-unmodified-since", past, 412, ""),
        ("if-unmodified-since", future, 200, "0123456789"),
        ("range", "bytes=2-4", 206, "234"),
        ("range", "bytes=7-", 206, "789"),
        ("range", "bytes=-3", 206, "789"),
        ("range", "bytes=8-99", 206, "89"),
        ("range", "bytes=10-", 416, ""),
    ] {
        let answer = s3.send(Method::GET, "/bucket/k", &[(header, value)], "").await;
        assert_eq!(answer.status, status, "{header}: {value}");
        if answer.status.is_success() {
            assert_eq!(answer.text(), body, "{header}: {value}");
            assert_eq!(answer.header("content-length"), body.len().to_string(), "{header}: {value}");
        }
    }
    let part = s3.send(Method::GET, "/bucket/k", &[("range", "bytes=2-4")], "").await;
    assert_eq!(part.header("content-range"), "bytes 2-4/10");
    let unchanged = s3.send(Method::GET, "/bucket/k", &[("if-none-match", ETAG)], "").await;
    assert_eq!(unchanged.header("etag"), ETAG);
}

#[tokio::test]
async fn writes_take_conditions() {
    let s3 = S3::new().await;
    let none = [("if-none-match", "*")];
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &[("if-match", ETAG)], "").await.code(), "NoSuchKey");
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &none, "0123456789").await.status, 200);
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &none, "again").await.code(), "PreconditionFailed");
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &[("if-match", "\"x\"")], "").await.code(), "PreconditionFailed");
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &[("if-match", ETAG)], "next").await.status, 200);
    s3.delete("/bucket/k").await;
    assert_eq!(s3.send(Method::PUT, "/bucket/k", &none, "behind a delete marker").await.status, 200);
    assert_eq!(s3.files(), 3, "what was refused left nothing on disk");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_that_want_to_be_first_one_is() {
    let s3 = std::sync::Arc::new(S3::new().await);
    let writers: Vec<_> = (0..16)
        .map(|writer| {
            let s3 = std::sync::Arc::clone(&s3);
            tokio::spawn(async move {
                s3.put("/bucket/all", format!("{writer}")).await;
                s3.send(Method::PUT, "/bucket/one", &[("if-none-match", "*")], format!("{writer}")).await.status
            })
        })
        .collect();
    let mut first = 0;
    for writer in writers {
        first += usize::from(writer.await.unwrap() == 200);
    }
    assert_eq!(first, 1);
    let all = s3.get("/bucket?versions&prefix=all").await;
    assert_eq!(all.all("VersionId").len(), 16);
    let newest = format!("/bucket/all?versionId={}", all.one("VersionId"));
    assert_eq!(s3.get("/bucket/all").await.text(), s3.get(&newest).await.text());
}
