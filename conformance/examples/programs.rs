//! The programs of our own image in one executable, for the tests: `programs train|serve|monitor …`.

use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match arguments.next().as_deref().and_then(|name| name.to_str()) {
        Some("train") => trainer::main(arguments),
        Some("serve") => serve::main(arguments),
        Some("monitor") => monitor::main(arguments),
        _ => {
            eprintln!("expected train, serve or monitor");
            ExitCode::from(2)
        }
    }
}
