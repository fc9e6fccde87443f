//! The emulator's `/_faults`, as a test asks it.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

use serde_json::Value;

use crate::cli::Emulator;

/// One request; a body of null is none.
pub fn faults(emulator: &Emulator, method: &str, body: &Value) -> Value {
    let address = emulator.url.trim_start_matches("http://");
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut stream = TcpStream::connect(address).unwrap();
    let length = body.len();
    let head =
        format!("{method} /_faults HTTP/1.1\r\nhost: {address}\r\ncontent-length: {length}\r\nconnection: close\r\n");
    stream.write_all(format!("{head}\r\n{body}").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("HTTP/1.1 200 "), "{answer}");
    serde_json::from_str(body).unwrap()
}

/// How often the first rule has struck.
pub fn fired(emulator: &Emulator) -> u64 {
    faults(emulator, "GET", &Value::Null)["rules"][0]["fired"].as_u64().unwrap()
}
