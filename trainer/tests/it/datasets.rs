//! Real text, where the machine has it: `../shared/datasets` beside the workspace. Skipped visibly elsewhere.

use std::io::Write;
use std::path::{Path, PathBuf};

use crate::job::Job;

/// The folder of a data set, where it is.
pub fn dataset(name: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/datasets").join(name);
    if !folder.is_dir() {
        // Not `eprintln!`, which the test harness keeps to itself where a test passes.
        let _ = writeln!(std::io::stderr(), "skipped: {name} is not at {}", folder.display());
        return None;
    }
    Some(folder)
}

/// Trains without a hyperparameter; the accuracy on the set's test rows.
fn accuracy(name: &str) -> Option<f64> {
    let folder = dataset(name)?;
    let job = Job::with(&[]);
    for channel in ["train", "test"] {
        job.put(&format!("input/data/{channel}/data.csv"), &std::fs::read(folder.join(format!("{channel}.csv"))).ok()?);
    }
    let ran = job.train();
    eprintln!("{name}:\n{}", ran.stdout);
    Some(job.evaluation().metrics.accuracy)
}

#[test]
fn sst2() {
    if let Some(accuracy) = accuracy("sst2") {
        assert!(accuracy >= 0.80, "{accuracy}");
    }
}

#[test]
#[ignore = "takes a minute"]
fn imdb() {
    if let Some(accuracy) = accuracy("imdb") {
        assert!(accuracy >= 0.90, "{accuracy}");
    }
}
