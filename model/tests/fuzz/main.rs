//! Damaged artifacts, most of them with checksums that agree: refused, or computed with; never a panic, never more memory
//! than a file of that length could need. In a program of its own, whose memory nothing else uses.
//!
//! `SAGEBRUSH_FUZZ_CASES=100000 cargo test -p model --test fuzz -- --nocapture` goes on for longer; a case is its number.

#[path = "../it/damage.rs"]
mod damage;
mod mutation;
#[path = "../it/reviews.rs"]
#[expect(dead_code, reason = "the other test program uses the rest")]
mod reviews;

use std::alloc::System;
use std::collections::BTreeMap;
use std::fs;
use std::panic::catch_unwind;
use std::path::Path;

use model::artifact::{TENSORS, VOCABULARY};
use model::{
    Algorithm, AnalyzerKind, Artifact, ArtifactError, Calibration, Loss, Settings, SplitMix64, TextClassifier,
    TfidfParams, Weighting,
};
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAllocTrait};
use tempfile::{TempDir, tempdir};

use reviews::{classifier, one_of_each, provenance, three_classes, two_classes};

#[global_allocator]
static MEMORY: &peakmem_alloc::PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

const FILES: [&str; 3] = ["manifest.json", TENSORS, VOCABULARY];
const TEXTS: [&str; 4] = ["good quality, not late", "", "정말 좋은 제품입니다 schöne", "terrible terrible love"];

/// Bytes on the heap beyond the length of the files: the list of tensors, settings, tables of the analyzer, a thread's memory of words, a
/// text's scratch.
const HEAP: usize = 1 << 19;

/// What became of a damaged artifact.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fate {
    /// Not opened.
    Refused,
    /// Opened, and not verified.
    Found,
    /// Sound: another model, or the same.
    Harmless,
}

/// A forest, blocks and a calibration too: every kind of tensor and field.
fn sound() -> Vec<TextClassifier> {
    let mut all = one_of_each();
    let forest = Settings { algorithm: Algorithm::Forest, n_estimators: 3, ..Settings::default() };
    all.push(classifier(&forest, &three_classes()));
    let tfidf = TfidfParams {
        analyzer: AnalyzerKind::WordCharWb,
        ngram_range: (1, 3),
        weighting: Weighting::Nb,
        min_df: model::Frequency::Count(2),
        ..TfidfParams::default()
    };
    let blocks = Settings { tfidf, loss: Loss::SquaredHinge, ..Settings::default() };
    for targets in [two_classes(), three_classes()] {
        let mut blocks = classifier(&blocks, &targets);
        blocks.calibration = match blocks.classes.len() {
            2 => Calibration::Platt { a: vec![1.5], b: vec![0.25] },
            _ => Calibration::Temperature { t: 2.0 },
        };
        all.push(blocks);
    }
    all
}

/// Reads all that can be read of the artifact.
fn use_it(dir: &Path) -> Fate {
    let Ok(artifact) = Artifact::open(dir) else { return Fate::Refused };
    let verified = artifact.verify();
    for text in TEXTS {
        let predicted = artifact.predict(text);
        match (&verified, predicted) {
            (_, Ok(prediction)) => {
                assert!(prediction.probabilities.iter().all(|p| (0.0..=1.0).contains(p)), "{prediction:?}");
                assert_eq!(prediction.probabilities.len(), artifact.classes().len());
            }
            // What is verified makes a number of every text, but for sums that are too great.
            (Ok(()), Err(error)) => assert!(error.to_string().contains("its numbers make a "), "{error}"),
            (Err(_), Err(_)) => {}
        }
        let _ = artifact.explain(text, 3);
        artifact.tokens(text, &mut |token| drop(artifact.term_id(token)));
    }
    let _ = artifact.strongest_terms(3);
    for term in [0, 7, artifact.terms() as u32, u32::MAX] {
        let _ = artifact.term(term);
    }
    match verified {
        Ok(()) => Fate::Harmless,
        Err(ArtifactError::Refused { .. } | ArtifactError::Io { .. }) => Fate::Found,
    }
}

/// One damaged artifact: what became of it, whether its checksums agree, and bytes on the heap beyond what is allowed.
fn case(number: usize, sound: &[TempDir]) -> (Fate, bool, usize) {
    let mut random = SplitMix64::new(42, number as u64);
    let from = &sound[random.below(sound.len())];
    let dir = tempdir().unwrap();
    for name in FILES {
        fs::copy(from.path().join(name), dir.path().join(name)).unwrap();
    }
    let name = FILES[random.below(FILES.len())];
    let whole = fs::read(dir.path().join(name)).unwrap();
    let mut bytes = whole.clone();
    for _ in 0..=random.below(3) {
        mutation::mutate(&mut bytes, &mut random);
    }
    let lying = bytes == whole || random.below(4) > 0;
    fs::write(dir.path().join(name), &bytes).unwrap();
    if lying && name != FILES[0] {
        damage::lie(dir.path(), name, &bytes);
    } else if lying
        && let Ok(text) = str::from_utf8(&bytes)
        && serde_json::from_str::<model::Manifest>(text).is_ok()
    {
        damage::sign(&dir.path().join(name), text);
    }
    let length: u64 = FILES.iter().map(|name| dir.path().join(name).metadata().unwrap().len()).sum();
    drop((bytes, whole));
    MEMORY.reset_peak_memory();
    let fate = use_it(dir.path());
    let heap = MEMORY.get_peak_memory();
    (fate, lying, heap.saturating_sub(HEAP + length as usize))
}

#[test]
fn damage_is_refused_or_harmless() {
    let cases = std::env::var("SAGEBRUSH_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(600);
    let sound: Vec<TempDir> = sound()
        .iter()
        .map(|classifier| {
            let dir = tempdir().unwrap();
            classifier.save(dir.path(), &provenance()).unwrap();
            dir
        })
        .collect();
    // What a process has once is there before anything is measured.
    assert!(sound.iter().all(|dir| use_it(dir.path()) == Fate::Harmless));
    let mut fates = BTreeMap::new();
    for number in 0..cases {
        let (fate, lying, beyond) = catch_unwind(|| case(number, &sound)).unwrap_or_else(|_| panic!("case {number}"));
        assert!(lying || fate != Fate::Harmless, "case {number} is harmless though its checksums disagree");
        assert_eq!(beyond, 0, "case {number}: bytes on the heap beyond what its files could need");
        *fates.entry((fate, lying)).or_insert(0u64) += 1;
    }
    println!("{cases} cases: {fates:?}");
    for fate in [Fate::Refused, Fate::Found, Fate::Harmless] {
        assert!(fates.contains_key(&(fate, true)), "nothing was {fate:?}: {fates:?}");
    }
}
