//! How much of the data each part of a search sees: bounded by work, never by time, so that results are the machine's
//! nowhere.

/// Most rows that the first stage sees: differences between kinds of terms show on few.
const MOST_TO_BEGIN: usize = 4_000;

/// Fewest rows that it sees, where there are as many.
const LEAST_TO_BEGIN: usize = 1_500;

/// From this many rows on, three folds measure as well as five.
const ROWS_FOR_THREE_FOLDS: usize = 5_000;

/// A sample has this many rows a class where there are as many.
pub const LEAST_ROWS_OF_A_CLASS: usize = 50;

/// Folds of so many rows.
pub fn folds(rows: usize) -> usize {
    match rows {
        ROWS_FOR_THREE_FOLDS.. => 3,
        _ => 5,
    }
}

/// Rows that the first stage sees of so many: half of them, within bounds.
pub fn rows_to_begin(rows: usize) -> usize {
    (rows / 2).clamp(LEAST_TO_BEGIN, MOST_TO_BEGIN).min(rows)
}

/// Candidates that stay after the second stage's fold of so many: two, and of data that are enough for three folds one that
/// is measured on the last, where its scores are wanted for the calibration.
pub fn most_after(fold: usize, folds: usize) -> usize {
    if folds <= 3 && fold + 1 >= folds { 1 } else { 2 }
}

/// Operations of a non-zero while its text is counted.
const COUNTING: f64 = 40.0;

/// Operations of a non-zero while scales and norms are fitted.
const SCALING: f64 = 4.0;

/// Operations of a non-zero while one weight vector is solved for.
const SOLVING: f64 = 25.0;

/// Work of counting the text of so many non-zeros, operations.
pub fn counting(non_zeros: u64) -> f64 {
    COUNTING * non_zeros as f64
}

/// Work of scaling so many non-zeros, operations.
pub fn scaling(non_zeros: u64) -> f64 {
    SCALING * non_zeros as f64
}

/// Work of one solution over so many non-zeros, operations.
pub fn solving(non_zeros: u64, classes: usize) -> f64 {
    let vectors = if classes == 2 { 1 } else { classes };
    SOLVING * (non_zeros * vectors as u64) as f64
}
