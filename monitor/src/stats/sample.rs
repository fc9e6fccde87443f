//! Any number of values in bounded room: counted on a grid of eleven significant bits, with exact moments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::sketch::Sketch;

/// Bits of a double's 52 that are not kept: whole numbers up to 4096 stay as they are, others are off by 0.02 % at most.
const DROPPED: u32 = 41;

/// Values and how often each came, up to rounding; equal however they came and were merged, but for the moments' last bits.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    counts: BTreeMap<i64, u64>,
    moments: Moments,
}

/// Exact figures of a sample.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Moments {
    /// Values.
    pub count: u64,
    /// Their mean; 0 of none.
    pub mean: f64,
    /// Sum of the squared distances from the mean.
    pub squares: f64,
    /// Least; infinite of none.
    pub min: f64,
    /// Greatest; infinitely small of none.
    pub max: f64,
}

impl Default for Moments {
    fn default() -> Self {
        Self { count: 0, mean: 0.0, squares: 0.0, min: f64::INFINITY, max: f64::NEG_INFINITY }
    }
}

impl Moments {
    /// One more value (Welford 1962).
    pub fn add(&mut self, value: f64) {
        self.merge(&Moments { count: 1, mean: value, squares: 0.0, min: value, max: value });
    }

    /// Those of both (Chan, Golub & LeVeque 1979).
    pub fn merge(&mut self, other: &Moments) {
        if other.count == 0 {
            return;
        }
        let (m, n) = (self.count as f64, other.count as f64);
        let apart = other.mean - self.mean;
        self.count += other.count;
        self.mean += apart * n / (m + n);
        self.squares += other.squares + apart * apart * m * n / (m + n);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }

    /// Of the values at hand (no estimate of others').
    pub fn variance(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.squares / self.count as f64 }
    }
}

impl Sample {
    /// One more value; what is no number is left out.
    pub fn add(&mut self, value: f64) {
        if value.is_finite() {
            *self.counts.entry(key(value)).or_default() += 1;
            self.moments.add(value);
        }
    }

    /// Those of both.
    pub fn merge(&mut self, other: Sample) {
        other.counts.into_iter().for_each(|(key, count)| *self.counts.entry(key).or_default() += count);
        self.moments.merge(&other.moments);
    }

    /// Values added.
    pub fn len(&self) -> u64 {
        self.moments.count
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.moments.count == 0
    }

    /// Count, mean and so on, not rounded.
    pub fn moments(&self) -> &Moments {
        &self.moments
    }

    /// Values on the grid, ascending, with how often each came.
    pub fn items(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.counts.iter().map(|(&key, &count)| (value(key), count))
    }

    /// The same as a sketch, nothing thinned out.
    pub fn sketch(&self) -> Sketch {
        Sketch::from_counts(self.items())
    }
}

impl FromIterator<f64> for Sample {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut sample = Self::default();
        values.into_iter().for_each(|value| sample.add(value));
        sample
    }
}

/// The nearest grid value's bits, in the order of the values.
fn key(value: f64) -> i64 {
    let half = 1u64 << (DROPPED - 1);
    let bits = (value.abs().to_bits() + half) >> DROPPED << DROPPED;
    if value < 0.0 { -(bits as i64) } else { bits as i64 }
}

fn value(key: i64) -> f64 {
    let magnitude = f64::from_bits(key.unsigned_abs());
    if key < 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn rounding_is_small_and_keeps_the_order(mut values in proptest::collection::vec(-1e9..1e9f64, 1..60)) {
            values.sort_unstable_by(f64::total_cmp);
            let sample: Sample = values.iter().copied().collect();
            let kept: Vec<f64> = sample.items().flat_map(|(v, n)| std::iter::repeat_n(v, n as usize)).collect();
            prop_assert_eq!(kept.len(), values.len());
            for (kept, value) in kept.iter().zip(&values) {
                prop_assert!((kept - value).abs() <= value.abs() / 4000.0, "{} kept as {}", value, kept);
            }
        }

        #[test]
        fn parts_make_the_whole(values in proptest::collection::vec(-100.0..100.0f64, 2..60), cut in 0usize..60) {
            let cut = cut.min(values.len());
            let mut parts: Sample = values[..cut].iter().copied().collect();
            parts.merge(values[cut..].iter().copied().collect());
            let whole: Sample = values.iter().copied().collect();
            prop_assert_eq!(parts.items().collect::<Vec<_>>(), whole.items().collect::<Vec<_>>());
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
            for moments in [parts.moments(), whole.moments()] {
                prop_assert!((moments.mean - mean).abs() < 1e-9 && (moments.variance() - variance).abs() < 1e-7);
            }
        }
    }

    #[test]
    fn whole_numbers_and_halves_stay() {
        let sample: Sample = [4096.0, 0.5, 0.0, -3.0, f64::NAN].into_iter().collect();
        assert_eq!(sample.items().collect::<Vec<_>>(), [(-3.0, 1), (0.0, 1), (0.5, 1), (4096.0, 1)]);
    }
}
