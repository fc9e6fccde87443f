//! The monitor from outside: recorded p-values, recorded captures, whole jobs over temporary ml-roots.

mod captures;
mod datasets;
mod drift_figures;
mod ml_root;
mod moved;
mod p_values;
mod rules;
mod story;
mod windows;
