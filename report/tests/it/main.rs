//! Pages and summaries from whole results.

mod balanced;
mod drift;
mod evaluation;
mod gate;
mod samples;

use std::path::Path;

/// Leaves a page in the build's scratch folder, for a person to look at.
fn keep(name: &str, page: &str) {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, page).unwrap();
}
