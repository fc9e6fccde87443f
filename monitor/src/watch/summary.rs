//! Sums to what a report says.

use std::collections::{BTreeMap, HashMap};

use model::Artifact;
use report::DriftReport;
use report::drift::{
    AccuracyEstimate, Example, MeasuredAccuracy, NewTerm, RecordCheck, SliceAccuracy, TimeSlot, Timeline,
};

use crate::baseline::Baseline;
use crate::capture::Tally;
use crate::domain::{self, Bag, Found};
use crate::expected::Estimate;
use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::impact;
use crate::personal::Personal;
use crate::settings::WatchJob;
use crate::stats::interval::wilson;
use crate::stats::sample::Moments;
use crate::terms::Moved;
use crate::truth::{Joined, Truth};
use crate::window::Window;

/// New terms that a report names.
const NEW_TERMS: usize = 30;
/// With fewer documents only very large differences can be told from chance, and the report says so.
const FEW: u64 = 30;
/// Slots of a timeline.
const SLOTS: usize = 48;
/// Examples of moved terms, and characters of each.
const EXAMPLES: usize = 8;
const EXAMPLE_CHARACTERS: usize = 240;
/// An estimate of accuracy is doubted from here on: area of the domain classifier, unknown terms more than before, and
/// how far it goes down if the classes are as frequent as before.
const DOUBTED: (f64, f64, f64) = (0.8, 0.2, 0.15);

/// Those of two documents or more (a term of one is in every window), most frequent first, equal ones by name.
pub(super) fn new_terms(all: &HashMap<String, u64>) -> Vec<NewTerm> {
    let mut terms: Vec<(&String, u64)> = all.iter().map(|(term, &n)| (term, n)).filter(|(_, n)| *n > 1).collect();
    terms.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    terms.into_iter().take(NEW_TERMS).map(|(term, documents)| NewTerm { term: term.clone(), documents }).collect()
}

/// A text for each of the most moved terms that have one.
pub(super) fn examples(artifact: &Artifact, moved: &Moved, sample: &[String], bags: &[Bag]) -> Vec<Example> {
    let more = moved.terms.iter().filter(|term| term.difference() > 0.0);
    let example = |term: &report::drift::TermShift| {
        let at = bags.iter().position(|bag| bag.binary_search_by(|t| (**t).cmp(&term.term)).is_ok())?;
        let mut text: String = sample[at].chars().take(EXAMPLE_CHARACTERS).collect();
        if text.len() < sample[at].len() {
            text.push('…');
        }
        Some(Example { term: term.term.clone(), text })
    };
    debug_assert_eq!(sample.len(), bags.len(), "a bag a text, of {}", artifact.classes().len());
    more.filter_map(example).take(EXAMPLES).collect()
}

pub(super) fn notes(
    job: &WatchJob,
    baseline: &Baseline,
    artifact: &Artifact,
    window: &Window,
    tally: &Tally,
    truth: &Truth,
) -> Vec<String> {
    let mut notes = Vec::new();
    let documents = window.columns.documents;
    if baseline.info.scores.is_empty() && !artifact.intercepts().is_empty() {
        notes.push(
            "The baseline has no held-out files: the mix of predicted labels and the score are not compared.".into(),
        );
    }
    if baseline.info.artifact != artifact.manifest().checksum {
        notes.push(
            "The baseline was made with another artifact than the one at hand; make it again after a training.".into(),
        );
    }
    if (1..FEW).contains(&documents) {
        notes.push(format!("With {documents} documents only very large differences can be told from chance."));
    }
    if (1..domain::LEAST as u64).contains(&window.texts) {
        notes.push(format!(
            "With {} texts, fewer than {}, no classifier is trained to tell them from the baseline's.",
            window.texts,
            domain::LEAST
        ));
    }
    if let Some(first) = tally.first_unreadable() {
        notes.push(format!("The first request that could not be read: {first}"));
    }
    if job.truth.is_some() {
        let joined = window.joined.slices.get("").map_or(0, |(_, all)| *all);
        notes.push(format!("Labels for {} requests, of which {joined} predictions of this window.", truth.len()));
    }
    if truth.damaged > 0 {
        notes.push(format!("{} lines of ground truth are none, such as {}", truth.damaged, truth.damaged_lines[0]));
    }
    notes
}

pub(super) fn estimated(baseline: &Baseline, found: &Estimate, domain: Option<&Found>) -> Option<AccuracyEstimate> {
    let before = baseline.info.accuracy.as_ref()?;
    let (area, more, apart) = DOUBTED;
    let mut doubts = Vec::new();
    if let Some(domain) = domain.filter(|domain| domain.classifier.auc > area) {
        doubts.push(format!(
            "a classifier tells these documents from the baseline's (area {:.2})",
            domain.classifier.auc
        ));
    }
    if found.unknown - before.unknown > more {
        doubts.push(format!("{:.0} % of the terms are unknown", found.unknown * 100.0));
    }
    if (found.by_confidence - found.by_mix).abs() > apart {
        doubts.push("the classes' shares changed, and whether really or by mistake cannot be seen".into());
    }
    Some(AccuracyEstimate {
        accuracy: found.accuracy,
        interval: found.interval,
        by_confidence: found.by_confidence,
        by_mix: found.by_mix,
        baseline: before.accuracy,
        baseline_documents: before.documents,
        unreliable: (!doubts.is_empty()).then(|| doubts.join("; ")),
    })
}

pub(super) fn measured(baseline: &Baseline, joined: &Joined) -> Option<MeasuredAccuracy> {
    let of = |slice: &str, (right, all): (u64, u64)| SliceAccuracy {
        slice: slice.into(),
        accuracy: right as f64 / all.max(1) as f64,
        interval: wilson(right, all),
        documents: all,
    };
    let all = joined.slices.get("")?;
    Some(MeasuredAccuracy {
        all: of("", *all),
        slices: joined.slices.iter().filter(|(name, _)| !name.is_empty()).map(|(name, n)| of(name, *n)).collect(),
        baseline: baseline.info.accuracy.as_ref().map(|accuracy| accuracy.accuracy),
    })
}

pub(super) fn timeline(baseline: &Baseline, artifact: &Artifact, window: &Window) -> Timeline {
    let classes = artifact.classes();
    let class = match (classes, window.columns.labels().iter().max_by_key(|(_, n)| **n)) {
        ([_, second], _) => second.clone(),
        (_, Some((most, _))) => most.clone(),
        _ => super::first_class(artifact).to_string(),
    };
    let (slope, offset) = impact::log_odds(artifact).first().copied().unwrap_or((1.0, 0.0));
    let log_odds = |score: f64| slope * score + offset;
    let mean = |moments: &Moments| (moments.count > 0).then_some(moments.mean);
    let share = |labels: &BTreeMap<String, u64>| {
        let all: u64 = labels.values().sum();
        (all > 0).then(|| labels.get(&class).copied().unwrap_or(0) as f64 / all as f64)
    };
    let before = baseline.statistics.feature(PREDICTED_LABEL).and_then(|feature| {
        let labels = feature.categories()?;
        share(&labels.into_iter().map(|(label, n)| (label.to_string(), n)).collect())
    });
    let unknown = baseline.statistics.feature(Numeric::UnknownTerms.name());
    let slots = window.slots.clone().timeline(SLOTS);
    Timeline {
        baseline: [
            unknown.and_then(|feature| feature.numerical_statistics.as_ref()?.mean),
            baseline.means.scores.first().map(|moments| log_odds(moments.mean)),
            baseline.info.accuracy.as_ref().map(|accuracy| accuracy.accuracy),
            before,
        ],
        slots: slots
            .into_iter()
            .map(|(start, slot)| TimeSlot {
                start: start.to_string(),
                documents: slot.documents,
                unknown: mean(&slot.unknown),
                score: mean(&slot.score).map(log_odds),
                accuracy: mean(&slot.right),
                class_share: share(&slot.labels),
            })
            .collect(),
        class,
    }
}

pub(super) fn records(personal: &Personal) -> Vec<RecordCheck> {
    let check =
        |(kind, documents, title): (&str, u64, &str)| RecordCheck { kind: kind.into(), title: title.into(), documents };
    personal.kinds().map(check).into()
}

/// What rules can ask for by name.
pub(super) fn figures(report: &DriftReport, columns: &Columns) -> BTreeMap<String, f64> {
    let mut named: BTreeMap<String, f64> = BTreeMap::new();
    let mut name = |name: String, value: f64| {
        named.insert(name, value);
    };
    name("documents".into(), report.documents as f64);
    name("requests".into(), report.requests as f64);
    name("unreadable_requests".into(), report.unreadable_requests as f64);
    name("damaged_lines".into(), report.damaged as f64);
    for feature in Numeric::ALL.iter().filter(|feature| !columns.values(**feature).is_empty()) {
        name(format!("mean({})", feature.name()), columns.values(*feature).moments().mean);
    }
    if let [first] = report.scores.as_slice() {
        name("mean(log_odds)".into(), first.window);
    }
    report.checks.iter().for_each(|check| name(format!("drift({})", check.feature), check.value));
    report.distributions.iter().for_each(|d| name(format!("psi({})", d.feature), d.psi));
    report.records.iter().for_each(|record| name(format!("records({})", record.kind), record.documents as f64));
    if let Some(accuracy) = &report.accuracy {
        name("accuracy".into(), accuracy.accuracy);
    }
    if let Some(measured) = &report.measured {
        name("measured_accuracy".into(), measured.all.accuracy);
    }
    if let Some(domain) = &report.domain {
        name("domain".into(), domain.auc);
    }
    named
}

/// Whole numbers whole, others with four digits.
pub(super) fn short(value: f64) -> String {
    if value.fract() == 0.0 { format!("{value:.0}") } else { format!("{value:.4}") }
}
