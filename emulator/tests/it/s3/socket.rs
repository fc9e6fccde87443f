//! What needs a socket: clients that hang up, and answers without a body.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::S3;

async fn served(s3: &S3) -> TcpStream {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let app = axum::Router::new().fallback_service(s3.service.clone());
    tokio::spawn(async move { axum::serve(listener, app).await });
    TcpStream::connect(address).await.unwrap()
}

#[tokio::test]
async fn a_client_that_hangs_up_leaves_nothing() {
    let s3 = S3::new().await;
    let mut client = served(&s3).await;
    client.write_all(b"PUT /bucket/k HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\nonly this").await.unwrap();
    let seen = async {
        while s3.files() == 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        drop(client);
        while s3.files() > 0 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), seen).await.expect("the upload's file comes and goes");
    assert_eq!(s3.get("/bucket/k").await.code(), "NoSuchKey");
}

#[tokio::test]
async fn heads_have_no_body_and_connections_go_on() {
    let s3 = S3::new().await;
    s3.put("/bucket/k", "body").await;
    let mut client = served(&s3).await;
    let get = "GET /bucket/k HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    let requests =
        format!("HEAD /bucket/k HTTP/1.1\r\nhost: x\r\n\r\nHEAD /bucket/none HTTP/1.1\r\nhost: x\r\n\r\n{get}");
    client.write_all(requests.as_bytes()).await.unwrap();
    let mut answers = String::new();
    client.read_to_string(&mut answers).await.unwrap();
    let statuses: Vec<_> = answers.split("HTTP/1.1 ").skip(1).map(|answer| &answer[..3]).collect();
    assert_eq!(statuses, ["200", "404", "200"]);
    assert_eq!(answers.matches("\r\n\r\nbody").count(), 1);
    assert!(!answers.contains("<Error>"), "{answers}");
}
