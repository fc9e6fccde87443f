//! Writing an artifact.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::thread;

use crate::artifact::container::{self, Tensor, Written};
use crate::artifact::manifest::{FORMAT, FORMAT_VERSION, FileEntry, MANIFEST, Manifest, Provenance};
use crate::artifact::{TENSORS, VOCABULARY, tensors};
use crate::calibration::Calibration;
use crate::classifier::Classifier;
use crate::corpus::Featurizer;
use crate::error::ArtifactError;
use crate::settings::Algorithm;
use crate::vocabulary;

/// Text to class: what a training leaves.
#[derive(Debug, Clone)]
pub struct TextClassifier {
    /// Text to records.
    pub featurizer: Featurizer,
    /// Records to scores and probabilities.
    pub classifier: Classifier,
    /// Scores to better probabilities, where the classifier is linear.
    pub calibration: Calibration,
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
        let columns = self.featurizer.columns();
        let built = vocabulary::build(self.featurizer.lexicons(), columns);
        let (words, rows) = built.map_err(|reason| refused(dir, reason))?;
        fs::create_dir_all(dir).map_err(|e| ArtifactError::io(dir, "cannot be created", e))?;
        let scales: Vec<&[f64]> = self.featurizer.scales().iter().map(|scales| &scales[..]).collect();
        // Both at once: the disk keeps each waiting.
        let (words, numbers) = thread::scope(|scope| {
            let words = scope.spawn(|| Aside::write(dir, VOCABULARY, |to| container::write(to, words)));
            let numbers: Vec<Tensor> = tensors::tensors(&scales, &self.classifier, &rows);
            let numbers = Aside::write(dir, TENSORS, |to| container::write(to, numbers));
            (words.join().unwrap_or_else(|panic| resume_unwind(panic)), numbers)
        });
        let ((words_aside, words), (numbers_aside, numbers)) = (words?, numbers?);
        let manifest = self.manifest(provenance, numbers, words).to_bytes();
        let manifest = manifest.map_err(|e| refused(dir, e.to_string()))?;
        let (manifest, ()) = Aside::write(dir, MANIFEST, |to| to.write_all(&manifest))?;
        [numbers_aside, words_aside, manifest].into_iter().try_for_each(Aside::rename)
    }

    fn manifest(&self, provenance: &Provenance, tensors: Written, vocabulary: Written) -> Manifest {
        let (algorithm, link) = match &self.classifier {
            Classifier::Linear(linear) => (Algorithm::Logistic, Some(linear.link)),
            Classifier::Tree(_) => (Algorithm::Tree, None),
            Classifier::Forest(_) => (Algorithm::Forest, None),
        };
        Manifest {
            checksum: String::new(),
            format: FORMAT.into(),
            format_version: FORMAT_VERSION,
            algorithm,
            classes: self.classes.clone(),
            terms: self.featurizer.columns() as u64,
            tfidf: self.featurizer.params().clone(),
            link,
            calibration: self.calibration.clone(),
            provenance: provenance.clone(),
            files: vec![FileEntry::new(TENSORS, tensors), FileEntry::new(VOCABULARY, vocabulary)],
        }
    }

    fn check(&self, provenance: &Provenance) -> Result<(), String> {
        let terms = self.featurizer.columns();
        let (weighed, classes) = match &self.classifier {
            Classifier::Linear(linear) => (linear.weights.nrows(), linear.classes()),
            Classifier::Tree(tree) => (terms, tree.classes()),
            Classifier::Forest(forest) => (terms, forest.classes()),
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
        let finite = |value: &f64| (*value as f32).is_finite();
        if !self.featurizer.scales().iter().all(|scales| scales.iter().all(finite)) {
            return Err("a scale is not a finite 32-bit number".into());
        }
        if let Classifier::Linear(linear) = &self.classifier {
            if !linear.weights.iter().chain(&linear.intercept).all(finite) {
                return Err("a weight is not a finite 32-bit number".into());
            }
            self.calibration.check(linear.intercept.len())?;
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

/// A file under another name, taken away again where it does not get its own.
struct Aside {
    aside: PathBuf,
    path: PathBuf,
}

impl Aside {
    fn write<R>(
        dir: &Path,
        name: &str,
        write: impl FnOnce(&mut BufWriter<File>) -> std::io::Result<R>,
    ) -> Result<(Aside, R), ArtifactError> {
        let file = Aside { aside: dir.join(format!(".{name}.{}.partial", std::process::id())), path: dir.join(name) };
        let written = File::create(&file.aside).and_then(|to| {
            let mut to = BufWriter::new(to);
            let written = write(&mut to)?;
            to.flush()?;
            to.get_ref().sync_all()?;
            Ok(written)
        });
        match written {
            Ok(written) => Ok((file, written)),
            Err(e) => Err(ArtifactError::io(&file.path, "cannot be written", e)),
        }
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
