//! `manifest.json`: what an artifact is and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::tfidf::TfidfParams;

/// The name every manifest of this format bears.
pub const FORMAT: &str = "sagebrush-text-classifier";
/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 1;

/// `manifest.json`: what an artifact is and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// xxh3 (64 bit, hexadecimal) of the manifest's bytes after this field's line; the first field, always.
    pub checksum: String,
    /// [`FORMAT`].
    pub format: String,
    /// [`FORMAT_VERSION`].
    pub format_version: u32,
    /// The kind of classifier.
    pub algorithm: crate::Algorithm,
    /// The classes' labels, ascending; a class's index is its place here.
    pub classes: Vec<String>,
    /// Number of terms.
    pub terms: u64,
    /// How text becomes records.
    pub tfidf: TfidfParams,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The other files of the artifact, in name order.
    pub files: Vec<FileEntry>,
}

/// Another file of the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name, in the manifest's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// xxh3 (64 bit, hexadecimal) of its bytes.
    pub xxh3: String,
}

/// Where an artifact comes from. It holds no times: the same inputs leave the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The hyperparameters of the fit, as given and by default.
    pub settings: BTreeMap<String, String>,
    /// The files it was fitted on.
    pub data: Vec<DataDigest>,
    /// Training rows of each class.
    pub class_rows: BTreeMap<String, u64>,
    /// Version of the program.
    pub version: String,
    /// Measured quality, by metric.
    pub metrics: BTreeMap<String, f64>,
}

/// One file of data.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DataDigest {
    /// The channel it came by.
    pub channel: String,
    /// Its name in the channel.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
    /// Rows read from it.
    pub rows: u64,
}
