//! Listing objects (both forms) and versions.

use base64_simd::URL_SAFE_NO_PAD;
use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::answer;
use crate::s3::StoreError;
use crate::s3::listing::{self, MAX_PAGE, Page, Query};
use crate::s3::store::Store;

/// Texts of a listing as its client wants them.
pub struct Encoding(bool);

impl Encoding {
    pub fn new(asked: Option<&EncodingType>) -> Self {
        Self(asked.is_some_and(|asked| asked.as_str() == EncodingType::URL))
    }

    pub fn text(&self, text: &str) -> String {
        if self.0 { answer::encoded(text) } else { text.to_owned() }
    }

    pub fn optional(&self, text: Option<String>) -> Option<String> {
        text.map(|text| self.text(&text))
    }

    pub fn prefixes(&self, prefixes: &[String]) -> Option<Vec<CommonPrefix>> {
        Some(prefixes.iter().map(|prefix| CommonPrefix { prefix: Some(self.text(prefix)) }).collect())
    }
}

/// `max-keys`: 1,000 if not given, and never more.
pub fn limit(asked: Option<i32>) -> Result<usize, StoreError> {
    let limit = usize::try_from(asked.unwrap_or(1000));
    let limit = limit.map_err(|_| {
        StoreError::InvalidArgument("Argument maxKeys must be an integer between 0 and 2147483647".to_owned())
    })?;
    Ok(limit.min(MAX_PAGE))
}

fn page(
    store: &Store,
    bucket: &str,
    query: Query<'_>,
    encoding: &Encoding,
    owner: bool,
) -> Result<Page<Object>, StoreError> {
    Ok(store.bucket(bucket)?.read(|index| {
        listing::keys(&index.objects, query, |key, versions| {
            let version = versions.last()?;
            let object = version.object.as_ref()?;
            let class = answer::header(&object.attributes, "x-amz-storage-class");
            Some(Object {
                checksum_algorithm: object
                    .checksum
                    .as_ref()
                    .map(|checksum| vec![ChecksumAlgorithm::from_static(checksum.algorithm.name())]),
                checksum_type: object.checksum.as_ref().map(|checksum| answer::checksum_type(checksum.scope)),
                e_tag: answer::etag(&object.etag),
                key: Some(encoding.text(key)),
                last_modified: answer::time(version.modified_ms),
                owner: if owner { answer::owner() } else { None },
                restore_status: None,
                size: answer::number(object.size),
                storage_class: Some(
                    class.map_or(ObjectStorageClass::from_static("STANDARD"), ObjectStorageClass::from),
                ),
            })
        })
    }))
}

pub fn v1(store: &Store, req: S3Request<ListObjectsInput>) -> S3Result<S3Response<ListObjectsOutput>> {
    let ListObjectsInput { bucket, delimiter, encoding_type, marker, max_keys, prefix, .. } = req.input;
    let encoding = Encoding::new(encoding_type.as_ref());
    let query = Query {
        prefix: prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_deref().unwrap_or_default(),
        after: marker.as_deref().unwrap_or_default(),
        limit: limit(max_keys)?,
    };
    let page = page(store, &bucket, query, &encoding, true)?;
    Ok(S3Response::new(ListObjectsOutput {
        max_keys: i32::try_from(query.limit).ok(),
        is_truncated: Some(page.next.is_some()),
        common_prefixes: encoding.prefixes(&page.prefixes),
        contents: Some(page.items),
        // S3 gives it only where there is a delimiter; without one the last key is the next marker.
        next_marker: page.next.filter(|_| !query.delimiter.is_empty()).map(|next| encoding.text(&next)),
        name: Some(bucket),
        prefix: Some(encoding.text(query.prefix)),
        marker: Some(encoding.text(query.after)),
        delimiter: encoding.optional(delimiter.clone()),
        encoding_type,
        request_charged: None,
    }))
}

pub fn v2(store: &Store, req: S3Request<ListObjectsV2Input>) -> S3Result<S3Response<ListObjectsV2Output>> {
    let ListObjectsV2Input {
        bucket,
        continuation_token,
        delimiter,
        encoding_type,
        fetch_owner,
        max_keys,
        prefix,
        start_after,
        ..
    } = req.input;
    let encoding = Encoding::new(encoding_type.as_ref());
    let resumed = continuation_token.as_deref().map(key_of_token).transpose()?;
    let query = Query {
        prefix: prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_deref().unwrap_or_default(),
        after: resumed.as_deref().or(start_after.as_deref()).unwrap_or_default(),
        limit: limit(max_keys)?,
    };
    let page = page(store, &bucket, query, &encoding, fetch_owner.unwrap_or(false))?;
    Ok(S3Response::new(ListObjectsV2Output {
        max_keys: i32::try_from(query.limit).ok(),
        key_count: i32::try_from(page.items.len() + page.prefixes.len()).ok(),
        is_truncated: Some(page.next.is_some()),
        common_prefixes: encoding.prefixes(&page.prefixes),
        contents: Some(page.items),
        next_continuation_token: page.next.map(|next| URL_SAFE_NO_PAD.encode_to_string(next)),
        name: Some(bucket),
        prefix: Some(encoding.text(query.prefix)),
        continuation_token,
        delimiter: encoding.optional(delimiter.clone()),
        start_after: encoding.optional(start_after),
        encoding_type,
        request_charged: None,
    }))
}

fn key_of_token(token: &str) -> Result<String, StoreError> {
    let bytes = URL_SAFE_NO_PAD.decode_to_vec(token).ok();
    bytes
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or_else(|| StoreError::InvalidArgument("The continuation token provided is incorrect".to_owned()))
}

pub fn versions(
    store: &Store,
    req: S3Request<ListObjectVersionsInput>,
) -> S3Result<S3Response<ListObjectVersionsOutput>> {
    let ListObjectVersionsInput {
        bucket,
        delimiter,
        encoding_type,
        key_marker,
        version_id_marker,
        max_keys,
        prefix,
        ..
    } = req.input;
    let encoding = Encoding::new(encoding_type.as_ref());
    if version_id_marker.is_some() && key_marker.is_none() {
        let reason = "A version-id marker cannot be specified without a key marker.".to_owned();
        return Err(StoreError::InvalidArgument(reason).into());
    }
    let query = Query {
        prefix: prefix.as_deref().unwrap_or_default(),
        delimiter: delimiter.as_deref().unwrap_or_default(),
        after: key_marker.as_deref().unwrap_or_default(),
        limit: limit(max_keys)?,
    };
    let (mut versions, mut markers) = (Vec::new(), Vec::new());
    let (prefixes, next, next_version) = store.bucket(&bucket)?.read(|index| {
        let (page, next_version) = listing::versions(&index.objects, query, version_id_marker.as_deref());
        for listed in page.items {
            let (key, version) = (Some(encoding.text(listed.key)), listed.version);
            let (is_latest, version_id) = (Some(listed.is_latest), Some(version.id.clone()));
            let (last_modified, owner) = (answer::time(version.modified_ms), answer::owner());
            match &version.object {
                Some(object) => versions.push(ObjectVersion {
                    e_tag: answer::etag(&object.etag),
                    is_latest,
                    key,
                    last_modified,
                    owner,
                    size: answer::number(object.size),
                    storage_class: Some(ObjectVersionStorageClass::from_static("STANDARD")),
                    version_id,
                    ..Default::default()
                }),
                None => markers.push(DeleteMarkerEntry { is_latest, key, last_modified, owner, version_id }),
            }
        }
        (encoding.prefixes(&page.prefixes), page.next, next_version)
    });
    Ok(S3Response::new(ListObjectVersionsOutput {
        common_prefixes: prefixes,
        delete_markers: Some(markers),
        delimiter: encoding.optional(delimiter.clone()),
        is_truncated: Some(next.is_some()),
        max_keys: i32::try_from(query.limit).ok(),
        next_key_marker: encoding.optional(next),
        next_version_id_marker: next_version,
        prefix: Some(encoding.text(query.prefix)),
        key_marker: Some(encoding.text(query.after)),
        version_id_marker: Some(version_id_marker.unwrap_or_default()),
        versions: Some(versions),
        name: Some(bucket),
        encoding_type,
        request_charged: None,
    }))
}
