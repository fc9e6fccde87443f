//! Buckets themselves.

use s3s::dto::*;
use s3s::{S3Request, S3Response, S3Result};

use super::answer;
use crate::REGION;
use crate::s3::StoreError;
use crate::s3::index::Versioning;
use crate::s3::journal::Entry;
use crate::s3::store::Store;

pub fn create(store: &Store, req: S3Request<CreateBucketInput>) -> S3Result<S3Response<CreateBucketOutput>> {
    let constraint = req.input.create_bucket_configuration.and_then(|configuration| configuration.location_constraint);
    let region = constraint.map_or(REGION.to_owned(), |constraint| constraint.as_str().to_owned());
    let bucket = req.input.bucket;
    // us-east-1 says yes to its owner a second time; other regions do not.
    if !store.create_bucket(&bucket, &region)? && region != REGION {
        return Err(StoreError::BucketAlreadyOwnedByYou { bucket }.into());
    }
    Ok(S3Response::new(CreateBucketOutput { location: Some(format!("/{bucket}")) }))
}

pub async fn delete(store: &Store, req: S3Request<DeleteBucketInput>) -> S3Result<S3Response<DeleteBucketOutput>> {
    store.delete_bucket(&req.input.bucket).await?;
    Ok(S3Response::new(DeleteBucketOutput {}))
}

pub fn head(store: &Store, req: S3Request<HeadBucketInput>) -> S3Result<S3Response<HeadBucketOutput>> {
    let region = store.bucket(&req.input.bucket)?.read(|index| index.region.clone());
    Ok(S3Response::new(HeadBucketOutput { bucket_region: Some(region), ..Default::default() }))
}

pub fn location(
    store: &Store,
    req: S3Request<GetBucketLocationInput>,
) -> S3Result<S3Response<GetBucketLocationOutput>> {
    let region = store.bucket(&req.input.bucket)?.read(|index| index.region.clone());
    // S3 says nothing where it means us-east-1.
    let location_constraint = (region != REGION).then(|| BucketLocationConstraint::from(region));
    Ok(S3Response::new(GetBucketLocationOutput { location_constraint }))
}

pub fn list(store: &Store, req: S3Request<ListBucketsInput>) -> S3Result<S3Response<ListBucketsOutput>> {
    let prefix = req.input.prefix;
    let limit = req.input.max_buckets.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(10_000);
    let after = req.input.continuation_token.unwrap_or_default();
    let mut buckets: Vec<Bucket> = Vec::new();
    let mut continuation_token = None;
    for bucket in store.buckets() {
        let fits = prefix.as_ref().is_none_or(|prefix| bucket.name.starts_with(prefix.as_str()));
        if !fits || bucket.name <= after {
            continue;
        }
        if buckets.len() == limit {
            continuation_token = buckets.last().and_then(|last| last.name.clone());
            break;
        }
        let (created, region) = bucket.read(|index| (index.created_ms, index.region.clone()));
        buckets.push(Bucket {
            bucket_region: Some(region),
            creation_date: answer::time(created),
            name: Some(bucket.name.clone()),
        });
    }
    let buckets = Some(buckets);
    Ok(S3Response::new(ListBucketsOutput { buckets, continuation_token, owner: answer::owner(), prefix }))
}

pub fn versioning(
    store: &Store,
    req: S3Request<GetBucketVersioningInput>,
) -> S3Result<S3Response<GetBucketVersioningOutput>> {
    let status = match store.bucket(&req.input.bucket)?.read(|index| index.versioning) {
        Versioning::Enabled => BucketVersioningStatus::ENABLED,
        Versioning::Suspended => BucketVersioningStatus::SUSPENDED,
    };
    let status = Some(BucketVersioningStatus::from_static(status));
    Ok(S3Response::new(GetBucketVersioningOutput { mfa_delete: None, status }))
}

pub fn set_versioning(
    store: &Store,
    req: S3Request<PutBucketVersioningInput>,
) -> S3Result<S3Response<PutBucketVersioningOutput>> {
    let status = req.input.versioning_configuration.status;
    let status = match status.as_ref().map(BucketVersioningStatus::as_str) {
        Some(BucketVersioningStatus::ENABLED) => Versioning::Enabled,
        Some(BucketVersioningStatus::SUSPENDED) => Versioning::Suspended,
        found => {
            let found = found.unwrap_or("nothing");
            let reason = format!("Status of VersioningConfiguration is Enabled or Suspended, found {found}");
            return Err(StoreError::InvalidArgument(reason).into());
        }
    };
    store.bucket(&req.input.bucket)?.change(|_| Ok((Entry::Versioning { status }, ())))?;
    Ok(S3Response::new(PutBucketVersioningOutput {}))
}
