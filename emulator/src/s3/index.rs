//! A bucket in memory: what its journal adds up to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checksum::{Algorithm, Checksum, Scope};
use super::journal::Entry;
use super::object::{Attributes, NULL_VERSION, Object, Version};

/// Buckets are made with versioning on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Versioning {
    Enabled,
    Suspended,
}

/// A multipart upload under way.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Upload {
    pub initiated_ms: u64,
    #[serde(default)]
    pub attributes: Attributes,
    #[serde(default)]
    pub tags: Vec<(String, String)>,
    #[serde(default)]
    pub checksum: Option<(Algorithm, Scope)>,
    #[serde(skip)]
    pub parts: BTreeMap<i32, Part>,
}

/// A part of an upload.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub blob: String,
    pub size: u64,
    pub etag: String,
    pub modified_ms: u64,
    #[serde(default)]
    pub checksum: Option<Checksum>,
}

/// Everything there is to know of a bucket but the bytes of its objects.
#[derive(Debug)]
pub struct Index {
    pub created_ms: u64,
    pub region: String,
    pub versioning: Versioning,
    pub settings: BTreeMap<String, serde_json::Value>,
    /// Versions from the oldest to the newest, never none. `String` orders by the bytes of UTF-8, as S3 does.
    pub objects: BTreeMap<String, Vec<Version>>,
    pub uploads: BTreeMap<(String, String), Upload>,
}

impl Index {
    /// Makes one change; gives back the blobs that nothing holds any more.
    pub fn apply(&mut self, entry: Entry) -> Vec<String> {
        match entry {
            Entry::Bucket { created_ms, region } => {
                (self.created_ms, self.region) = (created_ms, region);
                Vec::new()
            }
            Entry::Versioning { status } => {
                self.versioning = status;
                Vec::new()
            }
            Entry::Setting { name, value } => {
                match value {
                    Some(value) => self.settings.insert(name, value),
                    None => self.settings.remove(&name),
                };
                Vec::new()
            }
            Entry::Put { key, version, upload_id } => {
                let mut free = match upload_id {
                    Some(upload_id) => self.end_upload(key.clone(), upload_id),
                    None => Vec::new(),
                };
                if version.id == NULL_VERSION {
                    free.extend(self.remove(&key, NULL_VERSION));
                }
                self.objects.entry(key).or_default().push(version);
                free
            }
            Entry::Remove { key, version_id } => self.remove(&key, &version_id).into_iter().collect(),
            Entry::Tags { key, version_id, tags } => {
                let version = self.objects.get_mut(&key).and_then(|all| all.iter_mut().find(|v| v.id == version_id));
                if let Some(object) = version.and_then(|version| version.object.as_mut()) {
                    object.tags = tags;
                }
                Vec::new()
            }
            Entry::Upload { key, upload_id, upload } => {
                self.uploads.insert((key, upload_id), upload);
                Vec::new()
            }
            Entry::Part { key, upload_id, number, part } => {
                let upload = self.uploads.get_mut(&(key, upload_id));
                upload.and_then(|upload| upload.parts.insert(number, part)).map(|old| old.blob).into_iter().collect()
            }
            Entry::Abort { key, upload_id } => self.end_upload(key, upload_id),
        }
    }

    fn remove(&mut self, key: &str, version_id: &str) -> Option<String> {
        let versions = self.objects.get_mut(key)?;
        let at = versions.iter().position(|version| version.id == version_id)?;
        let removed = versions.remove(at);
        if versions.is_empty() {
            self.objects.remove(key);
        }
        removed.object.map(|object| object.blob)
    }

    fn end_upload(&mut self, key: String, upload_id: String) -> Vec<String> {
        let upload = self.uploads.remove(&(key, upload_id));
        upload.into_iter().flat_map(|upload| upload.parts.into_values()).map(|part| part.blob).collect()
    }

    /// The newest version of a key, delete markers too.
    pub fn newest(&self, key: &str) -> Option<&Version> {
        self.objects.get(key).and_then(|versions| versions.last())
    }

    /// The object a plain GET of the key gives.
    pub fn current(&self, key: &str) -> Option<(&Version, &Object)> {
        let version = self.newest(key)?;
        version.object.as_ref().map(|object| (version, object))
    }

    /// The shortest journal that adds up to this index.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries = vec![
            Entry::Bucket { created_ms: self.created_ms, region: self.region.clone() },
            Entry::Versioning { status: self.versioning },
        ];
        for (name, value) in &self.settings {
            entries.push(Entry::Setting { name: name.clone(), value: Some(value.clone()) });
        }
        for (key, versions) in &self.objects {
            for version in versions {
                entries.push(Entry::Put { key: key.clone(), version: version.clone(), upload_id: None });
            }
        }
        for ((key, upload_id), upload) in &self.uploads {
            let (key, upload_id) = (key.clone(), upload_id.clone());
            entries.push(Entry::Upload { key: key.clone(), upload_id: upload_id.clone(), upload: upload.clone() });
            for (number, part) in &upload.parts {
                let (key, upload_id) = (key.clone(), upload_id.clone());
                entries.push(Entry::Part { key, upload_id, number: *number, part: part.clone() });
            }
        }
        entries
    }

    /// The blobs that something holds.
    pub fn blobs(&self) -> impl Iterator<Item = &str> {
        let objects = self.objects.values().flatten().filter_map(|version| version.object.as_ref());
        let parts = self.uploads.values().flat_map(|upload| upload.parts.values());
        objects.map(|object| object.blob.as_str()).chain(parts.map(|part| part.blob.as_str()))
    }
}

impl Default for Index {
    fn default() -> Self {
        Self {
            created_ms: 0,
            region: String::new(),
            versioning: Versioning::Enabled,
            settings: BTreeMap::new(),
            objects: BTreeMap::new(),
            uploads: BTreeMap::new(),
        }
    }
}
