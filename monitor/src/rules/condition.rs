//! Conditions on one document.

use std::fmt::{self, Display, Formatter};

/// All of these hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition(pub Vec<Test>);

/// One test, and whether it is to fail instead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Test {
    /// The predicted class.
    Class(String, bool),
    /// A word of the text, as the analyzer cuts them; several words in a row.
    Contains(Vec<String>, bool),
    /// More characters than these.
    Longer(u64, bool),
}

/// What is asked about.
pub(super) struct Document<'d> {
    pub(super) text: Option<&'d str>,
    pub(super) label: Option<&'d str>,
    pub(super) words: &'d [String],
}

impl Condition {
    pub(super) fn holds(&self, document: &Document) -> bool {
        self.0.iter().all(|test| test.holds(document))
    }
}

impl Test {
    /// What is not there meets no test, whichever way it is asked.
    fn holds(&self, document: &Document) -> bool {
        match self {
            Test::Class(class, not) => document.label.is_some_and(|label| (label == class) != *not),
            Test::Contains(words, not) => {
                document.text.is_some() && document.words.windows(words.len().max(1)).any(|w| w == words) != *not
            }
            Test::Longer(length, not) => {
                document.text.is_some_and(|text| (text.chars().count() as u64 > *length) != *not)
            }
        }
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (at, test) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { " and " })?;
            let not = |not: &bool| if *not { "not " } else { "" };
            match test {
                Test::Class(class, n) => write!(f, "{}class \"{class}\"", not(n))?,
                Test::Contains(words, n) => write!(f, "{}contains \"{}\"", not(n), words.join(" "))?,
                Test::Longer(length, n) => write!(f, "{}longer {length}", not(n))?,
            }
        }
        Ok(())
    }
}
