//! Threads that answer, each with a reactor of its own: a connection stays where it was put, and no thread wakes another
//! for a request.
//!
//! With as many workers as cores, each keeps to one: left to the system, two of them share a core for a while and leave
//! another idle.

use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
use nix::unistd::Pid;
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
        let cores = cores().filter(|cores| cores.len() == count).unwrap_or_default();
        Self((0..count).map_while(|number| Worker::start(number, &cores).ok()).collect())
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
    /// On one of these cores, where there are any; what computes long may run on all of them.
    fn start(number: usize, cores: &[usize]) -> std::io::Result<Self> {
        let (own, all) = (cores.get(number).copied(), cores.to_vec());
        let runtime = Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(BLOCKING_THREADS)
            .on_thread_start(move || keep_to(&all))
            .build()?;
        let handle = runtime.handle().clone();
        let (_end, ended) = oneshot::channel::<()>();
        std::thread::Builder::new().name(format!("worker-{number}")).spawn(move || {
            keep_to(own.as_slice());
            let _ = runtime.block_on(ended);
            // What still computes has nobody to answer.
            runtime.shutdown_background();
        })?;
        Ok(Self { handle, _end })
    }
}

/// The cores that this process may use; none where the system does not tell.
fn cores() -> Option<Vec<usize>> {
    let allowed = sched_getaffinity(Pid::from_raw(0)).ok()?;
    Some((0..CpuSet::count()).filter(|&core| allowed.is_set(core) == Ok(true)).collect())
}

/// Keeps this thread to these cores. Where it is not allowed to, or there are none, it stays as it is: no answer depends on
/// it.
fn keep_to(cores: &[usize]) {
    let mut set = CpuSet::new();
    if !cores.is_empty() && cores.iter().all(|&core| set.set(core).is_ok()) {
        let _ = sched_setaffinity(Pid::from_raw(0), &set);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::sync::mpsc::unbounded_channel;

    #[test]
    fn a_worker_has_its_core_and_long_work_all_of_them() {
        let all = cores().unwrap();
        let (workers, mut tasks) = (Workers::start(all.len()), JoinSet::new());
        let (found, mut finds) = unbounded_channel();
        for worker in &workers.0 {
            let found = found.clone();
            let look = async move {
                let long = tokio::task::spawn_blocking(cores).await.unwrap();
                found.send((cores().unwrap(), long.unwrap())).unwrap();
            };
            tasks.spawn_on(look, &worker.handle);
        }
        drop(found);
        let mut owns = Vec::new();
        while let Some((own, long)) = finds.blocking_recv() {
            assert_eq!(long, all);
            owns.extend(own);
        }
        owns.sort_unstable();
        assert_eq!(owns, all);
    }
}
