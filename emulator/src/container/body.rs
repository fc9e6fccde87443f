//! What a running container is to the system, and so how it is told to end.

use nix::{
    sys::signal::{Signal, killpg},
    unistd::Pid,
};

use super::{engine::Engine, leftovers::Entry};

/// What has to be ended, written down as long as it may live.
pub(super) enum Body {
    /// A process and all that it started.
    Group { leader: Pid, _entry: Entry },
    /// A container of an engine; the child here is only the client attached to it.
    Container { engine: Engine, name: String, entry: Option<Entry> },
}

impl Body {
    /// SIGTERM; what has ended already is as good.
    pub async fn terminate(&self) {
        match self {
            Body::Group { leader, .. } => drop(killpg(*leader, Signal::SIGTERM)),
            Body::Container { engine, name, .. } => drop(engine.terminate(name).await),
        }
    }

    /// SIGKILL for all of it, and nothing is left behind; what has ended already is as good.
    pub async fn end(&mut self) {
        match self {
            Body::Group { leader, .. } => drop(killpg(*leader, Signal::SIGKILL)),
            Body::Container { engine, name, entry } if entry.is_some() => {
                // Where the engine refuses, the entry stays and the next start tries again.
                if engine.remove(name).await.is_ok() {
                    entry.take();
                }
            }
            Body::Container { .. } => {}
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        // Let go without having been ended: for the next start.
        if let Body::Container { entry, .. } = self
            && let Some(entry) = entry.take()
        {
            entry.keep();
        }
    }
}
