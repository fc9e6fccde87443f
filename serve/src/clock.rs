//! Time limits that cost a request nothing.
//!
//! A timer of its own would be set for every request and taken back, nearly always, unused. Instead a connection is looked
//! after once in a while whatever happens, and what waits within it asks the clock when it is. So a limit may be exceeded
//! by as much as the time between two looks.

use hyper::rt::{Sleep, Timer};
use std::cell::Cell;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::time::{sleep, timeout};

/// The longest time between two looks.
const LONGEST_PERIOD: Duration = Duration::from_secs(1);

thread_local! {
    /// Whether what is polled now is looked after.
    static LOOKED_AFTER: Cell<bool> = const { Cell::new(false) };
}

/// Runs a future and looks after it, so often that limits down to `shortest` are kept.
pub(crate) async fn looked_after<F: Future>(shortest: Duration, future: F) -> F::Output {
    let period = (shortest / 4).clamp(Duration::from_millis(1), LONGEST_PERIOD);
    let (mut future, mut look) = (pin!(future), pin!(sleep(period)));
    poll_fn(|cx| {
        while look.as_mut().poll(cx).is_ready() {
            look.as_mut().reset(tokio::time::Instant::now() + period);
        }
        LOOKED_AFTER.set(true);
        let polled = future.as_mut().poll(cx);
        LOOKED_AFTER.set(false);
        polled
    })
    .await
}

/// What comes of a future within this time, or nothing.
pub(crate) async fn within<F: Future>(limit: Duration, future: F) -> Option<F::Output> {
    if !LOOKED_AFTER.get() {
        return timeout(limit, future).await.ok();
    }
    let (mut future, mut deadline) = (pin!(future), None);
    poll_fn(|cx| {
        if let Poll::Ready(output) = future.as_mut().poll(cx) {
            return Poll::Ready(Some(output));
        }
        let now = Instant::now();
        match now >= *deadline.get_or_insert(now + limit) {
            true => Poll::Ready(None),
            false => Poll::Pending,
        }
    })
    .await
}

/// hyper's timer, for connections that are looked after.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Looks;

/// Over from an instant on, as seen when it is polled.
#[derive(Debug)]
struct Until(Instant);

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<()> {
        match Instant::now() >= self.0 {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }
    }
}

impl Sleep for Until {}

impl Timer for Looks {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until(deadline))
    }
}
