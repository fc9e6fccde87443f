//! One emulator a state folder: `lock` is held by it, `emulator.json` says where it answers.

use std::{
    fs::{File, TryLockError},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::EngineError;

/// Why an emulator could not be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Another live process has the state.
    #[error("{state}: held by the emulator of process {pid} at {url}; use that one, stop it, or take another state folder", state = state.display())]
    Held {
        /// The state folder.
        state: PathBuf,
        /// The process that has it.
        pid: u32,
        /// Where it said it answers.
        url: String,
    },
    /// The address cannot be listened on.
    #[error("{address}: cannot listen there ({source}); take another port, or 0 for any free one")]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A file of the state cannot be read or written.
    #[error("{path}: {source}; the emulator keeps its state there, make it readable and writable", path = path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Calls cannot be written down.
    #[error("{path}: {source}; calls were to be recorded there", path = path.display())]
    Record {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bucket store cannot be opened.
    #[error("{path}: the bucket store does not open: {reason}", path = path.display())]
    Store {
        /// The store's folder.
        path: PathBuf,
        /// What it said.
        reason: String,
    },
    /// Another live process has the state, and runs images in another way.
    #[error("{state}: the emulator of process {pid} holds it, and it runs images by {theirs}, not by {ours}; stop it, or take another state folder", state = state.display())]
    Differs {
        /// The state folder.
        state: PathBuf,
        /// The process that has it.
        pid: u32,
        /// Its runtime.
        theirs: String,
        /// The one asked for.
        ours: &'static str,
    },
    /// The engine that is to run the images does not answer.
    #[error("images cannot be run: {0}")]
    Engine(#[from] EngineError),
    /// No command stands for the image.
    #[error("the command standing for the image is empty; give the program that is the container")]
    NoContainer,
}

impl StartError {
    pub(crate) fn file(path: &Path, source: io::Error) -> Self {
        StartError::File { path: path.to_path_buf(), source }
    }

    pub(crate) fn record(path: &Path, source: io::Error) -> Self {
        StartError::Record { path: path.to_path_buf(), source }
    }
}

/// Who has the state, as `emulator.json` says.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Holder {
    pub pid: u32,
    pub url: String,
    pub started: String,
    /// How it runs images.
    #[serde(default)]
    pub runtime: String,
}

/// The state folder, ours until dropped.
pub(crate) struct Lock {
    file: File,
    holder: PathBuf,
}

/// What trying for the lock came to.
pub(crate) enum Attempt {
    Ours(Lock),
    Theirs(Holder),
}

impl Lock {
    /// Takes the folder, or says who has it.
    pub fn take(state: &Path) -> Result<Attempt, StartError> {
        let (path, holder) = (state.join("lock"), state.join("emulator.json"));
        std::fs::create_dir_all(state).map_err(|e| StartError::file(state, e))?;
        let file = File::options().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(|e| StartError::file(&path, e))?;
        match file.try_lock() {
            Ok(()) => Ok(Attempt::Ours(Lock { file, holder })),
            Err(TryLockError::WouldBlock) => {
                let text = std::fs::read(&holder).unwrap_or_default();
                Ok(Attempt::Theirs(serde_json::from_slice(&text).unwrap_or_default()))
            }
            Err(TryLockError::Error(e)) => Err(StartError::file(&path, e)),
        }
    }

    /// Tells others where this emulator answers.
    pub fn announce(&self, url: &str, runtime: &str) -> Result<(), StartError> {
        let holder = Holder {
            pid: std::process::id(),
            url: url.to_owned(),
            started: jiff::Timestamp::now().to_string(),
            runtime: runtime.to_owned(),
        };
        crate::files::write_json(&self.holder, &holder).map_err(|e| StartError::file(&self.holder, e))
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // A stale file would only name a process that no longer holds the lock; nothing depends on its removal.
        let _ = std::fs::remove_file(&self.holder);
        // Closing the file is not enough: a child that another thread has just forked has it open, too, until it runs
        // its program. Where this fails, closing it is what is left.
        let _ = self.file.unlock();
    }
}
