//! S3 from outside: requests as clients send them, over a store in a folder of its own.

mod bodies;
mod conditions;
mod model;
mod multipart;
mod objects;
mod socket;

use std::sync::Arc;

use bytes::Bytes;
use emulator::s3::{Service, Store, service};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use tempfile::TempDir;

/// A store and the protocol over it.
struct S3 {
    dir: TempDir,
    store: Arc<Store>,
    service: Service,
}

/// An answer, read to its end.
#[derive(Debug)]
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl S3 {
    /// With one bucket, `bucket`.
    async fn new() -> Self {
        let s3 = Self::open(tempfile::tempdir().unwrap()).await;
        s3.store.create_bucket("bucket", "us-east-1").unwrap();
        s3
    }

    async fn open(dir: TempDir) -> Self {
        let store = Arc::new(Store::open(dir.path()).await.unwrap());
        Self { dir, service: service(Arc::clone(&store)), store }
    }

    /// As after a restart.
    async fn reopened(self) -> Self {
        Self::open(self.dir).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Answer {
        let body = body.into();
        let mut request = Request::builder().method(method).uri(path).header("content-length", body.len());
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let (parts, body) = self.service.handle(request.body(Full::new(body)).unwrap()).await.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, &[], "").await
    }

    async fn put(&self, path: &str, body: impl Into<Bytes>) -> Answer {
        self.send(Method::PUT, path, &[], body).await
    }

    async fn delete(&self, path: &str) -> Answer {
        self.send(Method::DELETE, path, &[], "").await
    }

    /// Files below the store's folder that hold bytes of objects, parts, or uploads under way.
    fn files(&self) -> usize {
        let folders = [self.dir.path().join("aside"), self.dir.path().join("buckets/bucket/data")];
        folders.iter().map(|folder| std::fs::read_dir(folder).unwrap().count()).sum()
    }
}

impl Answer {
    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// S3's error code, if it is an error.
    fn code(&self) -> String {
        self.all("Code").into_iter().next().unwrap_or_default()
    }

    /// The text of every element of that name, in order.
    fn all(&self, element: &str) -> Vec<String> {
        let (open, close) = (format!("<{element}>"), format!("</{element}>"));
        let pieces = self.text().split(&open).skip(1);
        pieces.map(|piece| piece.split(&close).next().unwrap_or_default().to_owned()).collect()
    }

    /// The text of the first element of that name.
    fn one(&self, element: &str) -> String {
        self.all(element).into_iter().next().unwrap_or_else(|| panic!("no <{element}> in {}", self.text()))
    }
}
