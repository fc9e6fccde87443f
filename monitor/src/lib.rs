//! The processing container that watches captured traffic: the program `monitor` and its library.

pub mod archive;
pub mod capture;
pub mod documents;
pub mod error;
mod files;
pub mod settings;
pub mod stats;
