//! A small logistic regression, for what the monitor itself has to learn.

use model::{ClassWeight, Classifier, Dataset, Linear, Records, Settings, Solver, fit_classifier};

/// Fits rows of (column, value), columns ascending and below `columns`, to targets of 0 and 1; both must be there.
pub fn two_classes<R>(
    columns: usize,
    rows: impl IntoIterator<Item = R>,
    targets: Vec<usize>,
    (c, class_weight): (f64, Option<ClassWeight>),
) -> Option<Linear>
where
    R: IntoIterator<Item = (u32, f64)>,
{
    let records = Records::from_rows(columns, rows);
    let settings = Settings { solver: Solver::Sparse, c, class_weight, ..Settings::default() };
    match fit_classifier(&settings, &Dataset::new(records, targets.into()), 2, None).ok()?.classifier {
        Classifier::Linear(linear) => Some(linear),
        Classifier::Tree(_) | Classifier::Forest(_) => None,
    }
}
