//! Work on a given number of threads.

use std::thread;

pub(super) use crate::threads::on as map;

/// The number meant by a setting where 0 is the process's ([`crate::threads`]).
pub(super) fn threads(asked: usize) -> usize {
    if asked == 0 { crate::threads::count() } else { asked }
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
