//! What trees see of the records: the columns of the highest χ², sparse by rows, within a bound of memory.

use crate::chi2;
use crate::classifier::Dataset;
use crate::error::FitError;
use crate::linear::count_rows;
use crate::random::SplitMix64;
use crate::settings::{ClassWeight, Settings};

/// Fewest features that memory takes away down to; past that it takes rows.
const FEWEST_FEATURES: usize = 50;
/// Bytes that a value takes, and a row beside its values.
const VALUE_BYTES: u64 = 12;
const ROW_BYTES: u64 = 24;

/// Rows of selected columns, their classes and weights.
#[derive(Debug)]
pub(crate) struct Selection {
    /// The records' column of each feature, ascending.
    pub columns: Vec<u32>,
    ends: Vec<usize>,
    features: Vec<u32>,
    values: Vec<f64>,
    /// Class of each row.
    pub targets: Vec<u32>,
    /// Weight of each class's rows.
    pub class_weights: Vec<f64>,
    /// What memory took away, in words.
    pub notes: Vec<String>,
}

impl Selection {
    /// The `tree_features` best columns of `dataset`, fewer (down to 50) where they would take more than
    /// `dense_memory_limit` bytes, and a stratified sample of the rows where even those would.
    pub(crate) fn of(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<Selection, FitError> {
        let (records, limit) = (dataset.records(), settings.dense_memory_limit);
        let class_rows = count_rows(records, &dataset.targets, classes)?;
        let targets = dataset.targets.to_vec();
        let mut ranked = chi2::best(records, &targets, classes, settings.tree_features, limit);
        let rank_of = ranks(&ranked, records.columns());
        let mut stored = vec![0u64; ranked.len()];
        for row in 0..records.rows() {
            records.row(row).filter_map(|(column, _)| rank_of(column)).for_each(|rank| stored[rank] += 1);
        }
        let bytes =
            |features: usize| VALUE_BYTES * stored[..features].iter().sum::<u64>() + ROW_BYTES * records.rows() as u64;
        let (mut notes, wanted) = (Vec::new(), ranked.len());
        let mut features = wanted;
        while features > FEWEST_FEATURES && bytes(features) > limit {
            features = (features / 2).max(FEWEST_FEATURES);
        }
        if features < wanted {
            let needed = bytes(wanted);
            notes.push(format!(
                "trees see the {features} terms of the highest χ²: {wanted} would take {needed} bytes, above {limit}"
            ));
        }
        let mut rows: Vec<usize> = (0..records.rows()).collect();
        if bytes(features) > limit {
            let share = limit as f64 / bytes(features) as f64;
            rows = sample(&targets, &class_rows, share, settings.seed);
            notes.push(format!(
                "trees see {} of {} rows, drawn class by class: all would take {} bytes, above {limit}",
                rows.len(),
                targets.len(),
                bytes(features)
            ));
        }
        ranked.truncate(features);
        ranked.sort_unstable();
        let class_weights = class_rows.iter().map(|&of_class| match settings.class_weight {
            Some(ClassWeight::Balanced) => targets.len() as f64 / (classes * of_class) as f64,
            None => 1.0,
        });
        let mut selection = Selection {
            ends: Vec::with_capacity(rows.len()),
            features: Vec::new(),
            values: Vec::new(),
            targets: rows.iter().map(|&row| targets[row] as u32).collect(),
            class_weights: class_weights.collect(),
            notes,
            columns: ranked,
        };
        let feature_of = ranks(&selection.columns, records.columns());
        for row in rows {
            for (column, value) in records.row(row) {
                if let Some(feature) = feature_of(column) {
                    selection.features.push(feature as u32);
                    selection.values.push(value);
                }
            }
            selection.ends.push(selection.features.len());
        }
        Ok(selection)
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.ends.len()
    }

    /// Features, ascending, and their values in a row; what is not there is 0.
    pub(crate) fn row(&self, row: usize) -> (&[u32], &[f64]) {
        let start = if row == 0 { 0 } else { self.ends[row - 1] };
        let range = start..self.ends[row];
        (&self.features[range.clone()], &self.values[range])
    }

    /// The value of a feature in a row.
    pub(crate) fn value(&self, row: usize, feature: u32) -> f64 {
        let (features, values) = self.row(row);
        features.binary_search(&feature).map_or(0.0, |at| values[at])
    }
}

/// Column to its place in `columns`.
fn ranks(columns: &[u32], all: usize) -> impl Fn(usize) -> Option<usize> + use<> {
    let mut ranks = vec![u32::MAX; all];
    columns.iter().zip(0..).for_each(|(&column, rank)| ranks[column as usize] = rank);
    move |column| Some(ranks[column] as usize).filter(|&rank| rank != u32::MAX as usize)
}

/// About `share` of the rows of each class, at least one, ascending.
fn sample(targets: &[usize], class_rows: &[usize], share: f64, seed: u64) -> Vec<usize> {
    let mut of_class: Vec<Vec<usize>> = class_rows.iter().map(|&rows| Vec::with_capacity(rows)).collect();
    targets.iter().enumerate().for_each(|(row, &target)| of_class[target].push(row));
    let mut drawn = Vec::new();
    for (class, mut rows) in of_class.into_iter().enumerate() {
        let count = ((rows.len() as f64 * share) as usize).max(1);
        SplitMix64::new(seed, class as u64).draw(&mut rows, count);
        drawn.extend_from_slice(&rows[..count]);
    }
    drawn.sort_unstable();
    drawn
}
