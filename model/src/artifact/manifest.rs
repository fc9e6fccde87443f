//! `manifest.json`: what an artifact is and where it comes from.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::container::Written;
use crate::calibration::Calibration;
use crate::linear::Link;
use crate::settings::Algorithm;
use crate::tfidf::TfidfParams;

/// Its name in the artifact's folder.
pub const MANIFEST: &str = "manifest.json";
/// The name every manifest of this format bears.
pub const FORMAT: &str = "sagebrush-text-classifier";
/// The version of the format that is written, and the only one that is read.
pub const FORMAT_VERSION: u32 = 3;

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
    pub algorithm: Algorithm,
    /// The classes' labels, ascending; a class's index is its place here.
    pub classes: Vec<String>,
    /// Number of terms.
    pub terms: u64,
    /// How text becomes records.
    pub tfidf: TfidfParams,
    /// Scores to probabilities, where the classifier is linear and no calibration was learned.
    pub link: Option<Link>,
    /// What was learned of scores and probabilities from rows held out.
    pub calibration: Calibration,
    /// Where it comes from.
    pub provenance: Provenance,
    /// The other files of the artifact, in name order.
    pub files: Vec<FileEntry>,
}

/// How every manifest begins; the checksum's 16 digits follow, then [`AFTER_CHECKSUM`], then what it is of.
const BEFORE_CHECKSUM: &str = "{\n  \"checksum\": \"";
const AFTER_CHECKSUM: &str = "\",\n";
const BODY: usize = BEFORE_CHECKSUM.len() + 16 + AFTER_CHECKSUM.len();

impl Manifest {
    /// The file's bytes, the checksum set.
    pub(super) fn to_bytes(&self) -> Result<Vec<u8>, serde_json::Error> {
        let unsigned = Manifest { checksum: "0".repeat(16), ..self.clone() };
        let mut bytes = serde_json::to_vec_pretty(&unsigned)?;
        bytes.push(b'\n');
        let checksum = hexadecimal(xxh3_64(&bytes[BODY..]));
        bytes[BEFORE_CHECKSUM.len()..BEFORE_CHECKSUM.len() + 16].copy_from_slice(checksum.as_bytes());
        Ok(bytes)
    }

    /// From a file's bytes, each of them checked; else what is wrong.
    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Manifest, String> {
        #[derive(Deserialize)]
        struct Header {
            format: String,
            format_version: u32,
        }
        let header: Header =
            serde_json::from_slice(bytes).map_err(|e| format!("it is no manifest of a text classifier: {e}"))?;
        if header.format != FORMAT {
            return Err(format!("its format is `{}`; expected `{FORMAT}`", header.format));
        }
        if header.format_version != FORMAT_VERSION {
            let found = header.format_version;
            return Err(format!("its format version is {found}; this program reads version {FORMAT_VERSION}"));
        }
        let manifest: Manifest = serde_json::from_slice(bytes).map_err(|e| format!("it cannot be read: {e}"))?;
        let signed = bytes.get(BODY..).map(|body| hexadecimal(xxh3_64(body)));
        let begin = format!("{BEFORE_CHECKSUM}{}{AFTER_CHECKSUM}", manifest.checksum);
        if signed.as_ref() != Some(&manifest.checksum) || !bytes.starts_with(begin.as_bytes()) {
            return Err("it was changed after it was written: its checksum is another".into());
        }
        Ok(manifest)
    }
}

/// 16 hexadecimal digits.
fn hexadecimal(checksum: u64) -> String {
    format!("{checksum:016x}")
}

/// Another file of the artifact.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileEntry {
    /// Its name, in the manifest's folder.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// Length of its head, which ends with the checksums of all that follows.
    pub head: u64,
    /// xxh3 (64 bit, hexadecimal) of its head.
    pub xxh3: String,
}

impl FileEntry {
    pub(super) fn new(name: &str, Written { bytes, head, xxh3 }: Written) -> Self {
        FileEntry { name: name.into(), bytes, head, xxh3: hexadecimal(xxh3) }
    }

    /// What the file must be, if the checksum is a number.
    pub(super) fn expected(&self) -> Option<Written> {
        let xxh3 = u64::from_str_radix(&self.xxh3, 16).ok()?;
        Some(Written { bytes: self.bytes, head: self.head, xxh3 })
    }
}

/// Where an artifact comes from. It holds no times: the same inputs leave the same bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Provenance {
    /// The hyperparameters that were asked for, as given.
    pub asked: BTreeMap<String, String>,
    /// All hyperparameters of the fit: as given, as chosen by a search, and by default.
    pub settings: BTreeMap<String, String>,
    /// Every file that was read, those it was fitted on (channel `train`) first.
    pub data: Vec<DataDigest>,
    /// Training rows of each class.
    pub class_rows: BTreeMap<String, u64>,
    /// Rows of these files that were left out, by the reason.
    pub dropped: BTreeMap<String, u64>,
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
