//! The runtimes: a child process that stands for every image, over a folder laid out as `/opt/ml`, or the image itself in
//! a container over the same folder.

pub(crate) mod archive;
mod body;
mod engine;
pub(crate) mod inputs;
mod launcher;
pub(crate) mod leftovers;
mod process;

pub use engine::{Engine, EngineError};
pub(crate) use launcher::Launcher;
pub(crate) use process::{Exit, Launch, Process};
