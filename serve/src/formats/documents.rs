//! The documents of one request, in its order, and the records of it that are none.

use crate::error::ApiError;
use std::borrow::Cow;
use std::fmt::Display;

/// What becomes of a record that is no document, where others of the request are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadRecord {
    /// It keeps its place, and is answered there with what is wrong with it.
    KeepsPlace,
    /// The answer has no room for that: the whole request is refused, by the record's name.
    RefusesAll,
}

/// Texts borrowed from the body wherever the format lets them be.
#[derive(Debug)]
pub struct Documents<'b> {
    records: Vec<Result<Cow<'b, str>, Box<str>>>,
    limit: usize,
    bad: BadRecord,
}

impl<'b> Documents<'b> {
    /// None yet; `limit` is the most records that are taken.
    pub fn new(limit: usize, bad: BadRecord) -> Self {
        Self { records: Vec::new(), limit, bad }
    }

    /// Takes a record's text; `name` is what the message calls it where it is refused.
    pub fn push(&mut self, text: Cow<'b, str>, name: impl Display) -> Result<(), ApiError> {
        match text.trim().is_empty() {
            false => self.add(Ok(text)),
            true => self.refuse(empty(name)),
        }
    }

    /// Takes the only text of a body: there is no other that a refusal would spare.
    pub fn push_only(&mut self, text: Cow<'b, str>, name: impl Display) -> Result<(), ApiError> {
        match text.trim().is_empty() {
            false => self.add(Ok(text)),
            true => Err(ApiError::BadBody(empty(name))),
        }
    }

    /// Takes a record that is no document, and why; where there is no room for that, refuses all.
    pub fn refuse(&mut self, why: String) -> Result<(), ApiError> {
        match self.bad {
            BadRecord::KeepsPlace => self.add(Err(why.into())),
            BadRecord::RefusesAll => Err(ApiError::BadBody(why)),
        }
    }

    /// Whether a bad record refuses all.
    pub(super) fn refuses_all(&self) -> bool {
        self.bad == BadRecord::RefusesAll
    }

    fn add(&mut self, record: Result<Cow<'b, str>, Box<str>>) -> Result<(), ApiError> {
        if self.records.len() == self.limit {
            return Err(ApiError::TooManyDocuments { limit: self.limit });
        }
        self.records.push(record);
        Ok(())
    }

    /// Forgets all records but the first so many.
    pub(super) fn truncate(&mut self, records: usize) {
        self.records.truncate(records);
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Each text, or what is wrong with the record, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = Result<&str, &str>> {
        self.records.iter().map(|record| record.as_deref().map_err(AsRef::as_ref))
    }
}

fn empty(name: impl Display) -> String {
    format!("{name} is an empty text; send a text with at least one word")
}
