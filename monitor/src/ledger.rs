//! The ledger: which windows are done. A file a window, in the bucket; a job reads it and adds to it.
//!
//! What a job is asked to do follows from the clock it is given and this, so that asking twice, late, or not at all for an
//! hour changes nothing in the end: a window that is not in the ledger is done by the next job, one that is in it is not.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::Timestamp;
use report::drift::PastWindow;
use serde::Deserialize;

use crate::error::Result;
use crate::files;

/// The file that says where the ledger begins.
const BEGIN: &str = "begin.json";
/// Windows that a report shows before its own.
const SHOWN: usize = 60;

/// What `begin.json` says.
#[derive(Debug, Deserialize)]
struct Begin {
    since: String,
}

/// Windows done, by their end in seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ledger {
    /// Windows that end before are nobody's.
    pub since: Option<Timestamp>,
    /// Done.
    pub done: BTreeMap<i64, PastWindow>,
}

impl Ledger {
    /// Reads a folder of entries.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut ledger = Ledger::default();
        for path in files::below(folder, &|name| name.ends_with(".json"))? {
            if path.file_name().is_some_and(|name| name == BEGIN) {
                ledger.since = files::read_json::<Begin>(&path, "{\"since\": a time}")?.since.parse().ok();
                continue;
            }
            let entry: PastWindow = files::read_json(&path, "an entry of the ledger, as `monitor` writes it")?;
            if let Ok(end) = entry.end.parse::<Timestamp>() {
                ledger.done.insert(end.as_second(), entry);
            }
        }
        Ok(ledger)
    }

    /// The windows that end before `end`, the latest last.
    pub fn before(&self, end: Option<Timestamp>) -> Vec<PastWindow> {
        let end = end.map_or(i64::MAX, |end| end.as_second());
        let earlier: Vec<PastWindow> = self.done.range(..end).map(|(_, entry)| entry.clone()).collect();
        earlier[earlier.len().saturating_sub(SHOWN)..].to_vec()
    }
}

/// Ends of the windows of `length` seconds that have passed by `now`, at most `catch_up` of them, the earliest first, and how
/// many earlier ones since `since` are beyond that.
///
/// Windows begin at whole multiples of their length since 1970, UTC: neither the zone of a schedule nor a clock that is set
/// moves them.
pub fn passed(length: i64, since: Option<Timestamp>, now: Timestamp, catch_up: u32) -> (Vec<i64>, u64) {
    let length = length.max(1);
    let last = now.as_second().div_euclid(length);
    let reach = last - i64::from(catch_up.max(1)) + 1;
    let first = since.map_or(reach, |since| since.as_second().div_euclid(length) + 1);
    let beyond = u64::try_from(reach.min(last + 1) - first).unwrap_or(0);
    ((first.max(reach)..=last).map(|n| n * length).collect(), beyond)
}

/// How a window is called in the bucket: its end, without colons.
pub fn name(end: Timestamp) -> String {
    end.strftime("%Y-%m-%dT%H-%M-%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn windows_lie_on_the_hour_whatever_the_schedule_says() {
        let time = |text: &str| text.parse::<Timestamp>().unwrap();
        let since = Some(time("2026-03-28T22:15:00Z"));
        let ends = |now: &str, catch_up| {
            let (ends, beyond) = passed(3600, since, time(now), catch_up);
            (ends.into_iter().map(|end| at(end).to_string()[11..16].to_owned()).collect::<Vec<_>>(), beyond)
        };
        assert_eq!(ends("2026-03-28T22:59:59Z", 24), (vec![], 0));
        assert_eq!(ends("2026-03-28T23:00:00Z", 24), (vec!["23:00".into()], 0));
        // The night in which Europe's clocks go forward has its hours all the same.
        let night: Vec<String> = ["23:00", "00:00", "01:00", "02:00", "03:00"].map(String::from).into();
        assert_eq!(ends("2026-03-29T03:10:00Z", 24), (night.clone(), 0));
        assert_eq!(ends("2026-03-29T03:10:00Z", 2), (night[3..].to_vec(), 3));
        assert_eq!(ends("2026-03-28T20:10:00Z", 24), (vec![], 0), "a clock set back");
    }

    proptest! {
        /// Jobs are asked for at any times in any order, some twice, and some die before they have written anything.
        #[test]
        fn every_window_is_done_once(asked in prop::collection::vec((0i64..400_000, any::<bool>(), any::<bool>()), 1..60)) {
            let (length, since) = (3600, at(1_000_000));
            let mut done: BTreeMap<i64, u32> = BTreeMap::new();
            let ask = |now: i64, dies: bool, done: &mut BTreeMap<i64, u32>| {
                let undone: Vec<i64> = passed(length, Some(since), at(now), 1000).0;
                let undone: Vec<i64> = undone.into_iter().filter(|end| !done.contains_key(end)).collect();
                if !dies {
                    undone.into_iter().for_each(|end| *done.entry(end).or_default() += 1);
                }
            };
            for (now, dies, twice) in asked {
                ask(1_000_000 + now, dies, &mut done);
                if twice {
                    ask(1_000_000 + now, false, &mut done);
                }
            }
            ask(1_400_000, false, &mut done);
            let want: Vec<i64> = (1_000_000 / length + 1..=1_400_000 / length).map(|n| n * length).collect();
            prop_assert_eq!(done.keys().copied().collect::<Vec<_>>(), want);
            prop_assert!(done.values().all(|times| *times == 1));
        }
    }
}
