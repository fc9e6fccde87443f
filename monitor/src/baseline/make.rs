//! A baseline job.

use model::{Artifact, ArtifactError, DocumentValues};

use super::{Baseline, CONSTRAINTS, FORMAT, INFO, Info, Means, Reference, SAMPLE, STATISTICS, TERMS, VALUES};
use super::{analyzer, files as own};
use crate::constraints::{Constraints, MonitoringConfig};
use crate::domain::{self, Bag};
use crate::draw::Draw;
use crate::error::{MonitorError, Result};
use crate::expected::{LEAST, Learner};
use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::known_terms::{Counter, KnownTerms, MOST};
use crate::settings::{BaselineJob, Halves};
use crate::statistics::Statistics;
use crate::stats::sample::Moments;
use crate::window::SAMPLED;
use crate::{archive, capture, documents, files, language};

/// Makes the baseline and leaves its files in the job's output folder; says what was done.
pub fn make(job: &BaselineJob) -> Result<String> {
    let unpacked = archive::open(&job.model)?;
    let artifact = unpacked.artifact();
    let baseline = of(job, artifact)?;
    files::write_json(&job.output.join(STATISTICS), &baseline.statistics)?;
    files::write_json(&job.output.join(CONSTRAINTS), &baseline.constraints)?;
    baseline.terms.save(&job.output.join(TERMS))?;
    own::save_values(&job.output.join(VALUES), &baseline.means.values, artifact.value_sets())?;
    own::save_sample(&job.output.join(SAMPLE), &baseline.sample)?;
    files::write_json(&job.output.join(INFO), &baseline.info)?;
    let info = &baseline.info;
    let traffic = match info.reference {
        Reference::Traffic => format!(", {} documents of traffic", info.reference_documents),
        Reference::TrainingText => String::new(),
    };
    let held_out = match (info.held_out_documents, info.reference) {
        (Some(documents), _) => format!("{documents} held-out documents"),
        (None, Reference::Traffic) => "no held-out documents: accuracy will not be estimated".into(),
        (None, Reference::TrainingText) => "no held-out documents: label mix and score will not be compared".into(),
    };
    Ok(format!("baseline of {} documents with {} terms{traffic}, {held_out}", info.documents, info.known_terms))
}

/// Two passes over the text: the second asks what the other documents know.
fn of(job: &BaselineJob, artifact: &Artifact) -> Result<Baseline> {
    let (mut counter, mut drawn) = (Counter::default(), Draw::of(SAMPLED));
    documents::each(&job.dataset, &job.columns, &mut |text, _| {
        drawn.offer(counter.documents(), || text.to_string());
        counter.add(artifact, text);
    })?;
    let documents = counter.documents();
    let empty = |folder: &std::path::Path, expected: &str| MonitorError::Data {
        file: folder.to_path_buf(),
        line: None,
        found: "no document".into(),
        expected: expected.into(),
    };
    if documents == 0 {
        return Err(empty(&job.dataset, "the files that the artifact was trained on"));
    }
    let mut traffic = None;
    if let Some(folder) = &job.traffic {
        (traffic, drawn) = (Some(Counter::default()), Draw::of(SAMPLED));
        let (counter, drawn) = (traffic.get_or_insert_default(), &mut drawn);
        captures(job, folder, &mut |text, _| {
            drawn.offer(counter.documents(), || text.to_string());
            counter.add(artifact, text);
            Ok(())
        })?;
        if counter.documents() == 0 {
            return Err(empty(folder, "captured requests in the window, with their input"));
        }
    }
    let (reference, reference_documents) = match &traffic {
        Some(traffic) => (Reference::Traffic, traffic.documents()),
        None => (Reference::TrainingText, documents),
    };
    let terms = counter.finish(traffic, MOST);
    let mut described = Described::new(artifact, reference_documents);
    if let Some(folder) = &job.traffic {
        captures(job, folder, &mut |text, answer| {
            described.columns.add_text(terms.window_document(artifact, text, &mut |_, _, _| {}));
            described.predicted(text, answer)
        })?;
    } else {
        documents::each(&job.dataset, &job.columns, &mut |text, _| {
            described.columns.add_text(terms.baseline_document(artifact, text));
        })?;
    }
    let (held_out_documents, learner) = held_out(job, artifact, &terms, &mut described)?;
    let Described { columns, documents: predicted, .. } = &described;
    let wanted = |name: &str| *predicted > 0 || (name != PREDICTED_LABEL && name != Numeric::Score.name());
    let of_feature = |name: &str| match *predicted {
        n if n > 0 && (name == PREDICTED_LABEL || name == Numeric::Score.name()) => n,
        _ => reference_documents,
    };
    let statistics = Statistics::of(columns, &wanted, &of_feature);
    let constraints = Constraints::suggested(&statistics, artifact.classes(), &MonitoringConfig::default());
    let texts = drawn.into_items();
    let means = described.means();
    let info = Info {
        format: FORMAT.into(),
        documents,
        reference,
        reference_documents,
        held_out_documents,
        least_documents: terms.least(),
        known_terms: terms.len() as u64,
        languages: language::mix(texts.iter().map(String::as_str)),
        scores: means.scores.clone(),
        accuracy: learner.and_then(Learner::finish),
        analyzer: analyzer(artifact),
        artifact: artifact.manifest().checksum.clone(),
    };
    let sample: Vec<Bag> = texts.iter().map(|text| domain::bag(artifact, text)).collect();
    Ok(Baseline { statistics, constraints, info, terms, means, sample })
}

type Visit<'v> = dyn FnMut(&str, Option<&capture::Answered>) -> Result<(), ArtifactError> + Send + 'v;

/// The texts of captured requests, with their answers where both were captured.
fn captures(job: &BaselineJob, folder: &std::path::Path, visit: &mut Visit) -> Result<()> {
    let both = Halves { input: true, output: true };
    let mut lane = (visit, Ok(()));
    capture::read(folder, both, job.window, std::slice::from_mut(&mut lane), &|(visit, damage), _, exchange| {
        let answers = exchange.answers.as_deref();
        for (at, text) in exchange.texts.iter().flatten().enumerate() {
            if damage.is_ok() {
                *damage = visit(text, answers.map(|answers| &answers[at]));
            }
        }
    })?;
    Ok(lane.1?)
}

/// What documents and their predictions add up to.
struct Described<'a> {
    artifact: &'a Artifact,
    columns: Columns,
    /// Documents with predictions.
    documents: u64,
    values: Vec<f64>,
    scores: Vec<Moments>,
    document: DocumentValues,
}

impl<'a> Described<'a> {
    fn new(artifact: &'a Artifact, documents: u64) -> Self {
        let vectors = artifact.intercepts().len();
        let values = if vectors == 0 { 0 } else { artifact.terms() * artifact.value_sets() };
        Self {
            artifact,
            columns: Columns::of(documents),
            documents: 0,
            values: vec![0.0; values],
            scores: vec![Moments::default(); vectors],
            document: DocumentValues::default(),
        }
    }

    /// A document's prediction: as it was answered, else as the artifact makes it.
    fn predicted(&mut self, text: &str, answer: Option<&capture::Answered>) -> Result<(), ArtifactError> {
        self.documents += 1;
        match answer {
            Some(answer) => self.columns.add_prediction(&answer.label, answer.score),
            None => {
                let prediction = self.artifact.predict(text)?;
                self.columns.add_prediction(&self.artifact.classes()[prediction.class], prediction.score());
            }
        }
        if self.scores.is_empty() {
            return Ok(());
        }
        self.artifact.document_values(text, &mut self.document)?;
        let sets = self.artifact.value_sets();
        for (&term, values) in self.document.terms.iter().zip(self.document.values.chunks_exact(sets)) {
            let sums = &mut self.values[term as usize * sets..][..sets];
            sums.iter_mut().zip(values).for_each(|(sum, value)| *sum += value);
        }
        self.scores.iter_mut().zip(&self.document.scores).for_each(|(moments, &score)| moments.add(score));
        Ok(())
    }

    fn means(mut self) -> Means {
        if self.documents == 0 {
            return Means::default();
        }
        self.values.iter_mut().for_each(|value| *value /= self.documents as f64);
        Means { values: self.values, scores: self.scores }
    }
}

/// Held-out files: for the predictions, where no traffic described them; for what labels say of confidence.
fn held_out(
    job: &BaselineJob,
    artifact: &Artifact,
    terms: &KnownTerms,
    described: &mut Described,
) -> Result<(Option<u64>, Option<Learner>)> {
    let Some(folder) = &job.held_out else { return Ok((None, None)) };
    let (mut documents, mut learner, mut damage) = (0, Learner::default(), Ok(()));
    let linear = !artifact.intercepts().is_empty();
    documents::each(folder, &job.columns, &mut |text, label| {
        documents += 1;
        if damage.is_ok() && job.traffic.is_none() {
            damage = described.predicted(text, None);
        }
        if let Some(label) = label.filter(|_| damage.is_ok() && linear) {
            let features = terms.window_document(artifact, text, &mut |_, _, _| {});
            damage = learner.add(artifact, text, label, &features);
        }
    })?;
    damage?;
    Ok((Some(documents), (documents >= LEAST && linear).then_some(learner)))
}
