//! Objects: put, get, list. Keys and `s3://` addresses.

use std::path::Path;

use aws_sdk_s3::{Client, error::ProvideErrorMetadata as _, primitives::ByteStream};

use crate::{
    error::{self, Failure, Found as _, Result},
    run_record::FilePart,
};

/// `s3://bucket/key`.
pub fn uri(bucket: &str, key: &str) -> String {
    format!("s3://{bucket}/{key}")
}

/// Bucket and key of `s3://bucket/key`.
pub fn parse(uri: &str) -> Result<(&str, &str)> {
    uri.strip_prefix("s3://")
        .and_then(|rest| rest.split_once('/'))
        .filter(|(bucket, _)| !bucket.is_empty())
        .ok_or_else(|| Failure::new(format!("{uri:?} is no address in a bucket; expected s3://bucket/key")))
}

/// What is known of an object without reading it.
#[derive(Debug)]
pub struct Head {
    /// Its version; none where the bucket keeps none.
    pub version: Option<String>,
    /// The digest that was put with it.
    pub sha256: Option<String>,
}

/// `None` where there is no such object.
pub async fn head(s3: &Client, bucket: &str, key: &str) -> Result<Option<Head>> {
    let answer = s3.head_object().bucket(bucket).key(key).send().await;
    let answer = match answer {
        // HEAD has no body, so that there may be no code to read.
        Err(e) if e.raw_response().is_some_and(|raw| raw.status().as_u16() == 404) => None,
        other => other.found(format!("{} cannot be looked at", uri(bucket, key)))?,
    };
    Ok(answer.map(|head| Head {
        version: head.version_id().map(str::to_owned),
        sha256: head.metadata().and_then(|all| all.get("sha256").cloned()),
    }))
}

/// Puts a file with its digest; gives back the version.
pub async fn put_file(s3: &Client, bucket: &str, key: &str, path: &Path, sha256: &str) -> Result<Option<String>> {
    let failed = || format!("{}: cannot be uploaded to {}", path.display(), uri(bucket, key));
    let body = ByteStream::from_path(path).await.map_err(|e| Failure::new(failed()).because(e))?;
    let request = s3.put_object().bucket(bucket).key(key).metadata("sha256", sha256);
    let put = request.content_type(content_type(key)).body(body).send().await.map_err(error::aws(failed()))?;
    Ok(put.version_id().map(str::to_owned))
}

/// Puts bytes, if what lies there is not the same already.
pub async fn put(s3: &Client, bucket: &str, key: &str, bytes: Vec<u8>) -> Result<String> {
    let sha256 = crate::names::sha256(&bytes);
    let there = head(s3, bucket, key).await?;
    if there.and_then(|head| head.sha256).as_ref() != Some(&sha256) {
        let request = s3.put_object().bucket(bucket).key(key).metadata("sha256", &sha256);
        let put = request.content_type(content_type(key)).body(bytes.into()).send().await;
        put.map_err(error::aws(format!("{} cannot be written", uri(bucket, key))))?;
    }
    Ok(sha256)
}

/// The object's bytes; `None` where there is none.
pub async fn get(s3: &Client, address: &str) -> Result<Option<Vec<u8>>> {
    let (bucket, key) = parse(address)?;
    let failed = format!("{address} cannot be read");
    let Some(answer) = s3.get_object().bucket(bucket).key(key).send().await.found(&failed)? else { return Ok(None) };
    let bytes = answer.body.collect().await.map_err(|e| Failure::new(failed).because(e))?;
    Ok(Some(bytes.to_vec()))
}

/// A file's bytes in the very version that was recorded, held against the recorded digest.
pub async fn get_version(s3: &Client, bucket: &str, file: &FilePart) -> Result<Vec<u8>> {
    let version = file.version.as_deref().map(|version| format!(", version {version}")).unwrap_or_default();
    let shown = format!("{}{version}", uri(bucket, &file.key));
    let failed = format!("{shown} cannot be read");
    let request = s3.get_object().bucket(bucket).key(&file.key).set_version_id(file.version.clone());
    let Some(answer) = request.send().await.found(&failed)? else {
        return Err(Failure::new(format!("{shown} is gone")).hint("upload it again with `data`"));
    };
    let bytes = answer.body.collect().await.map_err(|e| Failure::new(failed).because(e))?.to_vec();
    if crate::names::sha256(&bytes) != file.sha256 {
        return Err(Failure::new(format!("{shown} is not what was uploaded"))
            .because(format!("its SHA-256 is not {}", file.sha256)));
    }
    Ok(bytes)
}

/// Keys below `prefix`, in order.
pub async fn list(s3: &Client, bucket: &str, prefix: &str) -> Result<Vec<String>> {
    let mut pages = s3.list_objects_v2().bucket(bucket).prefix(prefix).into_paginator().send();
    let mut keys = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws(format!("{} cannot be listed", uri(bucket, prefix))))?;
        keys.extend(page.contents().iter().filter_map(|object| object.key().map(str::to_owned)));
    }
    Ok(keys)
}

/// Folders below `prefix`, in order, each with its `/`.
pub async fn folders(s3: &Client, bucket: &str, prefix: &str) -> Result<Vec<String>> {
    let request = s3.list_objects_v2().bucket(bucket).prefix(prefix).delimiter("/");
    let mut pages = request.into_paginator().send();
    let mut folders = Vec::new();
    while let Some(page) = pages.next().await {
        let page = page.map_err(error::aws(format!("{} cannot be listed", uri(bucket, prefix))))?;
        folders.extend(page.common_prefixes().iter().filter_map(|folder| folder.prefix().map(str::to_owned)));
    }
    Ok(folders)
}

/// Whether the bucket is there and ours to use.
pub async fn exists(s3: &Client, bucket: &str) -> Result<bool> {
    match s3.head_bucket().bucket(bucket).send().await {
        Ok(_) => Ok(true),
        Err(e) => match e.raw_response().map(|raw| raw.status().as_u16()) {
            Some(404) => Ok(false),
            Some(403) => Err(Failure::new(format!("bucket {bucket} belongs to somebody else, or access is denied"))
                .because(e.message().unwrap_or("HTTP 403"))
                .hint("set `bucket` in pipeline.toml to another name, or ask for access (s3:ListBucket, which PipelineRole of infra/stack.yaml has)")),
            Some(301) => Err(Failure::new(format!("bucket {bucket} is in another region"))
                .hint("set `region` in pipeline.toml to the bucket's, or `bucket` to one of this region")),
            _ => Err(error::aws(format!("bucket {bucket} cannot be looked at"))(e)),
        },
    }
}

fn content_type(key: &str) -> &'static str {
    match key.rsplit_once('.').map(|(_, extension)| extension) {
        Some("csv") => "text/csv",
        Some("jsonl") => "application/jsonlines",
        Some("json") => "application/json",
        Some("html") => "text/html; charset=utf-8",
        Some("gz") => "application/gzip",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(parse("s3://b/a/c.json").unwrap(), ("b", "a/c.json"));
        for bad in ["b/a", "s3://b", "s3:///a", "https://b/a"] {
            assert!(parse(bad).unwrap_err().to_string().contains("expected s3://bucket/key"), "{bad}");
        }
    }
}
