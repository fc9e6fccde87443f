//! Statistics that verdicts rest on: exact where they can be, seeded where they draw.

mod beta;
mod binomial;
mod bootstrap;
mod fisher;
mod holm;
mod mcnemar;
mod normal;
mod proportions;
mod tango;

pub use beta::incomplete_beta;
pub use binomial::{Side, least_share, lower, rows_needed, two_sided, upper};
pub use bootstrap::{Draws, Resampling};
pub use fisher::fisher;
pub use holm::holm;
pub use mcnemar::{Discordant, mcnemar};
pub use normal::quantile as normal_quantile;
pub use proportions::{newcombe, wilson};
pub use tango::{tango, tango_rows};
