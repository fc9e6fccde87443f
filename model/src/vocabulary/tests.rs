use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::File;

use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use super::*;
use crate::artifact::container;
use crate::lexicon::{Gram, Lexicon, NO_COLUMN};

fn split(unit: Unit, term: &str) -> Vec<String> {
    match unit {
        Unit::Word => term.split(' ').map(str::to_owned).collect(),
        Unit::Char => term.chars().map(String::from).collect(),
    }
}

/// The lexicon of terms with their columns; beginnings of terms are grams without one.
fn lexicon(unit: Unit, terms: &BTreeMap<String, u32>) -> Lexicon {
    let mut paths: BTreeMap<Vec<String>, u32> = BTreeMap::new();
    for (term, &column) in terms {
        let path = split(unit, term);
        for unit in &path {
            paths.entry(vec![unit.clone()]).or_insert(NO_COLUMN);
        }
        for n in 2..path.len() {
            paths.entry(path[..n].to_vec()).or_insert(NO_COLUMN);
        }
        paths.insert(path, column);
    }
    let units: BTreeSet<&String> = paths.keys().flatten().collect();
    let number: HashMap<&String, u32> = units.iter().copied().zip(0..).collect();
    let longest = paths.keys().map(Vec::len).max().unwrap_or(0);
    let mut place: HashMap<&[String], u32> = HashMap::new();
    let levels = (1..=longest).map(|n| {
        let mut grams: Vec<(Gram, &[String])> = paths
            .iter()
            .filter(|(path, _)| path.len() == n)
            .map(|(path, &column)| {
                let prefix = if n == 1 { 0 } else { place[&path[..n - 1]] };
                (Gram { prefix, unit: number[&path[n - 1]], column }, &path[..])
            })
            .collect();
        grams.sort_unstable();
        place.extend(grams.iter().zip(0..).map(|((_, path), at)| (*path, at)));
        grams.into_iter().map(|(gram, _)| gram).collect()
    });
    let levels = levels.collect();
    Lexicon { unit, units: units.into_iter().map(|unit| unit.as_str().into()).collect(), levels }
}

fn on_disk(lexicons: &[Lexicon], columns: usize) -> (TempDir, Vocabulary, Vec<u32>) {
    let dir = tempdir().unwrap();
    let (tensors, rows) = build(lexicons, columns).unwrap();
    let path = dir.path().join("vocabulary.bin");
    let written = container::write(&mut File::create(&path).unwrap(), tensors).unwrap();
    let units: Vec<Unit> = lexicons.iter().map(|lexicon| lexicon.unit).collect();
    (dir, Vocabulary::open(Mapped::open(&path, &written).unwrap(), &units).unwrap(), rows)
}

proptest! {
    #[test]
    fn lookup_is_a_hash_maps(
        words in proptest::collection::btree_set("[a-dé가]{1,3}( [a-dé가]{1,2}){0,3}", 1..120),
        chars in proptest::collection::btree_set("[a-dé가 ]{1,5}", 1..120),
        others in proptest::collection::vec("[a-eé가 ]{0,6}", 0..60),
    ) {
        let words: BTreeMap<String, u32> = words.into_iter().zip(0..).collect();
        let chars: BTreeMap<String, u32> = chars.into_iter().zip(words.len() as u32..).collect();
        let columns = words.len() + chars.len();
        let lexicons = [lexicon(Unit::Word, &words), lexicon(Unit::Char, &chars)];
        let (_dir, vocabulary, rows) = on_disk(&lexicons, columns);
        prop_assert_eq!(vocabulary.terms(), columns);
        let column = |term: &str| words.get(term).or(chars.get(term)).copied();
        let all = words.keys().chain(chars.keys()).chain(&others);
        // As blocks are verified when they are read, and as all of them were.
        for verified in [false, true] {
            for term in all.clone() {
                let row = vocabulary.find(term).unwrap();
                prop_assert_eq!(row.map(|row| rows[row as usize]), column(term), "{} verified {}", term, verified);
            }
            vocabulary.verify().unwrap();
        }
        let texts: BTreeMap<u32, &String> = words.iter().chain(&chars).map(|(term, &column)| (column, term)).collect();
        for (row, column) in (0..).zip(&rows) {
            prop_assert_eq!(&vocabulary.term(row).unwrap(), texts[column]);
        }
        prop_assert!(vocabulary.term(columns as u32).is_err());
    }
}

/// Buckets in number, and units longer than a byte tells.
#[test]
fn long_lists_and_long_units() {
    let mut terms: BTreeMap<String, u32> = BTreeMap::new();
    let mut add = |term: String| {
        let column = terms.len() as u32;
        terms.entry(term).or_insert(column);
    };
    for i in 0..5000 {
        add(format!("w{i}"));
        add(format!("the w{}", i * 7 % 5000));
        if i % 3 == 0 {
            add(format!("of w{i}"));
        }
    }
    add("x".repeat(70_000));
    let columns = terms.len();
    let (_dir, vocabulary, rows) = on_disk(&[lexicon(Unit::Word, &terms)], columns);
    vocabulary.verify().unwrap();
    for i in 0..5000 {
        for term in [format!("w{i}"), format!("the w{i}"), format!("of w{i}"), format!("to w{i}")] {
            let found = vocabulary.find(&term).unwrap().map(|row| rows[row as usize]);
            assert_eq!(found, terms.get(&term).copied(), "{term}");
        }
    }
    let long = "x".repeat(70_000);
    assert_eq!(vocabulary.term(vocabulary.find(&long).unwrap().unwrap()).unwrap(), long);
}
