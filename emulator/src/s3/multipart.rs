//! Uploads in parts. Parts are blobs of the bucket; completing copies them behind one another into a new one.

use std::collections::BTreeMap;

use super::StoreError;
use super::checksum::{Algorithm, Checksum, Scope, hex};
use super::index::{Part, Upload};
use super::journal::Entry;
use super::key::check_key;
use super::object::{Version, new_id, now_ms};
use super::staging::{self, Plan, Staged};
use super::store::{Draft, Identity, Store, blocking};
use s3s::crypto::{Checksum as _, Md5};

/// All parts but the last have at least this many bytes.
const MIN_PART: u64 = 5 * 1024 * 1024;
/// Part numbers go from 1 to this.
pub const MAX_PARTS: i32 = 10_000;

/// What a client says to complete an upload.
#[derive(Clone, Debug, Default)]
pub struct Completion {
    /// Part numbers, ascending, and the entity tags (without quotes) that were given for them.
    pub parts: Vec<(i32, Option<String>)>,
    /// What the whole is to have as its checksum.
    pub checksum: Option<(Algorithm, String)>,
    /// What the whole is to have as its size.
    pub size: Option<u64>,
    /// Attributes and tags are the upload's; the condition is this one's.
    pub condition: super::store::Condition,
}

impl Store {
    /// Starts an upload; its id.
    pub fn create_upload(&self, bucket: &str, key: &str, upload: Upload) -> Result<String, StoreError> {
        check_key(key)?;
        let upload_id = new_id();
        let entry = Entry::Upload { key: key.to_owned(), upload_id: upload_id.clone(), upload };
        self.bucket(bucket)?.change(|_| Ok((entry, upload_id)))
    }

    /// An upload under way.
    pub fn upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<Upload, StoreError> {
        let id = (key.to_owned(), upload_id.to_owned());
        let found = self.bucket(bucket)?.read(|index| index.uploads.get(&id).cloned());
        found.ok_or(StoreError::NoSuchUpload { upload_id: id.1 })
    }

    /// Makes a received body a part, in place of one of that number.
    pub fn put_part(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        number: i32,
        staged: Staged,
    ) -> Result<Part, StoreError> {
        check_part_number(number)?;
        let bucket = self.bucket(bucket)?;
        let part = Part {
            blob: new_id(),
            size: staged.size,
            etag: staged.etag(),
            modified_ms: now_ms(),
            checksum: staged.checksum.clone(),
        };
        let path = bucket.blob(&part.blob);
        staged.place(&path)?;
        let made = bucket.change(|index| {
            if !index.uploads.contains_key(&(key.to_owned(), upload_id.to_owned())) {
                return Err(StoreError::NoSuchUpload { upload_id: upload_id.to_owned() });
            }
            let (key, upload_id) = (key.to_owned(), upload_id.to_owned());
            Ok((Entry::Part { key, upload_id, number, part: part.clone() }, part))
        });
        if made.is_err() {
            let _ = std::fs::remove_file(&path);
        }
        made
    }

    /// Ends an upload without an object.
    pub fn abort_upload(&self, bucket: &str, key: &str, upload_id: &str) -> Result<(), StoreError> {
        self.upload(bucket, key, upload_id)?;
        let entry = Entry::Abort { key: key.to_owned(), upload_id: upload_id.to_owned() };
        self.bucket(bucket)?.change(|_| Ok((entry, ())))
    }

    /// Makes the chosen parts the newest version of the key and ends the upload, in one line of the journal.
    pub async fn complete_upload(
        &self,
        bucket: &str,
        key: &str,
        upload_id: &str,
        completion: Completion,
    ) -> Result<Version, StoreError> {
        let upload = self.upload(bucket, key, upload_id)?;
        let parts = chosen(&upload.parts, &completion.parts)?;
        let size = parts.iter().map(|part| part.size).sum::<u64>();
        if let Some(wanted) = completion.size.filter(|wanted| *wanted != size) {
            return Err(StoreError::IncompleteBody { found: size, wanted });
        }
        let etag = etag_of(&parts);
        let whole = match upload.checksum {
            Some((algorithm, Scope::FullObject)) => Some(algorithm),
            _ => None,
        };
        let found = self.bucket(bucket)?;
        let sources: Vec<_> = parts.iter().map(|part| found.blob(&part.blob)).collect();
        let aside = self.aside();
        let staged = blocking("cannot put together", aside.clone(), move || {
            staging::concatenate(aside, Plan { checksum: whole, sha256: false }, &sources)
        })
        .await?;
        let checksum = match upload.checksum {
            Some((algorithm, Scope::Composite)) => {
                Checksum::composite(algorithm, parts.iter().map(|part| part.checksum.as_ref()))
            }
            _ => staged.checksum.clone(),
        };
        if let (Some((algorithm, sent)), Some(own)) = (completion.checksum, &checksum)
            && (algorithm != own.algorithm || sent != own.value)
        {
            let name = algorithm.name().to_owned();
            return Err(StoreError::BadDigest { name, sent, calculated: own.value.clone() });
        }
        let draft = Draft { attributes: upload.attributes, tags: upload.tags, condition: completion.condition };
        let parts = parts.iter().map(|part| part.size).collect();
        let identity = Identity { etag, checksum, parts, upload_id: Some(upload_id.to_owned()) };
        self.commit_as(bucket, key, staged, draft, identity)
    }
}

/// Refuses what is not a part number.
pub fn check_part_number(number: i32) -> Result<(), StoreError> {
    if (1..=MAX_PARTS).contains(&number) {
        Ok(())
    } else {
        Err(StoreError::InvalidArgument(format!(
            "Part number must be an integer between 1 and {MAX_PARTS}, inclusive; found {number}"
        )))
    }
}

fn chosen(have: &BTreeMap<i32, Part>, wanted: &[(i32, Option<String>)]) -> Result<Vec<Part>, StoreError> {
    if wanted.is_empty() {
        return Err(StoreError::NoParts);
    }
    if !wanted.is_sorted_by(|(one, _), (next, _)| one < next) {
        return Err(StoreError::InvalidPartOrder);
    }
    let mut parts = Vec::with_capacity(wanted.len());
    for (position, (number, etag)) in wanted.iter().enumerate() {
        let part = have.get(number).filter(|part| etag.as_ref().is_none_or(|etag| *etag == part.etag));
        let part = part.ok_or(StoreError::InvalidPart { number: *number })?;
        if part.size < MIN_PART && position + 1 < wanted.len() {
            return Err(StoreError::EntityTooSmall { number: *number, size: part.size });
        }
        parts.push(part.clone());
    }
    Ok(parts)
}

/// The MD5 of the parts' MD5s, and their number.
fn etag_of(parts: &[Part]) -> String {
    let mut md5 = Md5::new();
    for part in parts {
        let digest: Vec<u8> = (0..part.etag.len() / 2)
            .filter_map(|i| u8::from_str_radix(part.etag.get(2 * i..2 * i + 2)?, 16).ok())
            .collect();
        md5.update(&digest);
    }
    format!("{}-{}", hex(&md5.finalize()), parts.len())
}
