//! Uploads in parts.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::answer::{self, attributes};
use super::body::{self, Declared, declared_checksum, show_checksum};
use super::conditions::Preconditions;
use super::listing::{Encoding, limit};
use super::writing::source;
use crate::ACCOUNT;
use crate::s3::StoreError;
use crate::s3::checksum::{Algorithm, Scope};
use crate::s3::index::Upload;
use crate::s3::multipart::{Completion, check_part_number};
use crate::s3::object::now_ms;
use crate::s3::store::Store;

pub fn create(
    store: &Store,
    req: S3Request<CreateMultipartUploadInput>,
) -> S3Result<S3Response<CreateMultipartUploadOutput>> {
    let mut input = req.input;
    let algorithm = input.checksum_algorithm.as_ref().and_then(|name| Algorithm::parse(name.as_str()));
    let scope = match (input.checksum_type.as_ref().map(ChecksumType::as_str), algorithm) {
        (Some(ChecksumType::FULL_OBJECT), _) | (None, Some(Algorithm::Crc64Nvme)) => Scope::FullObject,
        _ => Scope::Composite,
    };
    let upload = Upload {
        initiated_ms: now_ms(),
        attributes: attributes!(input),
        tags: answer::tags_of_header(input.tagging.take())?,
        checksum: algorithm.map(|algorithm| (algorithm, scope)),
        parts: Default::default(),
    };
    let upload_id = store.create_upload(&input.bucket, &input.key, upload)?;
    Ok(S3Response::new(CreateMultipartUploadOutput {
        bucket: Some(input.bucket),
        key: Some(input.key),
        upload_id: Some(upload_id),
        checksum_algorithm: input.checksum_algorithm,
        checksum_type: algorithm.map(|_| answer::checksum_type(scope)),
        ..Default::default()
    }))
}

pub async fn upload_part(store: &Store, req: S3Request<UploadPartInput>) -> S3Result<S3Response<UploadPartOutput>> {
    let mut input = req.input;
    check_part_number(input.part_number)?;
    let upload = store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let named = input.checksum_algorithm.take().and_then(|name| Algorithm::parse(name.as_str()));
    let declared = Declared {
        md5: input.content_md5.take(),
        checksum: declared_checksum!(input),
        algorithm: upload.checksum.map(|(algorithm, _)| algorithm).or(named),
        length: input.content_length,
    };
    let staged = body::receive(store, input.body.take(), declared, &req.extensions).await?;
    let part = store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, staged)?;
    let mut output = UploadPartOutput { e_tag: answer::etag(&part.etag), ..Default::default() };
    show_checksum!(output, &part.checksum);
    Ok(S3Response::new(output))
}

pub async fn upload_part_copy(
    store: &Store,
    req: S3Request<UploadPartCopyInput>,
) -> S3Result<S3Response<UploadPartCopyOutput>> {
    let mut input = req.input;
    check_part_number(input.part_number)?;
    let upload = store.upload(&input.bucket, &input.key, &input.upload_id)?;
    let wanted = Preconditions {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        if_modified_since: input.copy_source_if_modified_since.take(),
        if_unmodified_since: input.copy_source_if_unmodified_since.take(),
    };
    let (bucket, key, version, object) = source(store, &input.copy_source, wanted)?;
    let range = match input.copy_source_range.take() {
        None => 0..object.size,
        Some(text) => {
            let range =
                Range::parse(&text).map_err(|_| StoreError::InvalidArgument(format!("not a range: `{text}`")))?;
            range.check(object.size).map_err(|_| StoreError::InvalidRange)?
        }
    };
    let file = store.open_blob(&bucket, &key, &object).await?;
    let length = range.end - range.start;
    let blocks = super::reading::blocks(file, range).await?;
    let declared = Declared {
        algorithm: upload.checksum.map(|(algorithm, _)| algorithm),
        length: answer::number(length),
        ..Declared::default()
    };
    let staged = body::receive(store, Some(StreamingBlob::wrap(blocks)), declared, &Default::default()).await?;
    let part = store.put_part(&input.bucket, &input.key, &input.upload_id, input.part_number, staged)?;
    let mut result = CopyPartResult {
        e_tag: answer::etag(&part.etag),
        last_modified: answer::time(part.modified_ms),
        ..Default::default()
    };
    show_checksum!(result, &part.checksum);
    Ok(S3Response::new(UploadPartCopyOutput {
        copy_part_result: Some(result),
        copy_source_version_id: Some(version.id),
        ..Default::default()
    }))
}

pub async fn complete(
    store: &Store,
    req: S3Request<CompleteMultipartUploadInput>,
) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
    let mut input = req.input;
    let parts = input.multipart_upload.take().and_then(|upload| upload.parts).unwrap_or_default();
    let completion = Completion {
        parts: parts
            .into_iter()
            .map(|part| (part.part_number.unwrap_or_default(), part.e_tag.map(ETag::into_value)))
            .collect(),
        checksum: declared_checksum!(input),
        size: input.mpu_object_size.and_then(|size| u64::try_from(size).ok()),
        condition: answer::condition(input.if_match.take(), input.if_none_match.take())?,
    };
    let version = store.complete_upload(&input.bucket, &input.key, &input.upload_id, completion).await?;
    let object = version.object.unwrap_or_default();
    let mut output = CompleteMultipartUploadOutput {
        location: Some(format!("/{}/{}", input.bucket, answer::encoded(&input.key))),
        bucket: Some(input.bucket),
        key: Some(input.key),
        e_tag: answer::etag(&object.etag),
        version_id: Some(version.id),
        checksum_type: object.checksum.as_ref().map(|checksum| answer::checksum_type(checksum.scope)),
        ..Default::default()
    };
    show_checksum!(output, &object.checksum);
    Ok(S3Response::new(output))
}

pub fn abort(
    store: &Store,
    req: S3Request<AbortMultipartUploadInput>,
) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
    store.abort_upload(&req.input.bucket, &req.input.key, &req.input.upload_id)?;
    Ok(S3Response::new(AbortMultipartUploadOutput::default()))
}

fn initiator() -> Option<Initiator> {
    Some(Initiator { display_name: None, id: Some(ACCOUNT.to_owned()) })
}

pub fn list_parts(store: &Store, req: S3Request<ListPartsInput>) -> S3Result<S3Response<ListPartsOutput>> {
    let ListPartsInput { bucket, key, upload_id, max_parts, part_number_marker, .. } = req.input;
    let upload = store.upload(&bucket, &key, &upload_id)?;
    let limit = limit(max_parts)?;
    let after = part_number_marker.unwrap_or(0);
    let mut rest = upload.parts.range(after.saturating_add(1)..);
    let mut parts = Vec::new();
    for (number, part) in rest.by_ref().take(limit) {
        let mut shown = Part {
            e_tag: answer::etag(&part.etag),
            last_modified: answer::time(part.modified_ms),
            part_number: Some(*number),
            size: answer::number(part.size),
            ..Default::default()
        };
        show_checksum!(shown, &part.checksum);
        parts.push(shown);
    }
    let is_truncated = limit > 0 && rest.next().is_some();
    Ok(S3Response::new(ListPartsOutput {
        bucket: Some(bucket),
        key: Some(key),
        upload_id: Some(upload_id),
        checksum_algorithm: upload.checksum.map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
        checksum_type: upload.checksum.map(|(_, scope)| answer::checksum_type(scope)),
        initiator: initiator(),
        owner: answer::owner(),
        is_truncated: Some(is_truncated),
        max_parts: i32::try_from(limit).ok(),
        next_part_number_marker: parts.last().and_then(|part| part.part_number),
        part_number_marker: Some(after),
        parts: Some(parts),
        storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
        ..Default::default()
    }))
}

pub fn list_uploads(
    store: &Store,
    req: S3Request<ListMultipartUploadsInput>,
) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
    let ListMultipartUploadsInput {
        bucket,
        delimiter,
        encoding_type,
        key_marker,
        max_uploads,
        prefix,
        upload_id_marker,
        ..
    } = req.input;
    let encoding = Encoding::new(encoding_type.as_ref());
    let limit = limit(max_uploads)?;
    let begins = prefix.as_deref().unwrap_or_default();
    let cut = delimiter.as_deref().unwrap_or_default();
    let marker = (key_marker.clone().unwrap_or_default(), upload_id_marker.clone());
    let mut uploads = Vec::new();
    let mut prefixes: Vec<String> = Vec::new();
    let mut last: Option<(String, String)> = None;
    let mut is_truncated = false;
    store.bucket(&bucket)?.read(|index| {
        for ((key, upload_id), upload) in &index.uploads {
            let Some(rest) = key.strip_prefix(begins) else { continue };
            let seen = match &marker {
                (after, Some(id)) => (key, upload_id) <= (after, id),
                (after, None) => {
                    key <= after
                        || !after.is_empty()
                            && !cut.is_empty()
                            && after.ends_with(cut)
                            && key.starts_with(after.as_str())
                }
            };
            let rolled =
                rest.find(cut).filter(|_| !cut.is_empty()).map(|at| key[..begins.len() + at + cut.len()].to_owned());
            if seen || rolled.is_some() && prefixes.last() == rolled.as_ref() {
                continue;
            }
            if uploads.len() + prefixes.len() >= limit {
                is_truncated = limit > 0;
                break;
            }
            if let Some(rolled) = rolled {
                last = Some((rolled.clone(), String::new()));
                prefixes.push(rolled);
                continue;
            }
            last = Some((key.clone(), upload_id.clone()));
            uploads.push(MultipartUpload {
                checksum_algorithm: upload
                    .checksum
                    .map(|(algorithm, _)| ChecksumAlgorithm::from_static(algorithm.name())),
                checksum_type: upload.checksum.map(|(_, scope)| answer::checksum_type(scope)),
                initiated: answer::time(upload.initiated_ms),
                initiator: initiator(),
                key: Some(encoding.text(key)),
                owner: answer::owner(),
                storage_class: Some(StorageClass::from_static(StorageClass::STANDARD)),
                upload_id: Some(upload_id.clone()),
            });
        }
    });
    let last = last.filter(|_| is_truncated);
    Ok(S3Response::new(ListMultipartUploadsOutput {
        bucket: Some(bucket),
        common_prefixes: encoding.prefixes(&prefixes),
        delimiter: encoding.optional(delimiter),
        encoding_type,
        is_truncated: Some(is_truncated),
        key_marker: Some(encoding.text(&marker.0)),
        max_uploads: i32::try_from(limit).ok(),
        next_key_marker: last.as_ref().map(|(key, _)| encoding.text(key)),
        next_upload_id_marker: last.map(|(_, id)| id).filter(|id| !id.is_empty()),
        prefix: encoding.optional(prefix),
        upload_id_marker,
        uploads: Some(uploads),
        ..Default::default()
    }))
}
