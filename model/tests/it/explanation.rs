//! What is explained is what is computed.

use std::sync::LazyLock;

use model::{
    AnalyzerKind, Artifact, DocumentValues, ExplainError, Loss, Settings, StopWords, StripAccents, TfidfParams,
    TokenPattern, Weighting,
};
use proptest::prelude::*;
use tempfile::tempdir;

use crate::reviews::{classifier, one_of_each, provenance, texts, three_classes, two_classes};

#[test]
fn the_score_is_the_sum_of_its_parts() {
    for classifier in &one_of_each()[..2] {
        let dir = tempdir().unwrap();
        classifier.save(dir.path(), &provenance()).unwrap();
        let artifact = Artifact::open(dir.path()).unwrap();
        for text in texts() {
            let why = artifact.explain(text, usize::MAX).unwrap();
            let sum = why.intercept + why.terms.iter().map(|term| term.contribution).sum::<f64>();
            assert!((sum - why.total).abs() < 1e-12, "{text}: {sum} against {}", why.total);
            assert!(why.terms.is_sorted_by(|a, b| a.contribution.abs() >= b.contribution.abs()));
            let prediction = artifact.predict(text).unwrap();
            assert_eq!(why.class, prediction.class);
            for class in 0..artifact.classes().len() {
                let why = artifact.explain_class(text, class, usize::MAX).unwrap();
                let sum = why.intercept + why.terms.iter().map(|term| term.contribution).sum::<f64>();
                assert!((sum - why.total).abs() < 1e-12 && why.class == class, "{text}: {sum} against {}", why.total);
            }
            if artifact.classes().len() == 2 {
                assert!((1.0 / (1.0 + (-why.total).exp()) - prediction.score()).abs() < 1e-12);
            }
            for term in &why.terms {
                assert!(artifact.term_id(&term.term).unwrap().is_some());
                assert_eq!(term.contribution, term.weight * term.value);
            }
            assert_eq!(why.rest, 0.0);
            let two = artifact.explain(text, 2).unwrap();
            assert_eq!(two.terms, why.terms[..2]);
            let sum = two.terms.iter().fold(two.intercept + two.rest, |sum, term| sum + term.contribution);
            assert!((sum - two.total).abs() < 1e-12, "{text}: {sum} against {}", two.total);
        }
    }
}

#[test]
fn values_are_those_that_are_explained() {
    let mut document = DocumentValues::default();
    for classifier in &one_of_each() {
        let dir = tempdir().unwrap();
        classifier.save(dir.path(), &provenance()).unwrap();
        let artifact = Artifact::open(dir.path()).unwrap();
        for text in texts() {
            artifact.document_values(text, &mut document).unwrap();
            assert_eq!(document.values.len(), document.terms.len() * artifact.value_sets());
            assert_eq!(document.scores.len(), artifact.intercepts().len());
            if document.scores.is_empty() {
                continue;
            }
            let prediction = artifact.predict(text).unwrap();
            for (p, wanted) in artifact.probabilities_of(&document.scores).iter().zip(&prediction.probabilities) {
                assert!((p - wanted).abs() < 1e-12, "{text}: {p} against {wanted}");
            }
            let class = artifact.classes().len() - 1;
            let why = artifact.explain_class(text, class, usize::MAX).unwrap();
            assert!((why.total - document.scores[document.scores.len() - 1]).abs() < 1e-12, "{text}");
            for term in &why.terms {
                let number = artifact.term_id(&term.term).unwrap().unwrap();
                let at = document.terms.iter().position(|&t| t == number).unwrap();
                let sets = artifact.value_sets();
                assert_eq!(document.values[at * sets + sets - 1], term.value, "{}", term.term);
                assert_eq!(artifact.term_weights(number).unwrap().last(), Some(&term.weight));
            }
        }
    }
}

#[test]
fn a_tree_does_not_explain_itself() {
    let dir = tempdir().unwrap();
    one_of_each()[2].save(dir.path(), &provenance()).unwrap();
    let artifact = Artifact::open(dir.path()).unwrap();
    assert!(matches!(artifact.explain("good", 3), Err(ExplainError::NotLinear(_))));
    assert_eq!(artifact.strongest_terms(3).unwrap(), []);
}

#[test]
fn the_strongest_terms_speak_for_their_class() {
    for (classifier, classes) in one_of_each()[..2].iter().zip([2, 3]) {
        let dir = tempdir().unwrap();
        classifier.save(dir.path(), &provenance()).unwrap();
        let strongest = Artifact::open(dir.path()).unwrap().strongest_terms(3).unwrap();
        assert_eq!(strongest.len(), classes);
        let terms_of = |class: usize| strongest[class].1.iter().map(|(term, _)| term.as_str()).collect::<Vec<_>>();
        assert!(terms_of(0).contains(&"terrible"), "{strongest:?}");
        assert!(terms_of(1).contains(&"good") || terms_of(1).contains(&"love"), "{strongest:?}");
        for (_, terms) in &strongest {
            assert!(terms.is_sorted_by(|a, b| a.1 >= b.1) && terms.iter().all(|(_, weight)| *weight > 0.0));
        }
    }
}

fn opened(tfidf: TfidfParams) -> Artifact {
    let dir = tempdir().unwrap();
    let fitted = classifier(&Settings { tfidf, ..Settings::default() }, &two_classes());
    fitted.save(dir.path(), &provenance()).unwrap();
    Artifact::open(dir.path()).unwrap()
}

/// Every way of reading a text.
static READINGS: LazyLock<Vec<Artifact>> = LazyLock::new(|| {
    let unicode = Some(StripAccents::Unicode);
    let (words, pieces) = (AnalyzerKind::Word, AnalyzerKind::CharWb);
    [
        TfidfParams { analyzer: words, ngram_range: (1, 3), ..TfidfParams::default() },
        TfidfParams { stop_words: Some(StopWords::English), ngram_range: (1, 2), ..TfidfParams::default() },
        TfidfParams { token_pattern: TokenPattern::WordPunct, strip_accents: unicode, ..TfidfParams::default() },
        TfidfParams { analyzer: AnalyzerKind::Char, ngram_range: (1, 4), ..TfidfParams::default() },
        TfidfParams {
            analyzer: pieces,
            ngram_range: (2, 4),
            strip_accents: Some(StripAccents::Ascii),
            ..TfidfParams::default()
        },
        TfidfParams { analyzer: AnalyzerKind::WordCharWb, strip_accents: unicode, ..TfidfParams::default() },
    ]
    .map(opened)
    .into()
});

fn slice(text: &str, span: &model::Span) -> String {
    text.chars().skip(span.start).take(span.len()).collect()
}

#[test]
fn a_term_is_found_where_it_stands() {
    let text = "GOOD\u{a0}value?  Not  good, İ would buy; gut, schlechte Qualita\u{308}t! good";
    for (reading, term, want) in [
        (0, "good", vec!["GOOD", "good", "good"]),
        (0, "not good", vec!["Not  good"]),
        (0, "gut", vec!["gut"]),
        // `would` is a stop word: the pair reaches across it.
        (1, "good value", vec!["GOOD\u{a0}value"]),
        (2, "qualitat", vec!["Qualita\u{308}t"]),
        (2, "good", vec!["GOOD", "good", "good"]),
        (3, "t g", vec!["t  g"]),
        (4, " va", vec!["va"]),
        (4, "tat", vec!["ta\u{308}t"]),
        (5, "schlechte qualitat", vec!["schlechte Qualita\u{308}t"]),
        (5, "goo", vec!["GOO", "goo", "goo"]),
    ] {
        let why = READINGS[reading].explain(text, usize::MAX).unwrap();
        let found = why.terms.iter().find(|found| found.term == term);
        let found = found.unwrap_or_else(|| panic!("{reading}: no `{term}`"));
        let parts: Vec<String> = found.spans.iter().map(|span| slice(text, span)).collect();
        assert_eq!(parts, want, "{reading} `{term}`");
    }
}

#[test]
fn a_term_that_comes_often_has_its_first_places() {
    let text = "good ".repeat(1000);
    let why = READINGS[0].explain(&text, 1).unwrap();
    assert_eq!((why.terms[0].term.as_str(), why.terms[0].count), ("good", 1000));
    assert!(why.terms[0].spans.iter().cloned().eq((0..model::MOST_SPANS).map(|i| i * 5..i * 5 + 4)));
}

/// Words of the fitted texts, mangled: other case, accents apart, other spaces.
fn mangled() -> impl Strategy<Value = String> {
    let words: Vec<&str> = texts().iter().flat_map(|text| text.split(' ')).collect();
    let word = (prop::sample::select(words), 0..4).prop_map(|(word, way)| match way {
        0 => word.to_uppercase(),
        1 => word.replace('ö', "o\u{308}").replace('ä', "A\u{308}\u{323}"),
        2 => word.replace('e', "é").replace("fi", "ﬁ"),
        _ => word.to_owned(),
    });
    prop::collection::vec((word, "[ \n\u{a0}]{1,3}|, |\u{301}|İ|½|😀|中"), 0..12)
        .prop_map(|parts| parts.into_iter().map(|(word, space)| word + &space).collect())
}

proptest! {
    #[test]
    fn what_stands_at_a_terms_place_holds_the_term(text in mangled()) {
        for (i, artifact) in READINGS.iter().enumerate() {
            let why = artifact.explain(&text, usize::MAX).unwrap();
            for term in &why.terms {
                prop_assert_eq!(term.spans.len(), term.count as usize, "{} {:?}", i, term);
                prop_assert!(term.spans.is_sorted_by(|a, b| a.start <= b.start), "{} {:?}", i, term);
                for span in &term.spans {
                    let part = slice(&text, span);
                    prop_assert_eq!(part.chars().count(), span.len());
                    let within = artifact.explain(&part, usize::MAX).unwrap();
                    prop_assert!(within.terms.iter().any(|other| other.term == term.term), "{} {:?} in {:?}", i, term, part);
                }
            }
        }
    }
}

/// NB weighting has its signs in the scales, and interpolated weights are all much alike: by the weight alone, words of
/// either class would stand with either.
#[test]
fn strongest_is_what_adds_most() {
    let tfidf = TfidfParams { weighting: Weighting::Nb, ngram_range: (1, 1), norm: None, ..TfidfParams::default() };
    let settings = Settings { tfidf, loss: Loss::SquaredHinge, beta: 0.25, ..Settings::default() };
    for targets in [two_classes(), three_classes()] {
        let dir = tempdir().unwrap();
        classifier(&settings, &targets).save(dir.path(), &provenance()).unwrap();
        let artifact = Artifact::open(dir.path()).unwrap();
        for (class, (_, terms)) in artifact.strongest_terms(5).unwrap().into_iter().enumerate() {
            assert_eq!(terms.len(), 5);
            for (term, adds) in terms {
                // A text of the term alone, which is not normalised.
                let why = artifact.explain_class(&term, class, usize::MAX).unwrap();
                assert_eq!((why.terms.len(), &why.terms[0].term), (1, &term));
                assert!((why.terms[0].contribution - adds).abs() < 1e-12 && adds > 0.0, "{term}: {adds}, {why:?}");
            }
        }
    }
}
