//! How fast texts are scored, by the processor's time of one thread: `rate MODEL_DIR TEXTS.jsonl [ROUNDS]`.
//!
//! The file holds `{"text": …}` a line. One line of JSON comes out: texts and bytes of one round, nanoseconds a text in the
//! fastest of five windows of so many rounds (50), and the mean score, which no change for speed may move (Linux).

use std::error::Error;
use std::path::Path;

use model::Artifact;
use serde::Deserialize;

const WINDOWS: usize = 5;

#[derive(Deserialize)]
struct Line {
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, texts, rounds @ ..] = &args[..] else { return Err("usage: rate MODEL_DIR TEXTS.jsonl [ROUNDS]".into()) };
    let rounds: usize = rounds.first().map_or(Ok(50), |rounds| rounds.parse())?;
    let artifact = Artifact::open(Path::new(dir))?;
    artifact.verify()?;
    let lines = std::fs::read_to_string(texts)?;
    let texts: Vec<Line> = lines.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (mut fastest, mut sum) = (f64::INFINITY, 0.0);
    for _ in 0..WINDOWS {
        let start = processor_time()?;
        for _ in 0..rounds {
            for line in &texts {
                sum += artifact.predict(&line.text)?.score();
            }
        }
        fastest = fastest.min((processor_time()? - start) as f64 / rounds as f64);
    }
    let (count, bytes) = (texts.len().max(1), texts.iter().map(|line| line.text.len()).sum::<usize>());
    let (nanoseconds, score) = (fastest / count as f64, sum / (count * rounds * WINDOWS) as f64);
    println!(r#"{{"texts":{count},"bytes":{bytes},"ns_a_text":{nanoseconds:.0},"mean_score":{score:.12}}}"#);
    Ok(())
}

/// Nanoseconds that this thread has run, as of the kernel's last look: every few milliseconds.
fn processor_time() -> Result<u64, Box<dyn Error>> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(statistics.split(' ').next().unwrap_or_default().parse()?)
}
