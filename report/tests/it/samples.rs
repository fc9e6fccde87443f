//! Results as `train` and `monitor` would leave them.

use std::collections::BTreeMap;

use report::drift::{
    AccuracyEstimate, Bin, Check, Distribution, DomainClassifier, DomainTerm, Example, MeasuredAccuracy, NewTerm,
    PastWindow, RecordCheck, RuleVerdict, ScoreShift, SliceAccuracy, TermImpact, TermShift, TimeSlot, Timeline,
    Violation,
};
use report::evaluation::{
    ArtifactFigures, Average, Averages, Calibrated, Candidate, ClassCurves, ClassMetrics, ClassTerms, DataFile,
    DataWarning, DroppedRows, Interval, Metrics, Mistake, PrecisionRecallCurve, Quality, ReliabilityBin, RocCurve,
    ScoreHistogram, ScoreSeries, TermContribution, TermWeight, Training, Tuning,
};
use report::{DriftReport, Evaluation};

/// Text that must come out as text wherever it is put.
pub const HOSTILE: &str = "<script>alert(\"x\")</script> | **bold** & 'quoted' \u{0}\n@someone";

fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect()
}

fn terms(words: &[&str]) -> Vec<TermWeight> {
    words
        .iter()
        .zip(1u32..)
        .map(|(w, n)| TermWeight { term: w.to_string(), weight: 6.0 / f64::from(n).sqrt() })
        .collect()
}

fn quality() -> Quality {
    let averages = Averages { precision: 0.8175, recall: 0.8166, f1: 0.8166 };
    Quality {
        balanced_accuracy: 0.8166,
        macro_average: averages,
        weighted: averages,
        micro: averages,
        roc_auc_macro: Some(0.8991),
        roc_auc_weighted: Some(0.8991),
        average_precision: Some(0.9012),
        average_precision_weighted: Some(0.9003),
        brier: 0.1309,
        matthews: 0.6341,
        calibration_error: 0.0217,
    }
}

fn interval(metric: &str, value: f64, low: f64, high: f64) -> Interval {
    Interval { metric: metric.into(), value, low, high, level: 0.95, resamples: 1000 }
}

fn curves(class: &str) -> ClassCurves {
    let at: Vec<f64> = (0..=20u32).map(|n| f64::from(n) / 20.0).collect();
    ClassCurves {
        class: class.into(),
        roc: RocCurve {
            false_positive_rates: at.clone(),
            true_positive_rates: at.iter().map(|x| x.powf(0.2)).collect(),
        },
        precision_recall: PrecisionRecallCurve {
            recalls: at.clone(),
            precisions: at.iter().map(|x| 1.0 - x.powi(4) / 2.0).collect(),
        },
    }
}

fn bin(k: f64) -> ReliabilityBin {
    let (low, high) = (k / 15.0, (k + 1.0) / 15.0);
    ReliabilityBin { low, high, documents: k as u64 * 10, confidence: (low + high) / 2.0, accuracy: high }
}

fn series(class: &str) -> ScoreSeries {
    ScoreSeries { class: class.into(), documents: (0..20).map(|n| n * 7 % 13).collect() }
}

/// Two classes, with everything in it.
pub fn evaluation() -> Evaluation {
    let steps = 60;
    let rate = |i: i32| f64::from(i) / f64::from(steps);
    Evaluation {
        format: report::evaluation::FORMAT.into(),
        channel: "test".into(),
        rows: 1821,
        classes: vec!["0".into(), "1".into()],
        positive_class: Some("1".into()),
        metrics: Metrics {
            accuracy: 0.8166,
            average: Average::Binary,
            precision: 0.8023,
            recall: 0.8405,
            f1: 0.8210,
            log_loss: 0.4312,
            roc_auc: Some(0.8991),
        },
        per_class: vec![
            ClassMetrics {
                class: "0".into(),
                precision: 0.8327,
                recall: 0.7928,
                f1: 0.8122,
                support: 912,
                ..Default::default()
            },
            ClassMetrics {
                class: "1".into(),
                precision: 0.8023,
                recall: 0.8405,
                f1: 0.8210,
                support: 909,
                ..Default::default()
            },
        ],
        confusion: vec![vec![723, 189], vec![145, 764]],
        roc_curve: Some(RocCurve {
            false_positive_rates: (0..=steps).map(rate).collect(),
            true_positive_rates: (0..=steps).map(|i| rate(i).powf(0.16)).collect(),
        }),
        strongest_terms: vec![
            ClassTerms {
                class: "0".into(),
                terms: terms(&[
                    "bad",
                    "too",
                    "dull",
                    "worst",
                    "lacks",
                    "flat",
                    "no",
                    "mess",
                    "boring",
                    "the worst",
                    "unfunny",
                    HOSTILE,
                ]),
            },
            ClassTerms {
                class: "1".into(),
                terms: terms(&[
                    "moving",
                    "best",
                    "solid",
                    "powerful",
                    "fun",
                    "enjoyable",
                    "hilarious",
                    "of the best",
                    "touching",
                    "and",
                    "cinema",
                    "좋아요",
                ]),
            },
        ],
        mistakes: vec![
            Mistake {
                text: "a film that will enthrall the whole family , if the family has the patience of a saint".into(),
                actual: "0".into(),
                predicted: "1".into(),
                score: 0.981,
                ..Default::default()
            },
            Mistake {
                text: HOSTILE.into(),
                actual: "1".into(),
                predicted: "0".into(),
                score: 0.952,
                terms: vec![
                    TermContribution { term: HOSTILE.into(), contribution: 1.25 },
                    TermContribution { term: "good".into(), contribution: -0.5 },
                ],
            },
            Mistake {
                text: "you 'll get plenty of bad , dull and flat jokes , and love every one of them\n\nI did .".into(),
                actual: "1".into(),
                predicted: "0".into(),
                score: 0.934,
                ..Default::default()
            },
        ],
        golden: Vec::new(),
        training: Training {
            rows: 6920,
            class_rows: BTreeMap::from([("0".into(), 3310), ("1".into(), 3610)]),
            terms: 70_412,
            non_zeros: 208_113,
            parameters: map(&[
                ("algorithm", "logistic"),
                ("solver", "sparse"),
                ("C", "10"),
                ("ngram_range", "1,2"),
                ("sublinear_tf", "true"),
            ]),
            iterations: Some(31),
            converged: Some(true),
            seconds: 0.81,
            version: "0.1.0".into(),
        },
        tuning: Some(Tuning {
            folds: 5,
            metric: "accuracy".into(),
            candidates: [(0.3, 0.741), (1.0, 0.772), (3.0, 0.789), (10.0, 0.795), (30.0, 0.792)]
                .map(|(c, mean): (f64, f64)| Candidate {
                    parameters: map(&[("C", &c.to_string())]),
                    mean,
                    standard_error: 0.004,
                    ..Default::default()
                })
                .to_vec(),
            chosen: 3,
            reason: "C = 10 has the best mean accuracy.".into(),
            ..Default::default()
        }),
        data: vec![
            DataFile {
                channel: "train".into(),
                name: "train.csv".into(),
                bytes: 727_710,
                sha256: "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".into(),
                rows: 6920,
            },
            DataFile {
                channel: "test".into(),
                name: "test.csv".into(),
                bytes: 190_774,
                sha256: "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752".into(),
                rows: 1821,
            },
        ],
        quality: Some(quality()),
        intervals: vec![
            interval("accuracy", 0.8166, 0.7985, 0.8341),
            interval("log_loss", 0.4312, 0.4101, 0.4529),
            interval("roc_auc", 0.8991, 0.8843, 0.9127),
            interval(HOSTILE, 0.5, 0.4, 0.6),
        ],
        curves: vec![curves("1")],
        reliability: (0..15).map(|k| bin(f64::from(k))).collect(),
        histogram: Some(ScoreHistogram { of: Some("1".into()), series: vec![series("0"), series("1")] }),
        calibration: Some(Calibrated {
            kind: HOSTILE.into(),
            parameters: BTreeMap::from([(HOSTILE.into(), 0.83)]),
            calibration_error_before: Some(0.0612),
            calibration_error_after: Some(0.0118),
            ..Calibrated::default()
        }),
        warnings: vec![DataWarning { kind: "duplicates_of_train".into(), count: 12, examples: vec![HOSTILE.into()] }],
        dropped: vec![DroppedRows {
            channel: HOSTILE.into(),
            reason: HOSTILE.into(),
            rows: 3,
            examples: vec!["train.csv:17".into()],
        }],
        artifact: Some(ArtifactFigures {
            bytes: 3_938_993,
            latency_documents: 1821,
            latency_p50_ms: 0.031,
            latency_p99_ms: 0.12,
        }),
    }
}

/// A search that raced candidates over several settings.
pub fn raced() -> Evaluation {
    let candidate = |n: u32| {
        let out = !n.is_multiple_of(3);
        Candidate {
            parameters: map(&[
                ("C", &format!("{}", f64::from(n + 1) / 10.0)),
                ("analyzer", if n.is_multiple_of(2) { "word" } else { "word+char_wb" }),
                ("min_df", "2"),
                (HOSTILE, HOSTILE),
            ]),
            mean: 0.8 + f64::from(n % 7) / 100.0,
            standard_error: 0.004,
            folds_seen: Some(if out { 2 } else { 5 }),
            eliminated_after: out.then_some(2),
            log_loss: Some(0.41),
            cost_seconds: Some(0.31),
            reason: Some(HOSTILE.into()),
        }
    };
    let mut e = evaluation();
    e.tuning = e.tuning.map(|tuning| Tuning {
        candidates: (0..50).map(candidate).collect(),
        chosen: 12,
        rows: Some(6920),
        cost_seconds: Some(8.2),
        cost_in_fits: Some(7.4),
        ..tuning
    });
    e
}

/// Twenty classes: no ROC curve, a wide matrix.
pub fn many_classes() -> Evaluation {
    let classes: Vec<String> = (0..20).map(|n| format!("comp.sys.group-{n:02}")).collect();
    let confusion =
        (0..20).map(|a| (0..20).map(|p| if a == p { 300 } else { (a * 7 + p * 3) % 11 }).collect()).collect();
    let per_class = classes
        .iter()
        .map(|c| ClassMetrics {
            class: c.clone(),
            precision: 0.8,
            recall: 0.7,
            f1: 0.7467,
            support: 355,
            ..Default::default()
        })
        .collect();
    let mut e = evaluation();
    e.metrics.average = Average::Macro;
    e.metrics.roc_auc = None;
    e.curves = classes.iter().map(|class| curves(class)).collect();
    e.histogram = Some(ScoreHistogram { of: None, series: classes.iter().map(|class| series(class)).collect() });
    Evaluation { classes, confusion, per_class, positive_class: None, roc_curve: None, tuning: None, ..e }
}

fn bins(labels: &[&str], baseline: &[f64], window: &[f64]) -> Vec<Bin> {
    let pairs = baseline.iter().zip(window);
    labels.iter().zip(pairs).map(|(l, (&baseline, &window))| Bin { label: l.to_string(), baseline, window }).collect()
}

fn check(feature: &str, value: f64, p: f64, violated: bool, description: &str) -> Check {
    Check {
        feature: feature.into(),
        statistic: if feature == "predicted_label" { "total_variation" } else { "kolmogorov_smirnov" }.into(),
        value,
        threshold: 0.1,
        p_value: Some(p),
        alpha: Some(0.002),
        violated,
        description: description.into(),
    }
}

/// A window of other text.
pub fn drifted() -> DriftReport {
    DriftReport {
        format: report::drift::FORMAT.into(),
        endpoint: "reviews".into(),
        start: Some("2026-11-23T19:00:00Z".into()),
        end: Some("2026-11-23T20:00:00Z".into()),
        requests: 512,
        documents: 530,
        unreadable_requests: 3,
        damaged_lines: vec!["17-42-003.jsonl:9: expected value at column 1".into(), HOSTILE.into()],
        damaged: 12,
        baseline_documents: 6920,
        checks: vec![
            check("text_length", 0.831, 2.1e-181, true, "Documents are longer: median 640 characters, baseline 96."),
            check("unknown_terms", 0.412, 3e-41, true, "More terms are unknown: median 21.0 %, baseline 5.6 %."),
            check("predicted_label", 0.062, 0.0612, false, "The mix of predicted labels is that of the baseline."),
            check("score", 0.08, 0.0203, false, "Scores are spread as in the baseline."),
        ],
        distributions: vec![
            Distribution {
                feature: "text_length".into(),
                title: "length, characters".into(),
                bins: bins(
                    &["0–99", "100–199", "200–299", "300–399", "400–499", "≥ 500"],
                    &[0.51, 0.38, 0.11, 0.0, 0.0, 0.0],
                    &[0.02, 0.07, 0.11, 0.12, 0.13, 0.55],
                ),
                ..Distribution::default()
            },
            Distribution {
                feature: "predicted_label".into(),
                title: "predicted label".into(),
                bins: bins(&["0", "1"], &[0.49, 0.51], &[0.43, 0.57]),
                psi: 0.0146,
                jensen_shannon: 0.0026,
            },
            Distribution {
                feature: "topics".into(),
                title: "names too long for columns".into(),
                bins: bins(
                    &["comp.os.ms-windows.misc and all that it brought into the world", HOSTILE],
                    &[0.4, 0.6],
                    &[0.7, 0.3],
                ),
                ..Distribution::default()
            },
        ],
        new_terms: ["battery", "blender", "amazon", "headphones", "refund", HOSTILE, "kindle"]
            .iter()
            .zip(0u64..)
            .map(|(t, n)| NewTerm { term: t.to_string(), documents: 90 - 11 * n })
            .collect(),
        violations: vec![
            Violation {
                feature_name: "text_length".into(),
                constraint_check_type: "baseline_drift_check".into(),
                description: "Documents are longer: median 640 characters, baseline 96.".into(),
            },
            Violation {
                feature_name: "unknown_terms".into(),
                constraint_check_type: "baseline_drift_check".into(),
                description: "More terms are unknown: median 21.0 %, baseline 5.6 %.".into(),
            },
        ],
        notes: vec!["The baseline has no held-out files: label mix and score are not compared.".into()],
        terms: [("refund", 0.011, 0.289, true), (HOSTILE, 0.0, 0.2, false)]
            .map(|(term, baseline, window, seen_by_model)| TermShift {
                term: term.into(),
                baseline,
                window,
                p_value: 1e-9,
                seen_by_model,
            })
            .into(),
        tested_terms: 1587,
        scores: vec![ScoreShift {
            class: HOSTILE.into(),
            baseline: -0.02,
            window: -0.76,
            change: -0.74,
            error: 0.35,
            terms: [("refund", -0.194), (HOSTILE, 0.07)]
                .map(|(term, contribution)| TermImpact {
                    term: term.into(),
                    weight: -4.0,
                    baseline: 0.001,
                    window: 0.05,
                    contribution,
                })
                .into(),
            rest: -0.616,
        }],
        domain: Some(DomainClassifier {
            auc: 0.78,
            interval: (0.758, 0.802),
            baseline_documents: 2000,
            window_documents: 530,
            terms: [("app", 0.196), (HOSTILE, -0.015)]
                .map(|(term, contribution)| DomainTerm { term: term.into(), contribution })
                .into(),
        }),
        accuracy: Some(AccuracyEstimate {
            accuracy: 0.87,
            interval: (0.823, 0.918),
            by_confidence: 0.884,
            by_mix: 0.857,
            baseline: 0.883,
            baseline_documents: 762,
            unreliable: Some(HOSTILE.into()),
        }),
        measured: Some(MeasuredAccuracy {
            all: slice("", 0.799),
            slices: vec![slice("true label 0", 0.76), slice(HOSTILE, 0.9)],
            baseline: Some(0.883),
        }),
        timeline: Timeline {
            class: HOSTILE.into(),
            baseline: [Some(0.01), Some(-0.02), None, Some(f64::NAN)],
            slots: (0..5)
                .map(|at| TimeSlot {
                    start: format!("2026-11-23T19:{:02}:00Z", at * 10),
                    documents: 100 + at,
                    unknown: Some(0.01),
                    score: (at != 2).then_some(-0.1 * at as f64),
                    accuracy: None,
                    class_share: Some(0.5),
                })
                .collect(),
        },
        records: vec![RecordCheck { kind: "e_mail".into(), title: "with an e-mail address".into(), documents: 5 }],
        rules: [Some(true), Some(false), None]
            .map(|violated| RuleVerdict {
                name: HOSTILE.into(),
                rule: "share(contains \"<b>\") > 10%".into(),
                violated,
                figures: vec![("share(contains \"<b>\")".into(), violated.map(|_| 0.25))],
            })
            .into(),
        examples: vec![Example { term: "refund".into(), text: HOSTILE.into() }],
        history: (16..19).map(past).collect(),
    }
}

/// The window before that hour; the last one was of other text.
fn past(hour: u32) -> PastWindow {
    let other = hour == 18;
    PastWindow {
        format: report::drift::WINDOW_FORMAT.into(),
        start: format!("2026-11-23T{hour}:00:00Z"),
        end: format!("2026-11-23T{}:00:00Z", hour + 1),
        revision: 1 + u32::from(other),
        late: if other { 7 } else { 0 },
        requests: 480 + u64::from(hour),
        documents: 490 + u64::from(hour),
        violations: if other { vec!["text_length".into()] } else { Vec::new() },
        verdict: "No drift.".into(),
        because: other.then(|| HOSTILE.into()),
        words: if other { vec![(HOSTILE.into(), -0.12)] } else { Vec::new() },
        change: Some(-0.05),
        accuracy: Some(0.861),
        ..PastWindow::default()
    }
}

fn slice(name: &str, accuracy: f64) -> SliceAccuracy {
    SliceAccuracy { slice: name.into(), accuracy, interval: (accuracy - 0.05, accuracy + 0.05), documents: 234 }
}

/// Nothing violated.
pub fn alike() -> DriftReport {
    let mut report = drifted();
    report.violations.clear();
    report.checks.iter_mut().for_each(|c| c.violated = false);
    DriftReport { damaged: 0, damaged_lines: Vec::new(), notes: Vec::new(), history: Vec::new(), start: None, ..report }
}

/// No request at all.
pub fn empty() -> DriftReport {
    DriftReport {
        requests: 0,
        documents: 0,
        unreadable_requests: 0,
        checks: Vec::new(),
        distributions: Vec::new(),
        new_terms: Vec::new(),
        ..alike()
    }
}
