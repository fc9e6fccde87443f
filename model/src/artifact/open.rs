//! Opening an artifact: everything is checked before anything is believed.

use std::fs;
use std::path::Path;

use xxhash_rust::xxh3::xxh3_64;

use crate::analyzer::Analyzer;
use crate::artifact::manifest::{FileEntry, MANIFEST, Manifest, hexadecimal};
use crate::artifact::map::Map;
use crate::artifact::tensors::Tensors;
use crate::artifact::{Artifact, TENSORS, VOCABULARY};
use crate::error::ArtifactError;
use crate::tfidf::vocabulary::Vocabulary;

impl Artifact {
    /// Opens the artifact in `dir`; damaged, foreign and lying files are refused with the reason.
    ///
    /// While it is open its files must not be changed in place or cut short (`save` never does).
    pub fn open(dir: &Path) -> Result<Artifact, ArtifactError> {
        let path = dir.join(MANIFEST);
        let bytes = fs::read(&path).map_err(|e| ArtifactError::io(&path, "cannot be read", e))?;
        let manifest = Manifest::from_bytes(&bytes).and_then(check).map_err(|reason| refused(&path, reason))?;
        let [tensors, vocabulary] = &manifest.files[..] else {
            return Err(refused(&path, "it does not list the artifact's files".into()));
        };
        let total = bytes.len() as u64 + tensors.bytes + vocabulary.bytes;
        let (terms, classes) = (manifest.terms as usize, manifest.classes.len());

        let path = dir.join(VOCABULARY);
        let vocabulary = map(&path, vocabulary)?;
        let vocabulary = Vocabulary::from_bytes(vocabulary).map_err(|reason| refused(&path, reason))?;
        if vocabulary.len() != terms {
            let found = vocabulary.len();
            return Err(refused(&path, format!("it holds {found} terms; the manifest says {terms}")));
        }
        let path = dir.join(TENSORS);
        let tensors = map(&path, tensors)?;
        let tensors = Tensors::from_bytes(tensors, manifest.algorithm, terms, classes)
            .map_err(|reason| refused(&path, reason))?;
        let analyzer = Analyzer::new(&manifest.tfidf);
        Ok(Artifact { manifest, analyzer, vocabulary, tensors, bytes: total })
    }
}

fn check(manifest: Manifest) -> Result<Manifest, String> {
    manifest.tfidf.check().map_err(|e| e.to_string())?;
    if manifest.classes.len() < 2 || !manifest.classes.is_sorted_by(|a, b| a < b) {
        return Err(format!("its classes are {:?}; expected two or more, ascending", manifest.classes));
    }
    let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    if names != [TENSORS, VOCABULARY] {
        return Err(format!("its files are {names:?}; expected {TENSORS} and {VOCABULARY}"));
    }
    Ok(manifest)
}

fn map(path: &Path, expected: &FileEntry) -> Result<Map, ArtifactError> {
    let map = Map::open(path)?;
    let bytes = map.as_ref();
    if bytes.len() as u64 != expected.bytes {
        let (found, expected) = (bytes.len(), expected.bytes);
        return Err(refused(path, format!("it has {found} bytes; the manifest says {expected}")));
    }
    match hexadecimal(xxh3_64(bytes)) {
        found if found == expected.xxh3 => Ok(map),
        found => {
            let expected = &expected.xxh3;
            Err(refused(path, format!("its checksum is {found}; the manifest says {expected}")))
        }
    }
}

fn refused(path: &Path, reason: String) -> ArtifactError {
    let remedy = "fetch the artifact again from where it was made, or train it again";
    ArtifactError::Refused { path: path.into(), reason, remedy }
}
