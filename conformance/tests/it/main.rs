//! The kit from outside: against a container with defects, against our own programs, and as what it prints.

mod defects;
mod lab;
mod ours;
mod rendering;
mod usage;
