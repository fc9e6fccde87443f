//! Times a fit, an artifact and its predictions on labelled files, and gives the accuracy:
//! `cargo run -p model --example measure -- train.csv test.csv [{"solver": "sparse", …}]`.
//!
//! Times are of the processor, not of the clock, so that a busy machine does not spoil them (Linux).
//! Files are CSV with a header, the text in the first column and the label in the second; settings are `Settings` as JSON.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::Duration;

use model::{Artifact, Calibration, Dataset, Provenance, Settings, TextClassifier, fit_classifier};

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [train, test, settings @ ..] = &args[..] else { return Err("usage: measure TRAIN.csv TEST.csv [JSON]".into()) };
    let settings: Settings = settings.first().map_or(Ok(Settings::default()), |json| serde_json::from_str(json))?;
    let (texts, labels) = read(train)?;
    let classes: Vec<String> = labels.iter().cloned().collect::<BTreeSet<_>>().into_iter().collect();
    let index = |label: &String| classes.binary_search(label).unwrap_or(usize::MAX);

    let targets: Vec<usize> = labels.iter().map(index).collect();
    let start = cpu()?;
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, classes.len())?;
    println!(
        "fit_transform: {:.2?}, {} x {}, {} values",
        cpu()? - start,
        records.rows(),
        records.columns(),
        records.non_zeros()
    );
    let dataset = Dataset::new(records, targets.into());
    let start = cpu()?;
    let fitted = fit_classifier(&settings, &dataset, classes.len(), None)?;
    let (solver, iterations, converged) = (fitted.solver, fitted.iterations, fitted.converged);
    println!("fit: {:.2?} by {solver}, iterations {iterations:?}, converged {converged:?}", cpu()? - start);

    let dir = std::env::temp_dir().join(format!("measure-{}", std::process::id()));
    let start = cpu()?;
    let (classifier, calibration) = (fitted.classifier, Calibration::None);
    TextClassifier { featurizer, classifier, calibration, classes: classes.clone() }
        .save(&dir, &Provenance::default())?;
    println!("save: {:.2?}", cpu()? - start);
    let start = cpu()?;
    let artifact = Artifact::open(&dir)?;
    println!("open: {:.2?}, {} bytes", cpu()? - start, artifact.bytes());
    let (texts, labels) = read(test)?;
    let start = cpu()?;
    let mut right = 0;
    for (text, label) in texts.iter().zip(&labels) {
        right += usize::from(artifact.predict(text)?.class == index(label));
    }
    let (rows, took) = (texts.len(), cpu()? - start);
    println!("predict: {rows} texts in {took:.2?}, accuracy {:.4}", right as f64 / rows as f64);
    std::fs::remove_dir_all(&dir)?;
    Ok(())
}

/// Time this thread has run.
fn cpu() -> Result<Duration, Box<dyn Error>> {
    let statistics = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    Ok(Duration::from_nanos(statistics.split(' ').next().unwrap_or_default().parse()?))
}

fn read(path: &str) -> Result<(Vec<String>, Vec<String>), Box<dyn Error>> {
    let mut columns = (Vec::new(), Vec::new());
    for row in csv::Reader::from_path(path)?.deserialize() {
        let (text, label): (String, String) = row?;
        columns.0.push(text);
        columns.1.push(label);
    }
    Ok(columns)
}
