//! The kept terms as n-grams over units: what counting hands over to the vocabulary on disk.
//!
//! A term is a path of units (words, or characters), so an n-gram is its first `n - 1` units, a gram of the level before,
//! and one unit more: eight bytes and no text. A gram that is only the beginning of kept ones has no column.

/// Marks a gram that is no term itself.
pub const NO_COLUMN: u32 = u32::MAX;

/// What terms are made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Words; a term's units stand one space apart.
    Word,
    /// Characters; a term's units stand side by side.
    Char,
}

/// One kind of terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lexicon {
    /// What terms are made of.
    pub unit: Unit,
    /// The distinct units of the grams.
    pub units: Vec<Box<str>>,
    /// `levels[n - 1]`: the grams of `n` units. Level 0 has one gram a unit, in the order of `units`; those above have
    /// any order that the terms alone decide.
    pub levels: Vec<Vec<Gram>>,
}

/// One n-gram.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Gram {
    /// Its first units: a place in the level before (0 in level 0).
    pub prefix: u32,
    /// Its last unit.
    pub unit: u32,
    /// Its column in the records, or [`NO_COLUMN`].
    pub column: u32,
}
