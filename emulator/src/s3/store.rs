//! The store: buckets of versioned objects in a folder.
//!
//! ```text
//! root/buckets/NAME/journal.jsonl   every change, one JSON line each; the only truth
//! root/buckets/NAME/data/ID         the bytes of an object or of a part, named by an id of the store's making
//! root/aside/ID                     bytes on their way in; emptied at open
//! ```
//!
//! An object is written aside, renamed into `data`, and exists from the moment its line stands in the journal. The index
//! in memory is rebuilt from the journal at open: reading one file a bucket is faster than one a version, and it makes
//! keys free of what a file system can name. One process at a time has a store open; the emulator's lock sees to that.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock};

use bytes::Bytes;
use futures::Stream;
use tokio::fs::File;

use super::StoreError;
use super::bucket::Bucket;
use super::checksum::Checksum;
use super::index::Versioning;
use super::journal::Entry;
use super::key::{check_bucket_name, check_key};
use super::object::{Attributes, NULL_VERSION, Object, Version, new_id, now_ms};
use super::staging::{self, Plan, Staged};

/// Buckets of versioned objects in a folder. Shared as `Arc<Store>`.
#[derive(Debug)]
pub struct Store {
    root: PathBuf,
    buckets: RwLock<BTreeMap<String, Arc<Bucket>>>,
}

/// What must be true of the current object for a write to happen.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Condition {
    /// Nothing.
    #[default]
    Always,
    /// There is none (`If-None-Match: *`).
    Absent,
    /// There is one, with this entity tag if one is given (`If-Match`).
    Present(Option<String>),
}

/// An object to be: everything but its bytes.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    /// Headers and metadata.
    pub attributes: Attributes,
    /// Tags in the order given.
    pub tags: Vec<(String, String)>,
    /// When to write at all.
    pub condition: Condition,
}

/// What a delete did.
#[derive(Clone, Debug, PartialEq)]
pub struct Deleted {
    /// The version removed, or the marker made; none where versioning is suspended and nothing was there.
    pub version_id: Option<String>,
    /// Whether that is a delete marker.
    pub delete_marker: bool,
}

impl Store {
    /// Opens the store in `root`, which is made if it is missing.
    pub async fn open(root: &Path) -> Result<Self, StoreError> {
        let root = root.to_owned();
        blocking("cannot open the store in", root.clone(), move || {
            let aside = root.join("aside");
            if aside.exists() {
                fs::remove_dir_all(&aside).map_err(StoreError::io("cannot empty", &aside))?;
            }
            let folder = root.join("buckets");
            for dir in [&aside, &folder] {
                fs::create_dir_all(dir).map_err(StoreError::io("cannot create", dir))?;
            }
            let mut buckets = BTreeMap::new();
            for dir in fs::read_dir(&folder).map_err(StoreError::io("cannot list", &folder))? {
                let dir = dir.map_err(StoreError::io("cannot list", &folder))?;
                if let Some(name) = dir.file_name().to_str().filter(|name| check_bucket_name(name).is_ok()) {
                    buckets.insert(name.to_owned(), Arc::new(Bucket::open(name, &dir.path())?));
                }
            }
            Ok(Self { root, buckets: RwLock::new(buckets) })
        })
        .await
    }

    /// Makes a bucket, versioned. One that exists already is left as it is: `false`.
    pub fn create_bucket(&self, name: &str, region: &str) -> Result<bool, StoreError> {
        check_bucket_name(name)?;
        let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
        if buckets.contains_key(name) {
            return Ok(false);
        }
        let aside = self.aside();
        Bucket::lay_out(&aside, &[Entry::Bucket { created_ms: now_ms(), region: region.to_owned() }])?;
        let dir = self.root.join("buckets").join(name);
        fs::rename(&aside, &dir).map_err(StoreError::io("cannot create", &dir))?;
        buckets.insert(name.to_owned(), Arc::new(Bucket::open(name, &dir)?));
        Ok(true)
    }

    /// Removes a bucket that holds no version any more.
    pub async fn delete_bucket(&self, name: &str) -> Result<(), StoreError> {
        let aside = self.aside();
        {
            let mut buckets = self.buckets.write().unwrap_or_else(PoisonError::into_inner);
            let found = buckets.get(name).ok_or_else(|| StoreError::NoSuchBucket { bucket: name.to_owned() })?;
            found.remove(&aside)?;
            buckets.remove(name);
        }
        tokio::fs::remove_dir_all(&aside).await.map_err(StoreError::io("cannot remove", aside))
    }

    /// All buckets in the order of their names.
    pub fn buckets(&self) -> Vec<Arc<Bucket>> {
        self.buckets.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// Whether there is such a bucket.
    pub fn bucket_exists(&self, name: &str) -> bool {
        self.bucket(name).is_ok()
    }

    /// The bucket of that name.
    pub fn bucket(&self, name: &str) -> Result<Arc<Bucket>, StoreError> {
        let buckets = self.buckets.read().unwrap_or_else(PoisonError::into_inner);
        buckets.get(name).cloned().ok_or_else(|| StoreError::NoSuchBucket { bucket: name.to_owned() })
    }

    /// Takes a body in. It has no name before [`Store::commit`].
    pub async fn receive<S, E>(&self, plan: Plan, body: S) -> Result<Staged, StoreError>
    where
        S: Stream<Item = Result<Bytes, E>> + Unpin,
        E: std::fmt::Display,
    {
        staging::receive(self.aside(), plan, body).await
    }

    /// Makes a body the newest version of a key, if the condition holds.
    pub fn commit(&self, bucket: &str, key: &str, staged: Staged, draft: Draft) -> Result<Version, StoreError> {
        let (etag, checksum) = (staged.etag(), staged.checksum.clone());
        self.commit_as(bucket, key, staged, draft, Identity { etag, checksum, parts: Vec::new(), upload_id: None })
    }

    pub(super) fn commit_as(
        &self,
        bucket: &str,
        key: &str,
        staged: Staged,
        draft: Draft,
        identity: Identity,
    ) -> Result<Version, StoreError> {
        check_key(key)?;
        let bucket = self.bucket(bucket)?;
        let Identity { etag, checksum, parts, upload_id } = identity;
        let Draft { attributes, tags, condition } = draft;
        let blob = new_id();
        let object = Object { blob: blob.clone(), size: staged.size, etag, attributes, tags, checksum, parts };
        let path = bucket.blob(&blob);
        staged.place(&path)?;
        let made = bucket.change(|index| {
            let current = index.current(key).map(|(_, object)| object.etag.as_str());
            condition.check(&bucket.name, key, current)?;
            if let Some(upload_id) = &upload_id
                && !index.uploads.contains_key(&(key.to_owned(), upload_id.clone()))
            {
                return Err(StoreError::NoSuchUpload { upload_id: upload_id.clone() });
            }
            let version = Version { id: id_for(index.versioning), modified_ms: now_ms(), object: Some(object) };
            Ok((Entry::Put { key: key.to_owned(), version: version.clone(), upload_id: upload_id.clone() }, version))
        });
        if made.is_err() {
            let _ = fs::remove_file(&path);
        }
        made
    }

    /// A version as it stands: the current one, or the one of that id.
    pub fn version(&self, bucket: &str, key: &str, id: Option<&str>) -> Result<(Version, Object), StoreError> {
        check_key(key)?;
        let version = self.bucket(bucket)?.read(|index| match id {
            None => index.newest(key).cloned().ok_or_else(|| no_such_key(bucket, key)),
            Some(id) => {
                let found = index.objects.get(key).and_then(|all| all.iter().find(|version| version.id == id));
                found.cloned().ok_or_else(|| StoreError::NoSuchVersion {
                    bucket: bucket.to_owned(),
                    key: key.to_owned(),
                    version_id: id.to_owned(),
                })
            }
        })?;
        match version.object.clone() {
            Some(object) => Ok((version, object)),
            None => Err(StoreError::IsDeleteMarker { version_id: version.id, modified_ms: version.modified_ms }),
        }
    }

    /// The open file of an object's bytes; it stays readable whatever happens to the object.
    pub async fn open_blob(&self, bucket: &str, key: &str, object: &Object) -> Result<File, StoreError> {
        let path = self.bucket(bucket)?.blob(&object.blob);
        match File::open(&path).await {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(no_such_key(bucket, key)),
            file => file.map_err(StoreError::io("cannot open", path)),
        }
    }

    /// Deletes: without an id by a delete marker, with one that version for good. What is not there is deleted already.
    pub fn delete(&self, bucket: &str, key: &str, id: Option<&str>) -> Result<Deleted, StoreError> {
        check_key(key)?;
        self.bucket(bucket)?.change(|index| match id {
            Some(id) => {
                let found = index.objects.get(key).and_then(|all| all.iter().find(|version| version.id == id));
                let delete_marker = found.is_some_and(|version| version.object.is_none());
                let entry = Entry::Remove { key: key.to_owned(), version_id: id.to_owned() };
                Ok((entry, Deleted { version_id: Some(id.to_owned()), delete_marker }))
            }
            None => {
                let marker = Version { id: id_for(index.versioning), modified_ms: now_ms(), object: None };
                let version_id = Some(marker.id.clone());
                let entry = Entry::Put { key: key.to_owned(), version: marker, upload_id: None };
                Ok((entry, Deleted { version_id, delete_marker: true }))
            }
        })
    }

    /// Sets or (empty) removes the tags of a version; that version's id.
    pub fn tag(
        &self,
        bucket: &str,
        key: &str,
        id: Option<&str>,
        tags: Vec<(String, String)>,
    ) -> Result<String, StoreError> {
        let (version, _) = self.version(bucket, key, id)?;
        self.bucket(bucket)?.change(|_| {
            let entry = Entry::Tags { key: key.to_owned(), version_id: version.id.clone(), tags };
            Ok((entry, version.id))
        })
    }

    /// A path of its own in the folder for what is not finished.
    pub(super) fn aside(&self) -> PathBuf {
        self.root.join("aside").join(new_id())
    }
}

/// What tells an object's bytes from others'.
pub(super) struct Identity {
    pub etag: String,
    pub checksum: Option<Checksum>,
    pub parts: Vec<u64>,
    pub upload_id: Option<String>,
}

impl Condition {
    fn check(&self, bucket: &str, key: &str, current: Option<&str>) -> Result<(), StoreError> {
        match (self, current) {
            (Self::Always, _) | (Self::Absent, None) | (Self::Present(None), Some(_)) => Ok(()),
            (Self::Present(Some(wanted)), Some(found)) if wanted == found => Ok(()),
            (Self::Present(_), None) => Err(no_such_key(bucket, key)),
            (Self::Absent | Self::Present(Some(_)), Some(_)) => Err(StoreError::PreconditionFailed),
        }
    }
}

fn id_for(versioning: Versioning) -> String {
    match versioning {
        Versioning::Enabled => new_id(),
        Versioning::Suspended => NULL_VERSION.to_owned(),
    }
}

pub(super) fn no_such_key(bucket: &str, key: &str) -> StoreError {
    StoreError::NoSuchKey { bucket: bucket.to_owned(), key: key.to_owned() }
}

/// Runs what reads and writes much off the reactor.
pub(super) async fn blocking<T: Send + 'static>(
    doing: &'static str,
    path: PathBuf,
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => Err(StoreError::io(doing, path)(std::io::Error::other(error))),
    }
}
