//! The program `train`.

use std::process::ExitCode;

fn main() -> ExitCode {
    trainer::main(std::env::args_os().skip(1))
}
