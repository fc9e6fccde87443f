//! The store as the emulator's other services use it: whole objects by bucket and key, always the current version.

use std::path::{Path, PathBuf};

use bytes::Bytes;

use super::StoreError;
use super::checksum::Algorithm;
use super::listing::{self, Query};
use super::object::{Attributes, ObjectInfo, new_id};
use super::staging::{self, Plan};
use super::store::{Draft, Store, blocking, no_such_key};

/// S3 computes this where the client names nothing.
const DEFAULT_PLAN: Plan = Plan { checksum: Some(Algorithm::Crc64Nvme), sha256: false };

impl Store {
    /// Writes bytes as the newest version of a key; its id. `content_type` may be empty.
    pub async fn put_bytes(
        &self,
        bucket: &str,
        key: &str,
        bytes: impl Into<Bytes>,
        content_type: &str,
    ) -> Result<String, StoreError> {
        let body = futures::stream::iter([Ok::<_, StoreError>(bytes.into())]);
        let staged = self.receive(DEFAULT_PLAN, body).await?;
        let draft = Draft { attributes: Attributes::of_type(content_type), ..Draft::default() };
        Ok(self.commit(bucket, key, staged, draft)?.id)
    }

    /// Writes a copy of a file as the newest version of a key; its id. `content_type` may be empty.
    pub async fn put_file(
        &self,
        bucket: &str,
        key: &str,
        file: &Path,
        content_type: &str,
    ) -> Result<String, StoreError> {
        let (aside, source) = (self.aside(), file.to_owned());
        let staged = blocking("cannot copy", file.to_owned(), move || {
            staging::concatenate(aside, DEFAULT_PLAN, std::slice::from_ref(&source))
        })
        .await?;
        let draft = Draft { attributes: Attributes::of_type(content_type), ..Draft::default() };
        Ok(self.commit(bucket, key, staged, draft)?.id)
    }

    /// The bytes of the current object.
    pub async fn get_bytes(&self, bucket: &str, key: &str) -> Result<Bytes, StoreError> {
        let path = self.blob(bucket, key)?;
        tokio::fs::read(&path).await.map(Bytes::from).map_err(StoreError::io("cannot read", path))
    }

    /// Copies the current object to a file, written aside and renamed; missing folders are made.
    pub async fn get_file(&self, bucket: &str, key: &str, file: &Path) -> Result<(), StoreError> {
        let blob = self.blob(bucket, key)?;
        if let Some(folder) = file.parent() {
            tokio::fs::create_dir_all(folder).await.map_err(StoreError::io("cannot create", folder))?;
        }
        let mut aside = file.as_os_str().to_owned();
        aside.push(format!(".{}", new_id()));
        let aside = PathBuf::from(aside);
        if let Err(error) = tokio::fs::copy(&blob, &aside).await {
            let _ = tokio::fs::remove_file(&aside).await;
            return Err(StoreError::io("cannot copy an object to", file)(error));
        }
        tokio::fs::rename(&aside, file).await.map_err(StoreError::io("cannot rename to", file))
    }

    /// The current objects whose keys begin with `prefix`, in byte order of keys.
    pub fn list(&self, bucket: &str, prefix: &str) -> Result<Vec<ObjectInfo>, StoreError> {
        let query = Query { prefix, limit: usize::MAX, ..Query::default() };
        Ok(self.bucket(bucket)?.read(|index| {
            let page = listing::keys(&index.objects, query, |key, versions| {
                let version = versions.last()?;
                version.object.as_ref().map(|object| ObjectInfo::new(key, version, object))
            });
            page.items
        }))
    }

    /// What is known of the current object.
    pub fn head(&self, bucket: &str, key: &str) -> Result<ObjectInfo, StoreError> {
        self.bucket(bucket)?
            .read(|index| index.current(key).map(|(version, object)| ObjectInfo::new(key, version, object)))
            .ok_or_else(|| no_such_key(bucket, key))
    }

    /// Whether the key has a current object.
    pub fn exists(&self, bucket: &str, key: &str) -> bool {
        self.head(bucket, key).is_ok()
    }

    fn blob(&self, bucket: &str, key: &str) -> Result<PathBuf, StoreError> {
        let found = self.bucket(bucket)?;
        let blob = found.read(|index| index.current(key).map(|(_, object)| found.blob(&object.blob)));
        blob.ok_or_else(|| no_such_key(bucket, key))
    }
}
