//! How long the artifact takes for one document, measured in the job, on one thread, without HTTP.

use std::time::Instant;

use model::{Artifact, ArtifactError};
use report::evaluation::ArtifactFigures;

/// Documents timed, at most.
const MOST: usize = 2000;
/// Predictions before the first that counts.
const WARM: usize = 50;

/// Size of the artifact, and the time of single predictions of `texts` (one or more), the first of the channel.
pub fn measure(artifact: &Artifact, texts: &[String]) -> Result<ArtifactFigures, ArtifactError> {
    for text in texts.iter().cycle().take(WARM.min(texts.len() * WARM)) {
        artifact.predict(text)?;
    }
    let mut times = Vec::new();
    for text in texts.iter().take(MOST) {
        let start = Instant::now();
        artifact.predict(text)?;
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    times.sort_unstable_by(f64::total_cmp);
    // The smallest time that so many of them do not exceed.
    let at = |share: f64| times.get((share * times.len() as f64).ceil() as usize - 1).copied().unwrap_or(0.0);
    let (p50, p99) = if times.is_empty() { (0.0, 0.0) } else { (at(0.5), at(0.99)) };
    Ok(ArtifactFigures {
        bytes: artifact.bytes(),
        latency_documents: times.len() as u64,
        latency_p50_ms: p50,
        latency_p99_ms: p99,
    })
}
