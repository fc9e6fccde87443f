//! Tags of objects.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::answer;
use crate::s3::store::Store;

pub fn put(store: &Store, req: S3Request<PutObjectTaggingInput>) -> S3Result<S3Response<PutObjectTaggingOutput>> {
    let PutObjectTaggingInput { bucket, key, version_id, tagging, .. } = req.input;
    let version_id = store.tag(&bucket, &key, version_id.as_deref(), answer::tags(tagging.tag_set)?)?;
    Ok(S3Response::new(PutObjectTaggingOutput { version_id: Some(version_id) }))
}

pub fn get(store: &Store, req: S3Request<GetObjectTaggingInput>) -> S3Result<S3Response<GetObjectTaggingOutput>> {
    let GetObjectTaggingInput { bucket, key, version_id, .. } = req.input;
    let (version, object) = store.version(&bucket, &key, version_id.as_deref())?;
    let (tag_set, version_id) = (answer::tag_set(object.tags), Some(version.id));
    Ok(S3Response::new(GetObjectTaggingOutput { tag_set, version_id }))
}

pub fn delete(
    store: &Store,
    req: S3Request<DeleteObjectTaggingInput>,
) -> S3Result<S3Response<DeleteObjectTaggingOutput>> {
    let DeleteObjectTaggingInput { bucket, key, version_id, .. } = req.input;
    let version_id = store.tag(&bucket, &key, version_id.as_deref(), Vec::new())?;
    Ok(S3Response::new(DeleteObjectTaggingOutput { version_id: Some(version_id) }))
}
