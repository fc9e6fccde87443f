//! The values of metrics: by the second for three hours, then by the minute for fifteen days, as AWS keeps them.
//!
//! Memory is the store; what came since is appended to a journal now and then, which the next start reads.

use std::{
    collections::BTreeMap,
    fs::{self, OpenOptions},
    io::{self, BufRead, BufReader, Write},
    ops::Range,
    path::PathBuf,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::{StartError, files, time};

/// Seconds for which a metric is kept by the second.
const FINE: i64 = 3 * 3600;
/// Seconds for which it is kept at all.
const KEPT: i64 = 15 * 86_400;

/// A metric's name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Metric {
    pub namespace: String,
    pub name: String,
    pub dimensions: BTreeMap<String, String>,
}

impl Metric {
    pub fn new(namespace: &str, name: &str, dimensions: &[(&str, &str)]) -> Metric {
        let pairs = dimensions.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Metric { namespace: namespace.to_owned(), name: name.to_owned(), dimensions: pairs.collect() }
    }
}

/// What is kept of one metric.
#[derive(Default)]
struct Series {
    unit: String,
    /// By the second, or the minute's first.
    values: BTreeMap<i64, Summary>,
}

#[derive(Default)]
struct Inner {
    all: BTreeMap<Metric, Series>,
    /// Not in the journal yet.
    since: BTreeMap<(Metric, i64), Summary>,
}

/// A line of the journal.
#[derive(Serialize, Deserialize)]
struct Entry {
    metric: Metric,
    unit: String,
    at: i64,
    values: Summary,
}

/// All metrics.
pub(crate) struct Metrics {
    journal: PathBuf,
    inner: Mutex<Inner>,
}

impl Metrics {
    /// Reads what an earlier run left, and writes it shorter.
    pub fn open(folder: PathBuf) -> Result<Metrics, StartError> {
        let journal = folder.join("values.jsonl");
        let failed = |e| StartError::file(&journal, e);
        let mut inner = Inner::default();
        match fs::File::open(&journal) {
            Ok(file) => {
                for line in BufReader::new(file).lines() {
                    // The last line of a process that was killed may be half there.
                    let Ok(entry) = serde_json::from_str::<Entry>(&line.map_err(failed)?) else { continue };
                    let series = inner.all.entry(entry.metric).or_default();
                    series.unit = entry.unit;
                    series.values.entry(entry.at).or_default().merge(&entry.values);
                }
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(e)),
        }
        inner.age(time::now().as_second());
        let mut text = Vec::new();
        for (metric, series) in &inner.all {
            for (at, values) in &series.values {
                line(&mut text, metric, &series.unit, *at, values).map_err(failed)?;
            }
        }
        files::write(&journal, &text).map_err(failed)?;
        Ok(Metrics { journal, inner: Mutex::new(inner) })
    }

    /// Adds values of one moment.
    pub fn add(&self, metric: &Metric, unit: &str, at: Timestamp, values: &Summary) {
        let (inner, at) = (&mut *self.lock(), at.as_second());
        if !inner.all.contains_key(metric) {
            inner.all.insert(metric.clone(), Series::default());
        }
        if let Some(series) = inner.all.get_mut(metric) {
            unit.clone_into(&mut series.unit);
            series.values.entry(at).or_default().merge(values);
        }
        inner.since.entry((metric.clone(), at)).or_default().merge(values);
    }

    /// Puts what came since the last time into the journal, and forgets what is too old.
    pub fn flush(&self, now: Timestamp) -> io::Result<()> {
        let mut inner = self.lock();
        inner.age(now.as_second());
        if inner.since.is_empty() {
            return Ok(());
        }
        let mut text = Vec::new();
        for ((metric, at), values) in &inner.since {
            let unit = inner.all.get(metric).map_or("", |series| &series.unit);
            line(&mut text, metric, unit, *at, values)?;
        }
        OpenOptions::new().create(true).append(true).open(&self.journal)?.write_all(&text)?;
        inner.since.clear();
        Ok(())
    }

    /// All values of these seconds; `None` where the metric has another unit than is asked for.
    pub fn summed(&self, metric: &Metric, unit: Option<&str>, seconds: Range<i64>) -> Option<Summary> {
        let inner = self.lock();
        let series = inner.all.get(metric).filter(|series| unit.is_none_or(|unit| unit == series.unit))?;
        let mut sum = Summary::default();
        // A range that ends before it begins holds nothing.
        if seconds.start < seconds.end {
            series.values.range(seconds).for_each(|(_, values)| sum.merge(values));
        }
        (sum.count > 0.0).then_some(sum)
    }

    /// The unit of a metric.
    pub fn unit(&self, metric: &Metric) -> Option<String> {
        self.lock().all.get(metric).map(|series| series.unit.clone()).filter(|unit| !unit.is_empty())
    }

    /// Every metric that has values.
    pub fn names(&self) -> Vec<Metric> {
        self.lock().all.keys().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    /// Seconds become minutes, and what is too old goes.
    fn age(&mut self, now: i64) {
        for series in self.all.values_mut() {
            series.values = series.values.split_off(&(now - KEPT));
            let coarse = series.values.split_off(&(now - FINE));
            let old = std::mem::replace(&mut series.values, coarse);
            for (at, values) in old {
                series.values.entry(at - at.rem_euclid(60)).or_default().merge(&values);
            }
        }
        self.all.retain(|_, series| !series.values.is_empty());
    }
}

fn line(to: &mut Vec<u8>, metric: &Metric, unit: &str, at: i64, values: &Summary) -> io::Result<()> {
    let entry = Entry { metric: metric.clone(), unit: unit.to_owned(), at, values: values.clone() };
    serde_json::to_writer(&mut *to, &entry)?;
    to.push(b'\n');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloudwatch::summary::Statistic;

    #[test]
    fn values_survive_a_restart_and_age() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let metric = Metric::new("N", "m", &[("a", "b")]);
        let now = time::now();
        let open = || Metrics::open(folder.path().to_path_buf()).expect("open");
        let sum =
            |metrics: &Metrics, range| metrics.summed(&metric, None, range).and_then(|sum| sum.get(Statistic::Sum));
        let metrics = open();
        let at = |back: i64| Timestamp::from_second(now.as_second() - back).expect("time");
        metrics.add(&metric, "Count", at(0), &Summary::of(2.0, 1.0));
        metrics.flush(now).expect("flush");
        metrics.add(&metric, "Count", at(0), &Summary::of(3.0, 2.0));
        metrics.add(&metric, "Count", at(4 * 3600), &Summary::of(1.0, 1.0));
        metrics.add(&metric, "Count", at(16 * 86_400), &Summary::of(9.0, 1.0));
        metrics.flush(now).expect("flush");
        for metrics in [metrics, open(), open()] {
            let now = now.as_second();
            assert_eq!(sum(&metrics, now..now + 1), Some(8.0));
            assert_eq!(sum(&metrics, now - 4 * 3600 - 60..now - 4 * 3600 + 1), Some(1.0));
            assert_eq!(sum(&metrics, 0..now + 1), Some(9.0));
            assert_eq!(metrics.summed(&metric, Some("Seconds"), 0..now + 1), None);
        }
    }
}
