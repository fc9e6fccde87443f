//! The artifact: a text classifier as a folder of data, opened by memory map in the same time whatever its size.
//!
//! | file | what |
//! | --- | --- |
//! | `manifest.json` | [`Manifest`]: format and version, classes, parameters, calibration, provenance, and of each other file its length and the checksum of its head |
//! | `tensors.safetensors` | `terms` (terms, sets + vectors): of each term its scales, one or one a class, and its weights, one vector for two classes, else one a class; linear: `intercept` (vectors); trees: `tree.term`, `tree.threshold`, `tree.left`, `tree.right` (nodes), `tree.shares` (nodes, classes), and of a forest `forest.roots` (trees) |
//! | `vocabulary.bin` | the terms as paths of units, in the format of safetensors too (`model/src/vocabulary/`) |
//!
//! Numbers are 32-bit and little-endian: floats, but for `tree.term`, `tree.left`, `tree.right` and `forest.roots`, which
//! are unsigned. A tree's root is node 0, or its entry of `forest.roots`; a leaf's children are 0; a document goes left
//! where its value is up to the threshold. Scores are summed in 64 bits. `docs/artifact.md` tells it whole.
//!
//! Opening checks the manifest, lengths, shapes and the tables of checksums, one for each 64 KiB; a block is verified when
//! it is first read.

pub(crate) mod container;
mod explain;
mod header;
mod identity;
mod known;
pub mod manifest;
pub(crate) mod mapped;
mod open;
mod predict;
mod record;
mod save;
mod spans;
mod tensors;
mod tokens;
mod values;

use std::sync::OnceLock;

pub use explain::{Contribution, Explanation, TermsOfClass};
pub use identity::Identity;
pub use manifest::{DataDigest, Manifest, Provenance};
pub use predict::Prediction;
pub use save::TextClassifier;
pub use spans::{MOST_SPANS, Span};
pub use values::DocumentValues;

use crate::analyzer::Analyzer;
use crate::error::ArtifactError;
use crate::vocabulary::Vocabulary;
use record::{Reading, Tf};
use tensors::Tensors;

/// The file of numbers.
pub const TENSORS: &str = "tensors.safetensors";
/// The file of terms.
pub const VOCABULARY: &str = "vocabulary.bin";

/// An opened artifact. It holds the files mapped; what it computes it computes on them.
#[derive(Debug)]
pub struct Artifact {
    manifest: Manifest,
    analyzer: Analyzer,
    reading: Reading,
    tf: Tf,
    vocabulary: Vocabulary,
    tensors: Tensors,
    bytes: u64,
    /// Told apart from any other that this process holds open; not 0.
    id: u32,
    /// Numbers of the ASCII characters, once they were looked up.
    ascii: OnceLock<[u32; 128]>,
}

impl Artifact {
    /// What it is and where it comes from.
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Labels of the classes, ascending; a class's index is its place here.
    pub fn classes(&self) -> &[String] {
        &self.manifest.classes
    }

    /// Number of terms.
    pub fn terms(&self) -> usize {
        self.vocabulary.terms()
    }

    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of `term`, if it is in the vocabulary; of a word, where characters make the same text.
    pub fn term_id(&self, term: &str) -> Result<Option<u32>, ArtifactError> {
        self.vocabulary.find(term).map_err(|e| *e)
    }

    /// The text of the term with this number, below [`terms`](Self::terms).
    pub fn term(&self, number: u32) -> Result<String, ArtifactError> {
        self.vocabulary.term(number).map_err(|e| *e)
    }
}
