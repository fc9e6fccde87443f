//! χ² of terms and classes: which columns tell the classes apart, one by one.

use std::cmp::Ordering;

use ndarray::Array2;

use crate::records::Records;

/// The `keep` columns of the highest χ², best first, of equals the first column; all of them where there are fewer.
///
/// The statistic is scikit-learn's `chi2` on the records' values (negative ones, of NB weights, count as their
/// magnitudes): `Σ_k (o_k - e_k)² / e_k`, where `o_k` is the sum of the column's values in the rows of class `k` and `e_k`
/// the column's whole sum times the share of the rows that are of class `k`. A column of zeros has 0. `targets` are below
/// `classes`, one a row. Sums take no more than `memory` bytes at once; less memory is more passes over the rows.
pub(crate) fn best(records: &Records, targets: &[usize], classes: usize, keep: usize, memory: u64) -> Vec<u32> {
    let statistics = chi2(records, targets, classes, memory);
    let better =
        |&a: &u32, &b: &u32| -> Ordering { statistics[b as usize].total_cmp(&statistics[a as usize]).then(a.cmp(&b)) };
    let mut columns: Vec<u32> = (0..records.columns() as u32).collect();
    if keep < columns.len() {
        columns.select_nth_unstable_by(keep, better);
        columns.truncate(keep);
    }
    columns.sort_unstable_by(better);
    columns
}

/// χ² of every column, shape `(columns,)`, `≥ 0`.
pub fn chi2(records: &Records, targets: &[usize], classes: usize, memory: u64) -> Vec<f64> {
    let mut rows = vec![0.0; classes];
    targets.iter().for_each(|&target| rows[target] += 1.0);
    let shares: Vec<f64> = rows.iter().map(|of_class| of_class / targets.len().max(1) as f64).collect();
    let at_once = ((memory / 8) as usize / classes).max(1 << 12);
    let mut statistics = Vec::with_capacity(records.columns());
    while statistics.len() < records.columns() {
        let first = statistics.len();
        let mut observed = Array2::<f64>::zeros((at_once.min(records.columns() - first), classes));
        for (row, &target) in targets.iter().enumerate() {
            for (column, value) in records.row(row) {
                if let Some(sum) = column.checked_sub(first).and_then(|column| observed.get_mut((column, target))) {
                    *sum += value.abs();
                }
            }
        }
        statistics.extend(observed.rows().into_iter().map(|observed| {
            let all = observed.sum();
            let term = |(&observed, share): (&f64, &f64)| match share * all {
                0.0 => 0.0,
                expected => (observed - expected) * (observed - expected) / expected,
            };
            observed.iter().zip(&shares).map(term).sum::<f64>()
        }));
    }
    statistics
}
