//! Threads that answer, each with a reactor of its own: a connection stays where it was put, and no thread wakes another
//! for a request.

use std::future::Future;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

/// Threads of each worker for what computes long: with as many workers as cores, enough for all of them.
const BLOCKING_THREADS: usize = 2;

/// They end, and what they run with them, when this is dropped.
#[derive(Debug, Default)]
pub(crate) struct Workers(Vec<Worker>);

#[derive(Debug)]
struct Worker {
    handle: Handle,
    /// Dropped, it tells the thread to end.
    _end: oneshot::Sender<()>,
}

impl Workers {
    /// So many, or as many of them as the system grants.
    pub(crate) fn start(count: usize) -> Self {
        Self((0..count).map_while(|number| Worker::start(number).ok()).collect())
    }

    /// Runs a task on the worker that has the fewest, or on this runtime where there is none.
    pub(crate) fn spawn(&self, tasks: &mut JoinSet<()>, task: impl Future<Output = ()> + Send + 'static) {
        match self.0.iter().min_by_key(|worker| worker.handle.metrics().num_alive_tasks()) {
            Some(worker) => tasks.spawn_on(task, &worker.handle),
            None => tasks.spawn(task),
        };
    }
}

impl Worker {
    fn start(number: usize) -> std::io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().max_blocking_threads(BLOCKING_THREADS).build()?;
        let handle = runtime.handle().clone();
        let (_end, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            let _ = runtime.block_on(ended);
            // What still computes has nobody to answer.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _end })
    }
}
