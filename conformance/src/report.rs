//! What was found: one verdict a check, as a table for people and as values for machines.

use std::{collections::BTreeMap, fmt};

use serde::Serialize;

use crate::contract::{CHECKS, Check, Contract, DOCUMENTATION, Section};

/// Characters of what was seen that a row shows.
const SHOWN: usize = 100;

/// What a check came to.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "verdict", rename_all = "snake_case")]
pub enum Verdict {
    /// As the contract says.
    Pass {
        /// What was seen.
        seen: String,
    },
    /// Against the contract.
    Fail {
        /// What should have been.
        expected: String,
        /// What was.
        seen: String,
    },
    /// It could not be judged, or need not be.
    NotApplicable {
        /// Why.
        reason: String,
    },
}

/// A check with its verdict.
#[derive(Debug)]
pub struct Finding {
    /// The check.
    pub check: &'static Check,
    /// What it came to.
    pub verdict: Verdict,
}

impl Serialize for Finding {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            check: &'static str,
            contract: Contract,
            says: &'static str,
            section: &'static str,
            url: String,
            #[serde(flatten)]
            verdict: &'a Verdict,
        }
        let Check { id, contract, says, section } = *self.check;
        let url = format!("{DOCUMENTATION}{}", section.page);
        let shown = Shown { check: id, contract, says, section: section.title, url, verdict: &self.verdict };
        shown.serialize(serializer)
    }
}

/// All that was found.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was run.
    pub subject: String,
    /// Checks that passed.
    pub passed: usize,
    /// Checks that failed.
    pub failed: usize,
    /// Checks that were not judged.
    pub not_applicable: usize,
    /// Every check of the table, in its order.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(subject: String, mut verdicts: BTreeMap<&'static str, Verdict>) -> Report {
        let none = || Verdict::NotApplicable { reason: "not reached".to_owned() };
        let mut verdict = |check: &&'static Check| verdicts.remove(check.id).unwrap_or_else(none);
        let findings: Vec<_> = CHECKS.iter().map(|check| Finding { check, verdict: verdict(check) }).collect();
        let count = |of: fn(&Verdict) -> bool| findings.iter().filter(|finding| of(&finding.verdict)).count();
        Report {
            subject,
            passed: count(|v| matches!(v, Verdict::Pass { .. })),
            failed: count(|v| matches!(v, Verdict::Fail { .. })),
            not_applicable: count(|v| matches!(v, Verdict::NotApplicable { .. })),
            findings,
        }
    }

    /// The verdict of a check, by its name.
    pub fn verdict(&self, id: &str) -> Option<&Verdict> {
        self.findings.iter().find(|finding| finding.check.id == id).map(|finding| &finding.verdict)
    }

    /// `47 checks: 40 passed, 1 failed, 6 not applicable`.
    pub fn summary(&self) -> String {
        let Report { passed, failed, not_applicable, findings, .. } = self;
        format!("{} checks: {passed} passed, {failed} failed, {not_applicable} not applicable", findings.len())
    }
}

/// The sections in the order that the checks first name them: their place is their number.
fn sections<'a>(findings: impl Iterator<Item = &'a Finding>) -> Vec<&'static Section> {
    let mut found: Vec<&'static Section> = Vec::new();
    for finding in findings {
        if !found.iter().any(|section| std::ptr::eq(*section, finding.check.section)) {
            found.push(finding.check.section);
        }
    }
    found
}

/// Why none of them was judged, where that is one reason.
fn same_reason<'a>(findings: &[&'a Finding]) -> Option<&'a str> {
    let reason = |finding: &&'a Finding| match &finding.verdict {
        Verdict::NotApplicable { reason } => Some(reason.as_str()),
        _ => None,
    };
    let first = reason(findings.first()?)?;
    findings.iter().all(|finding| reason(finding) == Some(first)).then_some(first)
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.subject)?;
        let sections = sections(self.findings.iter());
        let number = |check: &Check| sections.iter().position(|s| std::ptr::eq(*s, check.section)).unwrap_or(0) + 1;
        let widest = |of: fn(&Check) -> &str| self.findings.iter().map(|x| of(x.check).len()).max().unwrap_or(0);
        let (name, says) = (widest(|c| c.name()), widest(|c| c.says));
        for contract in Contract::ALL {
            let findings: Vec<&Finding> = self.findings.iter().filter(|x| x.check.contract == contract).collect();
            writeln!(f, "\n{contract}")?;
            if let Some(reason) = same_reason(&findings) {
                writeln!(f, "  n/a   all {} checks: {reason}", findings.len())?;
                continue;
            }
            for Finding { check, verdict } in findings {
                let (word, seen) = match verdict {
                    Verdict::Pass { seen } => ("pass", seen),
                    Verdict::Fail { seen, .. } => ("FAIL", seen),
                    Verdict::NotApplicable { reason } => ("n/a", reason),
                };
                let mark = format!("[{}]", number(check));
                let seen: String = seen.lines().next().unwrap_or_default().chars().take(SHOWN).collect();
                writeln!(f, "  {word:<4}  {:<name$}  {mark:>4} {:<says$}  {seen}", check.name(), check.says)?;
            }
        }
        writeln!(f, "\nwhere it says so, below {DOCUMENTATION}")?;
        for (number, section) in (1..).zip(&sections) {
            writeln!(f, "  {:>4} {}\n       {}", format!("[{number}]"), section.title, section.page)?;
        }
        for Finding { check, verdict } in &self.findings {
            if let Verdict::Fail { expected, seen } = verdict {
                writeln!(f, "\nFAIL {}", check.id)?;
                let place = format!("{}\n{DOCUMENTATION}{}", check.section.title, check.section.page);
                for (word, text) in
                    [("expected", expected.as_str()), ("seen", seen), ("contract", check.says), ("where", &place)]
                {
                    for (n, line) in text.lines().enumerate() {
                        writeln!(f, "  {:<9} {line}", if n == 0 { word } else { "" })?;
                    }
                }
            }
        }
        write!(f, "\n{}", self.summary())
    }
}
