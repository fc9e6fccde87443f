//! The last captured requests, as they were sent: what they are asked again with.

use monitor::capture::record::Record;

use crate::{bucket, error::Result, stages::Context};

/// Below an endpoint's variant: `yyyy/mm/dd/hh/`.
const LEVELS: usize = 4;

/// A request of somebody else's.
#[derive(Clone, Debug)]
pub struct Request {
    /// The client's id of it, else the platform's.
    pub id: String,
    /// As it was observed.
    pub content_type: String,
    /// As it was sent.
    pub body: Vec<u8>,
}

/// What was found.
#[derive(Debug, Default)]
pub struct Captured {
    /// Newest first.
    pub requests: Vec<Request>,
    /// Lines that are no captured request.
    pub unreadable: u64,
}

/// The last `most` requests below `prefix`, without those that the pipeline sent for its own sake.
pub async fn last(context: &Context, prefix: &str, most: usize) -> Result<Captured> {
    let (bucket, prefix) = bucket::parse(prefix)?;
    let s3 = &context.aws.s3;
    let mut found = Captured::default();
    // Only folders that are looked into are listed: an hour of long ago costs nothing.
    let mut folders = vec![(prefix.to_owned(), 0)];
    while let Some((folder, level)) = folders.pop() {
        if level < LEVELS {
            let below = bucket::folders(s3, bucket, &folder).await?;
            folders.extend(below.into_iter().map(|folder| (folder, level + 1)));
            continue;
        }
        for key in bucket::list(s3, bucket, &folder).await?.iter().rev().filter(|key| key.ends_with(".jsonl")) {
            let Some(bytes) = bucket::get(s3, &bucket::uri(bucket, key)).await? else { continue };
            for line in bytes.split(|b| *b == b'\n').rev().filter(|line| !line.is_empty()) {
                match read(line) {
                    Ok(Some(request)) => found.requests.push(request),
                    Ok(None) => {}
                    Err(_) => found.unreadable += 1,
                }
                if found.requests.len() == most {
                    return Ok(found);
                }
            }
        }
    }
    Ok(found)
}

/// None where it is the pipeline's own, or what came in was not captured.
fn read(line: &[u8]) -> std::result::Result<Option<Request>, String> {
    let record = Record::parse(line)?;
    if record.is_own() {
        return Ok(None);
    }
    let id = record.id().unwrap_or("without an id").to_owned();
    let sent = record.request()?;
    Ok(sent.map(|(content_type, body)| Request { id, content_type: content_type.to_owned(), body }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(id: &str, input: &str) -> String {
        let metadata =
            format!(r#""eventMetadata":{{"eventId":"e","inferenceId":"{id}","inferenceTime":"2026-11-30T00:00:00Z"}}"#);
        format!(r#"{{"captureData":{{{input}}},{metadata},"eventVersion":"0"}}"#)
    }

    #[test]
    fn a_request_is_what_was_sent() {
        let json = r#""endpointInput":{"observedContentType":"application/json","mode":"INPUT","data":"{\"text\":\"a\"}","encoding":"JSON"}"#;
        let base64 = r#""endpointInput":{"observedContentType":"text/plain","mode":"INPUT","data":"Z29vZA==","encoding":"BASE64"}"#;
        let output =
            r#""endpointOutput":{"observedContentType":"text/csv","mode":"OUTPUT","data":"1,0.5","encoding":"CSV"}"#;
        for (id, input, want) in [
            ("x", json, Some(("application/json", "{\"text\":\"a\"}"))),
            ("x", base64, Some(("text/plain", "good"))),
            ("x", output, None),
            (monitor::OWN_REQUEST, json, None),
        ] {
            let read = read(line(id, input).as_bytes()).unwrap();
            let got = read.as_ref().map(|r| (r.content_type.as_str(), str::from_utf8(&r.body).unwrap()));
            assert_eq!(got, want, "{id} {input}");
        }
        assert!(read(b"{}").is_err());
        assert!(read(line("x", &base64.replace("Z29v", "Z!9v")).as_bytes()).is_err());
    }
}
