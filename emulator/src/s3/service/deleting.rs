//! Deleting one object, and up to a thousand at once.

use s3s::dto::*;
use s3s::{S3Error, S3Request, S3Response, S3Result, s3_error};

use crate::s3::listing::MAX_PAGE;
use crate::s3::store::{Deleted, Store};

pub fn one(store: &Store, req: S3Request<DeleteObjectInput>) -> S3Result<S3Response<DeleteObjectOutput>> {
    let DeleteObjectInput { bucket, key, version_id, .. } = req.input;
    let Deleted { version_id, delete_marker } = store.delete(&bucket, &key, version_id.as_deref())?;
    let delete_marker = delete_marker.then_some(true);
    Ok(S3Response::new(DeleteObjectOutput { delete_marker, version_id, request_charged: None }))
}

pub fn many(store: &Store, req: S3Request<DeleteObjectsInput>) -> S3Result<S3Response<DeleteObjectsOutput>> {
    let DeleteObjectsInput { bucket, delete, .. } = req.input;
    store.bucket(&bucket)?;
    if delete.objects.is_empty() || delete.objects.len() > MAX_PAGE {
        return Err(s3_error!(MalformedXML, "A delete names 1 to 1,000 objects; this one {}", delete.objects.len()));
    }
    let quiet = delete.quiet.unwrap_or(false);
    let (mut deleted, mut errors) = (Vec::new(), Vec::new());
    for ObjectIdentifier { key, version_id, .. } in delete.objects {
        match store.delete(&bucket, &key, version_id.as_deref()) {
            Ok(_) if quiet => {}
            Ok(done) => {
                let marker = done.version_id.filter(|_| done.delete_marker);
                deleted.push(DeletedObject {
                    delete_marker: done.delete_marker.then_some(true),
                    delete_marker_version_id: marker,
                    key: Some(key),
                    version_id,
                });
            }
            Err(error) => {
                let error = S3Error::from(error);
                errors.push(Error {
                    code: Some(error.code().as_str().to_owned()),
                    key: Some(key),
                    message: error.message().map(str::to_owned),
                    version_id,
                });
            }
        }
    }
    let deleted = Some(deleted);
    let errors = Some(errors);
    Ok(S3Response::new(DeleteObjectsOutput { deleted, errors, request_charged: None }))
}
