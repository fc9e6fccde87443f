//! A run: captured traffic of a window, held against the baseline, written down.

mod summary;

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use model::Artifact;
use report::DriftReport;
use report::drift::Violation;
use serde::Serialize;

use crate::baseline::Baseline;
use crate::capture::{self, Tally};
use crate::checks::{self, Shown};
use crate::config::Config;
use crate::constraints::{Constraints, Switch};
use crate::domain::{self, Bag};
use crate::error::Result;
use crate::ledger::Ledger;
use crate::rules::Figures;
use crate::settings::WatchJob;
use crate::statistics::Statistics;
use crate::truth::Truth;
use crate::window::{Against, Slots, Window};
use crate::{archive, expected, files, impact, language, metrics, programs, terms};

/// Threads that share a window's documents; a fixed number, so that every machine sums up in the same order.
const LANES: usize = 4;

/// `constraint_violations.json`.
#[derive(Serialize)]
struct Violations<'v> {
    violations: &'v [Violation],
}

/// Reads, compares, writes the results to the job's output folder (and metrics below `root`), gives back the report, which
/// shows the windows of `ledger` before this one.
pub fn run(job: &WatchJob, root: &Path, now: Timestamp, ledger: &Ledger) -> Result<DriftReport> {
    let config = Config::read(job.config.as_deref())?;
    let unpacked = archive::open(&job.model)?;
    let artifact = unpacked.artifact();
    let baseline = Baseline::load(&job.statistics, &job.constraints, artifact)?;
    let truth = job.truth.as_deref().map(Truth::read).transpose()?.unwrap_or_default();
    let against = Against { artifact, baseline: &baseline, config: &config, truth: &truth };
    let (window, tally) = read(job, against)?;
    let statistics = Statistics::of(&window.columns, &|_| true, &|_| window.columns.documents);
    let (columns, last) = (window.columns.clone(), window.last);
    let mut report = compare(job, against, window, tally)?;
    report.history = ledger.before(job.window.end);
    for program in &config.programs {
        match programs::run(program, job)? {
            Ok(violations) => report.violations.extend(violations),
            Err(why) => report.notes.push(why),
        }
    }
    let monitoring = &baseline.constraints.monitoring_config;
    let constraints = Constraints::suggested(&statistics, artifact.classes(), monitoring);
    files::write_json(&job.output.join("statistics.json"), &statistics)?;
    files::write_json(&job.output.join("constraints.json"), &constraints)?;
    files::write_json(&job.output.join("drift.json"), &report)?;
    files::write(&job.output.join("report.html"), report::drift::html(&report).as_bytes())?;
    files::write(&job.output.join("report.md"), report::drift::markdown(&report).as_bytes())?;
    let violations = Violations { violations: &report.violations };
    files::write_json(&job.output.join("constraint_violations.json"), &violations)?;
    if job.publish_metrics && monitoring.emit_metrics == Switch::Enabled {
        let time = job.window.end.or(last).unwrap_or(now).to_string();
        let path = root.join("output/metrics/cloudwatch/cloudwatch_metrics.jsonl");
        // Of the windows before, where a job does several.
        let before = std::fs::read_to_string(&path).unwrap_or_default();
        let lines = before + &metrics::lines(job, &report, &columns, &time);
        files::write(&path, lines.as_bytes())?;
        // The container's log is what reaches CloudWatch where no Model Monitor carries the file.
        println!("{}", metrics::embedded(job, &report, now));
    }
    Ok(report)
}

/// All requests of the window, summed up.
fn read(job: &WatchJob, against: Against) -> Result<(Window, Tally)> {
    let mut lanes: Vec<Window> = (0..LANES).map(|_| Window::new(against, Slots::of(job.window))).collect();
    let tally = capture::read(&job.dataset, job.halves, job.window, &mut lanes, &|window, place, exchange| {
        window.add(against, place, &exchange);
    })?;
    let mut lanes = lanes.into_iter();
    let mut window = lanes.next().unwrap_or_else(|| Window::new(against, Slots::of(job.window)));
    lanes.for_each(|other| window.merge(other));
    match window.damage.take() {
        Some(damaged) => Err(damaged.into()),
        None => Ok((window, tally)),
    }
}

/// Everything that the window shows.
fn compare(job: &WatchJob, against: Against, window: Window, tally: Tally) -> Result<DriftReport> {
    let Against { artifact, baseline, config, truth } = against;
    let moved = terms::moved(
        artifact,
        &baseline.terms,
        baseline.info.reference_documents,
        window.texts,
        &window.rates,
        &window.new_terms,
    )?;
    let scores = window.score_moments();
    let shifts = impact::shifts(artifact, &baseline.means, &window.values, &scores)?;
    let sample = window.sample.clone().into_items();
    let languages = language::mix(sample.iter().map(String::as_str));
    let bags: Vec<Bag> = sample.iter().map(|text| domain::bag(artifact, text)).collect();
    let domain = domain::compare(&baseline.sample, &bags);
    let foreign = language::foreign(&baseline.info.languages, &languages);
    let estimate = match &baseline.info.accuracy {
        Some(before) => {
            let sample = expected::probabilities(artifact, &sample)?;
            let beside = expected::Beside { foreign, sample, domain: domain.as_ref() };
            window.evidence.estimate(before, artifact.classes().len(), &beside)
        }
        None => None,
    };
    let measured = window.joined.slices.get("").copied();
    let shown = Shown {
        columns: &window.columns,
        moved: &moved,
        scores: &scores,
        shifts: &shifts,
        domain: domain.as_ref(),
        languages: &languages,
        estimate: estimate.as_ref(),
        measured,
    };
    let findings = checks::compare(baseline, shown);
    let mut report = DriftReport {
        format: report::drift::FORMAT.into(),
        endpoint: job.endpoint.clone(),
        start: job.window.start.map(|t| t.to_string()),
        end: job.window.end.map(|t| t.to_string()),
        requests: tally.requests,
        documents: window.columns.documents,
        unreadable_requests: tally.unreadable,
        damaged: tally.damaged,
        damaged_lines: tally.damaged_lines(),
        baseline_documents: baseline.info.reference_documents,
        distributions: crate::distributions::side_by_side(baseline, &window.columns, &languages),
        new_terms: summary::new_terms(&window.new_terms),
        examples: if config.texts { summary::examples(artifact, &moved, &sample, &bags) } else { Vec::new() },
        notes: summary::notes(job, baseline, artifact, &window, &tally, truth),
        accuracy: estimate.and_then(|e| summary::estimated(baseline, &e, domain.as_ref())),
        measured: summary::measured(baseline, &window.joined),
        timeline: summary::timeline(baseline, artifact, &window),
        records: summary::records(&window.personal),
        domain: domain.map(|found| found.classifier),
        terms: moved.terms,
        tested_terms: moved.tested,
        scores: shifts,
        checks: findings.checks,
        violations: findings.violations,
        rules: Vec::new(),
        history: Vec::new(),
    };
    let figures = Figures { named: summary::figures(&report, &window.columns), counted: window.counted };
    apply(config, &figures, &mut report);
    Ok(report)
}

/// Holds the window's figures against the rules.
fn apply(config: &Config, figures: &Figures, report: &mut DriftReport) {
    for rule in &config.rules {
        let mut asked = Vec::new();
        rule.when.figures(&mut asked);
        let mut values: BTreeMap<String, Option<f64>> = BTreeMap::new();
        asked.iter().for_each(|figure| {
            values.insert(figure.to_string(), figure.value(figures));
        });
        let violated = rule.when.holds(figures);
        let shown = |(name, value): (&String, &Option<f64>)| match value {
            Some(value) => format!("{name} = {}", summary::short(*value)),
            None => format!("{name} is not known"),
        };
        let sentence = values.iter().map(shown).collect::<Vec<_>>().join(", ");
        match violated {
            Some(true) => report.violations.push(Violation {
                feature_name: rule.name.clone(),
                constraint_check_type: "business_rule_check".into(),
                description: format!("Rule `{}`: {sentence}.", rule.text),
            }),
            None => report.notes.push(format!("Rule {} could not be decided: {sentence}.", rule.name)),
            Some(false) => {}
        }
        report.rules.push(report::drift::RuleVerdict {
            name: rule.name.clone(),
            rule: rule.text.clone(),
            violated,
            figures: values.into_iter().collect(),
        });
    }
}

/// The classes' name for the first weight vector.
fn first_class(artifact: &Artifact) -> &str {
    let classes = artifact.classes();
    if classes.len() == 2 { &classes[1] } else { &classes[0] }
}
