//! A run: captured traffic of a window, held against the baseline, written down.

use std::collections::HashMap;
use std::path::Path;

use jiff::Timestamp;
use report::DriftReport;
use report::drift::{NewTerm, Violation};
use serde::Serialize;

use crate::baseline::Baseline;
use crate::capture::{self, Exchange, Tally};
use crate::checks::{self, Findings};
use crate::constraints::{Constraints, Switch};
use crate::error::Result;
use crate::features::Columns;
use crate::settings::WatchJob;
use crate::statistics::Statistics;
use crate::{archive, distributions, files, metrics};

/// New terms that a report names.
const NEW_TERMS: usize = 30;
/// Most different new terms that are counted; later ones go uncounted.
const NEW_TERMS_COUNTED: usize = 200_000;
/// With fewer documents only very large differences can be told from chance, and the report says so.
const FEW: u64 = 30;

/// `constraint_violations.json`.
#[derive(Serialize)]
struct Violations<'v> {
    violations: &'v [Violation],
}

/// What a window's exchanges add up to.
#[derive(Default)]
struct Window {
    columns: Columns,
    new_terms: HashMap<String, u64>,
    last: Option<Timestamp>,
}

/// Reads, compares, writes five files to the job's output folder (and metrics below `root`), gives back the report.
pub fn run(job: &WatchJob, root: &Path, now: Timestamp) -> Result<DriftReport> {
    let unpacked = archive::open(&job.model)?;
    let artifact = unpacked.artifact();
    let baseline = Baseline::load(&job.statistics, &job.constraints, artifact)?;
    let mut window = Window::default();
    let tally = capture::read(&job.dataset, job.halves, job.window, &mut |exchange| {
        window.add(&exchange, artifact, &baseline);
    })?;
    let findings = checks::compare(&baseline, &window.columns);
    let notes = notes(&baseline, &artifact.manifest().checksum, &window.columns, &tally);
    let report = report(job, &baseline, &window, tally, findings, notes);

    let statistics = Statistics::of(&window.columns, &|_| true, &|_| window.columns.documents);
    let config = &baseline.constraints.monitoring_config;
    let constraints = Constraints::suggested(&statistics, artifact.classes(), config);
    files::write_json(&job.output.join("statistics.json"), &statistics)?;
    files::write_json(&job.output.join("constraints.json"), &constraints)?;
    files::write_json(&job.output.join("drift.json"), &report)?;
    files::write(&job.output.join("report.html"), report::drift::html(&report).as_bytes())?;
    let violations = Violations { violations: &report.violations };
    files::write_json(&job.output.join("constraint_violations.json"), &violations)?;
    if job.publish_metrics && config.emit_metrics == Switch::Enabled {
        let time = job.window.end.or(window.last).unwrap_or(now).to_string();
        let lines = metrics::lines(job, &report, &window.columns, &time);
        files::write(&root.join("output/metrics/cloudwatch/cloudwatch_metrics.jsonl"), lines.as_bytes())?;
    }
    Ok(report)
}

impl Window {
    fn add(&mut self, exchange: &Exchange, artifact: &model::Artifact, baseline: &Baseline) {
        let texts = exchange.texts.as_deref().unwrap_or_default();
        let answers = exchange.answers.as_deref().unwrap_or_default();
        self.columns.documents += texts.len().max(answers.len()) as u64;
        self.last = self.last.max(Some(exchange.time));
        for text in texts {
            let mut new = Vec::new();
            let features = baseline.terms.window_document(artifact, text, &mut |term| new.push(term.to_string()));
            self.columns.add_text(features);
            self.add_new(new);
        }
        for answer in answers {
            self.columns.add_prediction(&answer.label, answer.score);
        }
    }

    /// Each term counts once a document.
    fn add_new(&mut self, mut terms: Vec<String>) {
        terms.sort_unstable();
        terms.dedup();
        for term in terms {
            if let Some(documents) = self.new_terms.get_mut(&term) {
                *documents += 1;
            } else if self.new_terms.len() < NEW_TERMS_COUNTED {
                self.new_terms.insert(term, 1);
            }
        }
    }

    /// Those of two documents or more (a term of one is in every window), most frequent first, equal ones by name.
    fn most_frequent_new(&self) -> Vec<NewTerm> {
        let mut terms: Vec<NewTerm> =
            self.new_terms.iter().map(|(term, &documents)| NewTerm { term: term.clone(), documents }).collect();
        terms.retain(|term| term.documents > 1);
        terms.sort_unstable_by(|a, b| b.documents.cmp(&a.documents).then_with(|| a.term.cmp(&b.term)));
        terms.truncate(NEW_TERMS);
        terms
    }
}

fn report(
    job: &WatchJob,
    baseline: &Baseline,
    window: &Window,
    tally: Tally,
    findings: Findings,
    notes: Vec<String>,
) -> DriftReport {
    DriftReport {
        format: report::drift::FORMAT.into(),
        endpoint: job.endpoint.clone(),
        start: job.window.start.map(|t| t.to_string()),
        end: job.window.end.map(|t| t.to_string()),
        requests: tally.requests,
        documents: window.columns.documents,
        unreadable_requests: tally.unreadable,
        damaged_lines: tally.damaged_lines,
        damaged: tally.damaged,
        baseline_documents: baseline.info.documents,
        checks: findings.checks,
        distributions: distributions::side_by_side(baseline, &window.columns),
        new_terms: window.most_frequent_new(),
        violations: findings.violations,
        notes,
    }
}

fn notes(baseline: &Baseline, artifact: &str, window: &Columns, tally: &Tally) -> Vec<String> {
    let mut notes = Vec::new();
    if baseline.info.held_out_documents.is_none() {
        notes.push(
            "The baseline has no held-out files: the mix of predicted labels and the score are not compared.".into(),
        );
    }
    if baseline.info.artifact != artifact {
        notes.push(
            "The baseline was made with another artifact than the one at hand; make it again after a training.".into(),
        );
    }
    if (1..FEW).contains(&window.documents) {
        notes.push(format!("With {} documents only very large differences can be told from chance.", window.documents));
    }
    if let Some(first) = &tally.first_unreadable {
        notes.push(format!("The first request that could not be read: {first}"));
    }
    notes
}
