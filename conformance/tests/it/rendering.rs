//! What the report looks like: for people, and for a CI.

use conformance::{CHECKS, Contract, Verdict};
use quick_xml::{Reader, events::Event};

use crate::lab::{Lab, container};

#[test]
fn checks_have_names_of_their_contract_and_no_two_the_same() {
    let mut names: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
    for check in CHECKS {
        assert_eq!(check.id, format!("{}.{}", check.contract, check.name()));
        assert!(
            !check.says.is_empty() && check.section.page.contains(".html") && check.says.len() <= 52,
            "{}",
            check.id
        );
    }
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CHECKS.len());
}

#[test]
fn the_documentation_names_every_check() {
    let documentation = include_str!("../../../docs/conformance.md");
    for check in CHECKS {
        let row = format!("| `{}` | {} |", check.id, check.says);
        assert!(documentation.contains(&row), "docs/conformance.md lacks the row: {row}");
    }
}

#[tokio::test]
async fn a_failure_is_told_with_what_was_expected_what_was_seen_and_where_it_is_written() {
    let report = Lab::new(&[Contract::Processing]).with_defect("accepts-bad-input").judge(&container()).await;
    let text = report.to_string();
    let detail = text.split_once("FAIL processing.failure").expect("the failure").1;
    for says in ["expected", "other than 0", "seen", "exit code 0", "contract", "where", "byoc-run-image.html"] {
        assert!(detail.contains(says), "{says}: {detail}");
    }
    assert!(text.trim_end().ends_with(&report.summary()), "{text}");
    let row =
        |line: &&str| line.contains('[') && ["  pass", "  FAIL", "  n/a"].iter().any(|word| line.starts_with(word));
    let columns: Vec<usize> = text.lines().filter(row).map(|line| line.find(']').expect("a section")).collect();
    assert_eq!(columns, vec![columns[0]; 6], "{text}");
    assert!(text.contains("n/a   all 11 checks: not asked for"), "{text}");
}

#[tokio::test]
async fn junit_is_well_formed_whatever_a_container_prints() {
    let mut report = Lab::new(&[Contract::Processing]).judge(&container()).await;
    let seen = "<b>&\"'\u{1}\u{1b}[31m]]>\u{ffff} ü\nnext".to_owned();
    report.findings[0].verdict = Verdict::Fail { expected: "a < b & \"c\"".to_owned(), seen };
    report.failed += 1;
    let mut xml = Vec::new();
    conformance::write_junit(&report, &mut xml).expect("written");
    let text = String::from_utf8(xml).expect("UTF-8");
    let (mut cases, mut failures, mut skipped) = (0, 0, 0);
    let mut reader = Reader::from_str(&text);
    loop {
        match reader.read_event().expect("well-formed") {
            Event::Start(tag) | Event::Empty(tag) => match tag.name().as_ref() {
                b"testcase" => cases += 1,
                b"failure" => failures += 1,
                b"skipped" => skipped += 1,
                _ => {}
            },
            Event::Eof => break,
            _ => {}
        }
    }
    assert_eq!((cases, failures), (CHECKS.len(), report.failed), "{text}");
    assert!(skipped >= report.not_applicable - 1, "{text}");
    assert!(!text.contains(['\u{1}', '\u{1b}', '\u{ffff}']), "{text}");
}
