//! Sub-resources of a bucket that are kept and given back, and change nothing here: there is one user, on loopback.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::answer;
use crate::s3::StoreError;
use crate::s3::journal::Entry;
use crate::s3::store::Store;

/// A sub-resource: its name in the journal, what it is, S3's code where there is none.
struct Setting {
    name: &'static str,
    what: &'static str,
    code: &'static str,
}

const TAGGING: Setting = Setting { name: "tagging", what: "TagSet", code: "NoSuchTagSet" };
const ACCESS: Setting = Setting {
    name: "public-access-block",
    what: "public access block configuration",
    code: "NoSuchPublicAccessBlockConfiguration",
};
const ENCRYPTION: Setting = Setting {
    name: "encryption",
    what: "server side encryption configuration",
    code: "ServerSideEncryptionConfigurationNotFoundError",
};
const LIFECYCLE: Setting =
    Setting { name: "lifecycle", what: "lifecycle configuration", code: "NoSuchLifecycleConfiguration" };

impl Setting {
    fn put(&self, store: &Store, bucket: &str, value: Option<impl Serialize>) -> Result<(), StoreError> {
        let value = value.map(serde_json::to_value).transpose();
        let value =
            value.map_err(|error| StoreError::InvalidArgument(format!("cannot keep the {}: {error}", self.what)))?;
        let name = self.name.to_owned();
        store.bucket(bucket)?.change(|_| Ok((Entry::Setting { name, value }, ())))
    }

    fn remove(&self, store: &Store, bucket: &str) -> Result<(), StoreError> {
        self.put(store, bucket, None::<()>)
    }

    fn get<T: DeserializeOwned>(&self, store: &Store, bucket: &str) -> Result<T, StoreError> {
        let value = store.bucket(bucket)?.read(|index| index.settings.get(self.name).cloned());
        value.and_then(|value| serde_json::from_value(value).ok()).ok_or_else(|| StoreError::NoSetting {
            code: self.code,
            what: self.what,
            bucket: bucket.to_owned(),
        })
    }
}

pub fn put_tagging(
    store: &Store,
    req: S3Request<PutBucketTaggingInput>,
) -> S3Result<S3Response<PutBucketTaggingOutput>> {
    TAGGING.put(store, &req.input.bucket, Some(answer::tags(req.input.tagging.tag_set)?))?;
    Ok(S3Response::new(PutBucketTaggingOutput {}))
}

pub fn get_tagging(
    store: &Store,
    req: S3Request<GetBucketTaggingInput>,
) -> S3Result<S3Response<GetBucketTaggingOutput>> {
    let tag_set = answer::tag_set(TAGGING.get(store, &req.input.bucket)?);
    Ok(S3Response::new(GetBucketTaggingOutput { tag_set }))
}

pub fn delete_tagging(
    store: &Store,
    req: S3Request<DeleteBucketTaggingInput>,
) -> S3Result<S3Response<DeleteBucketTaggingOutput>> {
    TAGGING.remove(store, &req.input.bucket)?;
    Ok(S3Response::new(DeleteBucketTaggingOutput {}))
}

pub fn put_access(
    store: &Store,
    req: S3Request<PutPublicAccessBlockInput>,
) -> S3Result<S3Response<PutPublicAccessBlockOutput>> {
    ACCESS.put(store, &req.input.bucket, Some(req.input.public_access_block_configuration))?;
    Ok(S3Response::new(PutPublicAccessBlockOutput {}))
}

pub fn get_access(
    store: &Store,
    req: S3Request<GetPublicAccessBlockInput>,
) -> S3Result<S3Response<GetPublicAccessBlockOutput>> {
    let public_access_block_configuration = Some(ACCESS.get(store, &req.input.bucket)?);
    Ok(S3Response::new(GetPublicAccessBlockOutput { public_access_block_configuration }))
}

pub fn put_encryption(
    store: &Store,
    req: S3Request<PutBucketEncryptionInput>,
) -> S3Result<S3Response<PutBucketEncryptionOutput>> {
    ENCRYPTION.put(store, &req.input.bucket, Some(req.input.server_side_encryption_configuration))?;
    Ok(S3Response::new(PutBucketEncryptionOutput {}))
}

pub fn get_encryption(
    store: &Store,
    req: S3Request<GetBucketEncryptionInput>,
) -> S3Result<S3Response<GetBucketEncryptionOutput>> {
    let server_side_encryption_configuration = Some(ENCRYPTION.get(store, &req.input.bucket)?);
    Ok(S3Response::new(GetBucketEncryptionOutput { server_side_encryption_configuration }))
}

pub fn put_lifecycle(
    store: &Store,
    req: S3Request<PutBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<PutBucketLifecycleConfigurationOutput>> {
    LIFECYCLE.put(store, &req.input.bucket, req.input.lifecycle_configuration.map(|lifecycle| lifecycle.rules))?;
    Ok(S3Response::new(PutBucketLifecycleConfigurationOutput::default()))
}

pub fn get_lifecycle(
    store: &Store,
    req: S3Request<GetBucketLifecycleConfigurationInput>,
) -> S3Result<S3Response<GetBucketLifecycleConfigurationOutput>> {
    let rules = Some(LIFECYCLE.get(store, &req.input.bucket)?);
    Ok(S3Response::new(GetBucketLifecycleConfigurationOutput { rules, ..Default::default() }))
}
