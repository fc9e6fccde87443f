//! The counting engine against a slow twin of maps and strings.

use std::collections::BTreeMap;

use model::corpus::{CorpusBuilder, CorpusParams, Featurizer};
use model::{AnalyzerKind, FitError, Frequency, Norm, Records, TfidfParams, TokenPattern, Weighting};
use proptest::prelude::*;

/// The terms of a text of lower case letters, digits, marks and spaces, as scikit-learn's analyzers give them.
fn terms(params: &TfidfParams, text: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut ngrams = |group, units: &[String], (shortest, longest): (usize, usize), between| {
        for n in shortest..=longest.min(units.len()) {
            found.extend(units.windows(n).map(|window| (group, window.join(between))));
        }
    };
    let word = |c: char| c.is_alphanumeric();
    let mut words: Vec<String> = Vec::new();
    let mut last_word = false;
    for c in text.chars() {
        match words.last_mut() {
            Some(last) if last_word && word(c) => last.push(c),
            _ if !c.is_whitespace() => words.push(c.to_string()),
            _ => {}
        }
        last_word = word(c);
    }
    if params.token_pattern == TokenPattern::Word {
        words.retain(|w| w.chars().all(word) && w.chars().count() > 1);
    }
    let range = params.ngram_range;
    if matches!(params.analyzer, AnalyzerKind::Word | AnalyzerKind::WordCharWb) {
        ngrams(0, &words, range, " ");
    }
    if params.analyzer == AnalyzerKind::Char {
        let mut chars: Vec<String> = Vec::new();
        let all: Vec<char> = text.chars().collect();
        for run in all.chunk_by(|a, b| a.is_whitespace() && b.is_whitespace()) {
            chars.push(if run.len() > 1 { " ".into() } else { run[0].to_string() });
        }
        ngrams(0, &chars, range, "");
    }
    let (group, range) = match params.analyzer {
        AnalyzerKind::CharWb => (0, range),
        AnalyzerKind::WordCharWb => (1, params.char_ngram_range),
        _ => return found,
    };
    for piece in text.split_whitespace() {
        let padded: Vec<String> = format!(" {piece} ").chars().map(String::from).collect();
        match padded.len() <= range.0 {
            true => found.push((group, padded.concat())),
            false => ngrams2(&mut found, group, &padded, range),
        }
    }
    found
}

fn ngrams2(found: &mut Vec<(usize, String)>, group: usize, units: &[String], (shortest, longest): (usize, usize)) {
    for n in shortest..=longest.min(units.len()) {
        found.extend(units.windows(n).map(|window| (group, window.concat())));
    }
}

type Row = BTreeMap<(usize, String), f64>;

/// Rows of every set of scales, a map each; none where nothing remains.
fn slow(
    params: &TfidfParams,
    documents: &[String],
    rows: &[usize],
    targets: &[usize],
    classes: usize,
) -> Vec<Vec<Row>> {
    let counts: Vec<BTreeMap<(usize, String), u32>> = documents
        .iter()
        .map(|document| {
            let mut counts = BTreeMap::new();
            terms(params, document).into_iter().for_each(|term| *counts.entry(term).or_default() += 1);
            counts
        })
        .collect();
    let mut dfs: BTreeMap<(usize, String), Vec<f64>> = BTreeMap::new();
    for &row in rows {
        for term in counts[row].keys() {
            dfs.entry(term.clone()).or_insert_with(|| vec![0.0; classes])[targets[row]] += 1.0;
        }
    }
    let (least, most) = (params.min_df.of(rows.len()), params.max_df.of(rows.len()));
    dfs.retain(|_, df| (least..=most).contains(&df.iter().sum()));
    if let Some(features) = params.max_features {
        let total = |term: &(usize, String)| -> u32 {
            let once = params.binary || params.weighting == Weighting::Nb;
            rows.iter().filter_map(|&row| counts[row].get(term)).map(|&count| if once { 1 } else { count }).sum()
        };
        let mut order: Vec<_> = dfs.keys().cloned().collect();
        order.sort_by_key(|term| (std::cmp::Reverse(total(term)), term.1.clone(), term.0));
        order.truncate(features);
        dfs.retain(|term, _| order.contains(term));
    }
    let n = rows.len() as f64;
    let scale = |term: &(usize, String), class: usize| -> f64 {
        let df: f64 = dfs[term].iter().sum();
        match params.weighting {
            Weighting::Tfidf if params.use_idf => ((n + 1.0) / (df + 1.0)).ln() + 1.0,
            Weighting::Tfidf => 1.0,
            Weighting::Nb => {
                let group = || dfs.iter().filter(|(other, _)| other.0 == term.0);
                let (p, q) = (1.0 + dfs[term][class], 1.0 + df - dfs[term][class]);
                let p_norm: f64 = group().map(|(_, dfs)| 1.0 + dfs[class]).sum();
                let q_norm: f64 = group().map(|(_, dfs)| 1.0 + dfs.iter().sum::<f64>() - dfs[class]).sum();
                ((p / p_norm) / (q / q_norm)).ln()
            }
        }
    };
    let sets = match (params.weighting, classes) {
        (Weighting::Tfidf, _) => 0..1,
        (Weighting::Nb, 2) => 1..2,
        (Weighting::Nb, classes) => 0..classes,
    };
    let set = |class: usize| {
        let row = |counts: &BTreeMap<(usize, String), u32>| {
            let mut row: Row = counts
                .iter()
                .filter(|(term, _)| dfs.contains_key(*term))
                .map(|(term, &count)| (term.clone(), scale(term, class) * params.term_frequency().of(count)))
                .collect();
            for group in 0..2 {
                let values = || row.iter().filter(|(term, _)| term.0 == group).map(|(_, value)| value);
                let size: f64 = match params.norm {
                    None => 1.0,
                    Some(Norm::L1) => values().map(|value| value.abs()).sum(),
                    Some(Norm::L2) => values().map(|value| value * value).sum::<f64>().sqrt(),
                };
                let own = row.iter_mut().filter(|(term, _)| term.0 == group && size > 0.0);
                own.for_each(|(_, value)| *value /= size);
            }
            row
        };
        counts.iter().map(row).collect()
    };
    if dfs.is_empty() { Vec::new() } else { sets.map(set).collect() }
}

/// The same of ours, with the group of each column by its place.
fn rows_of(featurizer: &Featurizer, records: &Records) -> Vec<Vec<Row>> {
    let terms = featurizer.terms();
    let group = |column: usize| {
        let block = records.starts().partition_point(|&start| start <= column) - 1;
        records.blocks()[block].group
    };
    let mut kinds: Vec<usize> = records.blocks().iter().map(|block| block.group).collect();
    kinds.dedup();
    let row = |records: &Records, i| {
        let columns: Vec<(usize, f64)> = records.row(i).collect();
        assert!(columns.is_sorted_by(|a, b| a.0 < b.0));
        columns.into_iter().map(|(column, value)| ((group(column), terms[column].clone()), value)).collect()
    };
    let set = |set| {
        let records = records.set(set);
        (0..records.rows()).map(|i| row(&records, i)).collect()
    };
    (0..records.sets()).map(set).collect()
}

fn any_params() -> impl Strategy<Value = TfidfParams> {
    let kind = prop_oneof![
        Just(AnalyzerKind::Word),
        Just(AnalyzerKind::Char),
        Just(AnalyzerKind::CharWb),
        Just(AnalyzerKind::WordCharWb)
    ];
    let norm = prop_oneof![Just(None), Just(Some(Norm::L1)), Just(Some(Norm::L2))];
    let frequencies = (0..4u64, prop_oneof![Just(1.0), Just(0.5)]);
    let features = prop_oneof![3 => Just(None), 1 => (1..20usize).prop_map(Some)];
    (kind, (1..4usize, 0..4usize), (1..6usize, 0..3usize), any::<[bool; 5]>(), norm, frequencies, features).prop_map(
        |(analyzer, (n, more), (c, more_chars), flags, norm, (min_df, max_df), max_features)| TfidfParams {
            analyzer,
            ngram_range: (n, n + more),
            char_ngram_range: (c, c + more_chars),
            token_pattern: if flags[0] { TokenPattern::Word } else { TokenPattern::WordPunct },
            weighting: if flags[1] { Weighting::Tfidf } else { Weighting::Nb },
            binary: flags[2],
            use_idf: flags[3],
            sublinear_tf: flags[4],
            norm,
            min_df: Frequency::Count(min_df),
            max_df: Frequency::Proportion(max_df),
            max_features,
            ..TfidfParams::default()
        },
    )
}

fn documents() -> impl Strategy<Value = Vec<String>> {
    proptest::collection::vec("([abé가]{1,3}[ ,!\n]{1,2}){0,20}|(ab ){0,40}", 1..12)
}

fn build(params: CorpusParams, documents: &[String], batch: usize) -> Result<model::corpus::Corpus, FitError> {
    let mut builder = CorpusBuilder::new(params);
    documents.chunks(batch).for_each(|batch| builder.push(batch));
    builder.finish()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn counting_is_its_slow_twins(
        documents in documents(),
        params in any_params(),
        targets in proptest::collection::vec(0..3usize, 12),
        classes in 2..4usize,
        half in any::<bool>(),
    ) {
        let targets: Vec<usize> = targets[..documents.len()].iter().map(|target| target % classes).collect();
        let rows: Vec<usize> = (0..documents.len()).filter(|row| !half || row % 2 == 0).collect();
        let corpus = build(CorpusParams { threads: 1, ..CorpusParams::of(&params) }, &documents, 100).unwrap();
        let found = corpus.featurize(&params, half.then_some(&rows), &targets, classes);
        let want = slow(&params, &documents, &rows, &targets, classes);
        match found {
            Ok((featurizer, records)) => {
                let found = rows_of(&featurizer, &records);
                prop_assert_eq!(found.len(), want.len());
                for (found, want) in found.iter().flatten().zip(want.iter().flatten()) {
                    prop_assert!(found.keys().eq(want.keys()), "{:?} against {:?}", found, want);
                    for (term, value) in found {
                        prop_assert!((value - want[term]).abs() < 1e-12, "{:?}: {} against {}", term, value, want[term]);
                    }
                }
            }
            Err(error) => prop_assert!(want.is_empty(), "{error}"),
        }
    }

    #[test]
    fn threads_batches_and_wider_counts_change_nothing(
        documents in documents(),
        params in any_params(),
        batch in 1..5usize,
    ) {
        let targets: Vec<usize> = (0..documents.len()).map(|i| i % 2).collect();
        let run = |corpus: CorpusParams, batch| match build(corpus, &documents, batch).unwrap().featurize(&params, None, &targets, 2) {
            Ok((featurizer, records)) => {
                let counts: Vec<_> = records.blocks().iter().map(|block| (block.group, block.counts.clone())).collect();
                Some((featurizer.terms(), featurizer.scales().to_vec(), counts, rows_of(&featurizer, &records)))
            }
            Err(_) => None,
        };
        let one = CorpusParams { threads: 1, ..CorpusParams::of(&params) };
        let want = run(one.clone(), documents.len());
        for threads in [1, 2, 4] {
            prop_assert!(run(CorpusParams { threads, ..one.clone() }, batch) == want, "{} threads", threads);
        }
        // A corpus with more lengths and nothing pruned has the same columns for these parameters (in an order of its own).
        let wider = |range: (usize, usize)| (1, range.1 + 1);
        let wide = CorpusParams {
            least_df: 1,
            words: one.words.map(wider),
            chars: one.chars.map(|(kind, shortest, longest)| { let (s, l) = wider((shortest, longest)); (kind, s, l) }),
            ..one
        };
        let (wide, want) = (run(wide, 3), want);
        prop_assert_eq!(wide.is_some(), want.is_some());
        if let (Some((.., wide)), Some((.., want))) = (wide, want) {
            for (found, want) in wide.iter().flatten().zip(want.iter().flatten()) {
                prop_assert!(found.keys().eq(want.keys()));
                for (term, value) in found {
                    prop_assert!((value - want[term]).abs() < 1e-12, "{:?}: {} against {}", term, value, want[term]);
                }
            }
        }
    }

    #[test]
    fn lexicons_spell_the_terms(documents in documents(), params in any_params()) {
        let targets = vec![0; documents.len()];
        let Ok((featurizer, records)) = params.fit_transform(&documents, &targets, 2) else { return Ok(()) };
        let mut texts = vec![None; featurizer.columns()];
        for lexicon in featurizer.lexicons() {
            let between = if lexicon.unit == model::lexicon::Unit::Word { " " } else { "" };
            let mut before: Vec<String> = Vec::new();
            for (n, level) in lexicon.levels.iter().enumerate() {
                let own: Vec<String> = level.iter().map(|gram| {
                    let unit = &lexicon.units[gram.unit as usize];
                    if n == 0 { unit.to_string() } else { format!("{}{between}{unit}", before[gram.prefix as usize]) }
                }).collect();
                for (gram, text) in level.iter().zip(&own).filter(|(gram, _)| gram.column != model::lexicon::NO_COLUMN) {
                    prop_assert!(texts[gram.column as usize].replace(text.clone()).is_none());
                }
                before = own;
            }
        }
        let texts: Option<Vec<String>> = texts.into_iter().collect();
        prop_assert_eq!(texts, Some(featurizer.terms()));
        prop_assert_eq!(records.columns(), featurizer.columns());
    }
}
