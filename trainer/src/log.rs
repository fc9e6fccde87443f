//! The job's log: plain lines on stdout, where CloudWatch and the metric definitions read them; and, where stderr is a
//! terminal, one line of progress that every line of the log takes the place of.

use std::fmt;
use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};

/// Back to the line's beginning, and the line made empty.
const CLEAR: &str = "\r\x1b[2K";

/// Whether a line of progress stands on the terminal. Held while anything is written.
static SHOWN: Mutex<bool> = Mutex::new(false);

fn shown() -> MutexGuard<'static, bool> {
    SHOWN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether somebody watches: stderr is a terminal.
pub fn watched() -> bool {
    static WATCHED: OnceLock<bool> = OnceLock::new();
    *WATCHED.get_or_init(|| io::stderr().is_terminal())
}

/// Writes one line. A log that nobody reads any more does not end the training.
pub fn line(text: fmt::Arguments<'_>) {
    let mut shown = shown();
    clear(&mut shown);
    let _ = writeln!(io::stdout().lock(), "{text}");
}

/// Puts `text` in the place of the line of progress; only where [`watched`].
pub fn bar(text: &str) {
    let mut shown = shown();
    *shown = true;
    let mut terminal = io::stderr().lock();
    let _ = write!(terminal, "{CLEAR}{text}");
    let _ = terminal.flush();
}

/// Takes the line of progress away.
pub fn clear_bar() {
    clear(&mut shown());
}

fn clear(shown: &mut bool) {
    if std::mem::take(shown) {
        let mut terminal = io::stderr().lock();
        let _ = write!(terminal, "{CLEAR}");
        let _ = terminal.flush();
    }
}

/// Writes one line to the job's log; takes what `format!` takes.
macro_rules! say {
    ($($text:tt)*) => { $crate::log::line(format_args!($($text)*)) };
}
pub(crate) use say;
