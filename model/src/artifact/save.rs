//! Writing an artifact.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

use crate::artifact::manifest::{FORMAT, FORMAT_VERSION, FileEntry, MANIFEST, Manifest, Provenance, hexadecimal};
use crate::artifact::{TENSORS, VOCABULARY, tensors};
use crate::classifier::Classifier;
use crate::error::ArtifactError;
use crate::settings::Algorithm;
use crate::tfidf::Tfidf;

/// Text to class: what a training leaves.
#[derive(Debug, Clone)]
pub struct TextClassifier {
    /// Text to records.
    pub tfidf: Tfidf,
    /// Records to probabilities.
    pub classifier: Classifier,
    /// Labels of the classes, ascending; targets are places here.
    pub classes: Vec<String>,
}

impl TextClassifier {
    /// Writes the artifact's three files to `dir`, which is made where it is missing.
    ///
    /// Each is written aside and then renamed, the manifest last: a reader finds the artifact of before, this one, or
    /// (where the program died between two renames) files that do not fit each other, which it refuses. What is not the
    /// artifact's is left alone. The same inputs leave the same bytes.
    pub fn save(&self, dir: &Path, provenance: &Provenance) -> Result<(), ArtifactError> {
        self.check(provenance).map_err(|reason| refused(dir, reason))?;
        let vocabulary = self.tfidf.vocabulary().all();
        let tensors = tensors::to_bytes(self.tfidf.idf(), &self.classifier).map_err(|e| refused(dir, e.to_string()))?;
        let manifest = Manifest {
            checksum: String::new(),
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            algorithm: match self.classifier {
                Classifier::Linear(_) => Algorithm::Logistic,
                Classifier::Tree(_) => Algorithm::Tree,
                Classifier::Forest(_) => Algorithm::Forest,
            },
            classes: self.classes.clone(),
            terms: self.tfidf.len() as u64,
            tfidf: self.tfidf.params().clone(),
            provenance: provenance.clone(),
            files: vec![entry(TENSORS, &tensors), entry(VOCABULARY, vocabulary)],
        };
        let manifest = manifest.to_bytes().map_err(|e| refused(dir, e.to_string()))?;
        fs::create_dir_all(dir).map_err(|e| ArtifactError::io(dir, "cannot be created", e))?;
        let files = [(TENSORS, &tensors[..]), (VOCABULARY, vocabulary), (MANIFEST, &manifest)];
        let aside: Vec<Aside> =
            files.into_iter().map(|(name, bytes)| Aside::write(dir, name, bytes)).collect::<Result<_, _>>()?;
        aside.into_iter().try_for_each(Aside::rename)
    }

    fn check(&self, provenance: &Provenance) -> Result<(), String> {
        let terms = self.tfidf.len();
        let (weighed, classes) = match &self.classifier {
            Classifier::Linear(logistic) => (logistic.weights.nrows(), logistic.classes()),
            Classifier::Tree(tree) => (terms, tree.classes()),
            Classifier::Forest(_) => return Err("this format holds no forest".into()),
        };
        if weighed != terms || classes != self.classes.len() {
            let labels = self.classes.len();
            return Err(format!(
                "the classifier is for {weighed} terms and {classes} classes; there are {terms} terms and {labels} labels"
            ));
        }
        if !self.classes.is_sorted_by(|a, b| a < b) {
            return Err(format!("labels are ascending and each is another; found {:?}", self.classes));
        }
        if let Classifier::Linear(logistic) = &self.classifier
            && logistic.weights.iter().chain(&logistic.intercept).any(|&weight| !(weight as f32).is_finite())
        {
            return Err("a weight is not a finite 32-bit number".into());
        }
        match provenance.metrics.iter().find(|(_, value)| !value.is_finite()) {
            Some((name, value)) => Err(format!("metric {name} is {value}, which is no measurement")),
            None => Ok(()),
        }
    }
}

fn refused(dir: &Path, reason: String) -> ArtifactError {
    ArtifactError::Refused { path: dir.into(), reason, remedy: "nothing was written; fit it again with other settings" }
}

fn entry(name: &str, bytes: &[u8]) -> FileEntry {
    FileEntry { name: name.into(), bytes: bytes.len() as u64, xxh3: hexadecimal(xxh3_64(bytes)) }
}

/// A file under another name, taken away again where it does not get its own.
struct Aside {
    aside: PathBuf,
    path: PathBuf,
}

impl Aside {
    fn write(dir: &Path, name: &str, bytes: &[u8]) -> Result<Aside, ArtifactError> {
        let file = Aside { aside: dir.join(format!(".{name}.{}.partial", std::process::id())), path: dir.join(name) };
        let written = File::create(&file.aside).and_then(|mut to| {
            to.write_all(bytes)?;
            to.sync_all()
        });
        written.map_err(|e| ArtifactError::io(&file.path, "cannot be written", e))?;
        Ok(file)
    }

    fn rename(self) -> Result<(), ArtifactError> {
        fs::rename(&self.aside, &self.path).map_err(|e| ArtifactError::io(&self.path, "cannot be put in place", e))
    }
}

impl Drop for Aside {
    fn drop(&mut self) {
        // Gone already where it was renamed.
        let _ = fs::remove_file(&self.aside);
    }
}
