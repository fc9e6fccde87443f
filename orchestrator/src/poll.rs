//! Asking again until something has ended.

use std::time::Duration;

/// How long to wait between two questions: short at first where answers are cheap.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    wait: Duration,
}

impl Poll {
    /// For an emulator on loopback.
    pub const LOCAL: Poll = Poll { wait: Duration::from_millis(40) };
    /// For an account, whose API counts the questions.
    pub const ACCOUNT: Poll = Poll { wait: Duration::from_secs(10) };

    /// Waits once.
    pub async fn wait(self) {
        tokio::time::sleep(self.wait).await;
    }
}
