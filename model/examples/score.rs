//! Scores a labelled file with an artifact, for the benchmark: `score MODEL_DIR TEST.csv THREADS [FOUND]`.
//!
//! The file is CSV with a header, the text in the first column and the label in the second. One line of JSON comes out:
//! the share of rows whose label is found, and the milliseconds (median of eleven) that opening the artifact took. The
//! labels that were found go to the file `FOUND`, a line each.

use std::error::Error;
use std::path::Path;
use std::time::Instant;

use model::{Artifact, threads};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, test, count, found @ ..] = &args[..] else {
        return Err("usage: score MODEL_DIR TEST.csv THREADS [FOUND]".into());
    };
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
    let label = |row: usize| -> Result<&str, model::ArtifactError> {
        Ok(&artifact.classes()[artifact.predict(rows[row].get(0).unwrap_or_default())?.class])
    };
    let labels = threads::map(rows.len(), label).into_iter().collect::<Result<Vec<_>, _>>()?;
    let right = labels.iter().zip(&rows).filter(|(label, row)| row.get(1) == Some(**label)).count();
    if let [path] = found {
        std::fs::write(path, labels.iter().map(|label| format!("{label}\n")).collect::<String>())?;
    }
    println!(r#"{{"accuracy":{},"open_ms":{}}}"#, right as f64 / rows.len().max(1) as f64, opened[5]);
    Ok(())
}
