//! Buckets, objects, versions, and S3's words for what is wrong.

use http::Method;

use super::S3;

#[tokio::test]
async fn buckets_are_versioned_from_the_start() {
    let s3 = S3::new().await;
    assert_eq!(s3.put("/bucket", "").await.status, 200, "us-east-1 lets an owner create again");
    assert_eq!(s3.get("/bucket?versioning").await.one("Status"), "Enabled");
    assert_eq!(s3.send(Method::HEAD, "/bucket", &[], "").await.header("x-amz-bucket-region"), "us-east-1");
    let west =
        "<CreateBucketConfiguration><LocationConstraint>eu-west-1</LocationConstraint></CreateBucketConfiguration>";
    assert_eq!(s3.put("/western", west).await.status, 200);
    assert_eq!(s3.put("/western", west).await.code(), "BucketAlreadyOwnedByYou");
    assert!(s3.get("/western?location").await.text().contains("eu-west-1"));
    assert_eq!(s3.get("/").await.all("Name"), ["bucket", "western"]);
    s3.put("/western/k", "v").await;
    assert_eq!(s3.delete("/western").await.code(), "BucketNotEmpty");
    let version = s3.get("/western?versions").await.one("VersionId");
    s3.delete(&format!("/western/k?versionId={version}")).await;
    assert_eq!(s3.delete("/western").await.status, 204);
    assert_eq!(s3.get("/western").await.code(), "NoSuchBucket");
    assert_eq!(s3.reopened().await.get("/").await.all("Name"), ["bucket"]);
}

#[tokio::test]
async fn what_is_wrong_has_its_name() {
    let s3 = S3::new().await;
    let long = "x".repeat(1025);
    s3.put("/bucket/gone", "").await;
    let marker = s3.delete("/bucket/gone").await.header("x-amz-version-id").to_owned();
    for (method, path, status, code) in [
        (Method::GET, "/bucket/nothing".to_owned(), 404, "NoSuchKey"),
        (Method::GET, "/bucket/gone".to_owned(), 404, "NoSuchKey"),
        (Method::GET, format!("/bucket/gone?versionId={marker}"), 405, "MethodNotAllowed"),
        (Method::GET, "/bucket/gone?versionId=other".to_owned(), 404, "NoSuchVersion"),
        (Method::GET, "/nowhere/key".to_owned(), 404, "NoSuchBucket"),
        (Method::PUT, "/nowhere/key".to_owned(), 404, "NoSuchBucket"),
        (Method::PUT, "/UPPER".to_owned(), 400, "InvalidBucketName"),
        (Method::PUT, format!("/bucket/{long}"), 400, "KeyTooLongError"),
        (Method::GET, "/bucket?policy".to_owned(), 501, "NotImplemented"),
        (Method::GET, "/bucket?encryption".to_owned(), 404, "ServerSideEncryptionConfigurationNotFoundError"),
        (Method::GET, "/bucket?list-type=2&continuation-token=%21".to_owned(), 400, "InvalidArgument"),
        (Method::GET, "/bucket?list-type=2&max-keys=-1".to_owned(), 400, "InvalidArgument"),
    ] {
        let answer = s3.send(method.clone(), &path, &[], "").await;
        assert_eq!((answer.status.as_u16(), answer.code().as_str()), (status, code), "{method} {path}");
        assert_ne!(answer.header("x-amz-request-id"), "", "{method} {path}");
        assert!(answer.text().contains("<Message>"), "{method} {path}: {}", answer.text());
    }
}

#[tokio::test]
async fn versions_come_back_and_go_for_good() {
    let s3 = S3::new().await;
    let mut ids = Vec::new();
    for body in ["one", "two", "three"] {
        ids.push(s3.put("/bucket/k", body).await.header("x-amz-version-id").to_owned());
    }
    let deleted = s3.delete("/bucket/k").await;
    assert_eq!((deleted.status.as_u16(), deleted.header("x-amz-delete-marker")), (204, "true"));
    let s3 = s3.reopened().await;
    assert_eq!(s3.get("/bucket/k").await.header("x-amz-delete-marker"), "true");
    assert_eq!(s3.get("/bucket?list-type=2").await.one("KeyCount"), "0");
    for (id, body) in ids.iter().zip(["one", "two", "three"]) {
        assert_eq!(s3.get(&format!("/bucket/k?versionId={id}")).await.text(), body);
    }
    let listed = s3.get("/bucket?versions").await;
    let mut newest_first = vec![deleted.header("x-amz-version-id").to_owned()];
    newest_first.extend(ids.iter().rev().cloned());
    assert_eq!(listed.all("VersionId"), newest_first);
    assert_eq!(listed.all("IsLatest"), ["true", "false", "false", "false"]);
    s3.delete(&format!("/bucket/k?versionId={}", deleted.header("x-amz-version-id"))).await;
    assert_eq!(s3.get("/bucket/k").await.text(), "three");
    s3.delete(&format!("/bucket/k?versionId={}", ids[2])).await;
    assert_eq!((s3.get("/bucket/k").await.text(), s3.files()), ("two", 2));
}

#[tokio::test]
async fn suspended_versioning_keeps_one_null_version() {
    let s3 = S3::new().await;
    s3.put("/bucket/k", "kept").await;
    let suspended = "<VersioningConfiguration><Status>Suspended</Status></VersioningConfiguration>";
    assert_eq!(s3.put("/bucket?versioning", suspended).await.status, 200);
    for body in ["first", "second"] {
        assert_eq!(s3.put("/bucket/k", body).await.header("x-amz-version-id"), "null");
    }
    let s3 = s3.reopened().await;
    assert_eq!(s3.get("/bucket?versions").await.all("VersionId").len(), 2);
    assert_eq!((s3.get("/bucket/k?versionId=null").await.text(), s3.files()), ("second", 2));
}

#[tokio::test]
async fn what_was_said_of_an_object_is_said_again() {
    let s3 = S3::new().await;
    let said = [
        ("content-type", "text/csv"),
        ("content-encoding", "gzip"),
        ("cache-control", "no-store"),
        ("expires", "Thu, 01 Jan 2026 00:00:00 GMT"),
        ("x-amz-meta-data-version", "sha256:ab"),
        ("x-amz-tagging", "stage=raw&who=me%20too"),
    ];
    s3.send(Method::PUT, "/bucket/k", &said, "text").await;
    let s3 = s3.reopened().await;
    for method in [Method::GET, Method::HEAD] {
        let answer = s3.send(method.clone(), "/bucket/k", &[], "").await;
        for (name, value) in &said[..5] {
            assert_eq!(answer.header(name), *value, "{method} {name}");
        }
        assert_eq!(answer.header("etag"), "\"1cb251ec0d568de6a929b520c4aed8d1\"", "MD5 of `text`");
        assert_eq!(answer.header("content-length"), "4");
    }
    assert_eq!(s3.get("/bucket/k?tagging").await.all("Value"), ["raw", "me too"]);
    assert_eq!(s3.delete("/bucket/k?tagging").await.status, 204);
    assert_eq!(s3.get("/bucket/k?tagging").await.all("Value").len(), 0);
    let copied = s3.send(Method::PUT, "/bucket/copy", &[("x-amz-copy-source", "/bucket/k")], "").await;
    assert_eq!(copied.one("ETag"), "\"1cb251ec0d568de6a929b520c4aed8d1\"");
    assert_eq!(s3.get("/bucket/copy").await.header("x-amz-meta-data-version"), "sha256:ab");
    let replace = [("x-amz-copy-source", "bucket/k"), ("x-amz-metadata-directive", "REPLACE"), ("content-type", "a/b")];
    s3.send(Method::PUT, "/bucket/copy", &replace, "").await;
    let replaced = s3.get("/bucket/copy").await;
    assert_eq!((replaced.header("content-type"), replaced.header("x-amz-meta-data-version")), ("a/b", ""));
}

#[tokio::test]
async fn settings_of_a_bucket_are_kept() {
    let s3 = S3::new().await;
    let tagging = "<Tagging><TagSet><Tag><Key>project</Key><Value>sagebrush</Value></Tag></TagSet></Tagging>";
    let access =
        "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
    let lifecycle = "<LifecycleConfiguration><Rule><ID>old</ID><Filter><Prefix>tmp/</Prefix></Filter><Status>Enabled\
        </Status><Expiration><Days>3</Days></Expiration></Rule></LifecycleConfiguration>";
    for (name, body) in [("tagging", tagging), ("publicAccessBlock", access), ("lifecycle", lifecycle)] {
        let answer = s3.put(&format!("/bucket?{name}"), body).await;
        assert!(answer.status.is_success(), "{name}: {}", answer.text());
    }
    let s3 = s3.reopened().await;
    assert_eq!(s3.get("/bucket?tagging").await.one("Value"), "sagebrush");
    assert_eq!(s3.get("/bucket?publicAccessBlock").await.one("BlockPublicAcls"), "true");
    assert_eq!(s3.get("/bucket?lifecycle").await.one("Days"), "3");
    assert_eq!(s3.delete("/bucket?tagging").await.status, 204);
    assert_eq!(s3.get("/bucket?tagging").await.code(), "NoSuchTagSet");
}

#[tokio::test]
async fn keys_are_texts_and_never_paths() {
    let s3 = S3::new().await;
    let full = "%C3%BC".repeat(512);
    let keys = ["%2e%2e", "..%2F..%2Fescaped", "a", "a/b", "a//b", "/lead", "trail/", "%25", "%2B%20%26", &full];
    for key in keys {
        assert_eq!(s3.put(&format!("/bucket/{key}"), key.to_owned()).await.status, 200, "{key}");
    }
    let s3 = s3.reopened().await;
    for key in keys {
        assert_eq!(s3.get(&format!("/bucket/{key}")).await.text(), key);
    }
    let listed = s3.get("/bucket?list-type=2&encoding-type=url").await.all("Key");
    let want = ["%25", "%2B+%26", "..", "../../escaped", "/lead", "a", "a//b", "a/b", "trail/", &full];
    assert_eq!(listed, want, "byte order of keys, not of their encoding");
    assert_eq!(std::fs::read_dir(s3.dir.path()).unwrap().count(), 2, "nothing beside `aside` and `buckets`");
}

#[tokio::test]
async fn many_are_deleted_at_once() {
    let s3 = S3::new().await;
    for key in ["a", "b", "c"] {
        s3.put(&format!("/bucket/{key}"), key).await;
    }
    let delete =
        "<Delete><Object><Key>a</Key></Object><Object><Key>b</Key></Object><Object><Key>none</Key></Object></Delete>";
    let answer = s3.send(Method::POST, "/bucket?delete", &[], delete).await;
    assert_eq!(answer.all("Key"), ["a", "b", "none"]);
    assert_eq!(s3.get("/bucket").await.all("Key"), ["c"]);
    let empty = s3.send(Method::POST, "/bucket?delete", &[], "<Delete></Delete>").await;
    assert_eq!(empty.code(), "MalformedXML");
}
