//! The tokens of the baseline's text, with the documents that hold each.
//!
//! A token of a later document is unknown if fewer than `least` documents of the baseline hold it. For the baseline's
//! own documents the same is asked of the *other* ones: otherwise none of their tokens were unknown, by construction,
//! and every window would differ. `least` is 1 unless there are more tokens than [`MOST`].

use std::collections::{BTreeMap, HashMap};
use std::io::BufReader;
use std::path::Path;

use flate2::read::GzDecoder;
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

/// Training documents with a token after which its weight is half learned, for the penalty draws it to nothing: about
/// `1 / (C p (1 - p) v²)`, which is 10 to 100 for a token's usual TF-IDF value `v` and a usual `C`.
const HALF_LEARNED: f64 = 30.0;

/// Of one document.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TextFeatures {
    /// Characters.
    pub characters: u64,
    /// Tokens.
    pub terms: u64,
    /// Tokens that are unknown.
    pub unknown: u64,
    /// Tokens, each as far as its weight is not learned.
    pub unlearned: f64,
}

impl TextFeatures {
    /// Share of tokens that are unknown; of a document without any, nothing is known.
    pub fn unknown_share(&self) -> f64 {
        if self.terms == 0 { 1.0 } else { self.unknown as f64 / self.terms as f64 }
    }

    /// Mean over tokens of how far their weights are not learned: 1 of an unknown one, near 0 of a frequent one.
    pub fn unlearned_share(&self) -> f64 {
        if self.terms == 0 { 1.0 } else { self.unlearned / self.terms as f64 }
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

    /// The tokens of enough documents that there are no more than `most`; rates are those of `traffic`, whose own tokens
    /// are kept likewise, else those of the text itself.
    pub fn finish(self, traffic: Option<Counter>, most: usize) -> KnownTerms {
        let least = self.least(most);
        let text = self.kept(least);
        let counts: BTreeMap<Box<str>, Counts> = match traffic {
            None => text.map(|(term, documents)| (term, Counts { documents, reference: documents })).collect(),
            Some(traffic) => {
                let mut counts: BTreeMap<Box<str>, Counts> =
                    text.map(|(term, documents)| (term, Counts { documents, reference: 0 })).collect();
                let least = traffic.least(most);
                traffic.kept(least).for_each(|(term, reference)| counts.entry(term).or_default().reference = reference);
                counts
            }
        };
        KnownTerms::of(counts.into_iter(), least)
    }

    /// Fewest documents of a token that is kept, so that there are no more than `most`.
    fn least(&self, most: usize) -> u32 {
        let mut counts: Vec<u32> = self.terms.values().map(|seen| seen.documents).collect();
        counts.sort_unstable_by_key(|&documents| std::cmp::Reverse(documents));
        // The first count that would be one too many must not be enough.
        counts.get(most).map_or(1, |&documents| documents.saturating_add(1))
    }

    fn kept(self, least: u32) -> impl Iterator<Item = (Box<str>, u32)> {
        self.terms.into_iter().map(|(term, seen)| (term, seen.documents)).filter(move |(_, n)| *n >= least)
    }
}

/// Documents that hold a token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Of the training text.
    pub documents: u32,
    /// Of what rates are held against: the training text, or the first days of traffic.
    pub reference: u32,
}

/// Tokens that the baseline's text has, numbered in their order.
#[derive(Clone, Debug, PartialEq)]
pub struct KnownTerms {
    numbers: HashMap<Box<str>, u32>,
    counts: Vec<Counts>,
    least: u32,
}

impl KnownTerms {
    fn of(terms: impl Iterator<Item = (Box<str>, Counts)>, least: u32) -> Self {
        let (mut numbers, mut counts) = (HashMap::new(), Vec::new());
        for (term, count) in terms {
            numbers.insert(term, counts.len() as u32);
            counts.push(count);
        }
        Self { numbers, counts, least }
    }

    /// Fewest documents of the training text that hold a known token.
    pub fn least(&self) -> u32 {
        self.least
    }

    /// Tokens, by number; those that only the traffic has among them.
    pub fn counts(&self) -> &[Counts] {
        &self.counts
    }

    /// Their text, by number.
    pub fn names(&self) -> Vec<&str> {
        let mut names = vec![""; self.counts.len()];
        self.numbers.iter().for_each(|(term, &number)| names[number as usize] = term);
        names
    }

    /// Known tokens.
    pub fn len(&self) -> usize {
        self.counts.iter().filter(|counts| counts.documents >= self.least).count()
    }

    /// Whether nothing is known.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A later document; `visit` is called with each token, its number where it has one, and whether it is unknown.
    pub fn window_document(
        &self,
        tokens: &dyn Tokens,
        text: &str,
        visit: &mut dyn FnMut(&str, Option<u32>, bool),
    ) -> TextFeatures {
        self.document(tokens, text, self.least, visit)
    }

    /// One of the baseline's own documents, which does not count for itself.
    pub fn baseline_document(&self, tokens: &dyn Tokens, text: &str) -> TextFeatures {
        self.document(tokens, text, self.least.saturating_add(1), &mut |_, _, _| {})
    }

    fn document(
        &self,
        tokens: &dyn Tokens,
        text: &str,
        enough: u32,
        visit: &mut dyn FnMut(&str, Option<u32>, bool),
    ) -> TextFeatures {
        let mut features = TextFeatures { characters: text.chars().count() as u64, ..TextFeatures::default() };
        tokens.each(text, &mut |token| {
            features.terms += 1;
            let number = self.numbers.get(token).copied();
            let documents = number.map_or(0, |number| self.counts[number as usize].documents);
            let unknown = documents < enough;
            features.unknown += u64::from(unknown);
            let others = f64::from(documents.saturating_sub(enough - self.least));
            features.unlearned += HALF_LEARNED / (HALF_LEARNED + others);
            visit(token, number, unknown);
        });
        features
    }

    /// Writes `term,documents,reference` a record, terms ascending, gzip: equal baselines, equal bytes.
    pub fn save(&self, path: &Path) -> Result<()> {
        let io = || MonitorError::io(path, "is there room?");
        let mut table = csv::Writer::from_writer(Vec::new());
        for (term, counts) in self.names().iter().zip(&self.counts) {
            let Counts { documents, reference } = counts;
            let record = [*term, &documents.to_string(), &reference.to_string()];
            table.write_record(record).map_err(|e| io()(e.into()))?;
        }
        let table = table.into_inner().map_err(|e| io()(e.into_error()))?;
        files::write(path, &files::packed(&table).map_err(io())?)
    }

    /// Reads what [`KnownTerms::save`] wrote.
    pub fn load(path: &Path, least: u32) -> Result<Self> {
        let file = std::fs::File::open(path)
            .map_err(MonitorError::io(path, "make a baseline and hand over its whole output folder"))?;
        let unpacked = GzDecoder::new(BufReader::new(file));
        let mut table = csv::ReaderBuilder::new().has_headers(false).from_reader(unpacked);
        let mut terms = Vec::new();
        let mut record = csv::StringRecord::new();
        let bad = |line: Option<u64>, found: String| MonitorError::Data {
            file: path.to_path_buf(),
            line,
            found,
            expected: "a term and its numbers of documents; make the baseline again".into(),
        };
        while table.read_record(&mut record).map_err(|e| bad(e.position().map(|p| p.line()), e.to_string()))? {
            let line = record.position().map(|p| p.line());
            let number = |at: usize| record.get(at).and_then(|n| n.parse().ok());
            let (Some(term), Some(documents), Some(reference)) = (record.get(0), number(1), number(2)) else {
                return Err(bad(line, format!("{:?}", record.iter().collect::<Vec<_>>())));
            };
            terms.push((term.into(), Counts { documents, reference }));
        }
        Ok(Self::of(terms.into_iter(), least))
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
        counter.finish(None, most)
    }

    #[test]
    fn a_baseline_document_does_not_know_itself() {
        let known = counted(&["a b b", "a c"], MOST);
        let own = known.baseline_document(&Words, "a b b");
        assert_eq!((own.characters, own.terms, own.unknown), (5, 3, 2), "`a` stands in the other one, `b` twice here");
        assert_eq!(own.unlearned_share(), (30.0 / 31.0 + 1.0 + 1.0) / 3.0, "one document has taught `a`, none `b`");
        let mut new = Vec::new();
        let later = known.window_document(&Words, "a b d", &mut |term, _, unknown| {
            if unknown {
                new.push(term.to_string());
            }
        });
        assert_eq!((later.terms, later.unknown, new), (3, 1, vec!["d".to_string()]));
        assert_eq!(later.unlearned_share(), (30.0 / 32.0 + 30.0 / 31.0 + 1.0) / 3.0);
        let empty = known.window_document(&Words, "", &mut |_, _, _| {});
        assert_eq!((empty.unknown_share(), empty.unlearned_share()), (1.0, 1.0));
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
    fn rates_are_those_of_the_traffic() {
        let (mut text, mut traffic) = (Counter::default(), Counter::default());
        ["a b", "a c"].iter().for_each(|t| text.add(&Words, t));
        ["a d", "d", "d b"].iter().for_each(|t| traffic.add(&Words, t));
        let known = text.finish(Some(traffic), MOST);
        let counts: Vec<(u32, u32)> = known.counts().iter().map(|c| (c.documents, c.reference)).collect();
        assert_eq!((known.names(), counts), (vec!["a", "b", "c", "d"], vec![(2, 1), (1, 1), (1, 0), (0, 3)]));
        assert_eq!(known.len(), 3, "what only the traffic has is not known to the model");
        assert_eq!(known.window_document(&Words, "d", &mut |_, _, _| {}).unknown, 1);
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
