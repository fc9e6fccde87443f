//! A fit watched from outside: how far it is, and whether it shall end.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

/// How far a minimisation is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Progress {
    /// Steps taken.
    pub iteration: u64,
    /// The mean objective there.
    pub objective: f64,
    /// The greatest component of its gradient, by magnitude; the fit ends where that is `tol`.
    pub gradient: f64,
}

/// Who watches a fit; nobody by default.
#[derive(Clone, Copy, Default)]
pub struct Watch<'w> {
    /// Once this is true the fit ends where it has come to, not converged.
    pub stop: Option<&'w AtomicBool>,
    /// Told before every step; from several threads where a class has a fit of its own.
    pub progress: Option<&'w (dyn Fn(Progress) + Sync)>,
}

impl Watch<'_> {
    pub(crate) fn stopped(&self) -> bool {
        self.stop.is_some_and(|stop| stop.load(Ordering::Relaxed))
    }

    pub(super) fn report(&self, progress: Progress) {
        if let Some(tell) = self.progress {
            tell(progress);
        }
    }
}

impl fmt::Debug for Watch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").field("stop", &self.stop).field("progress", &self.progress.is_some()).finish()
    }
}
