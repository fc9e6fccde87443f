//! Work on a given number of threads.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
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

/// `work` on each of `0..count` with whichever of `states` is free; each has a thread of its own.
pub(super) fn with<S: Send>(states: &mut [S], count: usize, work: impl Fn(&mut S, usize) + Sync) {
    let next = AtomicUsize::new(0);
    each(states.len(), states, |_, state| {
        let numbers = std::iter::repeat_with(|| next.fetch_add(1, Relaxed));
        numbers.take_while(|&number| number < count).for_each(|number| work(state, number));
    });
}
