//! Charts as inline SVG and styled HTML; colours come from the page's style.

mod columns;
mod confusion;
mod roc;
mod terms;
mod whisker;

pub(crate) use columns::{legend, side_by_side};
pub(crate) use confusion::confusion;
pub(crate) use roc::roc;
pub(crate) use terms::{longest, terms};
pub(crate) use whisker::Whiskers;
