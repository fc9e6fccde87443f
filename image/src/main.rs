//! The image's executable: `train`, `serve` and `monitor` are links to it.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut args = std::env::args_os();
    image::main(&args.next().unwrap_or_default(), args)
}
