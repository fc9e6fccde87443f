//! The model from outside: against recordings of scikit-learn, and an artifact's life on disk.

mod artifact;
mod blocks;
mod calibration;
mod classifiers;
mod corpus;
mod damage;
mod explanation;
mod golden;
mod linear;
mod reviews;
mod traits;
mod trees;
