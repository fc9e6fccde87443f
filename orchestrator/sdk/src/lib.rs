//! The SageMaker client, unchanged.
//!
//! It takes longer to compile than all else together, and cargo begins first with what most crates wait for: behind a
//! crate of its own it is begun about a minute earlier of five, and the other core compiles the rest meanwhile.

pub use sagemaker::*;
