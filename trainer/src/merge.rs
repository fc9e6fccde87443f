//! Fewer columns for the search, with the same optimum: terms of one document only are merged into one a document.
//!
//! More than half of a vocabulary of n-grams stands in one document each. The gradient of such terms' weights is that
//! document's slope times their values, and the penalty pulls all of them alike, so at the optimum their weights are a
//! multiple of their values. One column with the Euclidean norm of the values therefore stands for them exactly: the
//! change of variables is a rotation, which leaves scores and `‖w‖²` as they are. On rows that were held out these
//! terms never count: no row that was learned from has them.

use model::Records;

/// The same rows, with the terms of one document only merged and those of none left out. Merged columns come behind
/// the others.
pub fn merge_singletons(records: &Records) -> Records {
    let mut documents = vec![0u32; records.columns()];
    for row in 0..records.rows() {
        for &column in records.row(row).0 {
            documents[column as usize] = documents[column as usize].saturating_add(1);
        }
    }
    let shared = |column: u32| documents[column as usize] > 1;
    let mut kept = 0u32;
    let renumbered: Vec<u32> = documents
        .iter()
        .map(|&documents| {
            let number = kept;
            kept += u32::from(documents > 1);
            number
        })
        .collect();
    let lonely_rows =
        (0..records.rows()).filter(|&row| records.row(row).0.iter().any(|&column| !shared(column))).count();
    let mut merged = Records::new(kept as usize + lonely_rows);
    let mut next = kept;
    for row in 0..records.rows() {
        let (columns, values) = records.row(row);
        let pairs = || columns.iter().copied().zip(values.iter().copied());
        let squares: f64 = pairs().filter(|&(column, _)| !shared(column)).map(|(_, value)| value * value).sum();
        let lonely = pairs().any(|(column, _)| !shared(column)).then_some((next, squares.sqrt()));
        next += u32::from(lonely.is_some());
        let others = pairs().filter(|&(column, _)| shared(column));
        merged.push_row(others.map(|(column, value)| (renumbered[column as usize], value)).chain(lonely));
    }
    merged
}

#[cfg(test)]
mod tests {
    use linfa::DatasetBase;
    use model::{Settings, Solver, TfidfParams, fit_classifier};
    use ndarray::Array1;

    use super::*;

    #[test]
    fn lonely_terms_become_one_column_a_row() {
        let mut records = Records::new(6);
        records.push_row([(0, 3.0), (1, 0.5), (2, 4.0)]);
        records.push_row([(1, 1.0)]);
        records.push_row([(1, 2.0), (3, 1.0), (4, 7.0)]);
        records.push_row([(4, 9.0)]);
        let merged = merge_singletons(&records);
        assert_eq!((merged.rows(), merged.columns()), (4, 4));
        assert_eq!(merged.row(0), (&[0, 2][..], &[0.5, 5.0][..]));
        assert_eq!(merged.row(1), (&[0][..], &[1.0][..]));
        assert_eq!(merged.row(2), (&[0, 1, 3][..], &[2.0, 7.0, 1.0][..]));
        assert_eq!(merged.row(3), (&[1][..], &[9.0][..]));
    }

    #[test]
    fn held_out_probabilities_are_the_same() {
        let words = ["good", "bad", "fine", "poor", "kettle", "sofa"];
        let texts: Vec<String> = (0..60)
            .map(|n| format!("{} {} only{n} once{n} {}", words[n % 2], words[2 + (n / 2) % 4], words[(n * 5) % 6]))
            .collect();
        let (_, records) = TfidfParams::default().fit_transform(&texts).unwrap();
        let merged = merge_singletons(&records);
        assert!(merged.columns() < records.columns() / 2 && merged.non_zeros() < records.non_zeros());
        let (learned, held_out): (Vec<usize>, Vec<usize>) = (0..60).partition(|row| row % 5 != 0);
        for classes in [2, 3] {
            let settings =
                Settings { solver: Solver::Sparse, tol: 1e-9, max_iter: 1000, c: 3.0, ..Settings::default() };
            let probabilities = |records: &Records| {
                let targets: Array1<usize> = learned.iter().map(|row| row % classes).collect();
                let dataset = DatasetBase::new(records.select(&learned), targets);
                let fitted = fit_classifier(&settings, &dataset, classes, None).unwrap();
                fitted.classifier.probabilities(&records.select(&held_out))
            };
            let (all, fewer) = (probabilities(&records), probabilities(&merged));
            let apart = all.iter().zip(&fewer).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-6, "{classes} classes: {apart}");
        }
    }
}
