//! The subcommand `conformance`: the kit of `conformance/` behind this command line.

use conformance::{Arguments, KitError};

use crate::{
    error::{Failure, Result},
    output::Output,
};

/// Judges an image or a program; an error where a check fails.
pub async fn judge(arguments: &Arguments, out: &Output, stop: impl Future<Output = ()>) -> Result<()> {
    let say = |line: &str| out.say(line);
    let judged = tokio::select! {
        judged = conformance::judge(arguments, &say) => judged,
        () = stop => return Err(Failure::interrupted("everything that was started has been ended")),
    };
    let report = judged.map_err(|error| match error {
        KitError::Usage(what) => Failure::usage(what),
        KitError::Machine(what) => Failure::new(what),
    })?;
    out.result(&report)?;
    match report.failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!("{failed} of {} checks failed", report.findings.len()))),
    }
}
