//! The real executable over temporary folders: the loop as one story, and every way it can be refused.

mod account;
mod bad_input;
mod cli;
mod clients;
mod conformance;
mod containers;
mod credentials;
mod faults;
mod gate;
mod golden;
mod interrupt;
mod lineage;
mod matrix;
mod owned;
mod pipeline;
mod refusals;
mod regions;
mod requests;
mod rollout;
mod rules;
mod sdk;
mod shadow;
mod stub;
mod transform;
mod tune;
mod watch;
