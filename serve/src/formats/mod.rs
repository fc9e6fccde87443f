//! Bodies: what comes in ([`input`]), what goes out ([`output`]), and which of the latter ([`negotiate`]).

pub(crate) mod csv;
pub mod documents;
pub mod input;
mod json;
pub mod negotiate;
pub mod output;
