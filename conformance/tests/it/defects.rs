//! A container with a defect fails the check that the defect is against, and no other.

use std::collections::BTreeSet;

use conformance::{Contract, Report, Verdict};
use tokio::task::JoinSet;

use crate::lab::{Lab, container, container_bound_by_variable, failed};

/// A defect of `examples/subject.rs`, and the checks that name it.
type Case = (&'static str, &'static [&'static str]);

const TRAINING: &[Case] = &[
    ("no-model", &["training.model"]),
    ("failure-on-success", &["training.no-failure-file"]),
    ("writes-input", &["training.input-untouched"]),
    ("strict-hyperparameters", &["training.quoted-hyperparameters"]),
    ("exit-0-on-failure", &["training.failure-exit"]),
    ("no-failure-file", &["training.failure-file"]),
    ("empty-failure-file", &["training.failure-file"]),
    ("ignores-term", &["training.sigterm"]),
];

const HOSTING: &[Case] = &[
    ("ping-body", &["hosting.ping-body"]),
    ("slow-ping", &["hosting.ping-time"]),
    ("no-content-type", &["hosting.content-type", "hosting.requests"]),
    ("other-type", &["hosting.content-type", "hosting.requests"]),
    ("takes-any-type", &["hosting.unknown-type"]),
    ("chokes-on-headers", &["hosting.headers"]),
    ("500-on-bad-body", &["hosting.malformed"]),
    ("writes-model", &["hosting.model-untouched"]),
    ("drops-in-flight", &["hosting.in-flight"]),
    ("ignores-term", &["hosting.sigterm"]),
];

const BATCH: &[Case] = &[("execution-parameters", &["batch.execution-parameters"]), ("drops-lines", &["batch.lines"])];

const MULTI_MODEL: &[Case] = &[
    ("loads-twice", &["multi-model.load-twice"]),
    ("loads-missing", &["multi-model.load-missing"]),
    ("lists-names", &["multi-model.list"]),
    ("200-for-unknown", &["multi-model.get-unknown", "multi-model.unloaded"]),
    ("500-for-unknown-model", &["multi-model.invoke-unknown", "multi-model.unloaded"]),
    ("keeps-unloaded", &["multi-model.unloaded"]),
];

const PROCESSING: &[Case] = &[
    ("writes-input", &["processing.input-untouched"]),
    ("links-output", &["processing.output"]),
    ("message-no-utf8", &["processing.message"]),
    ("accepts-bad-input", &["processing.failure"]),
];

async fn each(contract: Contract, cases: &'static [Case]) {
    // More at once would measure this machine.
    for cases in cases.chunks(2) {
        let mut judged = JoinSet::new();
        for (defect, checks) in cases {
            judged.spawn(async move {
                let report = Lab::new(&[contract]).with_defect(defect).judge(&container()).await;
                assert_eq!(failed(&report), checks.iter().copied().collect(), "{defect}:\n{report}");
            });
        }
        judged.join_all().await;
    }
}

#[tokio::test]
async fn defects_of_training_are_named() {
    each(Contract::Training, TRAINING).await;
}

#[tokio::test]
async fn defects_of_hosting_are_named() {
    each(Contract::Hosting, HOSTING).await;
}

#[tokio::test]
async fn defects_of_batch_are_named() {
    each(Contract::Batch, BATCH).await;
}

#[tokio::test]
async fn defects_of_multi_model_are_named() {
    each(Contract::MultiModel, MULTI_MODEL).await;
}

#[tokio::test]
async fn defects_of_processing_are_named() {
    each(Contract::Processing, PROCESSING).await;
}

#[tokio::test]
async fn a_server_that_is_never_healthy_fails_at_its_start_and_the_rest_is_not_judged() {
    let mut lab = Lab::new(&[Contract::Hosting, Contract::MultiModel]).with_defect("ping-status");
    lab.plan.limits.startup_seconds = 1;
    let report = lab.judge(&container()).await;
    assert_eq!(failed(&report), ["hosting.start", "multi-model.start"].into(), "{report}");
    let Some(Verdict::Fail { seen, .. }) = report.verdict("hosting.start") else { panic!("{report}") };
    assert!(seen.contains("/ping answered 404"), "{seen}");
    let reason = Verdict::NotApplicable { reason: "the server did not become healthy".to_owned() };
    assert_eq!(report.verdict("hosting.malformed"), Some(&reason));
}

#[tokio::test]
async fn a_server_that_dies_of_a_large_body_fails_there_and_is_told_to_have_ended() {
    let report = Lab::new(&[Contract::Hosting]).with_defect("drops-large").judge(&container()).await;
    let failed = failed(&report);
    assert!(failed.contains("hosting.payload-6mb") && failed.contains("hosting.sigterm"), "{report}");
    let Some(Verdict::Fail { seen, .. }) = report.verdict("hosting.sigterm") else { panic!("{report}") };
    assert!(seen.contains("exit code 3"), "{seen}");
}

#[tokio::test]
async fn a_server_that_does_not_listen_where_the_variable_says_is_named() {
    let mut lab = Lab::new(&[Contract::Hosting]).with_defect("ignores-port");
    lab.plan.hosting.bind_to_port = Some(true);
    lab.plan.limits.startup_seconds = 1;
    let report = lab.judge(&container_bound_by_variable()).await;
    assert!(failed(&report).contains("hosting.start"), "{report}");
}

/// Where this machine lets nobody take the network away, the checks are not applicable: then there is nothing to ask.
#[tokio::test]
async fn what_needs_a_network_is_named() {
    let all = [Contract::Training, Contract::Hosting, Contract::Processing];
    let report = Lab::new(&all).with_defect("needs-network").judge(&container()).await;
    for id in ["training.network-isolation", "hosting.network-isolation", "processing.network-isolation"] {
        match report.verdict(id) {
            Some(Verdict::Fail { seen, .. }) => assert!(seen.contains("there is no network"), "{id}: {seen}"),
            Some(Verdict::NotApplicable { reason }) => println!("skipped: {id}: {reason}"),
            other => panic!("{id}: {other:?}\n{report}"),
        }
    }
}

#[tokio::test]
async fn the_container_without_a_defect_passes_everything() {
    let report: Report = Lab::new(&[]).judge(&container()).await;
    assert_eq!((report.failed, failed(&report)), (0, BTreeSet::new()), "{report}");
    // What is left out is left out for a reason that is no fault of the container.
    let left: Vec<&str> = report
        .findings
        .iter()
        .filter(|finding| matches!(finding.verdict, Verdict::NotApplicable { .. }))
        .map(|finding| finding.check.id)
        .filter(|id| !id.ends_with("network-isolation") && !id.starts_with("image."))
        .collect();
    assert_eq!(left, ["hosting.bind-to-port"], "{report}");

    let mut lab = Lab::new(&[Contract::Hosting]);
    lab.plan.hosting.bind_to_port = Some(true);
    let report = lab.judge(&container_bound_by_variable()).await;
    assert!(matches!(report.verdict("hosting.bind-to-port"), Some(Verdict::Pass { .. })), "{report}");
    assert_eq!(report.failed, 0, "{report}");
}
