//! Work on a given number of threads, with results in order.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The number meant by a setting where 0 is the process's ([`crate::threads`]).
pub(super) fn threads(asked: usize) -> usize {
    if asked == 0 { crate::threads::count() } else { asked }
}

/// `work(0), …, work(count - 1)`, in that order, computed in any.
pub(crate) fn map<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = threads.min(count);
    if threads < 2 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let mut done = worker();
        for worker in workers {
            done.extend(worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        done
    });
    done.sort_unstable_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, value)| value).collect()
}

/// Each of `items` once, in place.
pub(super) fn each<T: Send>(threads: usize, items: &mut [T], work: impl Fn(usize, &mut T) + Sync) {
    let share = items.len().div_ceil(threads.max(1)).max(1);
    if threads < 2 || items.len() < 2 {
        return items.iter_mut().enumerate().for_each(|(i, item)| work(i, item));
    }
    thread::scope(|scope| {
        for (part, items) in items.chunks_mut(share).enumerate() {
            let work = &work;
            scope.spawn(move || items.iter_mut().enumerate().for_each(|(i, item)| work(part * share + i, item)));
        }
    });
}
