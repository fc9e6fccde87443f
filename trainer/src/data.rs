//! Every channel of the job, read once: the training documents go to the counts, the others stay.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use report::evaluation::{DataFile, DataWarning, DroppedRows};

use crate::contract::{Channels, InputMode, Source};
use crate::counting::Counter;
use crate::hyperparameters::Hyperparameters;
use crate::log::say;
use crate::progress::{Progress, Unit};
use crate::reading::problems::Problems;
use crate::reading::{self, Batch, Channel, Options, Summary};

/// Examples of a warning that the log shows.
const SHOWN: usize = 3;

/// What the channels hold.
pub struct Data<'a> {
    /// The training documents, on their way to counts.
    pub counter: Counter<'a>,
    /// Index into the training channel's labels a document.
    pub labels: Vec<u32>,
    /// The training channel, but for its documents.
    pub train: Summary,
    /// Only measured.
    pub validation: Option<Channel>,
    /// Evaluated for the gate.
    pub test: Option<Channel>,
    /// What is odd about the data.
    pub warnings: Vec<DataWarning>,
}

impl<'a> Data<'a> {
    /// Reads every channel and tells of all faults together. Training documents that find no room in memory go to the folder `aside`.
    pub fn read(channels: &Channels, asked: &'a Hyperparameters, aside: PathBuf) -> Result<Self, Problems> {
        for name in &channels.ignored {
            say!("channel {name}: nothing reads it; there are train, validation and test");
        }
        let options = Options { on_bad_rows: asked.on_bad_rows, ..Options::new(asked.columns.clone()) };
        let mut problems = Problems::default();
        let (mut counter, mut labels) = (Counter::new(asked, aside), Vec::new());
        let clock = Instant::now();
        let progress = Progress::begin("read", Unit::Bytes, size(&channels.train));
        let shared = counter.shared();
        let maker = || {
            let mut own = shared.own();
            move |batch: &Batch| own.tokens(&batch.texts())
        };
        let mut train = reading::stream("train", &channels.train, &options, &mut problems, maker, |batch, tokens| {
            let texts = batch.texts();
            progress.advance(texts.iter().map(|text| text.len() as u64 + 1).sum());
            match tokens {
                Some(tokens) => counter.add(tokens),
                None => counter.push(&texts),
            }
            labels.extend_from_slice(batch.labels());
        });
        drop(progress);
        tell(&train, clock);
        let mut read = |name: &str, source: &Source| {
            let clock = Instant::now();
            let channel = Channel::collect(name, source, &options, &mut problems);
            tell(&channel.summary, clock);
            channel
        };
        let validation = channels.validation.as_ref().map(|source| read("validation", source));
        let test = channels.test.as_ref().map(|source| read("test", source));
        let measured: Vec<&Summary> = [&validation, &test].into_iter().flatten().map(|c| &c.summary).collect();
        let warnings = if problems.is_empty() {
            reading::audit(&mut train, &measured, &asked.columns, &mut problems)
        } else {
            Vec::new()
        };
        if !problems.is_empty() {
            return Err(problems);
        }
        warnings.iter().for_each(warn);
        Ok(Self { counter, labels, train, validation, test, warnings })
    }
}

/// Summaries of the channels that were read, `train` first.
pub fn summaries<'a>(
    train: &'a Summary,
    validation: &'a Option<Channel>,
    test: &'a Option<Channel>,
) -> impl Iterator<Item = &'a Summary> {
    std::iter::once(train).chain([validation, test].into_iter().flatten().map(|channel| &channel.summary))
}

/// Training rows of each class.
pub fn class_rows(train: &Summary) -> BTreeMap<String, u64> {
    train.labels.iter().map(|label| (label.name.clone(), label.rows)).collect()
}

fn tell(summary: &Summary, clock: Instant) {
    let Summary { name, rows, files, dropped, .. } = summary;
    let bytes: u64 = files.iter().map(|file: &DataFile| file.bytes).sum();
    let (rows, shown) = (counted(*rows, "row"), counted(files.len() as u64, "file"));
    let seconds = clock.elapsed().as_secs_f64();
    say!("channel {name}: {rows} in {shown}, {bytes} bytes ({seconds:.2} s)");
    for DroppedRows { reason, rows, examples, .. } in dropped {
        say!("channel {name}: left out {}, {reason}: {}", counted(*rows, "row"), some(examples));
    }
}

fn warn(warning: &DataWarning) {
    let noun = match warning.kind.split('_').next() {
        Some("files") => "file",
        Some("documents") => "document",
        _ => "row",
    };
    say!("warning: {}: {}: {}", warning.kind, counted(warning.count, noun), some(&warning.examples));
}

fn counted(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn some(examples: &[String]) -> String {
    examples.iter().take(SHOWN).cloned().collect::<Vec<_>>().join(", ")
}

/// Bytes of the files of a channel where they lie there as they are read: about as many will pass.
fn size(source: &Source) -> Option<u64> {
    if source.mode == InputMode::Pipe { None } else { size_of(&source.folder) }
}

fn size_of(folder: &Path) -> Option<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).ok()? {
        let path = entry.ok()?.path();
        if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("gz")) {
            return None;
        }
        // A link to a folder could lead back here; the reading refuses it.
        bytes += match path.is_dir() && !path.is_symlink() {
            true => size_of(&path)?,
            false => path.metadata().ok()?.len(),
        };
    }
    Some(bytes)
}
