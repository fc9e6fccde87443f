//! Results as data, as one self-contained HTML page with charts, and as Markdown for a CI summary.
//!
//! The types here are what `train` and `monitor` leave behind and what the orchestrator reads; nothing else of them
//! crosses a process. Rendering never computes a figure: what a page shows stands in the result.

pub mod drift;
pub mod evaluation;
pub mod gate;

mod chart;
mod escape;
mod number;
mod page;

pub use drift::DriftReport;
pub use evaluation::Evaluation;
pub use gate::GateReport;
