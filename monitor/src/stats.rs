//! The tests behind the checks: how large a difference is, and how likely chance alone makes it.

pub mod auc;
pub mod categories;
pub mod divergence;
pub mod fdr;
mod gamma;
pub mod holm;
pub mod interval;
pub mod ks;
pub mod means;
pub mod rates;
pub mod sample;
pub mod sketch;
