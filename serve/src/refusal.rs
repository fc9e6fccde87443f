//! What hyper refuses before there is a request (a head that is no HTTP, too long, or with too many headers), it answers
//! with a status and an empty body. Here the message is put in that says what to send, and the log learns of it.

use crate::formats::output::ErrorBody;
use crate::log::say;

/// hyper's bounds: headers of a request, and bytes of its head.
const MOST_HEADERS: usize = 100;
const LONGEST_HEAD: usize = 400 << 10;

/// The answer to send in place of `written`, where that is the head of such a refusal. Answers of this server are none:
/// where they refuse they have a body.
pub(crate) fn in_place_of(written: &[u8]) -> Option<Vec<u8>> {
    let status = match written.strip_prefix(b"HTTP/1.1 ")?.first_chunk::<3>()? {
        b"400" => "400 Bad Request",
        b"414" => "414 URI Too Long",
        b"431" => "431 Request Header Fields Too Large",
        _ => return None,
    };
    if !written.windows(19).any(|part| part.eq_ignore_ascii_case(b"content-length: 0\r\n")) {
        return None;
    }
    let error = match status.as_bytes() {
        [b'4', b'0', ..] => {
            "the request's head is not HTTP/1.1; send a request line, `name: value` lines and an empty line".to_owned()
        }
        _ => format!(
            "the request's head is too long; send at most {MOST_HEADERS} headers and {LONGEST_HEAD} bytes of head, and \
             documents in the body of POST /invocations"
        ),
    };
    let body = serde_json::to_string(&ErrorBody { error: &error }).unwrap_or_default();
    say(&format!("{{\"status\":{},{}", &status[..3], &body[1..]));
    let length = body.len();
    let head = format!("HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n");
    Some(format!("{head}connection: close\r\n\r\n{body}").into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_refusal_without_a_word_is_replaced() {
        for (written, replaced) in [
            ("HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", true),
            ("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n", true),
            ("HTTP/1.1 400 Bad Request\r\ncontent-length: 07\r\n\r\n{\"a\":1}", false),
            ("HTTP/1.1 400 Bad Request\r\ncontent-length: 9\r\n\r\n{\"a\":1}", false),
            ("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", false),
            ("HTTP/1.1 4", false),
            ("HTTP/1.1 100 Continue\r\n\r\n", false),
            ("", false),
        ] {
            let instead = in_place_of(written.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap());
            assert_eq!(instead.is_some(), replaced, "{written}");
            let Some(instead) = instead else { continue };
            let (head, body) = instead.split_once("\r\n\r\n").unwrap();
            assert_eq!(head.lines().next(), written.lines().next());
            assert!(head.contains(&format!("content-length: {}\r\n", body.len())), "{head}");
            let error: serde_json::Value = serde_json::from_str(body).unwrap();
            assert!(error["error"].as_str().unwrap().contains("; send "), "{body}");
        }
    }
}
