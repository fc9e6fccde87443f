//! SIGTERM (a stopped job, a managed spot instance taken back: 120 s are given) and SIGINT (a laptop).
//!
//! A thread of its own waits for them. While the solver works, [`Signals::hold`], it only raises a flag: the solver ends
//! at its next step, what it has reached is kept, and the program ends by itself. At any other time nothing would be
//! lost that could be kept, and the program ends at once. A second signal always ends it at once.

use std::io;
use std::process;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals as Incoming};

use crate::contract::MlRoot;
use crate::log::{self, say};

/// Listens until it is dropped.
pub struct Signals {
    shared: Arc<Shared>,
    handle: Handle,
}

struct Shared {
    stop: AtomicBool,
    state: Mutex<State>,
    root: MlRoot,
}

struct State {
    /// What the program is doing, for the message.
    phase: &'static str,
    /// Whether the program will see the flag and end by itself.
    held: bool,
    /// Whether a whole artifact of this run lies in `model/`.
    saved: bool,
    came: Option<Stop>,
}

/// The signal that asked for the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// The platform's.
    Terminate,
    /// The keyboard's.
    Interrupt,
}

impl Stop {
    fn of(signal: i32) -> Self {
        if signal == SIGINT { Stop::Interrupt } else { Stop::Terminate }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Stop::Terminate => "SIGTERM",
            Stop::Interrupt => "SIGINT",
        }
    }

    /// The exit code: 0 where the platform stopped the job and an artifact is left, as SageMaker's own containers end
    /// then; else 128 and the signal's number.
    pub fn exit_code(self, saved: bool) -> u8 {
        match self {
            Stop::Terminate if saved => 0,
            Stop::Terminate => 143,
            Stop::Interrupt => 130,
        }
    }
}

impl Signals {
    /// Begins to listen; `root` is where a reason is left when the program ends with nothing fitted.
    pub fn listen(root: &MlRoot) -> io::Result<Self> {
        let mut incoming = Incoming::new([SIGTERM, SIGINT])?;
        let handle = incoming.handle();
        let state = State { phase: "starting", held: false, saved: false, came: None };
        let shared = Arc::new(Shared { stop: AtomicBool::new(false), state: Mutex::new(state), root: root.clone() });
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("signals".into()).spawn(move || {
            for signal in incoming.forever() {
                of_thread.came(Stop::of(signal));
            }
        })?;
        Ok(Self { shared, handle })
    }

    /// The flag that a solver watches.
    pub fn flag(&self) -> &AtomicBool {
        &self.shared.stop
    }

    /// The signal that came, if one did.
    pub fn came(&self) -> Option<Stop> {
        self.shared.state().came
    }

    /// From here on the program does `phase`, and a signal ends it at once.
    pub fn enter(&self, phase: &'static str) {
        let mut state = self.shared.state();
        (state.phase, state.held) = (phase, false);
        if let Some(stop) = state.came {
            self.shared.end(stop, &state);
        }
    }

    /// From here on the program does `phase`, and ends by itself soon after the flag is raised.
    pub fn hold(&self, phase: &'static str) {
        let mut state = self.shared.state();
        (state.phase, state.held) = (phase, true);
    }

    /// The artifact is whole.
    pub fn saved(&self) {
        self.shared.state().saved = true;
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.handle.close();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn came(&self, stop: Stop) {
        let mut state = self.state();
        let second = state.came.replace(stop).is_some();
        self.stop.store(true, Ordering::Relaxed);
        if second || !state.held {
            self.end(stop, &state);
        }
        say!("{}: stopping at the next step of the solver", stop.name());
    }

    /// Ends the program. Whatever is being written is still under another name.
    fn end(&self, stop: Stop, state: &State) -> ! {
        let code = stop.exit_code(state.saved);
        let name = stop.name();
        if state.saved {
            say!("{name}: stopped ({}); the artifact is whole, no evaluation is written", state.phase);
        } else {
            let reason = format!("stopped by {name} ({}); nothing was fitted", state.phase);
            say!("{reason}");
            // The exit code tells it too.
            let _ = self.root.write_failure(&reason);
        }
        log::clear_bar();
        process::exit(code.into())
    }
}
