//! Scores a labelled file with an artifact, for the benchmark: `score MODEL_DIR TEST.csv THREADS`.
//!
//! The file is CSV with a header, the text in the first column and the label in the second. One line of JSON comes out:
//! the share of rows whose label is found, and the milliseconds (median of eleven) that opening the artifact took.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use model::{Artifact, threads};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, test, count] = &args[..] else { return Err("usage: score MODEL_DIR TEST.csv THREADS".into()) };
    threads::set(count.parse()?);
    let mut opened = Vec::new();
    for _ in 0..11 {
        let clock = Instant::now();
        drop(Artifact::open(Path::new(dir))?);
        opened.push(clock.elapsed().as_secs_f64() * 1000.0);
    }
    opened.sort_by(f64::total_cmp);
    let artifact = Artifact::open(Path::new(dir))?;
    let rows: Vec<csv::StringRecord> = csv::Reader::from_path(test)?.records().collect::<Result<_, _>>()?;
    let right = |row: usize| {
        let (text, label) = (rows[row].get(0).unwrap_or_default(), rows[row].get(1).unwrap_or_default());
        artifact.predict(text).is_ok_and(|prediction| artifact.classes()[prediction.class] == label)
    };
    let right = threads::map(rows.len(), right).into_iter().filter(|right| *right).count();
    println!(r#"{{"accuracy":{},"open_ms":{}}}"#, right as f64 / rows.len().max(1) as f64, opened[5]);
    Ok(())
}
