//! The process runtime: what stands for an image, run as a child process over a folder laid out as `/opt/ml`.

pub(crate) mod archive;
pub(crate) mod inputs;
mod launcher;
pub(crate) mod leftovers;
mod process;

pub(crate) use launcher::Launcher;
pub(crate) use process::{Launch, Process};
