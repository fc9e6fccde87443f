//! What is counted of requests and predictions, without a lock: each thread adds to numbers of its own, and whoever asks
//! sums them up.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// Of so many documents one is looked at for words that the vocabulary does not have.
pub const VOCABULARY_SAMPLE: u64 = 16;
/// Steps of the histogram in each doubling of the latency: a quantile is told within 1 / 16.
const STEPS: u32 = 4;
/// Steps in all: up to 2^27 µs, about two minutes.
const BUCKETS: usize = (27 - STEPS as usize + 2) << STEPS;

/// Counts of a server since it started.
#[derive(Debug)]
pub struct Metrics {
    shards: Box<[Shard]>,
    classes: OnceLock<Box<[String]>>,
}

/// The numbers of one thread, or of a few; apart from the others' in memory, so that none waits for another's cache line.
#[derive(Debug)]
#[repr(align(128))]
struct Shard {
    requests: AtomicU64,
    client_errors: AtomicU64,
    server_errors: AtomicU64,
    documents: AtomicU64,
    refused: AtomicU64,
    /// Sum of the scores, in billionths.
    score: AtomicU64,
    units: AtomicU64,
    unknown: AtomicU64,
    latency: Box<[AtomicU64]>,
    classes: OnceLock<Box<[AtomicU64]>>,
}

/// All counts at one time, or of the time between two.
#[derive(Debug, Clone, PartialEq)]
pub struct Totals {
    /// Requests for predictions, refused ones included.
    pub requests: u64,
    /// Answers of 400 to 499.
    pub client_errors: u64,
    /// Answers of 500 and above: refused for want of room, too.
    pub server_errors: u64,
    /// Documents that were predicted.
    pub documents: u64,
    /// Records that were answered with what is wrong with them.
    pub refused: u64,
    /// Sum of the predicted classes' probabilities, in billionths.
    pub score: u64,
    /// Words (or characters, where there are no words) that were looked up in the documents of the sample.
    pub units: u64,
    /// Those of them that the vocabulary does not have.
    pub unknown: u64,
    /// Documents of each class; empty where many models are served.
    pub classes: Vec<u64>,
    latency: Vec<u64>,
}

static THREADS: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static THREAD: usize = THREADS.fetch_add(1, Relaxed);
}

impl Metrics {
    /// All zero.
    pub fn new() -> Self {
        // Threads that compute on the blocking pool are as many again.
        let shards = 2 * std::thread::available_parallelism().map_or(1, |cores| cores.get());
        Self { shards: (0..shards).map(|_| Shard::new()).collect(), classes: OnceLock::new() }
    }

    /// The classes whose documents are counted, in the model's order.
    pub fn classes(&self) -> &[String] {
        self.classes.get().map_or(&[], |classes| classes)
    }

    /// Counts documents by class from now on.
    pub(crate) fn count_classes(&self, classes: &[String]) {
        self.classes.get_or_init(|| classes.into());
        for shard in &self.shards {
            shard.classes.get_or_init(|| classes.iter().map(|_| AtomicU64::new(0)).collect());
        }
    }

    fn shard(&self) -> &Shard {
        &self.shards[THREAD.with(|thread| *thread) % self.shards.len()]
    }

    /// A request that was answered with this status.
    pub fn request(&self, status: u16, took: Duration) {
        let shard = self.shard();
        shard.requests.fetch_add(1, Relaxed);
        shard.latency[bucket(took)].fetch_add(1, Relaxed);
        match status {
            0..=399 => {}
            400..=499 => drop(shard.client_errors.fetch_add(1, Relaxed)),
            _ => drop(shard.server_errors.fetch_add(1, Relaxed)),
        }
    }

    /// A document's prediction; tells whether the document is of the sample that [`vocabulary`](Self::vocabulary) is for.
    pub fn document(&self, class: usize, score: f64) -> bool {
        let shard = self.shard();
        shard.score.fetch_add((score * 1e9) as u64, Relaxed);
        if let Some(class) = shard.classes.get().and_then(|classes| classes.get(class)) {
            class.fetch_add(1, Relaxed);
        }
        shard.documents.fetch_add(1, Relaxed).is_multiple_of(VOCABULARY_SAMPLE)
    }

    /// Words of a document, and those of them that are unknown.
    pub fn vocabulary(&self, units: usize, unknown: usize) {
        let shard = self.shard();
        shard.units.fetch_add(units as u64, Relaxed);
        shard.unknown.fetch_add(unknown as u64, Relaxed);
    }

    /// Records that were refused, each in its place.
    pub fn refused(&self, records: usize) {
        self.shard().refused.fetch_add(records as u64, Relaxed);
    }

    /// All counts now.
    pub fn totals(&self) -> Totals {
        let sum = |count: fn(&Shard) -> &AtomicU64| self.shards.iter().map(|shard| count(shard).load(Relaxed)).sum();
        let sums = |length: usize, counts: fn(&Shard) -> Option<&[AtomicU64]>| {
            let mut sums = vec![0; length];
            for counts in self.shards.iter().filter_map(counts) {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count.load(Relaxed));
            }
            sums
        };
        Totals {
            requests: sum(|shard| &shard.requests),
            client_errors: sum(|shard| &shard.client_errors),
            server_errors: sum(|shard| &shard.server_errors),
            documents: sum(|shard| &shard.documents),
            refused: sum(|shard| &shard.refused),
            score: sum(|shard| &shard.score),
            units: sum(|shard| &shard.units),
            unknown: sum(|shard| &shard.unknown),
            classes: sums(self.classes().len(), |shard| shard.classes.get().map(AsRef::as_ref)),
            latency: sums(BUCKETS, |shard| Some(&shard.latency)),
        }
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl Shard {
    fn new() -> Self {
        let zero = || AtomicU64::new(0);
        Self {
            requests: zero(),
            client_errors: zero(),
            server_errors: zero(),
            documents: zero(),
            refused: zero(),
            score: zero(),
            units: zero(),
            unknown: zero(),
            latency: (0..BUCKETS).map(|_| zero()).collect(),
            classes: OnceLock::new(),
        }
    }
}

impl Totals {
    /// What was counted since `before`.
    pub fn since(&self, before: &Totals) -> Totals {
        let less = |now: &[u64], before: &[u64]| -> Vec<u64> {
            let before = before.iter().copied().chain(std::iter::repeat(0));
            now.iter().zip(before).map(|(now, before)| now - before).collect()
        };
        Totals {
            requests: self.requests - before.requests,
            client_errors: self.client_errors - before.client_errors,
            server_errors: self.server_errors - before.server_errors,
            documents: self.documents - before.documents,
            refused: self.refused - before.refused,
            score: self.score - before.score,
            units: self.units - before.units,
            unknown: self.unknown - before.unknown,
            classes: less(&self.classes, &before.classes),
            latency: less(&self.latency, &before.latency),
        }
    }

    /// The latency, in microseconds, that this share of the requests did not exceed, or that and up to a sixteenth more.
    pub fn latency_us(&self, share: f64) -> Option<u64> {
        let all: u64 = self.latency.iter().sum();
        let wanted = ((all as f64 * share).ceil() as u64).max(1);
        let mut count = 0;
        let reached = |n: &u64| {
            count += n;
            count >= wanted
        };
        self.latency.iter().position(reached).map(upper)
    }
}

/// The step of a latency; from 16 µs on there are 16 in each doubling.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    let double = micros.max(1).ilog2();
    let step = match double < STEPS {
        true => micros as usize,
        false => ((double - STEPS + 1) as usize) << STEPS | (micros >> (double - STEPS)) as usize & ((1 << STEPS) - 1),
    };
    step.min(BUCKETS - 1)
}

/// The longest latency of a step, in microseconds.
fn upper(bucket: usize) -> u64 {
    let (double, step) = ((bucket >> STEPS) as u32, (bucket & ((1 << STEPS) - 1)) as u64);
    match double {
        0 => step,
        _ => (((1 << STEPS) + step + 1) << (double - 1)) - 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_step_is_within_a_sixteenth(micros in prop_oneof![0..64_u64, 0..1_u64 << 27]) {
            let step = bucket(Duration::from_micros(micros));
            prop_assert!(upper(step) >= micros && upper(step) - micros <= micros / 16, "{} {}", step, upper(step));
            prop_assert!(step == 0 || upper(step - 1) < micros);
        }

        #[test]
        fn a_quantile_is_that_of_the_sorted(mut micros in prop::collection::vec(0..5_000_000_u64, 1..50), share in 0.0..=1.0_f64) {
            let metrics = Metrics::new();
            micros.iter().for_each(|&micros| metrics.request(200, Duration::from_micros(micros)));
            micros.sort_unstable();
            let want = micros[((micros.len() as f64 * share).ceil() as usize).max(1) - 1];
            let found = metrics.totals().latency_us(share).unwrap();
            prop_assert!(found >= want && found <= want + want / 16, "{} instead of {}", found, want);
        }
    }

    #[test]
    fn threads_are_summed_and_times_told_apart() {
        let metrics = Metrics::new();
        metrics.count_classes(&["0".into(), "1".into()]);
        metrics.request(200, Duration::from_secs(1_000_000));
        let before = metrics.totals();
        std::thread::scope(|scope| {
            for thread in 0..40 {
                let metrics = &metrics;
                scope.spawn(move || {
                    for status in [200, 404, 503] {
                        metrics.request(status, Duration::from_millis(1));
                    }
                    metrics.document(thread % 2, 0.75);
                    metrics.vocabulary(10, 3);
                    metrics.refused(2);
                });
            }
        });
        let now = metrics.totals().since(&before);
        assert_eq!((now.requests, now.client_errors, now.server_errors, now.refused), (120, 40, 40, 80));
        assert_eq!((now.documents, now.score, now.units, now.unknown), (40, 30_000_000_000, 400, 120));
        assert_eq!(now.classes, [20, 20]);
        assert!((1000..=1062).contains(&now.latency_us(1.0).unwrap()), "{now:?}");
        assert_eq!(before.since(&before).latency_us(0.5), None);
    }
}
