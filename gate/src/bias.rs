//! Whether groups are treated alike: rates of favourable predictions and of favourable documents found, group against the rest.
//! Where no class is said to be favourable, each is asked about in turn.
//!
//! Signs are SageMaker Clarify's: the others' figure less the group's, so that above 0 the group is at a disadvantage.

use std::collections::BTreeSet;

use report::gate::{BiasColumn, BiasFigures, Estimate, GateReport};
use serde_json::{Value, json};
use trainer::metrics::Outcome;

use crate::{
    evidence::Slice,
    stats::{fisher, holm, newcombe},
};

/// Groups with fewer documents count in no figure of their column: one document would be a rate of 0 or 1.
const LEAST_GROUP: u64 = 10;

/// So many of so many.
type Share = (u64, u64);

fn rate((hits, of): Share) -> Option<f64> {
    (of > 0).then(|| hits as f64 / of as f64)
}

fn less(a: Share, b: Share) -> Share {
    (a.0 - b.0, a.1 - b.1)
}

/// How many are predicted as the class, of all; and of its own documents.
fn shares<'o>(rows: impl Iterator<Item = &'o Outcome>, class: usize) -> (Share, Share) {
    let (mut predicted, mut found): (Share, Share) = ((0, 0), (0, 0));
    for outcome in rows {
        let hit = u64::from(outcome.predicted == class);
        predicted = (predicted.0 + hit, predicted.1 + 1);
        if outcome.actual == class {
            found = (found.0 + hit, found.1 + 1);
        }
    }
    (predicted, found)
}

/// Every column with at least two groups of ten documents or more, for each of `classes`, places and names. Tests are adjusted
/// over all of them together.
pub fn bias(slices: &[Slice], outcomes: &[Outcome], classes: &[(usize, &str)]) -> Vec<BiasColumn> {
    let mut tests = Vec::new();
    let mut columns: Vec<BiasColumn> = Vec::new();
    let of_column = slices.chunk_by(|a, b| a.column == b.column).filter(|column| column.len() > 1);
    for (column, &(class, name)) in of_column.flat_map(|column| classes.iter().map(move |class| (column, class))) {
        let of_slice = |slice: &Slice| shares(slice.rows.iter().map(|&row| &outcomes[row as usize]), class);
        let before = tests.len();
        let parts: Vec<(Share, Share)> = column.iter().map(of_slice).collect();
        // Rows without a cell in the column belong to no group and to no rest.
        let sum = |of: fn(&(Share, Share)) -> Share| {
            parts.iter().map(of).fold((0, 0), |sum, share| (sum.0 + share.0, sum.1 + share.1))
        };
        let (predicted, found) = (sum(|part| part.0), sum(|part| part.1));
        let groups = column.iter().zip(&parts).map(|(slice, part)| {
            let (others, others_found) = (less(predicted, part.0), less(found, part.1));
            let difference = |(a, n): Share, (b, m): Share| {
                let (low, high) = newcombe((a, n), (b, m));
                Some(Estimate { value: rate((a, n))? - rate((b, m))?, low, high })
            };
            let opportunity = difference(others_found, part.1);
            tests.push(fisher(others.0, others.1, part.0.0, part.0.1));
            if opportunity.is_some() {
                tests.push(fisher(others_found.0, others_found.1, part.1.0, part.1.1));
            }
            let own = rate(part.0).unwrap_or(0.0);
            BiasFigures {
                value: slice.value.clone(),
                rows: part.0.1,
                rate: own,
                parity: difference(others, part.0).unwrap_or(Estimate { value: 0.0, low: -1.0, high: 1.0 }),
                impact: rate(others).filter(|&rate| rate > 0.0).map(|others| own / others),
                opportunity,
                parity_p: 1.0,
                opportunity_p: None,
            }
        });
        let groups: Vec<BiasFigures> = groups.collect();
        let range = |values: &mut dyn Iterator<Item = f64>| {
            values.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
        };
        let rates: Vec<f64> = groups.iter().filter(|g| g.rows >= LEAST_GROUP).map(|group| group.rate).collect();
        if rates.len() < 2 {
            tests.truncate(before);
            continue;
        }
        let (least, most) = range(&mut rates.into_iter());
        let found_in = parts.iter().map(|part| part.1).filter(|found| found.1 >= LEAST_GROUP);
        let recalls: Vec<f64> = found_in.filter_map(rate).collect();
        let (least_found, most_found) = range(&mut recalls.iter().copied());
        columns.push(BiasColumn {
            class: name.to_owned(),
            column: column[0].column.clone(),
            automatic: column[0].automatic,
            demographic_parity_difference: most - least,
            equal_opportunity_difference: (recalls.len() > 1).then_some(most_found - least_found),
            disparate_impact: (most > 0.0).then(|| least / most),
            groups,
        });
    }
    let mut adjusted = holm(&tests).into_iter();
    for group in columns.iter_mut().flat_map(|column| &mut column.groups) {
        group.parity_p = adjusted.next().unwrap_or(1.0);
        group.opportunity_p = group.opportunity.and_then(|_| adjusted.next());
    }
    columns
}

/// The bias as the model registry's `ModelMetrics.Bias` points to it: the layout of SageMaker Clarify's `analysis.json`.
///
/// That layout has room for one class. Without a favourable one it is the class whose rates differ most between groups of any
/// column, and `one_versus_rest` has them all. None where there are no groups.
pub fn clarify(report: &GateReport) -> Option<Value> {
    let class = match (&report.favourable, BiasColumn::most_apart(&report.bias)) {
        (Some(favourable), _) => favourable,
        (None, Some(worst)) => &worst.class,
        (None, None) => return None,
    };
    let metric = |name: &str, description: &str, value: Option<f64>| json!({"name": name, "description": description, "value": value});
    let group = |group: &BiasFigures| {
        let mut metrics = vec![
            metric("DPPL", "Difference in Positive Proportions in Predicted Labels (DPPL)", Some(group.parity.value)),
            metric("DI", "Disparate Impact (DI)", group.impact),
            metric("RD", "Recall Difference (RD)", group.opportunity.map(|estimate| estimate.value)),
        ];
        let interval = |estimate: &Estimate| json!([estimate.low, estimate.high]);
        metrics[0]["interval_95"] = interval(&group.parity);
        metrics[0]["p_value_holm"] = json!(group.parity_p);
        if let (Some(estimate), Some(p)) = (&group.opportunity, group.opportunity_p) {
            metrics[2]["interval_95"] = interval(estimate);
            metrics[2]["p_value_holm"] = json!(p);
        }
        json!({"value_or_threshold": group.value, "documents": group.rows, "metrics": metrics})
    };
    let of_class = |class: &String| {
        let columns = report.bias.iter().filter(|column| column.class == *class);
        let facets: serde_json::Map<String, Value> =
            columns.map(|c| (c.column.clone(), c.groups.iter().map(group).collect())).collect();
        json!({"label": "prediction", "label_value_or_threshold": class, "facets": facets})
    };
    let mut analysis = json!({
        "version": "1.0",
        "post_training_bias_metrics": of_class(class),
        "counterfactual": report.counterfactual,
    });
    if report.favourable.is_none() {
        let classes: BTreeSet<&String> = report.bias.iter().map(|column| &column.class).collect();
        analysis["one_versus_rest"] = classes.into_iter().map(of_class).collect();
    }
    Some(analysis)
}
