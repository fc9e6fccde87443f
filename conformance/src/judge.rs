//! Collects verdicts while the scenarios run; the first word on a check stands.

use std::collections::BTreeMap;

use crate::{
    contract::{CHECKS, Check, Contract},
    report::{Report, Verdict},
};

/// Collects verdicts.
pub(crate) struct Judge<'a> {
    verdicts: BTreeMap<&'static str, Verdict>,
    skip: &'a [String],
    say: &'a (dyn Fn(&str) + Sync),
}

impl<'a> Judge<'a> {
    /// `skip`: names of checks that are not to be judged; `say`: takes lines of progress.
    pub fn new(skip: &'a [String], say: &'a (dyn Fn(&str) + Sync)) -> Self {
        Judge { verdicts: BTreeMap::new(), skip, say }
    }

    /// A line of progress.
    pub fn say(&self, line: &str) {
        (self.say)(line);
    }

    pub fn pass(&mut self, check: &'static Check, seen: impl Into<String>) {
        self.put(check, Verdict::Pass { seen: seen.into() });
    }

    pub fn fail(&mut self, check: &'static Check, expected: impl Into<String>, seen: impl Into<String>) {
        self.put(check, Verdict::Fail { expected: expected.into(), seen: seen.into() });
    }

    pub fn not_applicable(&mut self, check: &'static Check, reason: impl Into<String>) {
        self.put(check, Verdict::NotApplicable { reason: reason.into() });
    }

    /// `Ok`: what was seen; `Err`: what was expected and what was seen.
    pub fn decide(&mut self, check: &'static Check, found: Result<String, (String, String)>) {
        match found {
            Ok(seen) => self.pass(check, seen),
            Err((expected, seen)) => self.fail(check, expected, seen),
        }
    }

    /// Everything of a contract that has no verdict yet is not applicable.
    pub fn rest(&mut self, contract: Contract, reason: &str) {
        for check in CHECKS.iter().filter(|check| check.contract == contract) {
            self.not_applicable(check, reason);
        }
    }

    fn put(&mut self, check: &'static Check, verdict: Verdict) {
        let skipped = || Verdict::NotApplicable { reason: "skipped, as --skip asks".to_owned() };
        let verdict = if self.skip.iter().any(|id| id == check.id) { skipped() } else { verdict };
        self.verdicts.entry(check.id).or_insert(verdict);
    }

    pub fn report(self, subject: String) -> Report {
        Report::new(subject, self.verdicts)
    }
}
