//! What a job is given from the bucket: copied below its folder before it starts.

use std::{
    fs::{self, File},
    io::{self, BufReader},
    path::{Component, Path, PathBuf},
};

use flate2::bufread::MultiGzDecoder;
use serde_json::Value;

use crate::{account::Account, fault::Fault, s3_uri::S3Uri};

/// Where the objects of a channel or input are named.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Selection {
    /// All keys that begin so.
    Prefix,
    /// Those that a manifest lists.
    Manifest,
}

/// Copies what `uri` selects into `folder`; the reason where that cannot be, worded for the job's `FailureReason`.
pub(crate) async fn download(
    account: &Account,
    uri: &str,
    selection: Selection,
    gunzip: bool,
    folder: &Path,
) -> Result<(), String> {
    for (from, name) in select(account, uri, selection).await? {
        let relative = PathBuf::from(&name);
        if relative.components().any(|c| !matches!(c, Component::Normal(_))) {
            return Err(format!("the key of {from} leaves the folder it is copied to"));
        }
        let to = folder.join(relative);
        let copied = account.bucket.get_file(&from.bucket, &from.key, &to).await;
        copied.map_err(|e| format!("Could not download {from}: {e}"))?;
        if gunzip {
            let unpacked = tokio::task::spawn_blocking(move || decompress(&to)).await;
            unpacked.map_err(io::Error::other).flatten().map_err(|e| format!("Could not decompress {from}: {e}"))?;
        }
    }
    Ok(())
}

/// The objects that `uri` selects, each with its path below the folder it would be copied to; never none.
pub(crate) async fn select(account: &Account, uri: &str, selection: Selection) -> Result<Vec<(S3Uri, String)>, String> {
    let place = S3Uri::parse(uri).ok_or_else(|| format!("`{uri}` is not of the form s3://bucket/key"))?;
    let objects = match selection {
        Selection::Prefix => below(account, &place)?,
        Selection::Manifest => listed(account, &place).await?,
    };
    if objects.is_empty() {
        return Err(format!("Could not find any objects under S3 URL \"{uri}\""));
    }
    Ok(objects)
}

/// Refuses a prefix that holds nothing, as AWS does when a job is made.
pub(crate) fn must_hold(account: &Account, uri: &str, role: &str) -> Result<(), Fault> {
    let place = S3Uri::parse(uri);
    let found = place.as_ref().is_some_and(|place| below(account, place).is_ok_and(|objects| !objects.is_empty()));
    let bucket = place.map_or_else(|| uri.to_owned(), |place| place.bucket);
    if found {
        return Ok(());
    }
    let region = &account.region;
    Err(Fault::validation(format!(
        "No S3 objects found under S3 URL \"{uri}\" given in input data source. Please ensure that the bucket exists in the selected region ({region}), that objects exist under that S3 prefix, and that the role \"{role}\" has \"s3:ListBucket\" permissions on bucket \"{bucket}\"."
    )))
}

/// The objects under a prefix, each with its path below the folder: what follows the prefix in its key.
fn below(account: &Account, place: &S3Uri) -> Result<Vec<(S3Uri, String)>, String> {
    let found = account.bucket.list(&place.bucket, &place.key);
    let found = found.map_err(|e| format!("Could not find the objects under {place}: {e}"))?;
    let files = found.into_iter().filter(|object| !object.key.ends_with('/'));
    Ok(files
        .map(|o| (S3Uri { bucket: place.bucket.clone(), key: o.key.clone() }, relative(&place.key, &o.key)))
        .collect())
}

fn relative(prefix: &str, key: &str) -> String {
    let rest = &key[prefix.len()..];
    if let Some(rest) = rest.strip_prefix('/') {
        return rest.to_owned();
    }
    // The prefix ends within a name (or is a whole key): the name is kept whole.
    let folder = prefix.rfind('/').map_or(0, |slash| slash + 1);
    key[folder..].to_owned()
}

/// The objects of a manifest `[{"prefix": "s3://bucket/prefix"}, "key", …]`.
async fn listed(account: &Account, place: &S3Uri) -> Result<Vec<(S3Uri, String)>, String> {
    let text = account.bucket.get_bytes(&place.bucket, &place.key).await;
    let text = text.map_err(|e| format!("Could not find the manifest {place}: {e}"))?;
    let entries: Vec<Value> =
        serde_json::from_slice(&text).map_err(|e| format!("the manifest {place} is no JSON list: {e}"))?;
    let mut entries = entries.into_iter();
    let prefix = entries.next().and_then(|first| Some(first.get("prefix")?.as_str()?.to_owned()));
    let prefix =
        prefix.ok_or_else(|| format!("the manifest {place} does not begin with {{\"prefix\": \"s3://…\"}}"))?;
    let objects = entries.map(|entry| {
        let name = entry.as_str().ok_or_else(|| format!("the manifest {place} holds {entry}, which is no key"))?;
        let uri = S3Uri::parse(&format!("{prefix}{name}"));
        let uri = uri.ok_or_else(|| format!("the manifest {place} has the prefix `{prefix}`, which is not s3://…"))?;
        Ok((uri, name.trim_start_matches('/').to_owned()))
    });
    objects.collect()
}

/// Decompresses a file in place; a name ending in `.gz` loses it.
fn decompress(path: &Path) -> io::Result<()> {
    let aside = path.with_added_extension("plain");
    io::copy(&mut MultiGzDecoder::new(BufReader::new(File::open(path)?)), &mut File::create(&aside)?)?;
    let to = if path.extension().is_some_and(|e| e == "gz") { path.with_extension("") } else { path.to_path_buf() };
    fs::remove_file(path)?;
    fs::rename(aside, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_after_the_prefix_is_kept() {
        for (prefix, key, want) in [
            ("data/train", "data/train/a.csv", "a.csv"),
            ("data/train/", "data/train/sub/a.csv", "sub/a.csv"),
            ("data/train.csv", "data/train.csv", "train.csv"),
            ("data/tr", "data/train.csv", "train.csv"),
            ("", "a/b.csv", "a/b.csv"),
        ] {
            assert_eq!(relative(prefix, key), want, "{prefix} {key}");
        }
    }
}
