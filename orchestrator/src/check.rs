//! Everything that can be refused on this machine, before anything is uploaded or changed: hyperparameters and data,
//! judged by the trainer's own library.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use report::evaluation::DataFile;
use trainer::{
    contract::{InputMode, Source},
    hyperparameters::Hyperparameters,
    reading::{self, Channel, Options, Summary, problems::Problems},
};

use crate::{
    error::{self, Failure, Result},
    settings::Settings,
};

/// Labelled files that can be learned from.
#[derive(Debug)]
pub struct CheckedData {
    /// Files to fit on, in name order.
    pub train: Vec<LocalFile>,
    /// Files to measure on, in name order.
    pub test: Vec<LocalFile>,
    /// Documents a class of the training files.
    pub class_rows: BTreeMap<String, u64>,
    /// Texts of the test files, in order.
    pub test_texts: Vec<String>,
}

/// A file on this machine and what the trainer says of it.
#[derive(Debug)]
pub struct LocalFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Name, digest, rows.
    pub file: DataFile,
}

/// The hyperparameters of the job, as strings; refused here as the trainer would refuse them there.
pub fn hyperparameters(settings: &Settings) -> Result<BTreeMap<String, String>> {
    parsed(settings).map(|(all, _)| all)
}

fn parsed(settings: &Settings) -> Result<(BTreeMap<String, String>, Hyperparameters)> {
    let mut all: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in &settings.training.hyperparameters {
        let text = plain(value).ok_or_else(|| {
            Failure::usage(format!("{}: training.hyperparameters.{name} = {value}", settings.source()))
                .because("expected a string, a number, true, false, or a list of these")
        })?;
        all.insert(name.clone(), text);
    }
    all.insert("text_column".into(), settings.data.text_column.clone());
    all.insert("label_column".into(), settings.data.label_column.clone());
    match Hyperparameters::parse(all.clone()) {
        Ok(parsed) => Ok((all, parsed)),
        Err(wrong) => Err(Failure::usage("the hyperparameters cannot be used")
            .because(wrong)
            .hint(format!("{}, training.hyperparameters, or --set name=value", settings.source()))),
    }
}

/// A setting as the text of a hyperparameter.
pub fn plain(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Array(items) => items.iter().map(plain).collect::<Option<Vec<_>>>().map(|items| items.join(",")),
        toml::Value::Integer(_) | toml::Value::Float(_) | toml::Value::Boolean(_) => Some(value.to_string()),
        toml::Value::Table(_) | toml::Value::Datetime(_) => None,
    }
}

/// Reads every file of `settings.data` as the training job will.
pub fn data(settings: &Settings) -> Result<CheckedData> {
    let (_, asked) = parsed(settings)?;
    let options = Options { on_bad_rows: asked.on_bad_rows, ..Options::new(asked.columns) };
    let channels = [("train", &settings.data.train), ("test", &settings.data.test)];
    let names = channels.map(|(channel, files)| named(channel, files, settings));
    let [train_names, test_names] = names;
    let (train_names, test_names) = (train_names?, test_names?);
    let (mut train, train_problems) = read("train", &train_names, |source, problems| {
        reading::stream("train", source, &options, problems, || |_: &reading::Batch| (), |_, ()| ())
    })?;
    let (test, test_problems) =
        read("test", &test_names, |source, problems| Channel::collect("test", source, &options, problems))?;
    let mut lines: Vec<String> = [train_problems, test_problems].into_iter().filter(|text| !text.is_empty()).collect();
    if lines.is_empty() {
        lines = labels(&train, &test.summary, &train_names, &test_names);
    }
    if lines.is_empty() {
        let mut problems = Problems::default();
        reading::audit(&mut train, &[&test.summary], &options.columns, &mut problems);
        if !problems.is_empty() {
            lines.push(with_paths(&problems.to_string(), "train", &train_names));
        }
    }
    if !lines.is_empty() {
        return Err(Failure::new("the data cannot be used")
            .because(lines.join("\n"))
            .hint("mend the files named above; nothing was uploaded or changed"));
    }
    let class_rows = train.labels.iter().map(|label| (label.name.clone(), label.rows)).collect();
    Ok(CheckedData {
        train: local(train.files, &train_names),
        test: local(test.summary.files, &test_names),
        class_rows,
        test_texts: test.texts,
    })
}

/// File names below the channel, each once, each there.
fn named(channel: &str, files: &[PathBuf], settings: &Settings) -> Result<BTreeMap<String, PathBuf>> {
    let mut names = BTreeMap::new();
    for path in files {
        let shown = path.display();
        match path.metadata() {
            Ok(metadata) if metadata.is_file() => {}
            Ok(_) => return Err(Failure::new(format!("{shown}: is no file")).hint(advice(channel, settings))),
            Err(e) => {
                return Err(error::io(format!("{shown}: cannot be read"))(e).hint(advice(channel, settings)));
            }
        }
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            return Err(Failure::new(format!("{shown}: the name is not UTF-8")).hint("rename the file"));
        };
        if name.starts_with('.') {
            return Err(
                Failure::new(format!("{shown}: the training job passes hidden files over")).hint("rename the file")
            );
        }
        if let Some(other) = names.insert(name.to_owned(), path.clone()) {
            let (first, second) = (other.display().to_string(), shown.to_string());
            return Err(Failure::new(format!("two files of the {channel} channel are called {name}"))
                .because(format!("{first}\n{second}"))
                .hint("rename one of them: they lie side by side in the job"));
        }
    }
    Ok(names)
}

fn advice(channel: &str, settings: &Settings) -> String {
    format!("name the files with --{channel} FILE, or in data.{channel} of {}", settings.source())
}

/// The trainer reads folders: these are links in one.
fn read<T>(
    channel: &str,
    names: &BTreeMap<String, PathBuf>,
    read: impl FnOnce(&Source, &mut Problems) -> T,
) -> Result<(T, String)> {
    let failed = || error::io("a temporary folder cannot be used");
    let folder = tempfile::tempdir().map_err(failed())?;
    for (name, path) in names {
        let target = std::path::absolute(path).map_err(failed())?;
        std::os::unix::fs::symlink(target, folder.path().join(name)).map_err(failed())?;
    }
    let mut problems = Problems::default();
    let source = Source { folder: folder.path().into(), mode: InputMode::File, content_type: None };
    let read = read(&source, &mut problems);
    let shown = if problems.is_empty() { String::new() } else { problems.to_string() };
    Ok((read, with_paths(&shown, channel, names)))
}

/// `train/a.csv:3: …` is the job's view; on this machine the file has a path.
fn with_paths(lines: &str, channel: &str, names: &BTreeMap<String, PathBuf>) -> String {
    let shown = lines.lines().map(|line| {
        let file = names.iter().find_map(|(name, path)| {
            let rest = line.strip_prefix(channel)?.strip_prefix('/')?.strip_prefix(name.as_str())?;
            rest.starts_with(':').then(|| format!("{}{rest}", path.display()))
        });
        file.unwrap_or_else(|| line.to_owned())
    });
    shown.collect::<Vec<_>>().join("\n")
}

/// One class only, or labels of the test files that were never learned.
fn labels(
    train: &Summary,
    test: &Summary,
    train_names: &BTreeMap<String, PathBuf>,
    test_names: &BTreeMap<String, PathBuf>,
) -> Vec<String> {
    if let [only] = &train.labels[..] {
        let files = train_names.values().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ");
        return vec![format!(
            "{files}: every row bears the label {:?} ({} rows); a classifier needs rows of at least two labels",
            only.name, only.rows
        )];
    }
    let known = |name: &str| train.labels.iter().any(|label| label.name == name);
    let mut learned: Vec<String> = train.labels.iter().map(|label| format!("{:?}", label.name)).collect();
    learned.sort();
    let more = learned.len().saturating_sub(10);
    learned.truncate(10);
    let mut learned = learned.join(", ");
    if more > 0 {
        learned.push_str(&format!(" and {more} more"));
    }
    let unknown = test.labels.iter().filter(|label| !known(&label.name));
    let lines = unknown.take(10).map(|label| {
        let line = format!(
            "{}:{}: label {:?} is not in the training files, which have {learned}; correct the row or add the class to them",
            label.file, label.line, label.name
        );
        with_paths(&line, "test", test_names)
    });
    lines.collect()
}

fn local(files: Vec<DataFile>, names: &BTreeMap<String, PathBuf>) -> Vec<LocalFile> {
    let path = |file: &DataFile| names.get(&file.name).map_or(Path::new(&file.name).to_path_buf(), Clone::clone);
    files.into_iter().map(|file| LocalFile { path: path(&file), file }).collect()
}
