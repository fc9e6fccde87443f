//! What can go wrong in the store, and S3's name for it.

use std::path::PathBuf;

use s3s::{S3Error, S3ErrorCode};

/// A request that the store refuses, or a disk that refuses the store.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum StoreError {
    #[error("The specified bucket does not exist")]
    NoSuchBucket { bucket: String },
    #[error("The specified bucket is not valid.")]
    InvalidBucketName { bucket: String },
    #[error("Your previous request to create the named bucket succeeded and you already own it (`{bucket}`).")]
    BucketAlreadyOwnedByYou { bucket: String },
    #[error("The bucket you tried to delete is not empty. You must delete all versions in the bucket.")]
    BucketNotEmpty { bucket: String },
    #[error("The specified key does not exist.")]
    NoSuchKey { bucket: String, key: String },
    #[error("The specified version does not exist.")]
    NoSuchVersion { bucket: String, key: String, version_id: String },
    #[error("The specified method is not allowed against this resource.")]
    IsDeleteMarker { version_id: String, modified_ms: u64 },
    #[error("Object key is empty; a key has 1 to 1,024 bytes")]
    EmptyKey,
    #[error("Your key is too long: {bytes} bytes, at most 1,024")]
    KeyTooLong { bytes: usize },
    #[error("At least one of the pre-conditions you specified did not hold")]
    PreconditionFailed,
    #[error("Not Modified")]
    NotModified { etag: String },
    #[error("The requested range is not satisfiable")]
    InvalidRange,
    #[error("The {name} you specified did not match the calculated checksum: sent {sent}, calculated {calculated}.")]
    BadDigest { name: String, sent: String, calculated: String },
    #[error("The {name} you specified is not valid: `{sent}`")]
    InvalidDigest { name: String, sent: String },
    #[error("The provided 'x-amz-content-sha256' header does not match what was computed: {sent}, {calculated}.")]
    ContentSha256Mismatch { sent: String, calculated: String },
    #[error("You did not provide the number of bytes specified by the Content-Length HTTP header: {found} of {wanted}")]
    IncompleteBody { found: u64, wanted: u64 },
    #[error("The request's body could not be read to its end: {reason}")]
    BrokenBody { reason: String },
    #[error(
        "The specified upload does not exist. The upload ID may be invalid, or it may have been aborted or completed."
    )]
    NoSuchUpload { upload_id: String },
    #[error("Part {number} could not be found, or its entity tag is not the one that was uploaded.")]
    InvalidPart { number: i32 },
    #[error("The list of parts was not in ascending order. Parts must be ordered by part number.")]
    InvalidPartOrder,
    #[error("Part {number} has {size} bytes; all parts but the last have at least 5,242,880.")]
    EntityTooSmall { number: i32, size: u64 },
    #[error("{0}")]
    InvalidArgument(String),
    #[error("You must provide at least one part to complete a multipart upload.")]
    NoParts,
    #[error("There is no {what} for bucket `{bucket}`")]
    NoSetting { code: &'static str, what: &'static str, bucket: String },
    #[error("{doing} {}: {source}", path.display())]
    Io { doing: &'static str, path: PathBuf, source: std::io::Error },
    #[error(
        "{}:{line}: the store's journal is damaged ({reason}); move that bucket's folder away or mend the line",
        path.display()
    )]
    Damaged { path: PathBuf, line: usize, reason: String },
}

impl StoreError {
    /// Names the file and the act of an I/O error, for `map_err`.
    pub(crate) fn io(doing: &'static str, path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.into();
        move |source| Self::Io { doing, path, source }
    }

    /// Whether what was asked for is simply not there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::NoSuchBucket { .. } | Self::NoSuchKey { .. } | Self::NoSuchVersion { .. })
    }
}

impl From<StoreError> for S3Error {
    fn from(error: StoreError) -> Self {
        use StoreError as E;
        let code = match &error {
            E::NoSuchBucket { .. } => S3ErrorCode::NoSuchBucket,
            E::InvalidBucketName { .. } => S3ErrorCode::InvalidBucketName,
            E::BucketAlreadyOwnedByYou { .. } => S3ErrorCode::BucketAlreadyOwnedByYou,
            E::BucketNotEmpty { .. } => S3ErrorCode::BucketNotEmpty,
            E::NoSuchKey { .. } => S3ErrorCode::NoSuchKey,
            E::NoSuchVersion { .. } => S3ErrorCode::NoSuchVersion,
            E::IsDeleteMarker { .. } => S3ErrorCode::MethodNotAllowed,
            E::EmptyKey => S3ErrorCode::InvalidURI,
            E::KeyTooLong { .. } => S3ErrorCode::KeyTooLongError,
            E::PreconditionFailed => S3ErrorCode::PreconditionFailed,
            E::NotModified { .. } => S3ErrorCode::NotModified,
            E::InvalidRange => S3ErrorCode::InvalidRange,
            E::BadDigest { .. } => S3ErrorCode::BadDigest,
            E::InvalidDigest { .. } => S3ErrorCode::InvalidDigest,
            E::ContentSha256Mismatch { .. } => S3ErrorCode::Custom("XAmzContentSHA256Mismatch".into()),
            E::IncompleteBody { .. } | E::BrokenBody { .. } => S3ErrorCode::IncompleteBody,
            E::NoSuchUpload { .. } => S3ErrorCode::NoSuchUpload,
            E::InvalidPart { .. } => S3ErrorCode::InvalidPart,
            E::InvalidPartOrder => S3ErrorCode::InvalidPartOrder,
            E::EntityTooSmall { .. } => S3ErrorCode::EntityTooSmall,
            E::InvalidArgument(_) => S3ErrorCode::InvalidArgument,
            E::NoParts => S3ErrorCode::MalformedXML,
            E::NoSetting { code, .. } => S3ErrorCode::Custom((*code).into()),
            E::Io { .. } | E::Damaged { .. } => S3ErrorCode::InternalError,
        };
        let mut answer = S3Error::with_message(code, error.to_string());
        match &error {
            E::ContentSha256Mismatch { .. } => answer.set_status_code(http::StatusCode::BAD_REQUEST),
            E::NoSetting { .. } => answer.set_status_code(http::StatusCode::NOT_FOUND),
            _ => {}
        }
        answer
    }
}
