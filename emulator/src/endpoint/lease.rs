//! Counting requests in flight, and waiting until there are none.

use std::sync::Arc;

use tokio::sync::watch;

/// How many leases are out.
#[derive(Clone)]
pub(super) struct Leases(Arc<watch::Sender<usize>>);

/// One request in flight; it counts until dropped.
pub(super) struct Lease(Leases);

impl Leases {
    pub fn new() -> Leases {
        Leases(Arc::new(watch::Sender::new(0)))
    }

    pub fn take(&self) -> Lease {
        self.0.send_modify(|count| *count += 1);
        Lease(self.clone())
    }

    /// Returns once no lease is out.
    pub async fn none(&self) {
        // The sender is `self`'s own, so the wait cannot fail.
        let _ = self.0.subscribe().wait_for(|count| *count == 0).await;
    }

    pub fn count(&self) -> usize {
        *self.0.borrow()
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.0.send_modify(|count| *count -= 1);
    }
}
