//! Training rows that a search is measured on: held out of the training files, class by class, as objects of their own.
//! The test files choose nothing.

use std::collections::BTreeMap;

use trainer::{
    contract::{InputMode, Source},
    hyperparameters::Hyperparameters,
    reading::{Channel, Options, problems::Problems},
};

use crate::{
    bucket,
    error::{self, Failure, Result},
    names,
    run_record::DataPart,
    stages::Context,
};

/// Prefixes of the two channels.
#[derive(Clone, Debug)]
pub struct Held {
    /// What is fitted on.
    pub train: String,
    /// What is measured on.
    pub validation: String,
}

/// Makes the two channels of `data`, or finds them.
pub async fn held(context: &Context, data: &DataPart, hyperparameters: &BTreeMap<String, String>) -> Result<Held> {
    let share = context.settings.tune.validation_share;
    let digest = names::digest(&[&data.digest, &share.to_string()]);
    let key = |channel: &str| format!("data/held-out/{}/{channel}/rows.jsonl", &digest[..16]);
    let prefix = |channel: &str| bucket::uri(&data.bucket, key(channel).trim_end_matches("rows.jsonl"));
    let held = Held { train: prefix("train"), validation: prefix("validation") };
    let mut there = true;
    for channel in ["train", "validation"] {
        there &= bucket::head(&context.aws.s3, &data.bucket, &key(channel)).await?.is_some();
    }
    if there {
        return Ok(held);
    }
    let folder = tempfile::tempdir().map_err(error::io("a temporary folder cannot be made"))?;
    for file in &data.train.files {
        let bytes = bucket::get_version(&context.aws.s3, &data.bucket, file).await?;
        let path = folder.path().join(&file.name);
        std::fs::write(&path, bytes).map_err(error::io(format!("{}: cannot be written", path.display())))?;
    }
    let (columns, hyperparameters) = (data.clone(), hyperparameters.clone());
    let split = move || split(&folder, &columns, hyperparameters, share);
    let split = tokio::task::spawn_blocking(split).await;
    let [train, validation] =
        split.map_err(|e| Failure::new("the splitting of the training files broke off").because(e))??;
    bucket::put(&context.aws.s3, &data.bucket, &key("train"), train).await?;
    bucket::put(&context.aws.s3, &data.bucket, &key("validation"), validation).await?;
    Ok(held)
}

fn split(
    folder: &tempfile::TempDir,
    data: &DataPart,
    mut hyperparameters: BTreeMap<String, String>,
    share: f64,
) -> Result<[Vec<u8>; 2]> {
    hyperparameters.insert("text_column".into(), data.text_column.clone());
    hyperparameters.insert("label_column".into(), data.label_column.clone());
    let asked = Hyperparameters::parse(hyperparameters)
        .map_err(|e| Failure::new("the hyperparameters cannot be read").because(e))?;
    let options = Options { on_bad_rows: asked.on_bad_rows, ..Options::new(asked.columns) };
    let source = Source { folder: folder.path().into(), mode: InputMode::File, content_type: None };
    let mut problems = Problems::default();
    let Channel { texts, label_of, summary } = Channel::collect("train", &source, &options, &mut problems);
    if !problems.is_empty() {
        return Err(Failure::new("the training files cannot be read again").because(problems));
    }
    let labels: Vec<String> = summary.labels.into_iter().map(|label| label.name).collect();
    let held = held_out(&texts, &label_of, labels.len(), share).map_err(|class| {
        Failure::new(format!("class {:?} has too few different rows to hold some out", labels[class]))
            .because(format!("tune.validation_share = {share} leaves nothing to fit on, or nothing to measure on"))
            .hint("give more rows of it, or leave the search to the trainer: tune = \"cv\"")
    })?;
    let mut lines = [Vec::new(), Vec::new()];
    for (row, text) in texts.iter().enumerate() {
        let value = serde_json::json!({ &data.text_column: text, &data.label_column: labels[label_of[row]] });
        let line = &mut lines[usize::from(held[row])];
        line.extend(value.to_string().into_bytes());
        line.push(b'\n');
    }
    Ok(lines)
}

/// Whether each row is held out: of every class the share of rows whose texts come first by digest, so that the same
/// text is never on both sides. `Err` names a class that has nothing for one of them.
fn held_out(texts: &[String], class_of: &[usize], classes: usize, share: f64) -> std::result::Result<Vec<bool>, usize> {
    let mut held = vec![false; texts.len()];
    for class in 0..classes {
        let rows = (0..texts.len()).filter(|row| class_of[*row] == class);
        let mut rows: Vec<(String, usize)> = rows.map(|row| (names::sha256(texts[row].as_bytes()), row)).collect();
        rows.sort();
        let mut count = ((rows.len() as f64 * share).round() as usize).max(1);
        while count < rows.len() && rows[count].0 == rows[count - 1].0 {
            count += 1;
        }
        if count >= rows.len() {
            return Err(class);
        }
        for (_, row) in &rows[..count] {
            held[*row] = true;
        }
    }
    Ok(held)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_gives_its_share_and_a_text_is_on_one_side() {
        let texts: Vec<String> = (0..100).map(|n| format!("text {}", n % 80)).collect();
        let class_of: Vec<usize> = (0..100).map(|n| usize::from(n % 80 >= 60)).collect();
        let held = held_out(&texts, &class_of, 2, 0.25).unwrap();
        for class in [0, 1] {
            let of_class = || (0..100).filter(|row| class_of[*row] == class);
            let (all, out) = (of_class().count(), of_class().filter(|row| held[*row]).count());
            assert!((out as f64 / all as f64 - 0.25).abs() < 0.05, "class {class}: {out} of {all}");
        }
        for row in 0..20 {
            assert_eq!(held[row], held[row + 80], "the same text");
        }
        assert_eq!(held, held_out(&texts, &class_of, 2, 0.25).unwrap());
    }

    #[test]
    fn a_class_of_one_text_cannot_be_split() {
        let texts = ["a", "a", "b", "c"].map(str::to_owned);
        assert_eq!(held_out(&texts, &[0, 0, 1, 1], 2, 0.5), Err(0));
    }
}
