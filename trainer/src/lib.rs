//! The training container: the program `train` and its library.
//!
//! `run::train` is the story: [`contract`] says what lies where, [`hyperparameters`] what is asked for, [`reading`]
//! what there is to learn from; `tune` and `fit` make the classifier, `evaluation` measures what was saved.

mod calibrating;
mod checkpoint;
mod classes;
mod cli;
pub mod contract;
mod counting;
mod data;
mod evaluation;
mod fit;
mod folds;
pub mod hyperparameters;
mod latency;
mod log;
mod memory;
pub mod metrics;
pub mod predictions;
mod progress;
pub mod reading;
mod run;
mod signals;
mod tune;

pub use cli::main;
