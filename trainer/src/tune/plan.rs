//! How much of the data each part of a search sees: bounded by work, never by time, so that results are the machine's
//! nowhere.

/// Most rows that the first stage sees: differences between kinds of terms show on few.
const MOST_TO_BEGIN: usize = 4_000;

/// Fewest rows that it sees, where there are as many.
const LEAST_TO_BEGIN: usize = 1_500;

/// From this many rows on, four folds measure as well as five.
const ROWS_FOR_FOUR_FOLDS: usize = 5_000;

/// From this many rows on, three do.
const ROWS_FOR_THREE_FOLDS: usize = 10_000;

/// Up to so many rows the second stage sees all of them.
const ROWS_FOR_ALL: usize = 10_000;

/// Share of the rows that it sees of more.
const SHARE: f64 = 0.4;

/// A sample has this many rows a class where there are as many.
pub const LEAST_ROWS_OF_A_CLASS: usize = 50;

/// Folds of so many rows.
pub fn folds(rows: usize) -> usize {
    match rows {
        ROWS_FOR_THREE_FOLDS.. => 3,
        ROWS_FOR_FOUR_FOLDS.. => 4,
        _ => 5,
    }
}

/// Rows that the first stage sees of so many: half of them, within bounds.
pub fn rows_to_begin(rows: usize) -> usize {
    (rows / 2).clamp(LEAST_TO_BEGIN, MOST_TO_BEGIN).min(rows)
}

/// Rows that the second stage sees of so many.
pub fn rows(rows: usize) -> usize {
    if rows <= ROWS_FOR_ALL { rows } else { ((rows as f64 * SHARE) as usize).max(ROWS_FOR_ALL) }
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
