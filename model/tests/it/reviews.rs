//! Little labelled texts that several tests fit.

use model::{
    Algorithm, Calibration, Classifier, Dataset, Provenance, Settings, TextClassifier, TfidfParams, fit_classifier,
};

pub const TEXTS: [(&str, usize); 12] = [
    ("a wonderful product, I love it", 1),
    ("terrible quality, it broke at once", 0),
    ("love the colour and the quality", 1),
    ("not good, not worth the price", 0),
    ("good value, would buy again", 1),
    ("would not buy again, terrible", 0),
    ("the delivery was late but the product is good", 1),
    ("late delivery and a broken product", 0),
    ("schöne Qualität, sehr gut", 1),
    ("schlechte Qualität, nie wieder", 0),
    ("정말 좋은 제품입니다", 1),
    ("정말 나쁜 제품입니다", 0),
];

/// Every text's class where there are three: the third are the ones not in English.
pub fn three_classes() -> Vec<usize> {
    TEXTS.iter().map(|(text, class)| if text.is_ascii() { *class } else { 2 }).collect()
}

pub fn texts() -> Vec<&'static str> {
    TEXTS.iter().map(|(text, _)| *text).collect()
}

pub fn two_classes() -> Vec<usize> {
    TEXTS.iter().map(|(_, class)| *class).collect()
}

pub fn dataset(targets: &[usize]) -> Dataset {
    let (_, records) = TfidfParams::default().fit_transform(&texts(), targets, 0).unwrap();
    Dataset::new(records, targets.iter().copied().collect())
}

/// Fitted on all texts.
pub fn classifier(settings: &Settings, targets: &[usize]) -> TextClassifier {
    let count = targets.iter().max().unwrap() + 1;
    let (featurizer, records) = settings.tfidf.fit_transform(&texts(), targets, count).unwrap();
    let dataset = Dataset::new(records, targets.iter().copied().collect());
    let classifier = fit_classifier(settings, &dataset, count, None).unwrap().classifier;
    let classes = (0..count).map(|class| format!("class {class}")).collect();
    TextClassifier { featurizer, classifier, calibration: Calibration::None, classes }
}

/// One of each kind: binary, multinomial, tree.
pub fn one_of_each() -> Vec<TextClassifier> {
    let (logistic, tree) = (Settings::default(), Settings { algorithm: Algorithm::Tree, ..Settings::default() });
    let all = vec![
        classifier(&logistic, &two_classes()),
        classifier(&logistic, &three_classes()),
        classifier(&tree, &two_classes()),
    ];
    assert!(matches!(all[2].classifier, Classifier::Tree(_)));
    all
}

pub fn provenance() -> Provenance {
    Provenance {
        settings: [("C".into(), "1.0".into())].into(),
        class_rows: [("0".into(), 6), ("1".into(), 6)].into(),
        version: "0.1.0".into(),
        metrics: [("accuracy".into(), 0.875)].into(),
        ..Provenance::default()
    }
}
