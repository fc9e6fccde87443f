//! Confidence intervals by bootstrap (Efron 1979), by percentiles.
//!
//! A resample draws from each actual class as many documents as it has, with replacement (stratified: the mix of classes
//! is that of the channel, no class is ever lost). Documents are not copied: a resample is a count a document, and the
//! figures are sums weighted by counts; scores are ranked once for all resamples. Each resample has random numbers of its
//! own, so the intervals do not depend on the number of threads.

use report::evaluation::Interval;

use super::{Outcome, loss};
use model::SplitMix64;
use model::threads;

/// Share of resamples between the ends.
const LEVEL: f64 = 0.95;
/// Resamples that share their buffers.
const BATCH: usize = 25;

/// How many resamples, of what.
#[derive(Clone, Copy, Debug)]
pub struct Bootstrap {
    /// Resamples.
    pub resamples: usize,
    /// Most documents drawn over all resamples; with more documents than `work / resamples` there are fewer resamples, but
    /// never under 200.
    pub work: usize,
    /// Most steps of all ROC AUCs, each class of each resample taking one a document; where 200 resamples would take
    /// more, there is no interval of it.
    pub area_work: usize,
    /// Of all randomness.
    pub seed: u64,
}

impl Bootstrap {
    /// 1,000 resamples up to 50,000 documents.
    pub fn seeded(seed: u64) -> Self {
        Self { resamples: 1000, work: 50_000_000, area_work: 2_000_000_000, seed }
    }
}

/// Fewest resamples whose percentiles are worth telling.
const LEAST_RESAMPLES: usize = 200;

/// The outcomes as resamples use them.
struct Prepared {
    /// Rows of each class that occurs.
    strata: Vec<Vec<u32>>,
    classes: usize,
    /// `actual · classes + predicted` of each row.
    cells: Vec<u32>,
    losses: Vec<f64>,
    /// Of each class ranked: the class, its documents, and the rows from its highest probability to its lowest.
    rankings: Vec<(u64, Vec<Ranked>)>,
}

#[derive(Clone, Copy)]
struct Ranked {
    row: u32,
    positive: bool,
    /// Last of the rows of its score.
    last: bool,
}

/// Figures of one resample.
struct Figures {
    accuracy: f64,
    macro_f1: f64,
    log_loss: f64,
    roc_auc: Option<f64>,
}

/// Of accuracy, macro F1, log loss and, where it has a value and is not too long a work, ROC AUC (of two classes the second's,
/// of more the one-vs-rest mean over those that occur). Nothing of no outcomes, and no interval of a figure that all resamples
/// share: where no document was predicted wrong, drawing again tells nothing about documents not seen.
pub fn intervals(outcomes: &[Outcome], classes: usize, how: Bootstrap) -> Vec<Interval> {
    if outcomes.is_empty() || u32::try_from(outcomes.len()).is_err() {
        return Vec::new();
    }
    let affordable = (how.work / outcomes.len()).max(LEAST_RESAMPLES);
    let resamples = how.resamples.min(affordable);
    let prepared = Prepared::of(outcomes, classes, how.area_work / resamples);
    let ones = vec![1u32; outcomes.len()];
    let whole = prepared.figures(&ones, &mut vec![0; classes * classes]);
    let drawn: Vec<Figures> = threads::map(resamples.div_ceil(BATCH), |batch| {
        let mut counts = vec![0u32; outcomes.len()];
        let mut cells = vec![0u64; classes * classes];
        let batch = batch * BATCH..((batch + 1) * BATCH).min(resamples);
        let mut draw = |resample: usize| {
            counts.fill(0);
            let mut random = SplitMix64::new(how.seed, resample as u64);
            for stratum in &prepared.strata {
                draw(stratum, &mut random, &mut counts);
            }
            prepared.figures(&counts, &mut cells)
        };
        batch.map(&mut draw).collect::<Vec<_>>()
    })
    .into_iter()
    .flatten()
    .collect();
    let interval = |metric: &str, value: f64, figure: &dyn Fn(&Figures) -> f64| {
        let mut values: Vec<f64> = drawn.iter().map(figure).collect();
        values.sort_unstable_by(f64::total_cmp);
        Interval {
            metric: metric.into(),
            value,
            low: percentile(&values, (1.0 - LEVEL) / 2.0),
            high: percentile(&values, (1.0 + LEVEL) / 2.0),
            level: LEVEL,
            resamples: resamples as u64,
        }
    };
    let mut all = vec![
        interval("accuracy", whole.accuracy, &|figures| figures.accuracy),
        interval("macro_f1", whole.macro_f1, &|figures| figures.macro_f1),
        interval("log_loss", whole.log_loss, &|figures| figures.log_loss),
    ];
    all.extend(whole.roc_auc.map(|area| interval("roc_auc", area, &|figures| figures.roc_auc.unwrap_or(area))));
    all.retain(|interval| interval.low < interval.high);
    all
}

/// Draws as many rows of `stratum` as it has.
fn draw(stratum: &[u32], random: &mut SplitMix64, counts: &mut [u32]) {
    for _ in stratum {
        counts[stratum[random.below(stratum.len())] as usize] += 1;
    }
}

impl Prepared {
    fn of(outcomes: &[Outcome], classes: usize, area_work: usize) -> Self {
        let mut strata = vec![Vec::new(); classes];
        for (row, outcome) in (0u32..).zip(outcomes) {
            strata[outcome.actual].push(row);
        }
        let ranked = |class: usize| {
            let mut rows: Vec<u32> = (0..outcomes.len() as u32).collect();
            let score = |row: u32| outcomes[row as usize].probabilities[class];
            rows.sort_unstable_by(|&a, &b| score(b).total_cmp(&score(a)).then(a.cmp(&b)));
            let last = |at: usize| rows.get(at + 1).is_none_or(|&next| score(next) != score(rows[at]));
            let positive = |row: u32| outcomes[row as usize].actual == class;
            rows.iter().enumerate().map(|(at, &row)| Ranked { row, positive: positive(row), last: last(at) }).collect()
        };
        let occurring = strata.iter().filter(|rows| !rows.is_empty()).count();
        // With one class alone there is no area; of two classes both have the same.
        let of: Vec<usize> = match (occurring, classes) {
            (..2, _) => Vec::new(),
            (_, 2) => vec![1],
            _ => (0..classes).filter(|&class| !strata[class].is_empty()).collect(),
        };
        let affordable = of.len().saturating_mul(outcomes.len()) <= area_work;
        let of = if affordable { of } else { Vec::new() };
        let rankings = of.into_iter().map(|class| (strata[class].len() as u64, ranked(class))).collect();
        strata.retain(|rows| !rows.is_empty());
        Self {
            strata,
            classes,
            cells: outcomes.iter().map(|o| (o.actual * classes + o.predicted) as u32).collect(),
            losses: outcomes.iter().map(loss).collect(),
            rankings,
        }
    }

    /// Figures of the rows, each counted as often as `counts` says; `cells` is a buffer of `classes²`.
    fn figures(&self, counts: &[u32], cells: &mut [u64]) -> Figures {
        cells.fill(0);
        let mut loss = 0.0;
        for ((&count, &cell), &row_loss) in counts.iter().zip(&self.cells).zip(&self.losses) {
            cells[cell as usize] += u64::from(count);
            loss += f64::from(count) * row_loss;
        }
        let rows = counts.len() as f64;
        let cell = |actual: usize, predicted: usize| cells[actual * self.classes + predicted];
        let right: u64 = (0..self.classes).map(|class| cell(class, class)).sum();
        let f1 = |class: usize| {
            let actual: u64 = (0..self.classes).map(|other| cell(class, other)).sum();
            let predicted: u64 = (0..self.classes).map(|other| cell(other, class)).sum();
            2.0 * cell(class, class) as f64 / (actual + predicted).max(1) as f64
        };
        let areas: f64 = self.rankings.iter().map(|(positives, ranking)| area(ranking, *positives, counts)).sum();
        Figures {
            accuracy: right as f64 / rows,
            macro_f1: (0..self.classes).map(f1).sum::<f64>() / self.classes as f64,
            log_loss: loss / rows,
            roc_auc: (!self.rankings.is_empty()).then(|| areas / self.rankings.len() as f64),
        }
    }
}

/// Area under the ROC curve of counted rows; `positives` of them are.
fn area(ranking: &[Ranked], positives: u64, counts: &[u32]) -> f64 {
    let (mut twice, mut above, mut hits, mut misses) = (0u64, 0u64, 0u64, 0u64);
    for &Ranked { row, positive, last } in ranking {
        let count = u64::from(counts[row as usize]);
        // Whether a row is a positive is as good as random to the processor: no branch.
        hits += count * u64::from(positive);
        misses += count * u64::from(!positive);
        if last {
            twice += misses * (2 * above + hits);
            above += hits;
            (hits, misses) = (0, 0);
        }
    }
    twice as f64 / 2.0 / (positives as f64 * (counts.len() as u64 - positives) as f64)
}

/// Of ascending `values`, between the two nearest in proportion (NumPy's default).
fn percentile(values: &[f64], share: f64) -> f64 {
    let at = share * (values.len() - 1) as f64;
    let (low, high) = (values[at.floor() as usize], values[at.ceil() as usize]);
    low + (high - low) * at.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numpys() {
        let values = [1.0, 2.0, 4.0, 8.0];
        for (share, want) in [(0.0, 1.0), (0.5, 3.0), (0.9, 6.8), (1.0, 8.0)] {
            assert!((percentile(&values, share) - want).abs() < 1e-12, "{share}");
        }
    }

    #[test]
    fn a_resample_has_as_many_rows_of_each_class() {
        let strata = [vec![0, 3, 4], vec![1], vec![2, 5, 6, 7]];
        for seed in 0..20 {
            let mut counts = [0u32; 8];
            let mut random = SplitMix64::new(seed, 1);
            strata.iter().for_each(|stratum| draw(stratum, &mut random, &mut counts));
            for stratum in &strata {
                assert_eq!(stratum.iter().map(|&row| counts[row as usize] as usize).sum::<usize>(), stratum.len());
            }
        }
    }

    #[test]
    fn work_is_bounded() {
        let outcomes: Vec<Outcome> = (0..1000u32)
            .map(|n| Outcome::of(n as usize % 2, vec![f64::from(n) / 1000.0, 1.0 - f64::from(n) / 1000.0]))
            .collect();
        let how = Bootstrap { work: 300_000, ..Bootstrap::seeded(1) };
        let found = intervals(&outcomes, 2, how);
        assert_eq!(found.iter().map(|interval| interval.resamples).collect::<Vec<_>>(), [300; 4]);
        let found = intervals(&outcomes, 2, Bootstrap { work: 1, area_work: 100_000, ..how });
        assert_eq!(
            found.iter().map(|i| (i.metric.as_str(), i.resamples)).collect::<Vec<_>>(),
            [("accuracy", 200), ("macro_f1", 200), ("log_loss", 200)]
        );
    }
}
