//! What is explained is what is computed.

use model::{Artifact, ExplainError, Loss, Settings, TfidfParams, Weighting};
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
            assert_eq!(artifact.explain(text, 2).unwrap().terms, why.terms[..2]);
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
