//! Opening an artifact: in the same time whatever its size. What is read later is verified when it is read.

use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use crate::analyzer::Analyzer;
use crate::artifact::manifest::{FileEntry, MANIFEST, Manifest};
use crate::artifact::mapped::{Mapped, refused};
use crate::artifact::record::{Reading, Tf};
use crate::artifact::tensors::{Model, Tensors, float};
use crate::artifact::{Artifact, TENSORS, VOCABULARY};
use crate::error::ArtifactError;
use crate::linear::vectors_of;
use crate::settings::Algorithm;
use crate::vocabulary::Vocabulary;

/// The longest manifest that is read: its provenance names every file of data.
const LONGEST_MANIFEST: u64 = 1 << 28;
/// Artifacts that this process has opened, modulo 2^32: the next number.
static OPENED: AtomicU32 = AtomicU32::new(1);

impl Artifact {
    /// Opens the artifact in `dir`: maps its files, and checks the manifest, lengths, shapes and the tables of checksums,
    /// which takes no longer for a larger one. Each block of 64 KiB is verified when it is first read, so that a damaged
    /// one is never computed with; [`verify`](Self::verify) does so for all.
    ///
    /// While it is open its files must not be changed in place or cut short (`save` never does).
    pub fn open(dir: &Path) -> Result<Artifact, ArtifactError> {
        let path = dir.join(MANIFEST);
        let bytes = match fs::metadata(&path).map(|metadata| metadata.len()) {
            Ok(length) if length > LONGEST_MANIFEST => {
                return Err(refused(
                    &path,
                    format!("it has {length} bytes; a manifest has at most {LONGEST_MANIFEST}"),
                ));
            }
            _ => fs::read(&path).map_err(|e| ArtifactError::io(&path, "cannot be read", e))?,
        };
        let manifest = Manifest::from_bytes(&bytes).and_then(check).map_err(|reason| refused(&path, reason))?;
        let [tensors, vocabulary] = &manifest.files[..] else {
            return Err(refused(&path, "it does not list the artifact's files".into()));
        };
        let (terms, classes) = (manifest.terms as usize, manifest.classes.len());
        let reading = Reading::of(&manifest.tfidf);
        let open = || {
            let vocabulary = Vocabulary::open(map(dir, vocabulary)?, reading.units())?;
            if vocabulary.terms() != terms {
                let found = vocabulary.terms();
                let reason = format!("it holds {found} terms; the manifest says {terms}");
                return Err(Box::new(refused(&dir.join(VOCABULARY), reason)));
            }
            Ok((vocabulary, Tensors::open(map(dir, tensors)?, manifest.algorithm, terms, classes)?))
        };
        let (vocabulary, tensors) = open().map_err(|e: Box<ArtifactError>| *e)?;
        let bytes = bytes.len() as u64 + vocabulary.bytes() + tensors.file.len();
        let analyzer = Analyzer::new(&manifest.tfidf);
        let tf = Tf::new(manifest.tfidf.term_frequency());
        let id = OPENED.fetch_add(1, Relaxed).max(1);
        Ok(Artifact { manifest, analyzer, reading, tf, vocabulary, tensors, bytes, id, ascii: Default::default() })
    }

    /// Verifies all that [`open`](Self::open) left for later: every block's checksum, and that every number can be computed
    /// with. Takes as long as reading the files does.
    pub fn verify(&self) -> Result<(), ArtifactError> {
        let verify = || {
            self.vocabulary.verify()?;
            let file = &self.tensors.file;
            file.verify()?;
            let finite = |four: &[u8; 4]| float(*four).is_finite();
            let numbers = file.fours(self.tensors.terms, 0, self.tensors.terms.len)?;
            // All at once; which it is, is looked for where there is one.
            if !numbers.iter().fold(true, |sound, four| sound & finite(four)) {
                let at = numbers.iter().position(|four| !finite(four)).unwrap_or_default();
                return Err(file.refuse(format!("number {at} of `terms` is not finite")));
            }
            match &self.tensors.model {
                Model::Trees(nodes) => nodes.verify(file, self.terms()),
                Model::Linear { intercept } if intercept.iter().all(|number| number.is_finite()) => Ok(()),
                Model::Linear { .. } => Err(file.refuse("a number of `intercept` is not finite".into())),
            }
        };
        verify().map_err(|e| *e)
    }
}

fn check(manifest: Manifest) -> Result<Manifest, String> {
    manifest.tfidf.check().map_err(|e| e.to_string())?;
    if manifest.classes.len() < 2 || !manifest.classes.is_sorted_by(|a, b| a < b) {
        return Err(format!("its classes are {:?}; expected two or more, ascending", manifest.classes));
    }
    if manifest.terms >= u64::from(u32::MAX) {
        return Err(format!("it has {} terms; at most {}", manifest.terms, u32::MAX - 1));
    }
    if manifest.algorithm == Algorithm::Logistic {
        let vectors = vectors_of(manifest.classes.len());
        manifest.calibration.check(vectors)?;
        let link = manifest.link.ok_or("it has no link from scores to probabilities")?;
        if (link == crate::linear::Link::Logistic) != (vectors == 1) {
            return Err(format!("its link from {vectors} scores to probabilities is {link:?}"));
        }
    }
    let names: Vec<&str> = manifest.files.iter().map(|file| file.name.as_str()).collect();
    if names != [TENSORS, VOCABULARY] {
        return Err(format!("its files are {names:?}; expected {TENSORS} and {VOCABULARY}"));
    }
    Ok(manifest)
}

fn map(dir: &Path, entry: &FileEntry) -> Result<Mapped, Box<ArtifactError>> {
    let expected = entry.expected().ok_or_else(|| {
        refused(&dir.join(MANIFEST), format!("the checksum of {} is `{}`; expected 16 digits", entry.name, entry.xxh3))
    })?;
    Ok(Mapped::open(&dir.join(&entry.name), &expected)?)
}
