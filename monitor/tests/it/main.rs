//! The monitor from outside: recorded p-values, recorded captures, whole jobs over temporary ml-roots.

mod captures;
mod datasets;
mod ml_root;
mod p_values;
mod story;
