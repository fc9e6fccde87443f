//! The real executable over temporary folders: the loop as one story, and every way it can be refused.

mod bad_input;
mod cli;
mod gate;
mod interrupt;
mod pipeline;
mod sdk;
