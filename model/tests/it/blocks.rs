//! Recordings of scikit-learn and NumPy (`tests/golden/blocks/make.py` makes them): kinds of words, blocks of words and of
//! characters side by side, log-count ratios for two and for many classes.

use std::collections::BTreeMap;

use model::TfidfParams;
use serde::Deserialize;

#[derive(Deserialize)]
struct Recorded {
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    params: TfidfParams,
    documents: Vec<usize>,
    targets: Vec<usize>,
    classes: usize,
    /// By set of scales and block.
    sets: Vec<Vec<Block>>,
}

#[derive(Deserialize)]
struct Block {
    terms: Vec<String>,
    scales: Vec<f64>,
    rows: Vec<Vec<(usize, f64)>>,
}

/// A term: which block, which text.
type Term<'t> = (usize, &'t str);

#[track_caller]
fn assert_close(found: &BTreeMap<Term<'_>, f64>, want: &BTreeMap<Term<'_>, f64>, what: &str) {
    assert!(found.keys().eq(want.keys()), "{what}: other terms");
    for ((term, found), want) in found.iter().zip(want.values()) {
        assert!((found - want).abs() < 1e-12, "{what}: {term:?} is {found}, recorded {want}");
    }
}

#[test]
fn blocks_and_log_count_ratios_are_as_recorded() {
    let documents: Vec<String> = serde_json::from_str(include_str!("../golden/tfidf/documents.json")).unwrap();
    let recorded: Recorded = serde_json::from_str(include_str!("../golden/blocks/expected.json")).unwrap();
    assert_eq!(recorded.cases.len(), 10);
    for case in recorded.cases {
        let what = format!("{:?}, {} classes", case.params, case.classes);
        let documents: Vec<&str> = case.documents.iter().map(|&i| documents[i].as_str()).collect();
        let (featurizer, records) = case.params.fit_transform(&documents, &case.targets, case.classes).unwrap();
        let terms = featurizer.terms();
        let term = |column: usize| {
            let block = records.starts().partition_point(|&start| start <= column) - 1;
            (records.blocks()[block].group, terms[column].as_str())
        };
        assert_eq!(records.sets(), case.sets.len(), "{what}");
        for (set, blocks) in case.sets.iter().enumerate() {
            let scales = featurizer.scales()[set].iter().enumerate().map(|(column, &scale)| (term(column), scale));
            let numbered = || blocks.iter().enumerate();
            let want = numbered().flat_map(|(group, block)| {
                block.terms.iter().zip(&block.scales).map(move |(term, &scale)| ((group, term.as_str()), scale))
            });
            assert_close(&scales.collect(), &want.collect(), &format!("{what}, scales of set {set}"));
            let records = records.set(set);
            for (row, document) in documents.iter().enumerate() {
                let found = records.row(row).map(|(column, value)| (term(column), value));
                let want = numbered().flat_map(|(group, block)| {
                    block.rows[row].iter().map(move |&(column, value)| ((group, block.terms[column].as_str()), value))
                });
                assert_close(&found.collect(), &want.collect(), &format!("{what}, set {set}, {document:?}"));
            }
        }
    }
}
