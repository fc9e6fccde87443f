//! Bodies in every framing, signed by anyone, and held against their checksums.

use http::Method;

use super::S3;

/// CRC-32 of `hello`, base64.
const CRC32: &str = "NhCmhg==";
/// SHA-256 of `hello`.
const SHA256: &str = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
const AUTHORIZATION: (&str, &str) = (
    "authorization",
    "AWS4-HMAC-SHA256 Credential=ANY/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=00",
);

#[tokio::test]
async fn signed_and_framed_in_every_way() {
    let s3 = S3::new().await;
    let signed = "5;chunk-signature=00\r\nhello\r\n0;chunk-signature=00\r\n\r\n";
    let trailer = "2\r\nhe\r\n3\r\nllo\r\n0\r\nx-amz-checksum-crc32:NhCmhg==\r\n\r\n";
    for (framing, body) in [
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD", signed),
        ("STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", trailer),
        ("STREAMING-UNSIGNED-PAYLOAD-TRAILER", trailer),
    ] {
        let headers = [
            AUTHORIZATION,
            ("x-amz-content-sha256", framing),
            ("content-encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "5"),
            ("x-amz-trailer", "x-amz-checksum-crc32"),
        ];
        let answer = s3.send(Method::PUT, "/bucket/k", &headers, body).await;
        assert_eq!((answer.status.as_u16(), answer.header("x-amz-checksum-crc32")), (200, CRC32), "{framing}");
        let got = s3.send(Method::GET, "/bucket/k", &[AUTHORIZATION, ("x-amz-checksum-mode", "ENABLED")], "").await;
        assert_eq!((got.text(), got.header("x-amz-checksum-crc32")), ("hello", CRC32), "{framing}");
        assert_eq!(got.header("content-encoding"), "", "aws-chunked is no encoding of the object");
    }
    for payload in [SHA256, "UNSIGNED-PAYLOAD"] {
        let headers = [AUTHORIZATION, ("x-amz-content-sha256", payload), ("x-amz-security-token", "token")];
        assert_eq!(s3.send(Method::PUT, "/bucket/k", &headers, "hello").await.status, 200, "{payload}");
    }
}

#[tokio::test]
async fn bodies_that_are_not_as_said_leave_nothing() {
    let s3 = S3::new().await;
    let chunked = [("content-encoding", "aws-chunked"), ("x-amz-decoded-content-length", "5")];
    let wrong = "5\r\nhello\r\n0\r\nx-amz-checksum-crc32:AAAAAA==\r\n\r\n";
    let with_trailer = [chunked[0], chunked[1], ("x-amz-trailer", "x-amz-checksum-crc32")];
    type Headers<'h> = &'h [(&'h str, &'h str)];
    let cases: [(Headers<'_>, &str, &str); 9] = [
        (&[("content-md5", "AAAAAAAAAAAAAAAAAAAAAA==")], "hello", "BadDigest"),
        (&[("content-md5", "short")], "hello", "InvalidDigest"),
        (&[("x-amz-checksum-crc32", "AAAAAA==")], "hello", "BadDigest"),
        (&[("x-amz-checksum-sha256", "AAAA")], "hello", "BadDigest"),
        (&[("x-amz-content-sha256", SHA256)], "other", "XAmzContentSHA256Mismatch"),
        (&with_trailer, wrong, "BadDigest"),
        (&chunked, "5\r\nhello\r\n", "IncompleteBody"),
        (&chunked, "4\r\nhell\r\n0\r\n\r\n", "IncompleteBody"),
        (&chunked[..1], "5\r\nhello\r\n0\r\n\r\n", "MissingContentLength"),
    ];
    for (headers, body, code) in cases {
        let answer = s3.send(Method::PUT, "/bucket/k", headers, body).await;
        assert_eq!(answer.code(), code, "{headers:?} {body:?}: {}", answer.text());
    }
    assert_eq!((s3.get("/bucket/k").await.code().as_str(), s3.files()), ("NoSuchKey", 0));
}

#[tokio::test]
async fn presigned_urls_work_until_they_end() {
    let s3 = S3::new().await;
    let sign = |date: &str| {
        format!(
            "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a%2Fb&X-Amz-Date={date}&X-Amz-Expires=600&X-Amz-SignedHeaders=host&X-Amz-Signature=0"
        )
    };
    let (good, over) = (sign("20990101T000000Z"), sign("20200101T000000Z"));
    assert_eq!(s3.put(&format!("/bucket/k?{good}"), "signed").await.status, 200);
    assert_eq!(s3.get(&format!("/bucket/k?response-content-type=a%2Fb&{good}")).await.header("content-type"), "a/b");
    let refused = s3.get(&format!("/bucket/k?{over}")).await;
    assert_eq!((refused.status.as_u16(), refused.code().as_str()), (403, "AccessDenied"));
}
