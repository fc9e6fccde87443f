//! The bootstrap (Efron 1979): documents drawn again within each actual class. Both classifiers are measured on the same
//! draw, so that what is hard for both does not count as a difference between them (paired).

use model::{SplitMix64, threads};

/// Documents drawn over all resamples, at most; there are never fewer than [`LEAST`] resamples.
const WORK: usize = 20_000_000;
/// Resamples where nothing limits them.
const MOST: usize = 2000;
/// Fewest resamples whose percentiles are worth telling.
const LEAST: usize = 200;

/// How documents are drawn.
pub struct Resampling<'a> {
    /// The actual class of each document.
    pub actual: &'a [usize],
    /// Of all randomness.
    pub seed: u64,
}

/// A figure of each resample, ascending.
#[derive(Clone, Debug)]
pub struct Draws(Vec<f64>);

impl Resampling<'_> {
    /// `figure` of each resample of `rows`, which are indices into [`Self::actual`]; resamples where it has no value are left
    /// out.
    pub fn draw(&self, rows: &[u32], figure: &(dyn Fn(&[u32]) -> Option<f64> + Sync)) -> Draws {
        let mut strata: Vec<Vec<u32>> = Vec::new();
        for &row in rows {
            let class = self.actual[row as usize];
            strata.resize_with(strata.len().max(class + 1), Vec::new);
            strata[class].push(row);
        }
        let resamples = (WORK / rows.len().max(1)).clamp(LEAST, MOST);
        let drawn = threads::map(resamples, |resample| {
            let mut random = SplitMix64::new(self.seed, resample as u64);
            let again = strata.iter().flat_map(|stratum| stratum.iter().map(move |_| stratum));
            let rows: Vec<u32> = again.map(|stratum| stratum[random.below(stratum.len())]).collect();
            figure(&rows)
        });
        let mut values: Vec<f64> = drawn.into_iter().flatten().filter(|value| value.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        Draws(values)
    }
}

impl Draws {
    /// Whether all resamples agree: then drawing again tells nothing about documents not seen.
    pub fn say_nothing(&self) -> bool {
        self.0.first() == self.0.last()
    }

    /// Resamples.
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The value below which `share` of the resamples are, between neighbours by their distance; NaN of none.
    pub fn quantile(&self, share: f64) -> f64 {
        let Some(last) = self.0.len().checked_sub(1) else { return f64::NAN };
        let place = share.clamp(0.0, 1.0) * last as f64;
        let (low, part) = (place.floor() as usize, place.fract());
        let high = self.0[(low + 1).min(last)];
        self.0[low] + part * (high - self.0[low])
    }

    /// Both ends, `level` between them.
    pub fn interval(&self, level: f64) -> (f64, f64) {
        (self.quantile((1.0 - level) / 2.0), self.quantile((1.0 + level) / 2.0))
    }

    /// Standard deviation over the resamples.
    pub fn error(&self) -> f64 {
        let n = self.0.len().max(2) as f64;
        let mean = self.0.iter().sum::<f64>() / n;
        (self.0.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt()
    }

    /// One-sided p-value of "the figure is above 0": the share of resamples at or below it, one more in both counts so that
    /// it is never 0.
    pub fn above_zero(&self) -> f64 {
        let at_or_below = self.0.partition_point(|&value| value <= 0.0);
        (at_or_below + 1) as f64 / (self.0.len() + 1) as f64
    }
}
