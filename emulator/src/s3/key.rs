//! Names of buckets and keys. A key never becomes a path: objects lie on disk under ids that the store makes, and keys
//! stand in the journal, so `..`, `a` beside `a/b` or a key of 1,024 bytes need no care on any file system.

use super::StoreError;

/// At most this many bytes of UTF-8 are a key.
pub const MAX_KEY_BYTES: usize = 1024;

/// Refuses what S3 refuses as a key: nothing, and more than 1,024 bytes.
pub fn check_key(key: &str) -> Result<(), StoreError> {
    match key.len() {
        0 => Err(StoreError::EmptyKey),
        1..=MAX_KEY_BYTES => Ok(()),
        bytes => Err(StoreError::KeyTooLong { bytes }),
    }
}

/// Refuses what S3 refuses as a bucket's name; what passes is safe as a folder's name.
pub fn check_bucket_name(bucket: &str) -> Result<(), StoreError> {
    if s3s::path::check_bucket_name(bucket) {
        Ok(())
    } else {
        Err(StoreError::InvalidBucketName { bucket: bucket.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bucket_names_are_folder_names() {
        for (name, fits) in [
            ("sagemaker-us-east-1-000000000000", true),
            ("a.b.c", true),
            ("ab", false),
            ("..", false),
            ("a..b", false),
            ("a/b", false),
            ("Upper", false),
            ("127.0.0.1", false),
            ("", false),
        ] {
            assert_eq!(check_bucket_name(name).is_ok(), fits, "{name}");
        }
    }

    #[test]
    fn keys_are_any_text_up_to_1024_bytes() {
        for (key, fits) in [
            ("a".to_owned(), true),
            ("../../etc/passwd".to_owned(), true),
            ("é".repeat(512), true),
            ("é".repeat(513), false),
            (String::new(), false),
        ] {
            assert_eq!(check_key(&key).is_ok(), fits, "{} bytes", key.len());
        }
    }
}
