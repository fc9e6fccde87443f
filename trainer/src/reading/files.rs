//! The files of a channel, in name order.

use std::fs;
use std::path::{Path, PathBuf};

use super::problems::Problems;

/// How a file is read, told by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Format {
    rows: Rows,
    gzip: bool,
}

/// The two ways rows are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    /// RFC 4180 with a header.
    Csv,
    /// One JSON object a line.
    JsonLines,
}

/// One file to read.
#[derive(Clone, Debug)]
pub struct ChannelFile {
    /// Where it lies.
    pub path: PathBuf,
    /// Path below the channel, parts joined by `/`.
    pub name: String,
    /// Told by its name; none: by its first bytes.
    pub rows: Option<Rows>,
    /// Whether it is gzip; none: its first bytes tell.
    pub gzip: Option<bool>,
}

/// `None` where the extension is none of `.csv`, `.csv.gz`, `.jsonl`, `.jsonl.gz` (any case).
fn format_of(name: &str) -> Option<Format> {
    let name = name.to_ascii_lowercase();
    let (stem, gzip) = name.strip_suffix(".gz").map_or((name.as_str(), false), |stem| (stem, true));
    let rows = match stem.rsplit_once('.')?.1 {
        "csv" => Rows::Csv,
        "jsonl" => Rows::JsonLines,
        _ => return None,
    };
    Some(Format { rows, gzip })
}

/// The stream of a channel in Pipe mode: the FIFO of its first epoch, beside where its folder would be.
pub fn pipe(folder: &Path, content_type: Option<&str>) -> ChannelFile {
    let mut path = folder.as_os_str().to_owned();
    path.push("_0");
    let path = PathBuf::from(path);
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let media = content_type.map(|media| media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase());
    let rows = match media.as_deref() {
        Some("text/csv") => Some(Rows::Csv),
        Some("application/jsonlines" | "application/x-jsonlines" | "application/x-ndjson") => Some(Rows::JsonLines),
        _ => None,
    };
    ChannelFile { path, name, rows, gzip: None }
}

/// Lists `folder` with its sub-folders, hidden entries left out, by name below the channel. What cannot be read as a
/// file of rows is noted in `problems` under `channel/name`.
pub fn list(channel: &str, folder: &Path, problems: &mut Problems) -> Vec<ChannelFile> {
    let mut files = Vec::new();
    walk(channel, folder, "", &mut files, problems);
    files.sort_by(|a, b| a.name.cmp(&b.name));
    files
}

fn walk(channel: &str, folder: &Path, prefix: &str, files: &mut Vec<ChannelFile>, problems: &mut Problems) {
    let shown = format!("{channel}/{prefix}");
    let entries = match fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>) {
        Ok(entries) => entries,
        Err(error) => return problems.add(format!("{shown}: cannot list the folder: {error}")),
    };
    let mut paths: Vec<PathBuf> = entries.into_iter().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            problems.add(format!("{shown}: a file's name is not UTF-8: {}; rename it", path.display()));
            continue;
        };
        if name.starts_with('.') {
            continue;
        }
        let name = format!("{prefix}{name}");
        // A link to a file is followed, a link to a folder is not: it could lead back here.
        let is_link = path.is_symlink();
        if path.is_dir() && is_link {
            problems.add(format!("{channel}/{name}: is a link to a folder; put the folder itself there"));
        } else if path.is_dir() {
            walk(channel, &path, &format!("{name}/"), files, problems);
        } else if let Some(format) = format_of(&name) {
            files.push(ChannelFile { path, name, rows: Some(format.rows), gzip: Some(format.gzip) });
        } else {
            problems.add(format!(
                "{channel}/{name}: unknown kind of file; a channel holds .csv, .csv.gz, .jsonl or .jsonl.gz files"
            ));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_by_name() {
        let csv = |gzip| Some(Format { rows: Rows::Csv, gzip });
        let jsonl = |gzip| Some(Format { rows: Rows::JsonLines, gzip });
        for (name, want) in [
            ("a.csv", csv(false)),
            ("a.b.CSV", csv(false)),
            ("sub/a.csv.gz", csv(true)),
            ("a.jsonl", jsonl(false)),
            ("a.jsonl.GZ", jsonl(true)),
            ("a.json", None),
            ("a.gz", None),
            ("csv", None),
            ("a.parquet", None),
        ] {
            assert_eq!(format_of(name), want, "{name}");
        }
    }
}
