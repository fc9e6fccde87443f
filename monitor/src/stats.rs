//! The tests behind the checks: how large a difference is, and how likely chance alone makes it.

pub mod categories;
mod gamma;
pub mod holm;
pub mod ks;
pub mod sketch;
