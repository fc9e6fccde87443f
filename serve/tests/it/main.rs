//! The program and its library from outside: what a client of the hosting contract sees.

mod errors;
mod fixture;
mod formats;
mod limits;
mod process;
mod server;
