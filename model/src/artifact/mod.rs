//! The artifact: a text classifier as a folder of data, opened by memory map.
//!
//! | file | what |
//! | --- | --- |
//! | `manifest.json` | [`Manifest`]: format and version, classes, TF-IDF parameters, provenance, and each other file's length and xxh3 |
//! | `tensors.safetensors` | `idf` (terms); logistic: `weights` (terms, vectors), `intercept` (vectors), vectors 1 for two classes, else one a class; tree: `tree.term`, `tree.threshold`, `tree.left`, `tree.right` (nodes), `tree.shares` (nodes, classes) |
//! | `vocabulary.bin` | the terms ascending by code point, and a hash index |
//!
//! Numbers are 32-bit and little-endian: floats, but for `tree.term`, `tree.left` and `tree.right`, which are unsigned.
//! Node 0 is the root; a leaf's children are 0; a document goes left where its value is up to the threshold. Scores are
//! summed in 64 bits. `vocabulary.bin` is:
//!
//! | at | what |
//! | --- | --- |
//! | 0 | `SAGEVOCB`; u32 version, 1; u32 zero |
//! | 16 | u64 number of terms `n`; u64 bytes of the terms; u64 slots `s`, a power of two above `n` |
//! | 40 | `n + 1` offsets, u32: term `i` is bytes `offset[i] .. offset[i + 1]` of the terms |
//! | 44 + 4n | `s` slots of two u32: high half of the term's xxh3 (64 bit, seed 0), its number + 1 (0: free); probed from `hash mod s` by one |
//! | 44 + 4n + 8s | the terms' UTF-8, one after the other |
//!
//! Opening checks every byte: lengths and checksums against the manifest, then what each number means.

pub(crate) mod container;
mod explain;
pub mod manifest;
mod map;
pub(crate) mod mapped;
mod open;
mod predict;
mod save;
mod tensors;

pub use explain::{Contribution, Explanation};
pub use manifest::{DataDigest, Manifest, Provenance};
pub use predict::Prediction;
pub use save::TextClassifier;

use crate::analyzer::Analyzer;
use crate::tfidf::vocabulary::Vocabulary;
use map::Map;
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
    vocabulary: Vocabulary<Map>,
    tensors: Tensors<Map>,
    bytes: u64,
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
        self.vocabulary.len()
    }

    /// Bytes of its files.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The number of `term`, if it is in the vocabulary.
    pub fn term_id(&self, term: &str) -> Option<u32> {
        self.vocabulary.find(term.as_bytes())
    }

    /// Visits the tokens of `text`, preprocessed, in order, as often as they come: what terms are made of.
    ///
    /// Words (without stop words) where the analyzer is `word`; else n-grams of characters of the shortest length.
    pub fn tokens<'t>(&self, text: &'t str, visit: &mut dyn FnMut(&str)) {
        predict::with_scratch(|scratch| self.analyzer.tokens(text, &mut scratch.analyzer, visit));
    }
}
