//! The hidden subcommand `container`: this executable as the image, whose programs are `train`, `serve` and `monitor`.

use std::{ffi::OsString, process::ExitCode};

/// `args`: the program's name and its arguments.
pub fn main(mut args: impl Iterator<Item = OsString>) -> ExitCode {
    let program = args.next().unwrap_or_default();
    match program.to_str() {
        Some("train") => trainer::main(args),
        Some("serve") => serve::main(args),
        Some("monitor") => monitor::main(args),
        _ => {
            eprintln!("error: the container has no program {}; expected train, serve or monitor", program.display());
            ExitCode::from(2)
        }
    }
}
