//! The job's log: plain lines on stdout, where CloudWatch and the metric definitions read them.

use std::fmt;
use std::io::{self, Write};

/// Writes one line. A log that nobody reads any more does not end the training.
pub fn line(text: fmt::Arguments<'_>) {
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Writes one line to the job's log; takes what `format!` takes.
macro_rules! say {
    ($($text:tt)*) => { $crate::log::line(format_args!($($text)*)) };
}
pub(crate) use say;
