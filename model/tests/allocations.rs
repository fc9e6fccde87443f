//! Scoring a text of a thousand words takes no more memory than one of three: what it needs is kept from text to text. In a
//! program of its own, whose memory nothing else uses.

use std::alloc::System;

use model::{Artifact, Calibration, Dataset, Provenance, Settings, TextClassifier, TfidfParams, fit_classifier};
use peakmem_alloc::{INSTRUMENTED_SYSTEM, PeakMemAllocTrait};

#[global_allocator]
static MEMORY: &peakmem_alloc::PeakMemAlloc<System> = &INSTRUMENTED_SYSTEM;

fn artifact(settings: &Settings) -> Artifact {
    let texts: Vec<String> =
        (0..400).map(|i| format!("film{i} was {} film{}", ["good", "bad"][i % 2], i * 7 % 400)).collect();
    let targets: Vec<usize> = (0..400).map(|i| i % 2).collect();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, 2).unwrap();
    let classifier = fit_classifier(settings, &Dataset::new(records, targets.into()), 2, None).unwrap().classifier;
    let fitted = TextClassifier {
        featurizer,
        classifier,
        calibration: Calibration::None,
        classes: vec!["0".into(), "1".into()],
    };
    let dir = tempfile::tempdir().unwrap();
    fitted.save(&dir.path().join("model"), &Provenance::default()).unwrap();
    Artifact::open(&dir.path().join("model")).unwrap()
}

/// Bytes that a prediction takes beside what the thread holds already.
fn heap(artifact: &Artifact, text: &str) -> usize {
    MEMORY.reset_peak_memory();
    let prediction = artifact.predict(text);
    let heap = MEMORY.get_peak_memory();
    prediction.unwrap();
    heap
}

#[test]
fn a_term_takes_no_memory() {
    use model::AnalyzerKind::{CharWb, Word, WordCharWb};
    let long: String = (0..1000).map(|i| format!("Film{} was GOOD, unheard{i} ", i % 400)).collect();
    for analyzer in [Word, CharWb, WordCharWb] {
        let artifact =
            artifact(&Settings { tfidf: TfidfParams { analyzer, ..TfidfParams::default() }, ..Settings::default() });
        // The thread's buffers grow to the longest text that it has seen.
        artifact.predict(&long).unwrap();
        for text in ["film7 was good", &long] {
            // The probabilities, which are given away.
            assert_eq!(heap(&artifact, text), size_of::<[f64; 2]>(), "{analyzer:?}: {} bytes", text.len());
        }
    }
}
