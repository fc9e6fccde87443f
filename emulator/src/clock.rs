//! The time that schedules and alarms go by: the system's, or one that a test sets.

use std::time::Duration;

use jiff::Timestamp;
use tokio::{sync::watch, time::sleep};

use crate::time;

/// A clock; copies of it show the same time.
#[derive(Clone, Debug, Default)]
pub struct Clock(Option<watch::Sender<Timestamp>>);

impl Clock {
    /// One that shows `at` until it is set.
    pub fn stopped_at(at: Timestamp) -> Clock {
        Clock(Some(watch::Sender::new(at)))
    }

    /// Sets a stopped clock, forwards or backwards; the system's is not ours to set.
    pub fn set(&self, at: Timestamp) {
        if let Some(stopped) = &self.0 {
            stopped.send_replace(at);
        }
    }

    /// What it shows, to the millisecond.
    pub fn now(&self) -> Timestamp {
        self.0.as_ref().map_or_else(time::now, |stopped| *stopped.borrow())
    }

    /// Returns at `at` or later, and after `most` at the latest: the system's clock may be set meanwhile. A stopped clock
    /// is waited for until it is set.
    pub(crate) async fn wait(&self, at: Timestamp, most: Duration) {
        let Some(stopped) = &self.0 else {
            let left = at.as_millisecond() - self.now().as_millisecond();
            return sleep(Duration::from_millis(u64::try_from(left).unwrap_or(0)).min(most)).await;
        };
        let mut shown = stopped.subscribe();
        let before = *shown.borrow_and_update();
        // The sender lives as long as `self`, so the wait cannot fail.
        let _ = shown.wait_for(|now| *now >= at || *now != before).await;
    }
}
