//! Data that lies: what can only be seen of whole channels, counted and warned of, or refused.
//!
//! Texts are compared by a 64-bit hash of themselves without the white space around them: among 10 million rows two
//! different texts share one with a probability of 3 in a million, and nothing is refused on that ground alone.

use report::evaluation::DataWarning;

use super::Columns;
use super::bad::KEPT;
use super::problems::Problems;
use super::summary::{Summary, Trace};

/// A class above this share of the rows is warned of.
const NEAR_CONSTANT: f64 = 0.99;
/// A class with fewer rows is warned of.
const FEW_ROWS: u64 = 5;
/// From so many rows on, more than one label in two rows is refused.
const ROWS_TO_COUNT_LABELS: u64 = 20;
/// A channel where so many rows of a hundred have their text as label is refused.
const COPIES_PERCENT: u64 = 90;

/// Looks at the training channel and at the channels that are measured. Refusals go to `problems`. The traces of the
/// training rows (16 bytes each) are used up.
pub fn audit(train: &mut Summary, others: &[&Summary], columns: &Columns, problems: &mut Problems) -> Vec<DataWarning> {
    let mut warnings: Vec<DataWarning> = Vec::new();
    for channel in std::iter::once(&*train).chain(others.iter().copied()) {
        warnings.extend(channel.warnings.iter().cloned());
    }
    let mut sorted = std::mem::take(&mut train.traces);
    let train = &*train;
    sorted.sort_unstable_by_key(|trace| (trace.hash, trace.place()));
    refuse(train, &sorted, columns, problems);
    warnings.extend(class_warnings(train));
    warnings.extend(within(train, &sorted));
    warnings.extend(others.iter().filter_map(|other| between(train, &sorted, other)));
    warnings
}

fn refuse(train: &Summary, sorted: &[Trace], columns: &Columns, problems: &mut Problems) {
    let (rows, labels) = (train.rows, train.labels.len() as u64);
    let name = &train.name;
    if rows >= 2 && train.copies * 100 >= rows * COPIES_PERCENT {
        problems.add(format!(
            "{name}: {:?} is a copy of {:?} in {} of {rows} rows; name the right columns with the hyperparameters \
             text_column and label_column",
            columns.label, columns.text, train.copies
        ));
    } else if rows >= ROWS_TO_COUNT_LABELS && labels * 2 > rows {
        problems.add(format!(
            "{name}: {labels} labels in {rows} rows; the column {:?} is no label: name the right one with the \
             hyperparameter label_column",
            columns.label
        ));
    }
    if let (2.., Some(first), Some(last)) = (rows, sorted.first(), sorted.last())
        && first.hash == last.hash
    {
        problems.add(format!(
            "{name}: the column {:?} holds the same text in all {rows} rows; name the right one with the \
                 hyperparameter text_column",
            columns.text
        ));
    }
}

fn class_warnings(train: &Summary) -> Vec<DataWarning> {
    let mut warnings = Vec::new();
    let shown = |name: &str, rows: u64| format!("{name:?}: {rows} of {} rows", train.rows);
    for label in &train.labels {
        if train.labels.len() > 1 && label.rows as f64 > NEAR_CONSTANT * train.rows as f64 {
            let examples = vec![shown(&label.name, label.rows)];
            warnings.push(DataWarning { kind: "class_above_99_percent".into(), count: label.rows, examples });
        }
    }
    let few: Vec<_> = train.labels.iter().filter(|label| label.rows < FEW_ROWS).collect();
    if !few.is_empty() {
        let examples = few.iter().take(KEPT).map(|label| shown(&label.name, label.rows)).collect();
        let count = few.iter().map(|label| label.rows).sum();
        warnings.push(DataWarning { kind: "classes_with_fewer_than_5_rows".into(), count, examples });
    }
    warnings
}

/// Texts that stand more than once in the training channel: under one label, and under several.
fn within(train: &Summary, sorted: &[Trace]) -> Vec<DataWarning> {
    let (mut same, mut contradicting) = (Vec::new(), Vec::new());
    let (mut same_rows, mut contradicting_rows) = (0, 0);
    for run in sorted.chunk_by(|a, b| a.hash == b.hash).filter(|run| run.len() > 1) {
        if run.iter().all(|trace| trace.label() == run[0].label()) {
            same_rows += run.len() as u64 - 1;
            same.push(run);
        } else {
            contradicting_rows += run.len() as u64;
            contradicting.push(run);
        }
    }
    let show = |trace: &Trace| format!("{} ({})", train.show(*trace), train.labels[trace.label()].name);
    let warning = |kind: &str, count, mut runs: Vec<&[Trace]>| {
        runs.sort_unstable_by_key(|run| run[0].place());
        let example = |run: &&[Trace]| {
            let other = run.iter().find(|trace| trace.label() != run[0].label()).unwrap_or(&run[1]);
            format!("{} = {}", show(&run[0]), show(other))
        };
        let examples = runs.iter().take(KEPT).map(example).collect();
        (count > 0).then_some(DataWarning { kind: kind.into(), count, examples })
    };
    [
        warning("duplicates_in_train", same_rows, same),
        warning("duplicates_with_contradicting_labels", contradicting_rows, contradicting),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Rows of a channel that is measured whose text was fitted on.
fn between(train: &Summary, sorted: &[Trace], other: &Summary) -> Option<DataWarning> {
    let mut count = 0;
    let mut examples = Vec::new();
    for trace in &other.traces {
        let at = sorted.partition_point(|known| known.hash < trace.hash);
        let Some(known) = sorted.get(at).filter(|known| known.hash == trace.hash) else { continue };
        count += 1;
        if examples.len() < KEPT {
            examples.push(format!("{} = {}", other.show(*trace), train.show(*known)));
        }
    }
    let percent = 100.0 * count as f64 / other.rows.max(1) as f64;
    let share = format!("{percent:.2} % of {} rows", other.rows);
    let kind = format!("{}_rows_that_stand_in_train", other.name);
    (count > 0).then(|| DataWarning { kind, count, examples: [vec![share], examples].concat() })
}
