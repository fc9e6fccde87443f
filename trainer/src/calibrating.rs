//! Scores of held-out rows to a calibration: which is learned, when, and what it gains.

use model::{Calibration, Loss};
use report::evaluation::Calibrated;

use crate::fit::Error;
use crate::hyperparameters::{Calibrate, Hyperparameters};
use crate::log::say;
use crate::metrics::{self, Outcome};
use crate::tune::{HeldOutScores, LEAST_ROWS};

/// `auto` calibrates what the logistic loss fitted from this many rows, as `tune = auto` searches from: with fewer, two
/// numbers learned from them are no better than the loss's own probabilities.
const ROWS_FOR_AUTO: usize = 500;

/// Whether folds of a fit that was not searched for are to be held out for a calibration.
///
/// The logistic loss learns probabilities, though too sure or not sure enough of them; margins are none at all.
pub fn wanted(asked: &Hyperparameters, rows: usize) -> Result<bool, Error> {
    let needs = |asked| if rows < LEAST_ROWS { Err(Error::TooFewRows { asked, rows }) } else { Ok(true) };
    match asked.calibrate {
        Calibrate::None => Ok(false),
        Calibrate::Platt => needs("calibration = \"platt\""),
        Calibrate::Temperature => needs("calibration = \"temperature\""),
        Calibrate::Auto => Ok(rows >= if asked.settings.loss == Loss::Logistic { ROWS_FOR_AUTO } else { LEAST_ROWS }),
    }
}

/// As the hyperparameter names it.
pub fn name(calibration: &Calibration) -> &'static str {
    match calibration {
        Calibration::None => "none",
        Calibration::Temperature { .. } => "temperature",
        Calibration::Platt { .. } => "platt",
    }
}

/// Learns from scores of rows that their classifier has not seen, and measures on them.
pub fn learn(asked: Calibrate, held_out: HeldOutScores, classes: usize) -> (Calibration, Option<Calibrated>) {
    let HeldOutScores { scores, targets } = held_out;
    let calibration = match asked {
        Calibrate::None => return (Calibration::None, None),
        Calibrate::Auto => Calibration::fit(scores.view(), &targets, classes),
        Calibrate::Platt => Calibration::platt(scores.view(), &targets),
        Calibrate::Temperature => Calibration::temperature(scores.view(), &targets),
    };
    let measure = |calibration: &Calibration| {
        let probabilities = calibration.probabilities(scores.view());
        let rows = probabilities.rows().into_iter().zip(&targets);
        let outcomes: Vec<Outcome> = rows.map(|(row, &actual)| Outcome::of(actual, row.to_vec())).collect();
        (metrics::calibration_error(&metrics::bins(&outcomes)), metrics::log_loss(&outcomes))
    };
    let (before, after) = (measure(&Calibration::None), measure(&calibration));
    let number = |name: &str, value: f64| (name.to_owned(), value);
    let parameters = match &calibration {
        Calibration::None => Vec::new(),
        Calibration::Temperature { t } => vec![number("t", *t)],
        Calibration::Platt { a, b } => {
            let pairs = a.iter().zip(b).enumerate();
            pairs.flat_map(|(k, (a, b))| [number(&format!("a{k}"), *a), number(&format!("b{k}"), *b)]).collect()
        }
    };
    let kind = name(&calibration);
    say!(
        "calibration: {kind}, of {} held-out rows: log loss {:.4} -> {:.4}, calibration error {:.4} -> {:.4}",
        targets.len(),
        before.1,
        after.1,
        before.0,
        after.0
    );
    let calibrated = Calibrated {
        kind: kind.into(),
        parameters: parameters.into_iter().collect(),
        calibration_error_before: Some(before.0),
        calibration_error_after: Some(after.0),
        log_loss_before: Some(before.1),
        log_loss_after: Some(after.1),
    };
    (calibration, Some(calibrated))
}
