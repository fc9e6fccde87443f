//! The baseline's own files.
//!
//! `baseline_values.safetensors` has one tensor, `mean` (terms, sets), 64-bit floats, by the artifact's numbers of terms;
//! `baseline_sample.jsonl.gz` a line a document, an array of its tokens, each once, ascending: no text can be read in it,
//! but it is made of texts, and belongs where they are kept.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;

use flate2::read::GzDecoder;
use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};

use crate::domain::Bag;
use crate::error::{MonitorError, Result};
use crate::files;

const MAKE_AGAIN: &str = "what a baseline job leaves; make the baseline again";

pub(super) fn save_values(path: &Path, means: &[f64], sets: usize) -> Result<()> {
    let bytes: Vec<u8> = means.iter().flat_map(|mean| mean.to_le_bytes()).collect();
    let shape = vec![means.len() / sets.max(1), sets];
    let tensor =
        TensorView::new(Dtype::F64, shape, &bytes).and_then(|mean| safetensors::serialize([("mean", mean)], None));
    let bytes = tensor.map_err(|e| MonitorError::io(path, "")(std::io::Error::other(e)))?;
    files::write(path, &bytes)
}

pub(super) fn load_values(path: &Path, expected: usize) -> Result<Vec<f64>> {
    let bytes =
        fs::read(path).map_err(MonitorError::io(path, "make a baseline and hand over its whole output folder"))?;
    let bad =
        |found: String| MonitorError::Data { file: path.to_path_buf(), line: None, found, expected: MAKE_AGAIN.into() };
    let tensors = SafeTensors::deserialize(&bytes).map_err(|e| bad(e.to_string()))?;
    let mean = tensors.tensor("mean").map_err(|e| bad(e.to_string()))?;
    let (numbers, _) = mean.data().as_chunks::<8>();
    if mean.dtype() != Dtype::F64 || numbers.len() != expected {
        return Err(bad(format!("{:?} values, {}, where the artifact has {expected}", mean.dtype(), numbers.len())));
    }
    Ok(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect())
}

pub(super) fn save_sample(path: &Path, sample: &[Bag]) -> Result<()> {
    let io = || MonitorError::io(path, "is there room?");
    let mut lines = Vec::new();
    for bag in sample {
        serde_json::to_writer(&mut lines, bag).map_err(|e| io()(e.into()))?;
        lines.push(b'\n');
    }
    files::write(path, &files::packed(&lines).map_err(io())?)
}

pub(super) fn load_sample(path: &Path) -> Result<Vec<Bag>> {
    let file = fs::File::open(path)
        .map_err(MonitorError::io(path, "make a baseline and hand over its whole output folder"))?;
    let read = |(line, number): (std::io::Result<String>, u64)| {
        let bad = |found: String| MonitorError::Data {
            file: path.to_path_buf(),
            line: Some(number),
            found,
            expected: MAKE_AGAIN.into(),
        };
        let line = line.map_err(|e| bad(e.to_string()))?;
        serde_json::from_str(&line).map_err(|e| bad(e.to_string()))
    };
    BufReader::new(GzDecoder::new(BufReader::new(file))).lines().zip(1..).map(read).collect()
}
