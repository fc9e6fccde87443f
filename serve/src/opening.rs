//! From a folder to a model that is served.
//!
//! Opening takes the same time whatever the artifact's size, verifying all of it does not. So a large one is served first,
//! and verified while it is: each block is also verified when it is first read, so that none that is damaged is computed with.

use crate::app::App;
use model::{Artifact, ArtifactError};
use std::path::Path;

/// Artifacts of up to so many bytes are verified before they are served, which takes a few milliseconds.
pub const VERIFIED_FIRST_BYTES: u64 = 16 << 20;

/// Serves the artifact in `dir` from now on; `opened` is called just before. An error that comes after it says that what
/// is served is damaged.
pub fn open(
    app: &App,
    dir: &Path,
    verified_first_bytes: u64,
    opened: impl FnOnce(&Artifact),
) -> Result<(), ArtifactError> {
    let artifact = Artifact::open(dir)?;
    let later = artifact.bytes() > verified_first_bytes;
    if !later {
        artifact.verify()?;
    }
    opened(&artifact);
    app.install(artifact);
    match app.served() {
        Ok(served) if later => served.artifact().verify(),
        _ => Ok(()),
    }
}
