//! The program `serve`: the hosting container. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    serve::main(std::env::args_os().skip(1))
}
