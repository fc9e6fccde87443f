//! `diff A B`: what changed between two packages: data, settings, metrics, words, predictions.

use std::{collections::BTreeMap, fmt};

use gate::{Moved, heaviest_moves};
use serde::Serialize;

use super::{Context, evaluate};
use crate::{
    artifact,
    error::{Failure, Result},
    judging,
    lineage::{self, Lineage},
    run_record::ChannelPart,
};

/// Terms shown a class.
const TERMS: usize = 10;
/// Flipped rows shown; `--json` has them all.
const ROWS: usize = 10;
/// Characters shown of each.
const CHARACTERS: usize = 100;

/// Two packages side by side.
#[derive(Debug, Serialize)]
pub struct DiffDone {
    /// The first.
    pub before: String,
    /// The second.
    pub after: String,
    /// Files that are not the same in both, by channel and name: digests, shortened.
    pub data: Vec<Change>,
    /// Settings as they were used, and what else was given: image, code, commit.
    pub settings: Vec<Change>,
    /// Figures, each on its own test channel.
    pub metrics: Vec<Metric>,
    /// The words whose weight moved most; empty where either classifier is not linear.
    pub words: Vec<Moved>,
    /// Test rows of the second that both were asked for.
    pub rows: u64,
    /// Those of them that the two answer otherwise.
    pub flipped: Vec<Flipped>,
}

/// A value in both.
#[derive(Debug, Serialize)]
pub struct Change {
    /// Its name.
    pub name: String,
    /// In the first; none: not there.
    pub before: Option<String>,
    /// In the second.
    pub after: Option<String>,
}

/// A figure in both.
#[derive(Debug, Serialize)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// In the first.
    pub before: f64,
    /// In the second.
    pub after: f64,
}

/// A row that the two answer otherwise.
#[derive(Debug, Serialize)]
pub struct Flipped {
    /// Its place in the second's test channel, from 1.
    pub row: usize,
    /// Its text.
    pub text: String,
    /// Its class.
    pub actual: String,
    /// What the first says.
    pub before: String,
    /// What the second says.
    pub after: String,
}

impl fmt::Display for DiffDone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "before        {}\nafter         {}", self.before, self.after)?;
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "–".into());
        for (name, changes) in [("data", &self.data), ("settings", &self.settings)] {
            if changes.is_empty() {
                write!(f, "\n{name:<13} the same")?;
            }
            for change in changes {
                write!(f, "\n{name:<13} {}: {} -> {}", change.name, shown(&change.before), shown(&change.after))?;
            }
        }
        for Metric { name, before, after } in &self.metrics {
            write!(f, "\nmetrics       {name:<10} {before:.4} -> {after:.4} ({:+.4})", after - before)?;
        }
        for moved in &self.words {
            let weight = |weight: Option<f64>| weight.map_or("–".into(), |weight| format!("{weight:+.3}"));
            write!(
                f,
                "\nwords         {:?} for {}: {} -> {} ({:+.3})",
                moved.term,
                moved.class,
                weight(moved.before),
                weight(moved.after),
                moved.change()
            )?;
        }
        let won = self.flipped.iter().filter(|row| row.after == row.actual).count();
        let lost = self.flipped.iter().filter(|row| row.before == row.actual).count();
        write!(
            f,
            "\npredictions   {} of {} test rows flipped: {won} became right, {lost} became wrong",
            self.flipped.len(),
            self.rows
        )?;
        for row in self.flipped.iter().take(ROWS) {
            let text: String = row.text.chars().take(CHARACTERS).collect();
            write!(f, "\n  row {:<8} is {}: {} -> {}  {text:?}", row.row, row.actual, row.before, row.after)?;
        }
        match self.flipped.len() {
            ..=ROWS => Ok(()),
            all => write!(f, "\n  and {} more: --json has them all", all - ROWS),
        }
    }
}

/// Compares.
pub async fn diff(context: &Context, before: &str, after: &str) -> Result<DiffDone> {
    let (found_before, old) = lineage::of(context, before).await?;
    let (found_after, new) = lineage::of(context, after).await?;
    let evaluations =
        (evaluate::stored(context, &old.evaluation).await?, evaluate::stored(context, &new.evaluation).await?);
    let theirs = artifact::fetch(context, &old.training.model_uri).await?;
    let ours = artifact::fetch(context, &new.training.model_uri).await?;
    let test = judging::Test::fetch(context, &new.data, &new.training).await?;
    let mut settings = maps(&evaluations.0.training.parameters, &evaluations.1.training.parameters);
    settings.extend(others(&old, &new));
    let compare = move || -> Result<_> {
        let damaged = |e: model::ArtifactError| Failure::new("the artifacts cannot be compared").because(e);
        let words = heaviest_moves(&theirs.artifact, &ours.artifact, TERMS).map_err(damaged)?;
        let texts = test.texts()?;
        let (classes, flipped) = gate::flips(&theirs.artifact, &ours.artifact, &texts.texts).map_err(damaged)?;
        let row = |(row, before, after): (usize, usize, usize)| Flipped {
            row: row + 1,
            text: texts.texts[row].clone(),
            actual: texts.label(row),
            before: classes[before].clone(),
            after: classes[after].clone(),
        };
        Ok((words, texts.texts.len() as u64, flipped.into_iter().map(row).collect()))
    };
    let compared = tokio::task::spawn_blocking(compare).await;
    let (words, rows, flipped) = compared.map_err(|e| Failure::new("the comparison broke off").because(e))??;
    let metrics = |lineage: &Lineage| {
        let m = &lineage.evaluation.metrics;
        [
            ("accuracy", m.accuracy),
            ("precision", m.precision),
            ("recall", m.recall),
            ("f1", m.f1),
            ("log_loss", m.log_loss),
        ]
    };
    let metric = |((name, before), (_, after))| Metric { name, before, after };
    Ok(DiffDone {
        before: found_before.model_package_arn().unwrap_or_default().into(),
        after: found_after.model_package_arn().unwrap_or_default().into(),
        data: files(&old, &new),
        settings,
        metrics: metrics(&old).into_iter().zip(metrics(&new)).map(metric).collect(),
        words,
        rows,
        flipped,
    })
}

/// What differs between two maps.
fn maps(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<Change> {
    let names = before.keys().chain(after.keys().filter(|name| !before.contains_key(*name)));
    let mut changes: Vec<Change> = names
        .filter(|name| before.get(*name) != after.get(*name))
        .map(|name| Change { name: name.clone(), before: before.get(name).cloned(), after: after.get(name).cloned() })
        .collect();
    changes.sort_by(|a, b| a.name.cmp(&b.name));
    changes
}

fn files(before: &Lineage, after: &Lineage) -> Vec<Change> {
    let all = |lineage: &Lineage| -> BTreeMap<String, String> {
        let channel = |name: &'static str, part: &ChannelPart| {
            let shown = move |file: &crate::run_record::FilePart| {
                (format!("{name}/{}", file.name), format!("{} rows, sha256 {}", file.rows, &file.sha256[..12]))
            };
            part.files.iter().map(shown).collect::<Vec<_>>()
        };
        channel("train", &lineage.data.train).into_iter().chain(channel("test", &lineage.data.test)).collect()
    };
    maps(&all(before), &all(after))
}

/// Commit, image, code, and the rows fitted on.
fn others(before: &Lineage, after: &Lineage) -> Vec<Change> {
    let all = |lineage: &Lineage| -> BTreeMap<String, String> {
        let mut all = BTreeMap::from([
            ("image".to_owned(), lineage.training.image.clone()),
            ("image digest".to_owned(), lineage.image_digest.clone()),
            ("version".to_owned(), lineage.version.clone()),
        ]);
        all.extend(lineage.commit.clone().map(|commit| ("commit".to_owned(), commit)));
        all
    };
    maps(&all(before), &all(after))
}
