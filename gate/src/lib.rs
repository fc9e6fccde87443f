//! From predictions to verdicts: rules, exact and paired tests, slices, bias, counterfactuals, cost. No network, no AWS.
//!
//! [`Evidence::gather`] puts the job's predictions beside the texts, the extra columns and the champion's predictions;
//! [`judge`] holds the [`Rule`]s against it and gives a [`report::GateReport`].

mod artifacts;
mod bias;
mod business;
mod columns;
mod counterfactual;
mod evidence;
mod judge;
mod metric;
mod report_of;
mod rule;
mod settings;
mod slices;
pub mod stats;
mod words;

pub use artifacts::{Flip, Moved, flips, heaviest_moves};
pub use bias::clarify;
pub use business::{BusinessSettings, Costs};
pub use columns::Columns;
pub use evidence::{Evidence, Rival, Slice, outcomes_of};
pub use metric::{Figure, Metric};
pub use report_of::{Asked, judge};
pub use rule::{Bound, Comparison, Rule};
pub use settings::OnInsufficient;
