//! What runs in the background, and the word that it is time to end.

use std::sync::{Mutex, PoisonError};

use tokio::{sync::watch, task::JoinSet};

/// The background tasks of one emulator.
pub(crate) struct Tasks {
    running: Mutex<JoinSet<()>>,
    closing: watch::Sender<bool>,
}

impl Tasks {
    pub fn new() -> Self {
        Tasks { running: Mutex::new(JoinSet::new()), closing: watch::Sender::new(false) }
    }

    pub fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        while running.try_join_next().is_some() {}
        running.spawn(task);
    }

    /// Returns once the emulator closes.
    pub async fn closing(&self) {
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = self.closing.subscribe().wait_for(|closing| *closing).await;
    }

    /// Whether it closes.
    pub fn is_closing(&self) -> bool {
        *self.closing.borrow()
    }

    /// Says that it is time, and waits for every task.
    pub async fn close(&self) {
        self.closing.send_replace(true);
        loop {
            let mut running = std::mem::take(&mut *self.running.lock().unwrap_or_else(PoisonError::into_inner));
            if running.is_empty() {
                return;
            }
            while running.join_next().await.is_some() {}
        }
    }
}
