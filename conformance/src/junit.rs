//! The report as JUnit XML, which every CI reads: a suite a contract, a case a check.

use std::io;

use quick_xml::{
    Writer,
    events::{BytesDecl, BytesText, Event},
};

use crate::{
    contract::{Contract, DOCUMENTATION},
    report::{Finding, Report, Verdict},
};

/// Writes the report.
pub fn write(report: &Report, to: impl io::Write) -> io::Result<()> {
    let mut xml = Writer::new_with_indent(to, b' ', 2);
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let suites = xml.create_element("testsuites").with_attributes([
        ("name", "SageMaker conformance"),
        ("tests", &*report.findings.len().to_string()),
        ("failures", &*report.failed.to_string()),
        ("skipped", &*report.not_applicable.to_string()),
    ]);
    suites
        .write_inner_content(|xml| Contract::ALL.into_iter().try_for_each(|contract| suite(xml, report, contract)))?;
    xml.into_inner().write_all(b"\n")
}

fn suite<W: io::Write>(xml: &mut Writer<W>, report: &Report, contract: Contract) -> io::Result<()> {
    let findings: Vec<&Finding> = report.findings.iter().filter(|x| x.check.contract == contract).collect();
    let count = |of: fn(&Verdict) -> bool| findings.iter().filter(|x| of(&x.verdict)).count().to_string();
    let suite = xml.create_element("testsuite").with_attributes([
        ("name", &*contract.to_string()),
        ("tests", &*findings.len().to_string()),
        ("failures", &*count(|v| matches!(v, Verdict::Fail { .. }))),
        ("skipped", &*count(|v| matches!(v, Verdict::NotApplicable { .. }))),
    ]);
    suite.write_inner_content(|xml| findings.iter().try_for_each(|finding| case(xml, finding)))?;
    Ok(())
}

fn case<W: io::Write>(xml: &mut Writer<W>, finding: &Finding) -> io::Result<()> {
    let Finding { check, verdict } = finding;
    let class = format!("conformance.{}", check.contract);
    let case = xml.create_element("testcase").with_attributes([("classname", &*class), ("name", check.name())]);
    match verdict {
        Verdict::Pass { .. } => case.write_empty()?,
        Verdict::NotApplicable { reason } => case.write_inner_content(|xml| {
            xml.create_element("skipped").with_attribute(("message", &*clean(reason))).write_empty().map(drop)
        })?,
        Verdict::Fail { expected, seen } => case.write_inner_content(|xml| {
            let section = check.section;
            let text = format!(
                "expected: {expected}\nseen: {seen}\ncontract: {}\nwhere: {}\n{DOCUMENTATION}{}",
                check.says, section.title, section.page
            );
            let failure = xml.create_element("failure").with_attribute(("message", &*clean(expected)));
            failure.write_text_content(BytesText::new(&clean(&text))).map(drop)
        })?,
    };
    Ok(())
}

/// Without the characters that XML 1.0 cannot hold.
fn clean(text: &str) -> String {
    text.chars()
        .map(|c| {
            if matches!(c, '\u{fffe}' | '\u{ffff}') || c.is_control() && !matches!(c, '\n' | '\t') {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
