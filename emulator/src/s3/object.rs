//! A version of an object, as the index and the journal hold it.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use super::checksum::Checksum;

/// The id of versions written while a bucket's versioning is suspended.
pub const NULL_VERSION: &str = "null";

/// One version of a key: an object, or the marker that it was deleted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Version {
    /// Opaque, unique in the bucket but for [`NULL_VERSION`].
    pub id: String,
    /// Milliseconds since 1970.
    pub modified_ms: u64,
    /// `None` is a delete marker.
    pub object: Option<Object>,
}

/// What is known of an object besides its bytes.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// The file in the bucket's `data` folder.
    pub blob: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes: MD5 in hexadecimal, or `md5-of-md5s-N` of an upload in N parts.
    pub etag: String,
    /// Headers given back as they came, and user metadata.
    #[serde(default)]
    pub attributes: Attributes,
    /// Tags in the order given.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<(String, String)>,
    /// The checksum that the client chose, else CRC64NVME.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub checksum: Option<Checksum>,
    /// Sizes of the parts of a multipart upload, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub parts: Vec<u64>,
}

/// What a client says of an object when it writes it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Attributes {
    /// Lower-case header names (`content-type` …) and their values.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// `x-amz-meta-…`, without that prefix.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub metadata: BTreeMap<String, String>,
}

impl Attributes {
    /// A content type alone; an empty one is none.
    pub fn of_type(content_type: &str) -> Self {
        let mut attributes = Self::default();
        if !content_type.is_empty() {
            attributes.headers.insert("content-type".to_owned(), content_type.to_owned());
        }
        attributes
    }
}

/// What the emulator's other services need to know of a current object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectInfo {
    /// The whole key.
    pub key: String,
    /// Bytes.
    pub size: u64,
    /// Without quotes.
    pub etag: String,
    /// The current version.
    pub version_id: String,
    /// When it was written.
    pub last_modified: SystemTime,
    /// As it was given when written.
    pub content_type: Option<String>,
}

impl ObjectInfo {
    pub(crate) fn new(key: &str, version: &Version, object: &Object) -> Self {
        Self {
            key: key.to_owned(),
            size: object.size,
            etag: object.etag.clone(),
            version_id: version.id.clone(),
            last_modified: time_of(version.modified_ms),
            content_type: object.attributes.headers.get("content-type").cloned(),
        }
    }
}

/// Milliseconds since 1970, now.
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// The time that `ms` milliseconds since 1970 are.
pub(crate) fn time_of(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

/// A new opaque id.
pub(crate) fn new_id() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}
