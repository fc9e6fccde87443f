//! Writing objects: `PutObject` and `CopyObject`.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result, s3_error};

use super::answer::{self, attributes};
use super::body::{self, Declared, declared_checksum, show_checksum};
use super::conditions::{Preconditions, check};
use crate::s3::StoreError;
use crate::s3::checksum::Algorithm;
use crate::s3::object::{Object, Version};
use crate::s3::staging::{self, Plan};
use crate::s3::store::{Condition, Draft, Store, blocking};

pub async fn put(store: &Store, req: S3Request<PutObjectInput>) -> S3Result<S3Response<PutObjectOutput>> {
    let mut input = req.input;
    store.bucket(&input.bucket)?;
    let draft = Draft {
        attributes: attributes!(input),
        tags: answer::tags_of_header(input.tagging.take())?,
        condition: answer::condition(input.if_match.take(), input.if_none_match.take())?,
    };
    let declared = Declared {
        md5: input.content_md5.take(),
        checksum: declared_checksum!(input),
        algorithm: input.checksum_algorithm.take().and_then(|name| Algorithm::parse(name.as_str())),
        length: input.content_length,
    };
    let staged = body::receive(store, input.body.take(), declared, &req.extensions).await?;
    let checksum = staged.checksum.clone();
    let version = store.commit(&input.bucket, &input.key, staged, draft)?;
    let mut output = PutObjectOutput {
        e_tag: version.object.as_ref().and_then(|object| answer::etag(&object.etag)),
        version_id: Some(version.id),
        checksum_type: checksum.as_ref().map(|checksum| answer::checksum_type(checksum.scope)),
        ..Default::default()
    };
    show_checksum!(output, &checksum);
    Ok(S3Response::new(output))
}

pub async fn copy(store: &Store, req: S3Request<CopyObjectInput>) -> S3Result<S3Response<CopyObjectOutput>> {
    let mut input = req.input;
    let wanted = Preconditions {
        if_match: input.copy_source_if_match.take(),
        if_none_match: input.copy_source_if_none_match.take(),
        if_modified_since: input.copy_source_if_modified_since.take(),
        if_unmodified_since: input.copy_source_if_unmodified_since.take(),
    };
    let (bucket, key, version, object) = source(store, &input.copy_source, wanted)?;
    let replaces = input.metadata_directive.take().is_some_and(|it| it.as_str() == MetadataDirective::REPLACE);
    let retags = input.tagging_directive.take().is_some_and(|it| it.as_str() == TaggingDirective::REPLACE);
    if !replaces
        && !retags
        && (bucket.as_str(), key.as_str()) == (input.bucket.as_str(), input.key.as_str())
        && input.storage_class.is_none()
    {
        let newest = store.version(&bucket, &key, None).is_ok_and(|(newest, _)| newest.id == version.id);
        if newest {
            return Err(s3_error!(
                InvalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing the \
                 object's metadata, storage class, website redirect location or encryption attributes."
            ));
        }
    }
    let draft = Draft {
        attributes: if replaces { attributes!(input) } else { object.attributes.clone() },
        tags: if retags { answer::tags_of_header(input.tagging.take())? } else { object.tags.clone() },
        condition: Condition::Always,
    };
    let named = input.checksum_algorithm.take().and_then(|name| Algorithm::parse(name.as_str()));
    let kept = object.checksum.as_ref().map(|checksum| checksum.algorithm);
    let plan = Plan { checksum: Some(named.or(kept).unwrap_or(Algorithm::Crc64Nvme)), sha256: false };
    let (aside, blob) = (store.aside(), store.bucket(&bucket)?.blob(&object.blob));
    let staged = blocking("cannot copy", blob.clone(), move || staging::concatenate(aside, plan, &[blob])).await?;
    let checksum = staged.checksum.clone();
    let made = store.commit(&input.bucket, &input.key, staged, draft)?;
    let mut result = CopyObjectResult {
        e_tag: made.object.as_ref().and_then(|object| answer::etag(&object.etag)),
        last_modified: answer::time(made.modified_ms),
        checksum_type: checksum.as_ref().map(|checksum| answer::checksum_type(checksum.scope)),
        ..Default::default()
    };
    show_checksum!(result, &checksum);
    Ok(S3Response::new(CopyObjectOutput {
        copy_object_result: Some(result),
        copy_source_version_id: Some(version.id),
        version_id: Some(made.id),
        ..Default::default()
    }))
}

/// What an `x-amz-copy-source` names, if it is as wanted.
pub fn source(
    store: &Store,
    source: &CopySource,
    wanted: Preconditions,
) -> S3Result<(String, String, Version, Object)> {
    let CopySource::Bucket { bucket, key, version_id } = source else {
        return Err(s3_error!(NotImplemented, "A copy's source is BUCKET/KEY; access points are not known here"));
    };
    let found = store.version(bucket, key, version_id.as_deref());
    let (version, object) = found.map_err(|error| match error {
        // A delete marker as a source is nothing there, or a bad request where it is named.
        StoreError::IsDeleteMarker { .. } if version_id.is_none() => {
            StoreError::NoSuchKey { bucket: bucket.to_string(), key: key.to_string() }
        }
        StoreError::IsDeleteMarker { .. } => StoreError::InvalidArgument(
            "The source of a copy request may not specifically refer to a delete marker".to_owned(),
        ),
        error => error,
    })?;
    check(&wanted, &version, &object).map_err(|error| match error {
        StoreError::NotModified { .. } => StoreError::PreconditionFailed,
        error => error,
    })?;
    Ok((bucket.to_string(), key.to_string(), version, object))
}
