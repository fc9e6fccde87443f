//! A window in time: even slots, each with its own figures.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::settings;
use crate::stats::sample::Moments;

/// Seconds of a slot, of which the shortest is taken that makes few enough of a window.
const WIDTHS: [i64; 12] = [60, 300, 600, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 604_800, 2_592_000];
/// Most slots of a window whose ends are known.
const MOST: i64 = 30;
/// Most slots that are kept; times far from all others make no more.
const KEPT: usize = 20_000;

/// Figures of a slot, or of one document on its way there.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    /// Documents.
    pub documents: u64,
    /// Shares of unknown tokens.
    pub unknown: Moments,
    /// Scores of the first weight vector.
    pub score: Moments,
    /// Estimated chances that predictions are right.
    pub right: Moments,
    /// Documents a predicted label.
    pub labels: BTreeMap<String, u64>,
    /// Characters of the document.
    pub characters: u64,
}

impl Slot {
    fn merge(&mut self, other: &Slot) {
        self.documents += other.documents;
        self.unknown.merge(&other.unknown);
        self.score.merge(&other.score);
        self.right.merge(&other.right);
        other.labels.iter().for_each(|(label, n)| *self.labels.entry(label.clone()).or_default() += n);
    }
}

/// Slots by their number since 1970.
#[derive(Clone, Debug)]
pub struct Slots {
    /// Seconds.
    width: i64,
    slots: BTreeMap<i64, Slot>,
}

impl Slots {
    /// Of a window; of an open one by the hour.
    pub fn of(window: settings::Window) -> Self {
        let width = match (window.start, window.end) {
            (Some(start), Some(end)) => {
                let seconds = end.as_second() - start.as_second();
                WIDTHS.into_iter().find(|width| seconds / width <= MOST).unwrap_or(WIDTHS[WIDTHS.len() - 1])
            }
            _ => 3600,
        };
        Self { width, slots: BTreeMap::new() }
    }

    /// One more document.
    pub fn add(&mut self, time: Timestamp, label: Option<&str>, document: &Slot) {
        let number = time.as_second().div_euclid(self.width);
        if self.slots.len() >= KEPT && !self.slots.contains_key(&number) {
            return;
        }
        let slot = self.slots.entry(number).or_default();
        slot.merge(document);
        if let Some(label) = label {
            match slot.labels.get_mut(label) {
                Some(documents) => *documents += 1,
                None => {
                    slot.labels.insert(label.into(), 1);
                }
            }
        }
    }

    /// Those of both.
    pub fn merge(&mut self, other: Slots) {
        other.slots.iter().for_each(|(number, slot)| self.slots.entry(*number).or_default().merge(slot));
    }

    /// Start and figures of each slot that is not empty, at most `most` of them: wider ones where there are more.
    pub fn timeline(mut self, most: usize) -> Vec<(Timestamp, Slot)> {
        while self.slots.len() > most {
            let width = self.width * 2;
            let mut wider: BTreeMap<i64, Slot> = BTreeMap::new();
            self.slots.iter().for_each(|(n, slot)| wider.entry(n.div_euclid(2)).or_default().merge(slot));
            self = Self { width, slots: wider };
        }
        let width = self.width;
        let at = move |number: i64| Timestamp::from_second(number * width).unwrap_or(Timestamp::UNIX_EPOCH);
        self.slots.into_iter().map(|(number, slot)| (at(number), slot)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slots_fit_the_window_and_the_picture() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let hour = settings::Window { start: Some(at("2026-01-19T19:00:00Z")), end: Some(at("2026-01-19T20:00:00Z")) };
        let mut slots = Slots::of(hour);
        for (time, label) in
            [("2026-01-19T19:00:00Z", "1"), ("2026-01-19T19:04:59Z", "0"), ("2026-01-19T19:57:00Z", "1")]
        {
            slots.add(at(time), Some(label), &Slot { documents: 1, ..Slot::default() });
        }
        let found = slots.clone().timeline(30);
        let shown: Vec<(String, u64)> = found.iter().map(|(time, slot)| (time.to_string(), slot.documents)).collect();
        assert_eq!(shown, [("2026-01-19T19:00:00Z".into(), 2), ("2026-01-19T19:55:00Z".into(), 1)]);
        assert_eq!(found[0].1.labels.len(), 2);
        assert_eq!(slots.timeline(1).len(), 1);
    }
}
