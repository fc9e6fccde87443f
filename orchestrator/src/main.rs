//! The program `orchestrator`.

use std::process::ExitCode;

fn main() -> ExitCode {
    orchestrator::main(std::env::args_os().skip(1))
}
