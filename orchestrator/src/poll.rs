//! Asking again until something has ended, and no longer than is worth waiting.

use std::time::{Duration, Instant};

use crate::{
    error::{Failure, Result},
    output::{Progress, duration},
};

/// How long to wait between two questions: short at first where answers are cheap.
#[derive(Clone, Copy, Debug)]
pub struct Poll {
    wait: Duration,
}

/// How often a wait says that it goes on.
const HEARTBEAT: Duration = Duration::from_secs(60);

impl Poll {
    /// For an emulator on loopback.
    pub const LOCAL: Poll = Poll { wait: Duration::from_millis(40) };
    /// For an account, whose API counts the questions.
    pub const ACCOUNT: Poll = Poll { wait: Duration::from_secs(10) };

    /// Waits once.
    pub async fn wait(self) {
        tokio::time::sleep(self.wait).await;
    }

    /// A wait for `what` that ends after `limit`.
    pub fn until(self, what: impl Into<String>, limit: Duration) -> Waiting {
        Waiting { poll: self, what: what.into(), limit, start: Instant::now(), said: Duration::ZERO }
    }
}

/// One wait: it says that it goes on, and gives up in time.
#[derive(Debug)]
pub struct Waiting {
    poll: Poll,
    what: String,
    limit: Duration,
    start: Instant,
    said: Duration,
}

impl Waiting {
    /// Waits once more; `status` is what the last answer said.
    pub async fn next(&mut self, progress: &mut Progress, status: &str) -> Result<()> {
        let waited = self.start.elapsed();
        if waited >= self.limit {
            let what = format!("{} is still {status} after {}", self.what, duration(waited));
            return Err(Failure::new(what)
                .because("it is no longer waited for; it goes on, and costs what it costs")
                .hint("repeat the command: it goes on waiting; wait_minutes in pipeline.toml says how long"));
        }
        if waited - self.said >= HEARTBEAT {
            self.said = waited;
            progress.line(format!("{}: {status}, {} so far", self.what, duration(waited)));
        }
        self.poll.wait().await;
        Ok(())
    }
}
