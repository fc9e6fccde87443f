//! The two inner loops: a sparse row times dense weights, and its opposite.

/// `Σ value · weights[column]`. Columns ascend, so the weights are read forwards.
#[inline]
pub(super) fn dot(columns: &[u32], values: &[f64], weights: &[f64]) -> f64 {
    columns.iter().zip(values).map(|(&column, &value)| value * weights[column as usize]).sum()
}

/// `into[column] += scale · value` for every value of the row.
#[inline]
pub(super) fn accumulate(columns: &[u32], values: &[f64], scale: f64, into: &mut [f64]) {
    for (&column, &value) in columns.iter().zip(values) {
        into[column as usize] += scale * value;
    }
}

#[cfg(test)]
mod tests {
    use ndarray::Array1;
    use proptest::prelude::*;

    use super::*;
    use crate::records::Records;

    proptest! {
        #[test]
        fn sparse_is_dense(
            row in proptest::collection::vec(prop_oneof![Just(0.0), -9.0..9.0], 1..40),
            seed in -3.0..3.0f64,
        ) {
            let mut records = Records::new(row.len());
            records.push_row((0..).zip(row.iter().copied()).filter(|(_, value)| *value != 0.0));
            let (columns, values) = records.row(0);
            let weights: Array1<f64> = (0..row.len()).map(|i| (i as f64 * 0.7 + seed).sin()).collect();
            let dense = records.to_dense();
            prop_assert!((dot(columns, values, weights.as_slice().unwrap()) - dense.row(0).dot(&weights)).abs() < 1e-9);
            let mut into = weights.to_vec();
            accumulate(columns, values, seed, &mut into);
            let want = &weights + &(&dense.row(0) * seed);
            prop_assert!(want.iter().zip(&into).all(|(a, b)| (a - b).abs() < 1e-9));
        }
    }
}
