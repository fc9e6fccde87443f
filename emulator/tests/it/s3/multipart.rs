//! Uploads in parts.

use http::Method;

use super::S3;

const MIB: usize = 1024 * 1024;

async fn start(s3: &S3, key: &str, headers: &[(&str, &str)]) -> String {
    s3.send(Method::POST, &format!("/bucket/{key}?uploads"), headers, "").await.one("UploadId")
}

async fn part(s3: &S3, key: &str, id: &str, number: i32, body: Vec<u8>) -> String {
    let answer = s3.put(&format!("/bucket/{key}?partNumber={number}&uploadId={id}"), body).await;
    answer.header("etag").to_owned()
}

fn completion(parts: &[(i32, &str)]) -> String {
    let parts: String = parts
        .iter()
        .map(|(number, etag)| format!("<Part><PartNumber>{number}</PartNumber><ETag>{etag}</ETag></Part>"))
        .collect();
    format!("<CompleteMultipartUpload>{parts}</CompleteMultipartUpload>")
}

#[tokio::test]
async fn parts_become_one_object_even_across_a_restart() {
    let s3 = S3::new().await;
    let id = start(&s3, "k", &[("content-type", "a/b"), ("x-amz-checksum-algorithm", "CRC32")]).await;
    part(&s3, "k", &id, 1, vec![9; MIB]).await;
    let one = part(&s3, "k", &id, 1, vec![1; 5 * MIB]).await;
    let s3 = s3.reopened().await;
    let three = part(&s3, "k", &id, 3, vec![3; 10]).await;
    assert_eq!(s3.get("/bucket?uploads").await.all("UploadId").last(), Some(&id));
    assert_eq!(s3.get(&format!("/bucket/k?uploadId={id}")).await.all("PartNumber"), ["1", "3"]);
    assert_eq!(s3.get("/bucket/k").await.code(), "NoSuchKey", "an upload under way is no object");

    let done = completion(&[(1, &one), (3, &three)]);
    let answer = s3.send(Method::POST, &format!("/bucket/k?uploadId={id}"), &[], done).await;
    assert!(answer.one("ETag").trim_matches('"').ends_with("-2"), "{}", answer.text());
    assert!(answer.one("ChecksumCRC32").ends_with("-2"), "{}", answer.text());
    let s3 = s3.reopened().await;
    let got = s3.get("/bucket/k").await;
    assert_eq!(got.body, [vec![1; 5 * MIB], vec![3; 10]].concat());
    assert_eq!(got.header("content-type"), "a/b");
    let second = s3.get("/bucket/k?partNumber=2").await;
    assert_eq!((second.status.as_u16(), second.body.len(), second.header("x-amz-mp-parts-count")), (206, 10, "2"));
    assert_eq!(s3.files(), 1, "parts are gone");
}

#[tokio::test]
async fn what_does_not_add_up_is_refused_and_can_be_mended() {
    let s3 = S3::new().await;
    let id = start(&s3, "k", &[]).await;
    let small = part(&s3, "k", &id, 1, vec![1; 10]).await;
    let last = part(&s3, "k", &id, 2, vec![2; 10]).await;
    let path = format!("/bucket/k?uploadId={id}");
    for (parts, code) in [
        (vec![(1, small.as_str()), (2, last.as_str())], "EntityTooSmall"),
        (vec![(2, last.as_str()), (1, small.as_str())], "InvalidPartOrder"),
        (vec![(1, "\"other\"")], "InvalidPart"),
        (vec![(7, last.as_str())], "InvalidPart"),
        (vec![], "MalformedXML"),
    ] {
        let answer = s3.send(Method::POST, &path, &[], completion(&parts)).await;
        assert_eq!(answer.code(), code, "{parts:?}");
    }
    assert_eq!(s3.put(&format!("/bucket/k?partNumber=0&uploadId={id}"), "").await.code(), "InvalidArgument");
    assert_eq!(s3.put("/bucket/k?partNumber=1&uploadId=none", "").await.code(), "NoSuchUpload");
    let answer = s3.send(Method::POST, &path, &[], completion(&[(2, &last)])).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(s3.send(Method::POST, &path, &[], completion(&[(2, &last)])).await.code(), "NoSuchUpload");
    assert_eq!((s3.get("/bucket/k").await.body.to_vec(), s3.files()), (vec![2; 10], 1));
}

#[tokio::test]
async fn aborted_uploads_leave_nothing() {
    let s3 = S3::new().await;
    let id = start(&s3, "k", &[]).await;
    part(&s3, "k", &id, 1, vec![1; 10]).await;
    s3.put("/bucket/source", "0123456789").await;
    let copied = [("x-amz-copy-source", "bucket/source"), ("x-amz-copy-source-range", "bytes=2-5")];
    let path = format!("/bucket/k?partNumber=2&uploadId={id}");
    let answer = s3.send(Method::PUT, &path, &copied, "").await;
    assert_eq!(answer.one("ETag"), "\"81b073de9370ea873f548e31b8adc081\"", "MD5 of `2345`");
    assert_eq!((s3.files(), s3.delete(&format!("/bucket/k?uploadId={id}")).await.status.as_u16()), (3, 204));
    assert_eq!((s3.files(), s3.get("/bucket?uploads").await.all("UploadId").len()), (1, 0));
}
