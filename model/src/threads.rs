//! Work on several threads, with results that do not tell how many there were.
//!
//! The number is the process's ([`set`]); work that is done within other work here has one thread, so that folds in parallel do
//! not each start as many threads again.

use std::cell::Cell;
use std::cmp::Ordering;
use std::num::NonZero;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread;

/// 0: as many as there are cores.
static THREADS: AtomicUsize = AtomicUsize::new(0);
/// How many there are; to ask the system means to read files, where it shares out cores by groups.
static CORES: OnceLock<usize> = OnceLock::new();

thread_local! {
    static WITHIN: Cell<bool> = const { Cell::new(false) };
}

/// From now on so many threads; 0 for as many as there are cores (the default).
pub fn set(threads: usize) {
    THREADS.store(threads, Relaxed);
}

/// Threads that work started here would have: at least 1, and 1 within other work.
pub fn count() -> usize {
    match THREADS.load(Relaxed) {
        _ if WITHIN.get() => 1,
        0 => *CORES.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get)),
        threads => threads,
    }
}

/// `work(0), …, work(count - 1)`, in that order, computed in any.
pub fn map<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    on(self::count(), count, work)
}

/// The same on so many threads.
pub(crate) fn on<T: Send>(threads: usize, count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let threads = threads.min(count);
    if threads < 2 {
        return (0..count).map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let worker = |_| {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Relaxed);
            if index >= count {
                return done;
            }
            done.push((index, work(index)));
        }
    };
    let mut done: Vec<(usize, T)> = each((0..threads).collect(), worker).into_iter().flatten().collect();
    done.sort_by_key(|(index, _)| *index);
    done.into_iter().map(|(_, value)| value).collect()
}

/// `work` on every part, each on a thread of its own, the last on the caller's: have no more parts than [`count`] says.
/// Results are in the order of the parts.
pub fn each<P: Send, T: Send>(mut parts: Vec<P>, work: impl Fn(P) -> T + Sync) -> Vec<T> {
    let Some(last) = parts.pop() else { return Vec::new() };
    if parts.is_empty() {
        return vec![work(last)];
    }
    let within = |part| alone(|| work(part));
    thread::scope(|scope| {
        let within = &within;
        let workers: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || within(part))).collect();
        let own = within(last);
        let join = |worker: thread::ScopedJoinHandle<'_, T>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().map(join).chain([own]).collect()
    })
}

/// `work` on every task, on as many threads as there are: each has a run of tasks that lie side by side. Results are in the order
/// of the tasks.
pub fn share<P: Send, T: Send>(mut tasks: Vec<P>, work: impl Fn(P) -> T + Sync) -> Vec<T> {
    let (count, threads) = (tasks.len(), self::count().min(tasks.len()).max(1));
    let mut parts: Vec<Vec<P>> = (1..threads).rev().map(|part| tasks.split_off(count * part / threads)).collect();
    parts.push(tasks);
    parts.reverse();
    each(parts, |tasks| tasks.into_iter().map(&work).collect::<Vec<T>>()).into_iter().flatten().collect()
}

/// Items fewer than this are sorted faster than threads are started.
const FEW: usize = 1 << 14;

/// The items in order, of which no two may be equal. Their number is all that the work depends on.
pub fn sorted<T: Copy + Default + Send + Sync>(mut items: Vec<T>, order: impl Fn(&T, &T) -> Ordering + Sync) -> Vec<T> {
    let threads = self::count();
    if threads < 2 || items.len() < FEW {
        items.sort_unstable_by(order);
        return items;
    }
    let each = items.len().div_ceil(threads);
    let mut parts: Vec<&mut [T]> = items.chunks_mut(each).collect();
    share(parts.iter_mut().collect(), |part| part.sort_unstable_by(&order));
    merged(&parts.iter().map(|part| &**part).collect::<Vec<&[T]>>(), order)
}

/// Lists that are in order as one; no two items may be equal.
pub fn merged<T: Copy + Default + Send + Sync>(lists: &[&[T]], order: impl Fn(&T, &T) -> Ordering + Sync) -> Vec<T> {
    let mut items = vec![T::default(); lists.iter().map(|list| list.len()).sum()];
    let longest = lists.iter().max_by_key(|list| list.len()).copied().unwrap_or_default();
    let ranges = if items.len() < FEW { 1 } else { self::count() };
    // Each range of the items, by what stands at its beginning, goes into its place on a thread of its own.
    let (mut rest, mut lists, mut tasks) = (&mut items[..], lists.to_vec(), Vec::new());
    for range in 1..=ranges {
        let bound = longest.get(longest.len() * range / ranges);
        let own: Vec<&[T]> = lists
            .iter_mut()
            .map(|list| {
                let end = bound.map_or(list.len(), |bound| list.partition_point(|item| order(item, bound).is_lt()));
                list.split_off(..end).unwrap_or_default()
            })
            .collect();
        let count = own.iter().map(|list| list.len()).sum::<usize>();
        tasks.push((own, rest.split_off_mut(..count).unwrap_or_default()));
    }
    share(tasks, |(mut lists, to)| {
        lists.retain(|list| !list.is_empty());
        for to in to {
            let least = (1..lists.len()).fold(0, |least, at| match order(&lists[at][0], &lists[least][0]) {
                Ordering::Less => at,
                _ => least,
            });
            if let Some((&first, rest)) = lists[least].split_first() {
                *to = first;
                lists[least] = rest;
                if rest.is_empty() {
                    lists.swap_remove(least);
                }
            }
        }
    });
    items
}

/// `work` as it would be done within other work: on this thread alone.
pub fn alone<T>(work: impl FnOnce() -> T) -> T {
    let before = WITHIN.replace(true);
    let result = work();
    WITHIN.set(before);
    result
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_kept() {
        assert_eq!(map(1000, |n| n * n), (0..1000).map(|n| n * n).collect::<Vec<_>>());
        assert_eq!(map(0, |n| n), Vec::<usize>::new());
        assert_eq!(each(vec![3, 1, 2], |n| n + 1), [4, 2, 3]);
        assert_eq!(share((0..99).collect(), |n| 2 * n), (0..99).map(|n| 2 * n).collect::<Vec<_>>());
        assert_eq!(share(Vec::<u8>::new(), |n| n), Vec::<u8>::new());
    }

    #[test]
    fn sorted_is_sorted() {
        for count in [0, 1, 1000, 3 * FEW + 1] {
            let items: Vec<u64> = (0..count as u64).map(|n| n.wrapping_mul(0x9E37_79B9_7F4A_7C15)).collect();
            let mut want = items.clone();
            want.sort_unstable();
            assert_eq!(sorted(items.clone(), u64::cmp), want);
            let (mut left, mut right): (Vec<u64>, Vec<u64>) = items.into_iter().partition(|n| n % 7 < 2);
            left.sort_unstable();
            right.sort_unstable();
            assert_eq!(merged(&[&left, &[], &right], u64::cmp), want);
        }
    }

    #[test]
    fn work_within_work_has_one_thread() {
        assert_eq!(each(vec![(), ()], |()| count()), [1, 1]);
        assert_eq!(each(vec![()], |()| WITHIN.get()), [false], "one part keeps all threads for what is within it");
    }
}
