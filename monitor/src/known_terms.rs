//! The tokens of the baseline's text, with the documents that hold each.
//!
//! A token of a later document is unknown if fewer than `least` documents of the baseline hold it. For the baseline's
//! own documents the same is asked of the *other* ones: otherwise none of their tokens were unknown, by construction,
//! and every window would differ. `least` is 1 unless there are more tokens than [`MOST`].

use std::collections::HashMap;
use std::io::{BufReader, Write};
use std::path::Path;

use flate2::{Compression, GzBuilder, read::GzDecoder};
use model::Artifact;

use crate::error::{MonitorError, Result};
use crate::files;

/// Most tokens that a baseline keeps: some 10 MB, packed 4.
pub const MOST: usize = 1_000_000;

/// What splits text into tokens.
pub trait Tokens {
    /// Calls `visit` with each token of `text`, in order.
    fn each(&self, text: &str, visit: &mut dyn FnMut(&str));
}

impl Tokens for Artifact {
    fn each(&self, text: &str, visit: &mut dyn FnMut(&str)) {
        self.tokens(text, visit);
    }
}

/// Of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextFeatures {
    /// Characters.
    pub characters: u64,
    /// Tokens.
    pub terms: u64,
    /// Tokens that are unknown.
    pub unknown: u64,
}

impl TextFeatures {
    /// Share of tokens that are unknown; of a document without any, nothing is known.
    pub fn unknown_share(&self) -> f64 {
        if self.terms == 0 { 1.0 } else { self.unknown as f64 / self.terms as f64 }
    }
}

/// Counts the documents of each token.
#[derive(Debug, Default)]
pub struct Counter {
    terms: HashMap<Box<str>, Seen>,
    documents: u64,
}

#[derive(Debug)]
struct Seen {
    documents: u32,
    last: u64,
}

impl Counter {
    /// Counts a document's tokens, each once.
    pub fn add(&mut self, tokens: &dyn Tokens, text: &str) {
        self.documents += 1;
        let now = self.documents;
        tokens.each(text, &mut |token| match self.terms.get_mut(token) {
            Some(seen) if seen.last == now => {}
            Some(seen) => {
                seen.last = now;
                seen.documents = seen.documents.saturating_add(1);
            }
            None => {
                self.terms.insert(token.into(), Seen { documents: 1, last: now });
            }
        });
    }

    /// Documents counted.
    pub fn documents(&self) -> u64 {
        self.documents
    }

    /// The tokens of enough documents that there are no more than `most`.
    pub fn finish(self, most: usize) -> KnownTerms {
        let mut counts: Vec<u32> = self.terms.values().map(|seen| seen.documents).collect();
        counts.sort_unstable_by_key(|&documents| std::cmp::Reverse(documents));
        // The first count that would be one too many must not be enough.
        let least = counts.get(most).map_or(1, |&documents| documents.saturating_add(1));
        let terms = self.terms.into_iter().map(|(term, seen)| (term, seen.documents));
        KnownTerms { terms: terms.filter(|(_, documents)| *documents >= least).collect(), least }
    }
}

/// Tokens that the baseline's text has.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownTerms {
    terms: HashMap<Box<str>, u32>,
    least: u32,
}

impl KnownTerms {
    /// Fewest documents of the baseline that hold a known token.
    pub fn least(&self) -> u32 {
        self.least
    }

    /// Known tokens.
    pub fn len(&self) -> usize {
        self.terms.len()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// A later document; `new` is called with each token that is unknown.
    pub fn window_document(&self, tokens: &dyn Tokens, text: &str, new: &mut dyn FnMut(&str)) -> TextFeatures {
        self.document(tokens, text, self.least, new)
    }

    /// One of the baseline's own documents, which does not count for itself.
    pub fn baseline_document(&self, tokens: &dyn Tokens, text: &str) -> TextFeatures {
        self.document(tokens, text, self.least.saturating_add(1), &mut |_| {})
    }

    fn document(&self, tokens: &dyn Tokens, text: &str, enough: u32, new: &mut dyn FnMut(&str)) -> TextFeatures {
        let mut features = TextFeatures { characters: text.chars().count() as u64, ..TextFeatures::default() };
        tokens.each(text, &mut |token| {
            features.terms += 1;
            if self.terms.get(token).is_none_or(|&documents| documents < enough) {
                features.unknown += 1;
                new(token);
            }
        });
        features
    }

    /// Writes `term,documents` a record, terms ascending, gzip: equal baselines, equal bytes.
    pub fn save(&self, path: &Path) -> Result<()> {
        let io = || MonitorError::io(path, "is there room?");
        let mut terms: Vec<(&str, u32)> = self.terms.iter().map(|(term, &documents)| (&**term, documents)).collect();
        terms.sort_unstable();
        let mut table = csv::Writer::from_writer(Vec::new());
        for (term, documents) in terms {
            table.write_record([term, &documents.to_string()]).map_err(|e| io()(e.into()))?;
        }
        let table = table.into_inner().map_err(|e| io()(e.into_error()))?;
        let mut packed = GzBuilder::new().write(Vec::new(), Compression::default());
        let packed = packed.write_all(&table).and_then(|()| packed.finish()).map_err(io())?;
        files::write(path, &packed)
    }

    /// Reads what [`KnownTerms::save`] wrote.
    pub fn load(path: &Path, least: u32) -> Result<Self> {
        let file = std::fs::File::open(path)
            .map_err(MonitorError::io(path, "make a baseline and hand over its whole output folder"))?;
        let unpacked = GzDecoder::new(BufReader::new(file));
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(unpacked);
        let mut terms = HashMap::new();
        let mut record = csv::StringRecord::new();
        let bad = |line: Option<u64>, found: String| MonitorError::Data {
            file: path.to_path_buf(),
            line,
            found,
            expected: "a term and its number of documents; make the baseline again".into(),
        };
        while table.read_record(&mut record).map_err(|e| bad(e.position().map(|p| p.line()), e.to_string()))? {
            let line = record.position().map(|p| p.line());
            let (Some(term), Some(Ok(documents))) = (record.get(0), record.get(1).map(str::parse)) else {
                return Err(bad(line, format!("{:?}", record.iter().collect::<Vec<_>>())));
            };
            terms.insert(term.into(), documents);
        }
        Ok(Self { terms, least })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Words;

    impl Tokens for Words {
        fn each(&self, text: &str, visit: &mut dyn FnMut(&str)) {
            text.split(' ').filter(|word| !word.is_empty()).for_each(visit);
        }
    }

    fn counted(texts: &[&str], most: usize) -> KnownTerms {
        let mut counter = Counter::default();
        texts.iter().for_each(|text| counter.add(&Words, text));
        counter.finish(most)
    }

    #[test]
    fn a_baseline_document_does_not_know_itself() {
        let known = counted(&["a b b", "a c"], MOST);
        let own = known.baseline_document(&Words, "a b b");
        assert_eq!((own.characters, own.terms, own.unknown), (5, 3, 2), "`a` stands in the other one, `b` twice here");
        let mut new = Vec::new();
        let later = known.window_document(&Words, "a b d", &mut |term| new.push(term.to_string()));
        assert_eq!((later.terms, later.unknown, new), (3, 1, vec!["d".to_string()]));
        assert_eq!(known.window_document(&Words, "", &mut |_| {}).unknown_share(), 1.0);
    }

    #[test]
    fn too_many_terms_ask_for_more_documents_of_each() {
        let texts = ["a b c", "a b", "a d"];
        for (most, least, terms) in [(9, 1, 4), (4, 1, 4), (3, 2, 2), (1, 3, 1), (0, 4, 0)] {
            let known = counted(&texts, most);
            assert_eq!((known.least(), known.len()), (least, terms), "at most {most}");
        }
    }

    #[test]
    fn files_hold_any_term_and_equal_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let (one, two) = (folder.path().join("1"), folder.path().join("2"));
        let known = counted(&["\n \" , 좋아요 x", "x"], MOST);
        known.save(&one).unwrap();
        let read = KnownTerms::load(&one, 1).unwrap();
        assert_eq!(read, known);
        read.save(&two).unwrap();
        assert_eq!(std::fs::read(&one).unwrap(), std::fs::read(&two).unwrap());
    }

    #[test]
    fn a_foreign_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terms");
        std::fs::write(&path, "x,1\n").unwrap();
        let error = KnownTerms::load(&path, 1).unwrap_err().to_string();
        assert!(error.contains("make the baseline again"), "{error}");
    }
}
