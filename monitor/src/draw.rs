//! A few of many, drawn at random and yet the same in every run: those whose keys are least.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// The `most` items of the least keys so far.
#[derive(Clone, Debug)]
pub struct Draw<T> {
    most: usize,
    items: BinaryHeap<Keyed<T>>,
}

#[derive(Clone, Debug)]
struct Keyed<T> {
    key: u64,
    item: T,
}

impl<T> PartialEq for Keyed<T> {
    fn eq(&self, other: &Self) -> bool {
        self.key == other.key
    }
}

impl<T> Eq for Keyed<T> {}

impl<T> PartialOrd for Keyed<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> Ord for Keyed<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key.cmp(&other.key)
    }
}

impl<T> Draw<T> {
    /// Of `most` items.
    pub fn of(most: usize) -> Self {
        Self { most, items: BinaryHeap::new() }
    }

    /// Offers the item that `make` makes, where its chance is still good. Any `number` is mixed well.
    pub fn offer(&mut self, number: u64, make: impl FnOnce() -> T) {
        let key = mixed(number);
        if self.items.len() < self.most || self.items.peek().is_some_and(|last| key < last.key) {
            self.items.push(Keyed { key, item: make() });
            if self.items.len() > self.most {
                self.items.pop();
            }
        }
    }

    /// The least of both.
    pub fn merge(&mut self, other: Draw<T>) {
        self.items.extend(other.items);
        while self.items.len() > self.most {
            self.items.pop();
        }
    }

    /// Items in the order of their keys.
    pub fn into_items(self) -> Vec<T> {
        self.items.into_sorted_vec().into_iter().map(|keyed| keyed.item).collect()
    }
}

/// SplitMix64's finish: neighbours end far apart.
fn mixed(number: u64) -> u64 {
    let z = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_draw_what_the_whole_draws() {
        let draw = |numbers: &mut dyn Iterator<Item = u64>| {
            let mut draw = Draw::of(50);
            numbers.for_each(|n| draw.offer(n, || n));
            draw
        };
        let whole = draw(&mut (0..1000)).into_items();
        let mut parts = draw(&mut (0..1000).filter(|n| n % 3 == 0));
        parts.merge(draw(&mut (0..1000).rev().filter(|n| n % 3 != 0)));
        assert_eq!(parts.into_items(), whole);
        assert!(whole.iter().filter(|n| **n < 500).count().abs_diff(25) < 15, "{whole:?}");
    }
}
