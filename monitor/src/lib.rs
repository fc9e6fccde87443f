//! The processing container that watches captured traffic: the program `monitor` and its library.
//!
//! A *baseline* job ([`baseline::make`]) describes labelled files; a *run* ([`watch::run`]) reads the captures of a time
//! window, describes them the same way ([`features`]) and compares ([`checks`]). Both leave Model Monitor's files,
//! [`statistics`], [`constraints`] and violations, so that what reads those reads these.

pub mod archive;
pub mod baseline;
pub mod capture;
pub mod checks;
pub mod cli;
pub mod config;
pub mod constraints;
mod describe;
mod distributions;
pub mod documents;
pub mod domain;
mod draw;
pub mod error;
pub mod expected;
pub mod features;
mod files;
mod fit;
pub mod impact;
pub mod known_terms;
pub mod language;
pub mod ledger;
mod metrics;
pub mod personal;
mod programs;
pub mod rules;
pub mod settings;
pub mod statistics;
pub mod stats;
pub mod terms;
pub mod truth;
pub mod watch;
pub mod window;
pub mod windows;

pub use capture::record::OWN_REQUEST;
pub use cli::main;
