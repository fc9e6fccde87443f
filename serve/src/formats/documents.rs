//! The documents of one request, in its order.

use crate::error::ApiError;
use std::borrow::Cow;
use std::fmt::Display;

/// Texts borrowed from the body wherever the format lets them be.
#[derive(Debug)]
pub struct Documents<'b> {
    texts: Vec<Cow<'b, str>>,
    limit: usize,
}

impl<'b> Documents<'b> {
    /// None yet; `limit` is the most that are taken.
    pub fn new(limit: usize) -> Self {
        Self { texts: Vec::new(), limit }
    }

    /// Takes one more; `name` is what the message calls it where it is refused.
    pub fn push(&mut self, text: Cow<'b, str>, name: impl Display) -> Result<(), ApiError> {
        if text.trim().is_empty() {
            return Err(ApiError::BadBody(format!("{name} is an empty text; send a text with at least one word")));
        }
        if self.texts.len() == self.limit {
            return Err(ApiError::TooManyDocuments { limit: self.limit });
        }
        self.texts.push(text);
        Ok(())
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// Each text, in the order of the request.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(AsRef::as_ref)
    }
}
