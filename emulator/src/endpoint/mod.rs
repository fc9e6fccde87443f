//! Endpoints: processes that serve, the router in front of them, and the record of what went through.
//!
//! An endpoint has one [`Fleet`] that requests go to. A deployment brings up a second beside it, shifts requests to it in
//! one step or several, and ends the first when its last request is answered.

mod capture;
mod deploy;
mod fleet;
mod instance;
mod lease;
mod measure;
mod rollout;
mod runtime;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{sync::watch, time::timeout};

pub(crate) use deploy::{delete, deploy, restore};
pub(crate) use fleet::Fleet;
pub(crate) use rollout::Rollout;
pub(crate) use runtime::{answer, ask};

use lease::Lease;

/// The fleet of each endpoint that has one, or is about to.
#[derive(Default)]
pub(crate) struct Fleets(Mutex<BTreeMap<String, watch::Sender<Option<Served>>>>);

/// What requests go to.
#[derive(Clone)]
struct Served {
    fleet: Arc<Fleet>,
    /// What is coming, its share of the requests, and how many were dealt out.
    coming: Option<(Arc<Fleet>, f64, Arc<AtomicU64>)>,
}

impl Served {
    /// The fleet of the next request.
    fn next(&self) -> &Arc<Fleet> {
        let Some((coming, share, turn)) = &self.coming else { return &self.fleet };
        // Multiples of the golden ratio are spread evenly: any run of requests is split as the share says.
        let at = (turn.fetch_add(1, Ordering::Relaxed) as f64 * 0.618_033_988_749_894_9).fract();
        if at < *share { coming } else { &self.fleet }
    }
}

/// A fleet that will not end before this is dropped.
struct Leased {
    fleet: Arc<Fleet>,
    _lease: Lease,
}

impl Fleets {
    /// Sends all requests from now on to `fleet`; the one they went to so far.
    fn shift(&self, name: &str, fleet: Option<Arc<Fleet>>) -> Option<Arc<Fleet>> {
        self.expect(name);
        let served = fleet.map(|fleet| Served { fleet, coming: None });
        self.lock().get(name).and_then(|slot| slot.send_replace(served)).map(|old| old.fleet)
    }

    /// Sends a share of the requests to `coming`, or none any more.
    fn split(&self, name: &str, coming: Option<(&Arc<Fleet>, f64)>) {
        if let Some(slot) = self.lock().get(name) {
            slot.send_modify(|served| {
                if let Some(served) = served {
                    served.coming = coming.map(|(fleet, share)| (fleet.clone(), share, Arc::default()));
                }
            });
        }
    }

    /// Requests to `name` wait for its fleet from now on.
    fn expect(&self, name: &str) {
        self.lock().entry(name.to_owned()).or_insert_with(|| watch::Sender::new(None));
    }

    /// Requests to `name` find nothing from now on; the fleet they went to so far.
    fn forget(&self, name: &str) -> Option<Arc<Fleet>> {
        self.lock().remove(name).and_then(|slot| slot.send_replace(None)).map(|old| old.fleet)
    }

    /// The fleet to send a request to, waited for where it is still coming up.
    async fn lease(&self, name: &str, patience: Duration) -> Option<Leased> {
        let mut slot = self.lock().get(name)?.subscribe();
        let fleet = timeout(patience, slot.wait_for(Option::is_some)).await.ok()?.ok()?;
        // The lease is taken under the slot's lock: whoever shifts afterwards sees it and waits for it.
        fleet.as_ref().map(Served::next).map(|fleet| Leased { fleet: fleet.clone(), _lease: fleet.lease() })
    }

    /// Ends every fleet, all at once.
    pub async fn close(&self, grace: Duration) {
        let names: Vec<String> = self.lock().keys().cloned().collect();
        let fleets: Vec<_> = names.iter().filter_map(|name| self.forget(name)).collect();
        futures::future::join_all(fleets.iter().map(|fleet| fleet.end(grace))).await;
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, watch::Sender<Option<Served>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
