//! An artifact's life: saved, opened, damaged, refused.

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Command;

use model::artifact::{TENSORS, VOCABULARY};
use model::{
    Algorithm, AnalyzerKind, Artifact, ArtifactError, Calibration, Classifier, Loss, Norm, Provenance, Settings,
    TextClassifier, TfidfParams, TokenPattern, Weighting,
};
use proptest::prelude::*;
use tempfile::{TempDir, tempdir};

use crate::damage::{lie, sign};
use crate::reviews::{classifier, one_of_each, provenance, texts, three_classes, two_classes};

const FILES: [&str; 3] = ["manifest.json", TENSORS, VOCABULARY];

fn saved(classifier: &TextClassifier) -> TempDir {
    let dir = tempdir().unwrap();
    classifier.save(dir.path(), &provenance()).unwrap();
    dir
}

fn refusal(dir: &Path) -> String {
    let verified = Artifact::open(dir).and_then(|artifact| artifact.verify());
    match verified.expect_err("a bad artifact was opened and verified") {
        ArtifactError::Refused { path, reason, .. } => {
            format!("{}: {reason}", path.file_name().unwrap().display())
        }
        ArtifactError::Io { path, what, .. } => format!("{}: {what}", path.file_name().unwrap().display()),
    }
}

/// Every kind of classifier on every kind of text, calibrated and not: the records' own probabilities, and the artifact's.
#[test]
fn what_was_fitted_is_what_predicts() {
    let with = |change: fn(&mut Settings)| {
        let mut settings = Settings { n_estimators: 5, ..Settings::default() };
        change(&mut settings);
        settings
    };
    let nb = |settings: &mut Settings| {
        settings.tfidf = TfidfParams {
            analyzer: AnalyzerKind::WordCharWb,
            token_pattern: TokenPattern::WordPunct,
            ngram_range: (1, 3),
            weighting: Weighting::Nb,
            binary: true,
            ..TfidfParams::default()
        };
        (settings.loss, settings.beta) = (Loss::SquaredHinge, 0.5);
    };
    let settings = [
        with(|_| ()),
        with(|s| s.algorithm = Algorithm::Tree),
        with(|s| s.algorithm = Algorithm::Forest),
        with(|s| (s.tfidf.analyzer, s.tfidf.ngram_range) = (AnalyzerKind::Char, (2, 4))),
        with(|s| (s.tfidf.analyzer, s.tfidf.ngram_range) = (AnalyzerKind::CharWb, (4, 6))),
        with(|s| (s.tfidf.ngram_range, s.tfidf.norm) = ((2, 3), Some(Norm::L1))),
        with(|s| (s.tfidf.max_features, s.tfidf.norm, s.tfidf.sublinear_tf) = (Some(30), None, false)),
        with(nb),
    ];
    for settings in &settings {
        for (targets, calibration) in [
            (two_classes(), Calibration::None),
            (two_classes(), Calibration::Platt { a: vec![1.5], b: vec![-0.25] }),
            (three_classes(), Calibration::None),
            (three_classes(), Calibration::Temperature { t: 2.0 }),
        ] {
            let linear = settings.algorithm == Algorithm::Logistic;
            let classes = targets.iter().max().unwrap() + 1;
            let (_, records) = settings.tfidf.fit_transform(&texts(), &targets, classes).unwrap();
            let mut classifier = classifier(settings, &targets);
            let mut wanted = match &classifier.classifier {
                Classifier::Linear(linear) => linear.probabilities(&records),
                Classifier::Tree(tree) => tree.probabilities(&records),
                Classifier::Forest(forest) => forest.probabilities(&records),
            };
            if linear && calibration != Calibration::None {
                let Classifier::Linear(linear) = &classifier.classifier else { panic!("linear") };
                wanted = calibration.probabilities(linear.scores(&records).view());
            }
            classifier.calibration = calibration;
            let dir = saved(&classifier);
            let artifact = Artifact::open(dir.path()).unwrap();
            artifact.verify().unwrap();
            assert_eq!(artifact.terms(), classifier.featurizer.columns());
            for (text, wanted) in texts().iter().zip(wanted.rows()) {
                let found = artifact.predict(text).unwrap();
                for (found, wanted) in found.probabilities.iter().zip(wanted) {
                    // 32-bit weights against 64-bit ones.
                    assert!((found - wanted).abs() < 1e-6, "{settings:?} {text}: {found} against {wanted}");
                }
                assert!((found.probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-12);
                assert_eq!(found.score(), found.probabilities[found.class]);
                assert!(found.probabilities.iter().all(|&p| p <= found.score()));
            }
        }
    }
}

#[test]
fn what_is_saved_is_told() {
    for classifier in one_of_each() {
        let dir = saved(&classifier);
        let artifact = Artifact::open(dir.path()).unwrap();
        assert_eq!(artifact.classes(), classifier.classes);
        assert_eq!(artifact.manifest().provenance, provenance());
        assert_eq!(&artifact.manifest().tfidf, classifier.featurizer.params());
        let on_disk: u64 = FILES.iter().map(|file| dir.path().join(file).metadata().unwrap().len()).sum();
        assert_eq!(artifact.bytes(), on_disk);
        let mut terms = classifier.featurizer.terms();
        let mut found: Vec<String> = (0..artifact.terms() as u32).map(|row| artifact.term(row).unwrap()).collect();
        for (row, term) in (0..).zip(&found) {
            assert_eq!(artifact.term_id(term).unwrap(), Some(row), "{term}");
        }
        terms.sort_unstable();
        found.sort_unstable();
        assert_eq!(found, terms);
        assert_eq!(artifact.term_id("never seen").unwrap(), None);
        for text in ["", "never seen before", "제품 quality"] {
            assert!(artifact.predict(text).is_ok());
        }
    }
}

#[test]
fn the_same_fit_leaves_the_same_bytes() {
    for (one, other) in one_of_each().iter().zip(one_of_each()) {
        let (one, other) = (saved(one), saved(&other));
        for file in FILES {
            assert_eq!(fs::read(one.path().join(file)).unwrap(), fs::read(other.path().join(file)).unwrap(), "{file}");
        }
    }
}

#[test]
fn saving_again_replaces_what_is_open() {
    let [two, three, _] = &one_of_each()[..] else { panic!("three classifiers") };
    let dir = saved(two);
    let before = Artifact::open(dir.path()).unwrap();
    let prediction = before.predict("good").unwrap();
    three.save(dir.path(), &provenance()).unwrap();
    assert_eq!(before.predict("good").unwrap(), prediction);
    assert_eq!(Artifact::open(dir.path()).unwrap().classes().len(), 3);
    let names = fs::read_dir(dir.path()).unwrap().count();
    assert_eq!(names, FILES.len(), "nothing is left beside the artifact");
}

#[test]
fn what_cannot_be_saved_leaves_nothing() {
    let mut classifier = one_of_each().remove(0);
    let dir = tempdir().unwrap();
    let metrics = [("accuracy".into(), f64::NAN)].into();
    let no_number = Provenance { metrics, ..provenance() };
    assert!(classifier.save(dir.path(), &no_number).unwrap_err().to_string().contains("metric accuracy is NaN"));
    classifier.classes.push("one more".into());
    assert!(classifier.save(dir.path(), &provenance()).unwrap_err().to_string().contains("2 classes"));
    let mut classifier = one_of_each().remove(0);
    if let Classifier::Linear(logistic) = &mut classifier.classifier {
        logistic.weights[(0, 0)] = 1e300;
    }
    assert!(classifier.save(dir.path(), &provenance()).unwrap_err().to_string().contains("32-bit"));
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    fs::write(dir.path().join("file"), "").unwrap();
    assert!(one_of_each()[0].save(&dir.path().join("file"), &provenance()).is_err());
}

#[test]
fn foreign_and_missing_files_are_named() {
    let dir = tempdir().unwrap();
    assert_eq!(refusal(dir.path()), "manifest.json: cannot be read");
    let dir = saved(&one_of_each()[0]);
    let path = dir.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    let cases = [
        ("{}", "manifest.json: it is no manifest of a text classifier: missing field `format`"),
        ("PK\u{3}\u{4}", "manifest.json: it is no manifest of a text classifier: expected value"),
        (&manifest.replace("-text-", "-image-"), "its format is `sagebrush-image-classifier`"),
        (
            &manifest.replace("\"format_version\": 3", "\"format_version\": 1"),
            "format version is 1; this program reads",
        ),
        (&manifest.replace("\"accuracy\": 0.875", "\"accuracy\": 0.975"), "changed after it was written"),
        (&manifest.replace("  ", " "), "changed after it was written"),
    ];
    for (text, want) in cases {
        fs::write(&path, text).unwrap();
        let found = refusal(dir.path());
        assert!(found.contains(want), "{found}\nexpected {want}");
    }
    fs::write(&path, &manifest).unwrap();
    assert!(Artifact::open(dir.path()).is_ok());
    fs::remove_file(dir.path().join(TENSORS)).unwrap();
    assert_eq!(refusal(dir.path()), "tensors.safetensors: cannot be opened");
    fs::write(dir.path().join(TENSORS), "").unwrap();
    assert!(refusal(dir.path()).contains("it has 0 bytes"));
}

#[test]
fn lies_are_seen_through() {
    let classifiers = one_of_each();
    let (two, three, tree) = (saved(&classifiers[0]), saved(&classifiers[1]), saved(&classifiers[2]));
    let read = |dir: &TempDir, name| fs::read(dir.path().join(name)).unwrap();
    // Another artifact's tensors, and what the manifest says of the classes.
    let whole = read(&two, TENSORS);
    lie(two.path(), TENSORS, &read(&three, TENSORS));
    assert!(refusal(two.path()).contains("`terms` has 3 scales a term; expected 1 or 2"), "{}", refusal(two.path()));
    lie(two.path(), TENSORS, &read(&tree, TENSORS));
    assert!(refusal(two.path()).contains("`terms` has 0 scales a term"), "{}", refusal(two.path()));
    let mut not_finite = whole.clone();
    let end = not_finite.len();
    not_finite[end - 4..].copy_from_slice(&f32::NAN.to_le_bytes());
    lie(two.path(), TENSORS, &not_finite);
    assert!(refusal(two.path()).contains("is not finite"), "{}", refusal(two.path()));
    lie(two.path(), TENSORS, &whole);
    assert!(Artifact::open(two.path()).is_ok());
    // A tree that leads back to its root would never end.
    let mut circle = read(&tree, TENSORS);
    let header = u64::from_le_bytes(circle[..8].try_into().unwrap()) as usize + 8;
    let layout: serde_json::Value = serde_json::from_slice(&circle[8..header]).unwrap();
    let left = header + layout["tree.left"]["data_offsets"][0].as_u64().unwrap() as usize;
    let right = header + layout["tree.right"]["data_offsets"][0].as_u64().unwrap() as usize;
    circle[right..right + 4].copy_from_slice(&0u32.to_le_bytes());
    assert_ne!(circle[left..left + 4], [0; 4], "the root splits");
    lie(tree.path(), TENSORS, &circle);
    assert!(refusal(tree.path()).contains("node 0 of the tree asks"), "{}", refusal(tree.path()));
    let path = two.path().join("manifest.json");
    let manifest = fs::read_to_string(&path).unwrap();
    sign(&path, &manifest.replace("class 0", "class 9"));
    assert!(refusal(two.path()).contains("expected two or more, ascending"));
    sign(&path, &manifest.replace("tensors.safetensors", "../../etc/passwd"));
    assert!(refusal(two.path()).contains("its files are"));
    sign(&path, &manifest.replace(&format!("\"terms\": {}", classifiers[0].featurizer.columns()), "\"terms\": 3"));
    assert!(refusal(two.path()).contains("the manifest says 3"));
    sign(&path, &manifest);
    let mut vocabulary = read(&two, VOCABULARY);
    let header = u64::from_le_bytes(vocabulary[..8].try_into().unwrap()) as usize + 8;
    let layout: serde_json::Value = serde_json::from_slice(&vocabulary[8..header]).unwrap();
    let first = header + layout["words.2.starts"]["data_offsets"][0].as_u64().unwrap() as usize;
    vocabulary[first..first + 4].copy_from_slice(&u32::MAX.to_le_bytes());
    lie(two.path(), VOCABULARY, &vocabulary);
    assert!(refusal(two.path()).contains("number 0 of `starts` is 4294967295"), "{}", refusal(two.path()));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any bit of any file, with and without a manifest that agrees: refused, or harmless; never a panic.
    #[test]
    fn no_damage_goes_unseen(which in 0..3usize, file in 0..3usize, at in any::<prop::sample::Index>(), bit in 0..8u8, cut: bool, lying: bool) {
        thread_local! {
            static SOUND: Vec<TempDir> = one_of_each().iter().map(saved).collect();
        }
        let dir = tempdir().unwrap();
        SOUND.with(|all| {
            for name in FILES {
                fs::copy(all[which].path().join(name), dir.path().join(name)).unwrap();
            }
        });
        let path = dir.path().join(FILES[file]);
        let mut bytes = fs::read(&path).unwrap();
        let at = at.index(bytes.len());
        if cut {
            bytes.truncate(at);
        } else {
            bytes[at] ^= 1 << bit;
        }
        if lying && file != 0 {
            lie(dir.path(), FILES[file], &bytes);
            if let Ok(artifact) = Artifact::open(dir.path()) {
                let prediction = artifact.predict("good quality, not late");
                if let Ok(prediction) = prediction {
                    prop_assert!(prediction.probabilities.iter().all(|p| (0.0..=1.0).contains(p)));
                }
                let _ = (artifact.explain("good", 3), artifact.strongest_terms(3), artifact.verify());
                let _ = (artifact.term(7), artifact.term_id("good quality"));
            }
        } else {
            fs::write(&path, bytes).unwrap();
            // What opening does not read, reading refuses; verifying reads all.
            let opened = Artifact::open(dir.path());
            prop_assert!(file != 0 || opened.is_err());
            prop_assert!(!cut || opened.is_err());
            if let Ok(artifact) = opened {
                prop_assert!(artifact.verify().unwrap_err().to_string().contains("were changed after they were written"));
                prop_assert!(artifact.predict("good quality, not late").is_err());
            }
        }
    }
}

#[test]
fn one_artifact_serves_many_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<Artifact>();
    let dir = saved(&one_of_each()[1]);
    let artifact = Artifact::open(dir.path()).unwrap();
    let wanted: Vec<_> = texts().iter().map(|text| artifact.predict(text).unwrap()).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                assert_eq!(texts().iter().map(|text| artifact.predict(text).unwrap()).collect::<Vec<_>>(), wanted)
            });
        }
    });
}

#[test]
fn tokens_are_visited_while_the_artifact_is_in_use() {
    let dir = saved(&one_of_each()[0]);
    let artifact = Artifact::open(dir.path()).unwrap();
    let mut found = Vec::new();
    artifact.tokens("Not GOOD; a zebra", &mut |token| {
        // Asking in between must not disturb the visit.
        artifact.predict(token).unwrap();
        found.push((token.to_owned(), artifact.term_id(token).unwrap().is_some()));
    });
    assert_eq!(found, [("not".into(), true), ("good".into(), true), ("zebra".into(), false)]);
}

#[test]
fn unknown_words_are_counted() {
    let dir = saved(&one_of_each()[0]);
    let artifact = Artifact::open(dir.path()).unwrap();
    for (text, want) in [("Not GOOD; a zebra, zebra", (4, 2)), ("good", (1, 0)), ("a b ?", (0, 0)), ("", (0, 0))] {
        assert_eq!(artifact.unknown_units(text).unwrap(), want, "{text}");
    }
}

/// Files that were verified need not be again; others are not taken for them.
#[test]
fn what_was_verified_is_trusted_while_its_files_are_the_same() {
    let [dir, other] = [0, 0].map(|which| saved(&one_of_each()[which]));
    let [first, again, other] = [&dir, &dir, &other].map(|dir| Artifact::open(dir.path()).unwrap());
    first.verify().unwrap();
    assert!(again.trust(&first.identity()));
    assert!(!other.trust(&first.identity()), "the same bytes in another place");
    for text in texts() {
        assert_eq!(again.predict(text).unwrap(), first.predict(text).unwrap(), "{text}");
        assert_eq!(other.predict(text).unwrap(), first.predict(text).unwrap(), "{text}");
    }
}

/// The lines of `docs/artifact.md`, run as they stand there, come to our scores.
#[test]
fn a_dozen_lines_of_python_read_it() {
    let (python, doc) = ("python3", include_str!("../../../docs/artifact.md"));
    let numpy = Command::new(python).args(["-c", "import numpy"]).output();
    if !numpy.is_ok_and(|numpy| numpy.status.success()) {
        let _ = writeln!(std::io::stderr(), "skipped a_dozen_lines_of_python_read_it: there is no python3 with numpy");
        return;
    }
    let lines = doc.split("```python\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let classifier = &one_of_each()[0];
    let dir = saved(classifier);
    let artifact = Artifact::open(dir.path()).unwrap();
    let all: Vec<&str> = texts().into_iter().chain(["", "good good not zebra good quality"]).collect();
    let (lines, all_json) = (lines.replace('\n', "\n    "), serde_json::to_string(&all).unwrap());
    let program =
        format!("scores = []\nfor text in {all_json}:\n    {lines}\n    scores.append(float(score))\nprint(scores)");
    let run = Command::new(python).args(["-c", &program]).current_dir(dir.path()).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let scores: Vec<f64> = serde_json::from_slice(&run.stdout).unwrap();
    assert_eq!(scores.len(), all.len());
    for (text, score) in all.iter().zip(scores) {
        let ours = artifact.explain_class(text, 1, 0).unwrap().total;
        assert!((score - ours).abs() < 1e-9, "{text}: {score} against {ours}");
    }
}
