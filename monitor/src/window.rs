//! What a window's exchanges add up to, in room that does not grow with them.

mod slots;

use std::collections::HashMap;

use jiff::Timestamp;
use model::{Artifact, ArtifactError, DocumentValues};

pub use slots::{Slot, Slots};

use crate::baseline::Baseline;
use crate::capture::{Exchange, Place};
use crate::config::Config;
use crate::draw::Draw;
use crate::expected::Evidence;
use crate::features::Columns;
use crate::personal::Personal;
use crate::rules::Counted;
use crate::stats::sample::{Moments, Sample};
use crate::truth::{Joined, Truth};

/// Documents that are looked at one by one: for their language, for the domain classifier, as examples.
pub const SAMPLED: usize = 2000;
/// Most characters of such a document that are kept.
const SAMPLED_CHARACTERS: usize = 20_000;
/// Most different new terms that are counted; later ones go uncounted.
const NEW_TERMS_COUNTED: usize = 200_000;

/// What a document is held against.
#[derive(Clone, Copy)]
pub struct Against<'a> {
    /// Whose traffic it is.
    pub artifact: &'a Artifact,
    /// What it was before.
    pub baseline: &'a Baseline,
    /// What is asked for beside.
    pub config: &'a Config,
    /// Labels that came later.
    pub truth: &'a Truth,
}

/// Sums over documents.
pub struct Window {
    /// Features.
    pub columns: Columns,
    /// Documents of the window that hold a token the training text does not have.
    pub new_terms: HashMap<String, u64>,
    /// Documents whose text is there.
    pub texts: u64,
    /// Of these, those that hold each token of the baseline, by number.
    pub rates: Vec<u32>,
    /// Sum of each term's values, shape (terms, sets).
    pub values: Vec<f64>,
    /// Scores before calibration, a sample a weight vector.
    pub scores: Vec<Sample>,
    /// What is known of how right the predictions are.
    pub evidence: Evidence,
    /// Predictions whose true label is known.
    pub joined: Joined,
    /// A random few of the texts.
    pub sample: Draw<String>,
    /// The window in time.
    pub slots: Slots,
    /// Records that nobody should have sent.
    pub personal: Personal,
    /// Documents that meet the conditions of rules.
    pub counted: Counted,
    /// When the last request was answered.
    pub last: Option<Timestamp>,
    /// Damage of the artifact, which ends the job.
    pub damage: Option<ArtifactError>,
    seen: Vec<u64>,
    new: Vec<String>,
    document: DocumentValues,
}

impl Window {
    /// Nothing yet.
    pub fn new(against: Against, slots: Slots) -> Self {
        let (artifact, known) = (against.artifact, against.baseline.terms.counts().len());
        let vectors = artifact.intercepts().len();
        Self {
            columns: Columns::default(),
            new_terms: HashMap::new(),
            texts: 0,
            rates: vec![0; known],
            values: vec![0.0; if vectors == 0 { 0 } else { artifact.terms() * artifact.value_sets() }],
            scores: vec![Sample::default(); vectors],
            evidence: Evidence::default(),
            joined: Joined::default(),
            sample: Draw::of(SAMPLED),
            slots,
            personal: Personal::default(),
            counted: Counted::of(&against.config.rules),
            last: None,
            damage: None,
            seen: vec![0; known],
            new: Vec::new(),
            document: DocumentValues::default(),
        }
    }

    /// One more request.
    pub fn add(&mut self, against: Against, place: Place, exchange: &Exchange) {
        let (texts, answers) = (exchange.texts.as_deref(), exchange.answers.as_deref());
        let records = texts.map(<[_]>::len).or(answers.map(<[_]>::len)).unwrap_or_default();
        self.columns.documents += records as u64;
        self.last = self.last.max(Some(exchange.time));
        let truth = exchange.id.as_deref().and_then(|id| against.truth.of(id));
        // Ground truth counts the records as they were sent.
        let sent = exchange.records.iter().enumerate().filter(|(_, kept)| **kept).map(|(at, _)| at);
        for (at, sent) in (0..records).zip(sent) {
            let answer = answers.map(|answers| &answers[at]);
            let mut slot = Slot::default();
            if let Some(answer) = answer {
                self.columns.add_prediction(&answer.label, answer.score);
            }
            if let Some(text) = texts.map(|texts| texts[at].as_str()) {
                let number = place.seed().wrapping_mul(0x1_0000_0001).wrapping_add(at as u64);
                if let Err(damaged) = self.add_text(against, text, &mut slot) {
                    self.damage.get_or_insert(damaged);
                    return;
                }
                self.sample.offer(number, || text.chars().take(SAMPLED_CHARACTERS).collect());
            }
            let label = answer.map(|answer| answer.label.as_str());
            let text = texts.map(|texts| texts[at].as_str());
            self.counted.add(against.artifact, text, label);
            if let (Some(label), Some(truth)) = (label, truth.and_then(|labels| labels.get(sent))) {
                self.joined.add(label, truth, text.map(|_| &slot));
            }
            slot.documents = 1;
            self.slots.add(exchange.time, label, &slot);
        }
    }

    fn add_text(&mut self, against: Against, text: &str, slot: &mut Slot) -> Result<(), ArtifactError> {
        let Against { artifact, baseline, .. } = against;
        self.texts += 1;
        let now = self.texts;
        let (new, seen, rates) = (&mut self.new, &mut self.seen, &mut self.rates);
        let features = baseline.terms.window_document(artifact, text, &mut |token, number, unknown| {
            if let Some(number) = number.map(|n| n as usize)
                && seen[number] != now
            {
                seen[number] = now;
                rates[number] += 1;
            }
            if unknown && number.is_none_or(|n| baseline.terms.counts()[n as usize].reference == 0) {
                new.push(token.to_string());
            }
        });
        self.columns.add_text(features);
        self.personal.add(text, features.terms, against.config.longest);
        self.add_new();
        slot.unknown.add(features.unknown_share());
        slot.characters = features.characters;
        if self.scores.is_empty() {
            return Ok(());
        }
        artifact.document_values(text, &mut self.document)?;
        let DocumentValues { terms, values, scores } = &self.document;
        let sets = artifact.value_sets();
        for (&term, values) in terms.iter().zip(values.chunks_exact(sets)) {
            let sums = &mut self.values[term as usize * sets..][..sets];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        self.scores.iter_mut().zip(scores).for_each(|(sample, &score)| sample.add(score));
        slot.score.add(scores[0]);
        let right = self.evidence.add(artifact, baseline.info.accuracy.as_ref(), &self.document, &features);
        if let Some(right) = right {
            slot.right.add(right);
        }
        Ok(())
    }

    /// Each new term counts once a document.
    fn add_new(&mut self) {
        self.new.sort_unstable();
        self.new.dedup();
        for term in self.new.drain(..) {
            if let Some(documents) = self.new_terms.get_mut(&term) {
                *documents += 1;
            } else if self.new_terms.len() < NEW_TERMS_COUNTED {
                self.new_terms.insert(term, 1);
            }
        }
    }

    /// Those of both; the other one's are the later.
    pub fn merge(&mut self, other: Window) {
        self.columns.merge(other.columns);
        for (term, documents) in other.new_terms {
            *self.new_terms.entry(term).or_default() += documents;
        }
        self.texts += other.texts;
        self.rates.iter_mut().zip(other.rates).for_each(|(sum, more)| *sum += more);
        self.values.iter_mut().zip(other.values).for_each(|(sum, more)| *sum += more);
        self.scores.iter_mut().zip(other.scores).for_each(|(sum, more)| sum.merge(more));
        self.evidence.merge(&other.evidence);
        self.joined.merge(other.joined);
        self.sample.merge(other.sample);
        self.slots.merge(other.slots);
        self.personal.merge(&other.personal);
        self.counted.merge(&other.counted);
        self.last = self.last.max(other.last);
        self.damage = self.damage.take().or(other.damage);
    }

    /// Mean of each score, a weight vector.
    pub fn score_moments(&self) -> Vec<Moments> {
        self.scores.iter().map(|sample| *sample.moments()).collect()
    }
}
