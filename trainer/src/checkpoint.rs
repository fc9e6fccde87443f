//! What an interrupted fit leaves in `checkpoints/`, and what a later run of the same job takes up again.
//!
//! One file, `fit.checkpoint`: a line of JSON ([`Header`]), then the weights (columns, vectors), row by row, then the
//! intercepts, as little-endian 64-bit floats. It bears the identity of data, hyperparameters and version: a file of
//! another job, or a damaged one, is left alone.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};

use model::{Calibration, Linear, Link, Settings};
use ndarray::{Array1, Array2};
use report::evaluation::{Calibrated, DataFile, Tuning};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::contract::ContractError;
use crate::hyperparameters::Hyperparameters;

/// Its name below `checkpoints/`.
const NAME: &str = "fit.checkpoint";
/// The version of its layout.
const FORMAT: &str = "sagebrush.checkpoint/1";

/// What the search decided, so that it need not be repeated.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The settings of the fit.
    pub settings: Settings,
    /// The search, where there was one.
    pub tuning: Option<Tuning>,
    /// Learned from its held-out scores.
    pub calibration: Calibration,
    /// What that brought, where it was measured.
    pub calibrated: Option<Calibrated>,
}

/// A fit that was interrupted.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What was decided before it.
    pub decided: Decided,
    /// How far the solver came.
    pub linear: Linear,
}

#[derive(Serialize, Deserialize)]
struct Header {
    format: String,
    identity: String,
    decided: Decided,
    columns: usize,
    vectors: usize,
    link: Link,
    /// Of all bytes after this line, hexadecimal.
    sha256: String,
}

/// Why a checkpoint that is there is not taken up.
#[derive(Debug, thiserror::Error)]
pub enum Passed {
    /// Data, hyperparameters or version are others.
    #[error("is of other data, hyperparameters or another version")]
    Foreign,
    /// It is not as it was written.
    #[error("is damaged: {0}")]
    Damaged(String),
}

/// What makes two jobs the same: the bytes they learn from, what they ask for, and the program.
pub fn identity(asked: &Hyperparameters, files: &[DataFile]) -> String {
    let files: Vec<_> = files.iter().map(|file| (&file.channel, &file.name, &file.sha256)).collect();
    let settings = serde_json::to_string(&asked.settings).unwrap_or_default();
    let asked =
        (&asked.columns.text, &asked.columns.label, asked.tune, asked.on_bad_rows, asked.max_memory, &asked.given);
    hexadecimal(Sha256::digest(format!("{} {settings} {asked:?} {files:?}", env!("CARGO_PKG_VERSION"))))
}

fn hexadecimal(bytes: impl AsRef<[u8]>) -> String {
    bytes.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Checkpoint {
    /// Leaves it in `folder`, which is made where it is missing; whole or not at all.
    pub fn write(&self, folder: &Path, identity: &str) -> Result<PathBuf, ContractError> {
        let path = folder.join(NAME);
        let aside = path.with_extension("partial");
        self.write_to(folder, &aside, identity).and_then(|()| fs::rename(&aside, &path)).map_err(|source| {
            // The write's own error is the one to tell.
            let _ = fs::remove_file(&aside);
            ContractError::Write { path: path.clone(), source }
        })?;
        Ok(path)
    }

    fn write_to(&self, folder: &Path, aside: &Path, identity: &str) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut sha256 = Sha256::new();
        self.numbers().for_each(|number| sha256.update(number.to_le_bytes()));
        let header = Header {
            format: FORMAT.into(),
            identity: identity.into(),
            decided: self.decided.clone(),
            columns: self.linear.weights.nrows(),
            vectors: self.linear.weights.ncols(),
            link: self.linear.link,
            sha256: hexadecimal(sha256.finalize()),
        };
        let mut file = BufWriter::new(File::create(aside)?);
        serde_json::to_writer(&mut file, &header)?;
        file.write_all(b"\n")?;
        self.numbers().try_for_each(|number| file.write_all(&number.to_le_bytes()))?;
        file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()
    }

    fn numbers(&self) -> impl Iterator<Item = f64> + '_ {
        self.linear.weights.iter().chain(&self.linear.intercept).copied()
    }

    /// The one in `folder` where there is one of this identity.
    pub fn read(folder: &Path, identity: &str) -> Result<Option<Self>, Passed> {
        let damaged = |error: &dyn std::fmt::Display| Passed::Damaged(error.to_string());
        let file = match File::open(folder.join(NAME)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            other => other.map_err(|error| damaged(&error))?,
        };
        let length = file.metadata().map_err(|error| damaged(&error))?.len();
        let mut file = BufReader::new(file);
        let mut line = Vec::new();
        let header_length = file.read_until(b'\n', &mut line).map_err(|error| damaged(&error))? as u64;
        let header: Header = serde_json::from_slice(&line).map_err(|error| damaged(&error))?;
        if header.format != FORMAT || header.identity != identity {
            return Err(Passed::Foreign);
        }
        let bytes = header.columns.checked_add(1).and_then(|rows| rows.checked_mul(header.vectors)?.checked_mul(8));
        if bytes.is_none_or(|bytes| bytes as u64 != length - header_length) {
            return Err(Passed::Damaged(format!("it has {length} bytes, and its header says otherwise")));
        }
        let mut body = Vec::new();
        file.read_to_end(&mut body).map_err(|error| damaged(&error))?;
        if hexadecimal(Sha256::digest(&body)) != header.sha256 {
            return Err(Passed::Damaged("its checksum is another".into()));
        }
        let (numbers, _) = body.as_chunks::<8>();
        let mut weights: Vec<f64> = numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
        let intercept = Array1::from(weights.split_off(header.columns * header.vectors));
        let weights =
            Array2::from_shape_vec((header.columns, header.vectors), weights).map_err(|error| damaged(&error))?;
        Ok(Some(Self { decided: header.decided, linear: Linear { weights, intercept, link: header.link } }))
    }

    /// Removes it: the fit is done, and a later one of the same job shall leave the same bytes.
    pub fn remove(folder: &Path) -> Result<(), ContractError> {
        let path = folder.join(NAME);
        match fs::remove_file(&path) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => Err(ContractError::Write { path, source }),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::array;

    use super::*;

    fn checkpoint() -> Checkpoint {
        let linear =
            Linear { weights: array![[0.5, -1.0], [2.0, 1e-9]], intercept: array![0.25, 3.0], link: Link::Softmax };
        let decided =
            Decided { settings: Settings::default(), tuning: None, calibration: Calibration::None, calibrated: None };
        Checkpoint { decided, linear }
    }

    #[test]
    fn what_is_written_is_read_by_the_same_job_only() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Checkpoint::read(folder.path(), "a").unwrap().is_none());
        let path = checkpoint().write(folder.path(), "a").unwrap();
        assert_eq!(Checkpoint::read(folder.path(), "a").unwrap(), Some(checkpoint()));
        assert!(matches!(Checkpoint::read(folder.path(), "b"), Err(Passed::Foreign)));
        let whole = fs::read(&path).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(matches!(Checkpoint::read(folder.path(), "a"), Err(Passed::Damaged(_))), "cut to {length}");
        }
        let mut changed = whole.clone();
        *changed.last_mut().unwrap() ^= 1;
        fs::write(&path, changed).unwrap();
        assert!(matches!(Checkpoint::read(folder.path(), "a"), Err(Passed::Damaged(_))));
        Checkpoint::remove(folder.path()).unwrap();
        Checkpoint::remove(folder.path()).unwrap();
        assert!(Checkpoint::read(folder.path(), "a").unwrap().is_none());
    }
}
