//! What a command would do, and what it would cost: looked up, and nothing touched.

mod costs;
mod look;

use std::fmt;

use serde::Serialize;

pub use look::{deployment, whole};

use crate::{prices::Price, settings::Target, stages::Context};

/// What happens to a thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not there.
    Create,
    /// It is there, and becomes another.
    Change,
    /// It is there as it should be.
    Keep,
    /// A command of its own makes it, each time it is given.
    Asked,
}

/// What something costs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Cost {
    /// USD an hour.
    pub usd_an_hour: f64,
    /// USD a month, of what runs all the time.
    pub usd_a_month: Option<f64>,
    /// USD that it costs at most, of what ends.
    pub usd_at_most: Option<f64>,
}

/// One thing of the plan.
#[derive(Clone, Debug, Serialize)]
pub struct Step {
    /// What happens to it.
    pub action: Action,
    /// What it is, with its name.
    pub what: String,
    /// On what it runs, and how long.
    pub runs: Option<String>,
    /// None where it costs nothing by the hour, or the price is not known.
    pub cost: Option<Cost>,
}

/// A plan.
#[derive(Debug, Serialize)]
pub struct Plan {
    /// The project.
    pub project: String,
    /// Where.
    pub target: Target,
    /// Whose account.
    pub account: String,
    /// Which region.
    pub region: String,
    /// In the order in which it is done.
    pub steps: Vec<Step>,
    /// Prices that were used, each with its day.
    pub prices: Vec<Price>,
    /// Instances whose price no list has.
    pub unpriced: Vec<String>,
}

impl Plan {
    /// Whether it makes, changes or runs anything.
    pub fn does_something(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.action, Action::Create | Action::Change))
    }

    fn new(context: &Context) -> Self {
        Plan {
            project: context.settings.project.clone(),
            target: context.settings.target,
            account: context.aws.account.clone(),
            region: context.aws.region.clone(),
            steps: Vec::new(),
            prices: Vec::new(),
            unpriced: Vec::new(),
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "plan          {} in account {}, {}", self.project, self.account, self.region)?;
        for step in &self.steps {
            let action = match step.action {
                Action::Create => "create",
                Action::Change => "change",
                Action::Keep => "keep",
                Action::Asked => "if asked",
            };
            writeln!(f, "  {action:<11} {}", step.what)?;
            if let Some(runs) = &step.runs {
                write!(f, "  {:<11} {runs}", "")?;
                if let Some(cost) = &step.cost {
                    write!(f, ": {} an hour", usd(cost.usd_an_hour))?;
                    cost.usd_a_month.map_or(Ok(()), |month| write!(f, ", {} a month", usd(month)))?;
                    cost.usd_at_most.map_or(Ok(()), |most| write!(f, ", {} at most", usd(most)))?;
                }
                writeln!(f)?;
            }
        }
        if self.target == Target::Local {
            return writeln!(f, "  costs       nothing: it runs on this machine");
        }
        for Price { purpose, region, instance_type, usd_an_hour, looked_up } in &self.prices {
            writeln!(
                f,
                "  price       {instance_type} for {purpose} in {region}: {} an hour, looked up {looked_up}",
                usd(*usd_an_hour)
            )?;
        }
        for missing in &self.unpriced {
            writeln!(f, "  no price    of {missing}: look it up and add it as [[prices]] to pipeline.toml")?;
        }
        writeln!(f, "  not counted storage, requests, logs, transfer, taxes")
    }
}

/// Cents where there are some, and more digits where there are none.
fn usd(amount: f64) -> String {
    if amount < 1.0 { format!("${amount:.3}") } else { format!("${amount:.2}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_digits_enough() {
        assert_eq!(usd(0.115), "$0.115");
        assert_eq!(usd(0.115 * 730.0), "$83.95");
    }
}
