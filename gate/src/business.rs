//! What predictions cost: a matrix in money, against the champion and against always answering the same, and the threshold
//! that costs least.

use std::collections::BTreeMap;

use report::gate::{Business, Estimate, Threshold};
use serde::Deserialize;
use trainer::metrics::Outcome;

use crate::{evidence::Evidence, stats::Resampling};

/// `[business]`.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BusinessSettings {
    /// `EUR`
    pub currency: String,
    /// Documents a month.
    pub documents_a_month: f64,
    /// Cost of a document by actual class, then by predicted class; a pair that is not there costs nothing.
    pub costs: BTreeMap<String, BTreeMap<String, f64>>,
    /// Price of the endpoint a month.
    pub endpoint_price_a_month: Option<f64>,
    /// The day it was looked up.
    pub priced_on: Option<String>,
    /// Whether the package bears the threshold that costs least, for the endpoint to use.
    pub use_threshold: bool,
}

impl Default for BusinessSettings {
    fn default() -> Self {
        BusinessSettings {
            currency: "EUR".into(),
            documents_a_month: 100_000.0,
            costs: BTreeMap::new(),
            endpoint_price_a_month: None,
            priced_on: None,
            use_threshold: false,
        }
    }
}

/// Cost of a document by `[actual][predicted]`, in the order of the classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Costs(Vec<Vec<f64>>);

impl BusinessSettings {
    /// What is wrong with them, whatever the classes.
    pub fn check(&self) -> Result<(), String> {
        let costs = self.costs.values().flat_map(BTreeMap::values);
        if let Some(cost) = costs.into_iter().find(|cost| !cost.is_finite()) {
            return Err(format!("business.costs: {cost} is no amount"));
        }
        for (name, value) in [
            ("documents_a_month", Some(self.documents_a_month)),
            ("endpoint_price_a_month", self.endpoint_price_a_month),
        ] {
            if value.is_some_and(|value| !value.is_finite() || value < 0.0) {
                return Err(format!("business.{name}: expected a number from 0 up"));
            }
        }
        if self.endpoint_price_a_month.is_some() && self.priced_on.is_none() {
            return Err("business.endpoint_price_a_month: say in business.priced_on which day it was looked up".into());
        }
        Ok(())
    }

    /// The matrix over `classes`; none where no costs are set.
    pub fn costs(&self, classes: &[String]) -> Result<Option<Costs>, String> {
        if self.costs.is_empty() {
            return Ok(None);
        }
        let names = self.costs.keys().chain(self.costs.values().flat_map(BTreeMap::keys));
        if let Some(unknown) = names.into_iter().find(|name| !classes.contains(name)) {
            return Err(format!("business.costs: there is no class {unknown:?}; there are {}", classes.join(", ")));
        }
        let cost = |actual: &String, predicted: &String| {
            self.costs.get(actual).and_then(|row| row.get(predicted)).copied().unwrap_or(0.0)
        };
        let row = |actual| classes.iter().map(|predicted| cost(actual, predicted)).collect();
        Ok(Some(Costs(classes.iter().map(row).collect())))
    }
}

impl Costs {
    /// Of one document.
    pub fn of(&self, outcome: &Outcome) -> f64 {
        self.0[outcome.actual][outcome.predicted]
    }

    /// The probability of the second of two classes from which on it is the cheaper answer (Elkan 2001): where both answers'
    /// expected costs are equal. None where one answer is never the cheaper one.
    pub fn threshold(&self) -> Option<f64> {
        let false_alarm = self.0[0][1] - self.0[0][0];
        let miss = self.0[1][0] - self.0[1][1];
        (false_alarm > 0.0 && miss > 0.0).then(|| false_alarm / (false_alarm + miss))
    }
}

/// The figures; `rows_of` counts the training rows a class.
pub fn business(
    evidence: &Evidence,
    settings: &BusinessSettings,
    costs: &Costs,
    rows_of: &BTreeMap<String, u64>,
    seed: u64,
) -> Business {
    let Evidence { classes, outcomes, .. } = evidence;
    let n = outcomes.len().max(1) as f64;
    let actual: Vec<usize> = outcomes.iter().map(|outcome| outcome.actual).collect();
    let resampling = Resampling { actual: &actual, seed };
    let own: Vec<f64> = outcomes.iter().map(|outcome| costs.of(outcome)).collect();
    let mean = |costs: &[f64]| costs.iter().sum::<f64>() / n;
    let estimate = |of: &[f64]| {
        let draws = resampling.draw(&evidence.all(), &|rows| {
            Some(rows.iter().map(|&row| of[row as usize]).sum::<f64>() / rows.len() as f64)
        });
        let (low, high) = draws.interval(0.95);
        Estimate { value: mean(of), low, high }
    };
    // Of equally frequent classes the first.
    let majority = classes.iter().rev().max_by_key(|class| rows_of.get(*class)).cloned().unwrap_or_default();
    let always = classes.iter().position(|class| *class == majority).unwrap_or(0);
    let majority_cost = actual.iter().map(|&actual| costs.0[actual][always]).sum::<f64>() / n;
    let cost = estimate(&own);
    let rival: Option<Vec<f64>> =
        evidence.rival.as_ref().map(|rival| rival.outcomes.iter().map(|outcome| costs.of(outcome)).collect());
    let volume = settings.documents_a_month;
    let saving = |rival: &Vec<f64>| {
        let saved: Vec<f64> = rival.iter().zip(&own).map(|(theirs, ours)| theirs - ours).collect();
        let Estimate { value, low, high } = estimate(&saved);
        Estimate { value: value * volume, low: low * volume, high: high * volume }
    };
    let saved = majority_cost - cost.value;
    let price = settings.endpoint_price_a_month;
    Business {
        currency: settings.currency.clone(),
        documents_a_month: volume,
        cost,
        majority_cost,
        majority_class: majority,
        champion_cost: rival.as_deref().map(mean),
        saving_against_majority: saved * volume,
        saving_against_champion: rival.as_ref().map(saving),
        endpoint_price: price,
        priced_on: settings.priced_on.clone(),
        break_even_documents: price.filter(|_| saved > 0.0).map(|price| price / saved),
        threshold: if evidence.own == 2 { threshold(evidence, settings, costs) } else { None },
    }
}

fn threshold(evidence: &Evidence, settings: &BusinessSettings, costs: &Costs) -> Option<Threshold> {
    let value = costs.threshold()?;
    let n = evidence.outcomes.len().max(1) as f64;
    let cost = |from: f64| {
        let of = |outcome: &Outcome| costs.0[outcome.actual][usize::from(outcome.probabilities[1] >= from)];
        evidence.outcomes.iter().map(of).sum::<f64>() / n
    };
    // Between neighbours nothing changes: the cost moves by one document at each probability.
    let mut ranked: Vec<(f64, usize)> = evidence.outcomes.iter().map(|o| (o.probabilities[1], o.actual)).collect();
    ranked.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut total: f64 = ranked.iter().map(|&(_, actual)| costs.0[actual][1]).sum();
    let (mut best, mut least) = (0.0, total);
    for (at, &(probability, actual)) in ranked.iter().enumerate() {
        total += costs.0[actual][0] - costs.0[actual][1];
        let next = ranked.get(at + 1).map_or(1.0 + f64::EPSILON, |next| next.0);
        if next > probability && total < least {
            (best, least) = (0.5 * (probability + next), total);
        }
    }
    Some(Threshold {
        class: evidence.classes[1].clone(),
        value,
        cost: cost(value),
        best,
        best_cost: least / n,
        deployed: settings.use_threshold,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_is_where_both_answers_cost_the_same() {
        for (alarm, miss, want) in [(1.0, 1.0, Some(0.5)), (1.0, 3.0, Some(0.25)), (0.0, 1.0, None)] {
            let costs = Costs(vec![vec![0.0, alarm], vec![miss, 0.0]]);
            assert_eq!(costs.threshold(), want);
            if let Some(p) = want {
                assert!(((1.0 - p) * alarm - p * miss).abs() < 1e-12);
            }
        }
    }

    #[test]
    fn costs_of_unknown_classes_are_refused_by_name() {
        let row = |class: &str, cost| BTreeMap::from([(class.to_owned(), cost)]);
        let costs = BTreeMap::from([("1".to_owned(), row("nul", 5.0))]);
        let settings = BusinessSettings { costs, ..BusinessSettings::default() };
        let refused = settings.costs(&["0".into(), "1".into()]).unwrap_err();
        assert_eq!(refused, "business.costs: there is no class \"nul\"; there are 0, 1");
    }
}
