//! `s3://bucket/key`.

use std::fmt;

/// A place in a bucket; the key may be empty.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct S3Uri {
    pub bucket: String,
    pub key: String,
}

impl S3Uri {
    /// `None` where the text is no such place.
    pub fn parse(text: &str) -> Option<S3Uri> {
        let (bucket, key) = text.strip_prefix("s3://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))?;
        (!bucket.is_empty()).then(|| S3Uri { bucket: bucket.to_owned(), key: key.to_owned() })
    }

    /// The place `name` below this one.
    pub fn join(&self, name: &str) -> S3Uri {
        let folder = self.key.trim_end_matches('/');
        let key = if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
        S3Uri { bucket: self.bucket.clone(), key }
    }
}

impl fmt::Display for S3Uri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "s3://{}/{}", self.bucket, self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uris_are_taken_apart_and_joined() {
        for (text, name, want) in [
            ("s3://b/a/", "x", Some("s3://b/a/x")),
            ("s3://b/a", "x/y", Some("s3://b/a/x/y")),
            ("s3://b", "x", Some("s3://b/x")),
            ("s3:///a", "x", None),
            ("https://b/a", "x", None),
        ] {
            assert_eq!(S3Uri::parse(text).map(|u| u.join(name).to_string()).as_deref(), want, "{text}");
        }
    }
}
