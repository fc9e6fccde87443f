//! The command line that drives an account: data, training, gate, registry, endpoint and monitoring as stages that can
//! each be repeated, through the AWS SDK alone. Without an account the SDK speaks to the emulator.

use std::{ffi::OsString, process::ExitCode};

mod advice;
mod alarms;
mod announced;
mod artifact;
mod ask;
mod aws;
mod bucket;
mod captures;
mod champion;
mod check;
mod cli;
mod commands;
mod ecr;
mod emulate;
mod endpoint;
mod error;
mod files;
mod holdout;
mod inventory;
mod judging;
mod kit;
mod latency;
mod lineage;
mod logs;
mod names;
mod output;
mod overrides;
mod plan;
mod poll;
mod prices;
mod processing;
mod ranges;
mod rollout;
mod run_record;
mod scaling;
mod schedule;
mod secrets;
mod seen;
mod settings;
mod shadow;
mod stages;
mod statistics;
mod tags;
mod topic;

/// The program; `args` without its name.
pub fn main<I: IntoIterator<Item = OsString>>(args: I) -> ExitCode {
    let mut args = args.into_iter().peekable();
    // The emulator starts this executable as the image's: nothing of ours may stand before that.
    if args.next_if(|first| first == "container").is_some() {
        return image::main("container".as_ref(), args);
    }
    cli::main(args)
}
