//! The program and its library from outside: what a client of the hosting contract sees.

mod capture;
mod errors;
mod fixture;
mod formats;
mod gzip;
mod limits;
mod multi;
mod opening;
mod process;
mod server;
