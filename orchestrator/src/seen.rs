//! Rows of the test channel that the champion was trained on: on them it looks better than it is.
//!
//! Its package's lineage names the training files in the versions that it was trained on. They are read again as its job
//! read them, and each document is looked for among the test documents.

use std::collections::HashMap;

use trainer::{
    contract::{InputMode, Source},
    hyperparameters::{Hyperparameters, OnBadRows},
    predictions::digest,
    reading::{Options, problems::Problems, stream},
};

use crate::{
    bucket,
    error::{self, Failure, Result},
    lineage,
    run_record::{DataPart, FilePart},
    stages::Context,
};

/// Most bytes of training files that are fetched for it.
const MOST: u64 = 1 << 30;

/// Files of a channel in a folder, the very versions that were recorded.
pub async fn download(context: &Context, data: &DataPart, files: &[FilePart]) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir().map_err(error::io("a temporary folder cannot be made"))?;
    for file in files {
        let bytes = bucket::get_version(&context.aws.s3, &data.bucket, file).await?;
        let path = folder.path().join(&file.name);
        std::fs::write(&path, bytes).map_err(error::io(format!("{}: cannot be written", path.display())))?;
    }
    Ok(folder)
}

/// What a package was trained on.
pub struct Trained {
    folder: tempfile::TempDir,
    options: Options,
}

impl Trained {
    /// Fetches it. An error is why it is not known, and no reason not to judge.
    pub async fn fetch(context: &Context, package: &str) -> Result<Self> {
        let (_, lineage) = lineage::of(context, package).await?;
        let files = &lineage.data.train.files;
        let bytes: u64 = files.iter().map(|file| file.bytes).sum();
        if bytes > MOST {
            return Err(Failure::new(format!("its training files have {bytes} bytes, and {MOST} are looked through")));
        }
        let asked = Hyperparameters::parse(lineage.training.hyperparameters.clone())
            .map_err(|e| Failure::new("its hyperparameters cannot be read").because(e))?;
        let folder = download(context, &lineage.data, files).await?;
        // What it did not learn from because of a fault is no test row that it knows.
        let options = Options { on_bad_rows: OnBadRows::Skip, ..Options::new(asked.columns) };
        Ok(Self { folder, options })
    }

    /// Which of the texts are among it, by their places, ascending.
    pub fn rows_of(&self, texts: &[String]) -> Result<Vec<u32>> {
        let mut places: HashMap<String, Vec<u32>> = HashMap::new();
        (0..).zip(texts).for_each(|(row, text)| places.entry(digest(text)).or_default().push(row));
        let source = Source { folder: self.folder.path().into(), mode: InputMode::File, content_type: None };
        let (mut problems, mut rows) = (Problems::default(), Vec::new());
        let digests = || |batch: &trainer::reading::Batch| batch.texts().into_iter().map(digest).collect::<Vec<_>>();
        stream("train", &source, &self.options, &mut problems, digests, |_, digests| {
            // Found once is found: its place need not be looked for again.
            digests.iter().filter_map(|digest| places.remove(digest)).for_each(|found| rows.extend(found));
        });
        if !problems.is_empty() {
            return Err(Failure::new("its training files cannot be read again").because(problems));
        }
        rows.sort_unstable();
        Ok(rows)
    }
}
