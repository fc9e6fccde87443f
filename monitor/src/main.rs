//! The program `monitor`: the processing container. All of it is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    monitor::main(std::env::args_os().skip(1))
}
