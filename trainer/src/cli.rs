//! The command line of `train`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::num::NonZero;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;

use crate::contract::MlRoot;
use crate::log;
use crate::run::{self, Ended};

/// Fits a text classifier as a SageMaker training container does: reads below the root, leaves the artifact in
/// `model/`, the evaluation in `output/data/` and, where it fails, the reason in `output/failure`.
#[derive(Parser)]
#[command(name = "train", version, no_binary_name = true)]
struct Args {
    /// The folder laid out as SageMaker's /opt/ml.
    #[arg(long, value_name = "DIR", default_value = "/opt/ml")]
    ml_root: PathBuf,
    /// Threads to work on; all cores where it is not given. The result does not depend on it.
    #[arg(long, value_name = "N")]
    threads: Option<NonZero<usize>>,
    /// The word `train`, with which SageMaker starts a container.
    #[arg(hide = true, value_parser = ["train"])]
    role: Option<String>,
}

/// The program: `args` without its name. Exit code 0 trained (or stopped by the platform with an artifact left), 1
/// failed, 2 not understood, 128 and its number where a signal ended it with nothing left.
pub fn main<I: IntoIterator<Item = OsString>>(args: I) -> ExitCode {
    let args = match Args::try_parse_from(args) {
        Ok(args) => args,
        Err(error) => {
            // Help goes to stdout and is no failure; clap knows which is which.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    if let Some(threads) = args.threads {
        model::threads::set(threads.get());
    }
    let root = MlRoot::new(args.ml_root);
    match run::train(&root) {
        Ok(Ended::Trained) => ExitCode::SUCCESS,
        Ok(Ended::Stopped(stop)) => ExitCode::from(stop.exit_code(true)),
        Err(error) => {
            let reason = error.to_string();
            log::clear_bar();
            // Where stderr is closed the reason still stands in the file.
            let _ = writeln!(io::stderr(), "{reason}");
            if let Err(second) = root.write_failure(&reason) {
                let _ = writeln!(io::stderr(), "{second}");
            }
            ExitCode::FAILURE
        }
    }
}
