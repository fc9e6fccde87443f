//! Reading objects: `GetObject` and `HeadObject`.

use std::io::SeekFrom;
use std::ops;

use bytes::{Bytes, BytesMut};
use futures::Stream;
use http::{HeaderMap, HeaderValue, StatusCode};
use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result};
use tokio::fs::File;
use tokio::io::{AsyncReadExt, AsyncSeekExt};

use super::answer;
use super::body::show_checksum;
use super::conditions::{Preconditions, check};
use crate::s3::StoreError;
use crate::s3::checksum::Checksum;
use crate::s3::object::{Object, Version};
use crate::s3::store::Store;

/// Bytes read from disk at a time.
const BLOCK: usize = 256 * 1024;

pub async fn get(store: &Store, req: S3Request<GetObjectInput>) -> S3Result<S3Response<GetObjectOutput>> {
    let input = req.input;
    let wanted = Preconditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let id = input.version_id.as_deref();
    let (version, object) = find(store, &input.bucket, &input.key, id, &wanted)?;
    let slice = slice(&object, input.range, input.part_number)?;
    let file = store.open_blob(&input.bucket, &input.key, &object).await?;
    let body = StreamingBlob::wrap(blocks(file, slice.range.clone()).await?);
    let attributes = &object.attributes;
    let checksum = shown(&object, &slice, input.checksum_mode.as_ref());
    let mut output = GetObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        body: Some(body),
        cache_control: answer::header(attributes, "cache-control"),
        checksum_type: checksum.map(|checksum| answer::checksum_type(checksum.scope)),
        content_disposition: answer::header(attributes, "content-disposition"),
        content_encoding: answer::header(attributes, "content-encoding"),
        content_language: answer::header(attributes, "content-language"),
        content_length: answer::number(slice.range.end - slice.range.start),
        content_range: slice.content_range,
        content_type: Some(content_type(&object)),
        e_tag: answer::etag(&object.etag),
        expires: expires(&object),
        last_modified: answer::time(version.modified_ms),
        metadata: answer::metadata(attributes),
        parts_count: slice.parts_count,
        storage_class: answer::header(attributes, "x-amz-storage-class").map(StorageClass::from),
        tag_count: i32::try_from(object.tags.len()).ok().filter(|count| *count > 0),
        version_id: Some(version.id),
        website_redirect_location: answer::header(attributes, "x-amz-website-redirect-location"),
        ..Default::default()
    };
    show_checksum!(output, checksum);
    Ok(S3Response::new(output))
}

pub fn head(store: &Store, req: S3Request<HeadObjectInput>) -> S3Result<S3Response<HeadObjectOutput>> {
    let input = req.input;
    let wanted = Preconditions {
        if_match: input.if_match,
        if_none_match: input.if_none_match,
        if_modified_since: input.if_modified_since,
        if_unmodified_since: input.if_unmodified_since,
    };
    let id = input.version_id.as_deref();
    let (version, object) = find(store, &input.bucket, &input.key, id, &wanted)?;
    let slice = slice(&object, input.range, input.part_number)?;
    let attributes = &object.attributes;
    let checksum = shown(&object, &slice, input.checksum_mode.as_ref());
    let status = slice.content_range.is_some().then_some(StatusCode::PARTIAL_CONTENT);
    let mut output = HeadObjectOutput {
        accept_ranges: Some("bytes".to_owned()),
        cache_control: answer::header(attributes, "cache-control"),
        checksum_type: checksum.map(|checksum| answer::checksum_type(checksum.scope)),
        content_disposition: answer::header(attributes, "content-disposition"),
        content_encoding: answer::header(attributes, "content-encoding"),
        content_language: answer::header(attributes, "content-language"),
        content_length: answer::number(slice.range.end - slice.range.start),
        content_range: slice.content_range,
        content_type: Some(content_type(&object)),
        e_tag: answer::etag(&object.etag),
        expires: expires(&object),
        last_modified: answer::time(version.modified_ms),
        metadata: answer::metadata(attributes),
        parts_count: slice.parts_count,
        storage_class: answer::header(attributes, "x-amz-storage-class").map(StorageClass::from),
        version_id: Some(version.id),
        website_redirect_location: answer::header(attributes, "x-amz-website-redirect-location"),
        ..Default::default()
    };
    show_checksum!(output, checksum);
    let mut response = S3Response::new(output);
    response.status = status;
    Ok(response)
}

fn find(
    store: &Store,
    bucket: &str,
    key: &str,
    id: Option<&str>,
    wanted: &Preconditions,
) -> S3Result<(Version, Object)> {
    let found = store.version(bucket, key, id);
    let (version, object) = found.map_err(|error| refused(error, bucket, key, id))?;
    check(wanted, &version, &object).map_err(|error| refused(error, bucket, key, id))?;
    Ok((version, object))
}

/// Some refusals say more in headers: that a delete marker is why, and which entity tag is still the one.
fn refused(error: StoreError, bucket: &str, key: &str, id: Option<&str>) -> S3Error {
    let mut headers = HeaderMap::new();
    let mut add = |name: &'static str, value: &str| {
        if let Ok(value) = HeaderValue::from_str(value) {
            headers.insert(name, value);
        }
    };
    let error = match error {
        StoreError::IsDeleteMarker { version_id, modified_ms } => {
            add("x-amz-delete-marker", "true");
            add("x-amz-version-id", &version_id);
            if id.is_none() {
                StoreError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() }
            } else {
                add("allow", "DELETE");
                if let Some(date) = answer::time(modified_ms).and_then(|time| answer::http_date(&time)) {
                    add("last-modified", &date);
                }
                StoreError::IsDeleteMarker { version_id, modified_ms }
            }
        }
        StoreError::NotModified { etag } => {
            add("etag", &format!("\"{etag}\""));
            StoreError::NotModified { etag }
        }
        error => error,
    };
    let mut error = S3Error::from(error);
    if !headers.is_empty() {
        error.set_headers(headers);
    }
    error
}

/// The bytes of an object that a request asks for.
struct Slice {
    range: ops::Range<u64>,
    content_range: Option<String>,
    parts_count: Option<i32>,
}

fn slice(object: &Object, range: Option<Range>, part: Option<i32>) -> Result<Slice, StoreError> {
    let whole = Slice { range: 0..object.size, content_range: None, parts_count: None };
    let asked = match (range, part) {
        (None, None) => return Ok(whole),
        (Some(_), Some(_)) => {
            let reason = "Cannot specify both Range header and partNumber query parameter".to_owned();
            return Err(StoreError::InvalidArgument(reason));
        }
        (Some(range), None) => range.check(object.size).map_err(|_| StoreError::InvalidRange)?,
        (None, Some(1)) if object.parts.is_empty() => 0..object.size,
        (None, Some(number)) => {
            let position = usize::try_from(number - 1).map_err(|_| StoreError::InvalidRange)?;
            let size = object.parts.get(position).ok_or(StoreError::InvalidRange)?;
            let start = object.parts[..position].iter().sum::<u64>();
            start..start + size
        }
    };
    if asked.is_empty() {
        return Ok(whole);
    }
    let content_range = Some(format!("bytes {}-{}/{}", asked.start, asked.end - 1, object.size));
    let parts_count = part.and_then(|_| i32::try_from(object.parts.len()).ok()).filter(|count| *count > 0);
    Ok(Slice { range: asked, content_range, parts_count })
}

/// The checksum, where it was asked for and is of what is sent.
fn shown<'o>(object: &'o Object, slice: &Slice, mode: Option<&ChecksumMode>) -> Option<&'o Checksum> {
    let asked = mode.is_some_and(|mode| mode.as_str() == ChecksumMode::ENABLED);
    object.checksum.as_ref().filter(|_| asked && slice.content_range.is_none())
}

fn content_type(object: &Object) -> String {
    answer::header(&object.attributes, "content-type").unwrap_or_else(|| "binary/octet-stream".to_owned())
}

fn expires(object: &Object) -> Option<Timestamp> {
    let text = answer::header(&object.attributes, "expires")?;
    Timestamp::parse(TimestampFormat::HttpDate, &text).ok()
}

/// The bytes of a file in a range, a block at a time.
pub async fn blocks(mut file: File, range: ops::Range<u64>) -> S3Result<impl Stream<Item = std::io::Result<Bytes>>> {
    if range.start > 0 {
        file.seek(SeekFrom::Start(range.start)).await.map_err(S3Error::internal_error)?;
    }
    Ok(futures::stream::try_unfold((file, range.end - range.start), |(mut file, left)| async move {
        if left == 0 {
            return Ok(None);
        }
        let size = usize::try_from(left).unwrap_or(BLOCK).min(BLOCK);
        let mut block = BytesMut::with_capacity(size);
        let read = (&mut file).take(size as u64).read_buf(&mut block).await?;
        if read == 0 {
            return Err(std::io::Error::new(std::io::ErrorKind::UnexpectedEof, "an object's file is too short"));
        }
        Ok(Some((block.freeze(), (file, left - read as u64))))
    }))
}
