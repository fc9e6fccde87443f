//! S3 on a versioned file store.
