//! Charts as inline SVG and styled HTML; colours come from the page's style.

mod columns;
mod confusion;
mod diverging;
mod histogram;
mod plot;
mod terms;
mod timeline;
mod whisker;

pub(crate) use columns::{legend, rows, side_by_side};
pub(crate) use confusion::{confusion, frequent};
pub(crate) use diverging::diverging;
pub(crate) use histogram::histogram;
pub(crate) use plot::{precision_recall, reliability, roc, small_curves};
pub(crate) use terms::{longest, terms};
pub(crate) use timeline::Line;
pub(crate) use whisker::Whiskers;
