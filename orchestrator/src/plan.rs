//! What a command would do, and what it would cost: looked up, and nothing touched.

use std::{collections::BTreeMap, fmt};

use aws_sdk_sagemaker::types::TrainingJobStatus;
use serde::Serialize;

use crate::{
    bucket,
    check::CheckedData,
    endpoint,
    error::{Found as _, Result},
    prices::{self, HOURS_A_MONTH, Price, Purpose},
    run_record::PackagePart,
    settings::{EndpointSettings, SHADOW_SUFFIX, Target},
    stages::{Context, data, deploy, register, train, waves},
};

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
        self.steps.iter().any(|step| step.action != Action::Keep)
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

    fn free(&mut self, action: Action, what: String) {
        self.steps.push(Step { action, what, runs: None, cost: None });
    }

    /// USD an hour of `count` instances; nothing is paid on this machine.
    fn rate(&mut self, context: &Context, purpose: Purpose, instance_type: &str, count: i32) -> Option<f64> {
        if self.target == Target::Local {
            return None;
        }
        let region = &context.aws.region;
        match prices::find(&context.settings.prices, purpose, region, instance_type) {
            Some(price) => {
                if !self.prices.contains(price) {
                    self.prices.push(price.clone());
                }
                Some(price.usd_an_hour * f64::from(count))
            }
            None => {
                let missing = format!("{instance_type} for {purpose} in {region}");
                if !self.unpriced.contains(&missing) {
                    self.unpriced.push(missing);
                }
                None
            }
        }
    }

    /// A job on `training.instance_type` that ends within `training.max_runtime_minutes`.
    fn job(&mut self, context: &Context, action: Action, what: String, purpose: Purpose) {
        let (kind, minutes) = (&context.settings.training.instance_type, context.settings.training.max_runtime_minutes);
        let rate = if action == Action::Keep { None } else { self.rate(context, purpose, kind, 1) };
        let runs = (action != Action::Keep).then(|| format!("1 x {kind}, at most {minutes} min"));
        let cost = rate.map(|rate| Cost {
            usd_an_hour: rate,
            usd_a_month: None,
            usd_at_most: Some(rate * f64::from(minutes) / 60.0),
        });
        self.steps.push(Step { action, what, runs, cost });
    }

    /// What is compared before the shift runs on two machines beside the endpoint.
    fn shadow(&mut self, context: &Context, name: &str) {
        let kind = &context.settings.endpoint.instance_type;
        let cost = self.rate(context, Purpose::Hosting, kind, 2);
        let cost = cost.map(|rate| Cost { usd_an_hour: rate, usd_a_month: None, usd_at_most: None });
        let runs = format!("2 x {kind}, while captured requests are asked again");
        let what = format!("endpoint {name}{SHADOW_SUFFIX}, before the shift");
        self.steps.push(Step { action: Action::Create, what, runs: Some(runs), cost });
    }

    fn endpoint(&mut self, context: &Context, action: Action, what: String) {
        let EndpointSettings { instance_type: kind, instance_count: count, .. } = &context.settings.endpoint;
        let rate = self.rate(context, Purpose::Hosting, kind, *count);
        let month = rate.map(|rate| rate * HOURS_A_MONTH);
        let cost = rate.map(|rate| Cost { usd_an_hour: rate, usd_a_month: month, usd_at_most: None });
        self.steps.push(Step {
            action,
            what,
            runs: Some(format!("{count} x {kind}, idle or not, until destroy")),
            cost,
        });
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

/// Of all stages, as `run` takes them.
pub async fn whole(
    context: &Context,
    checked: &CheckedData,
    hyperparameters: &BTreeMap<String, String>,
) -> Result<Plan> {
    let mut plan = Plan::new(context);
    let bucket = &context.account.bucket;
    let there = bucket::exists(&context.aws.s3, bucket).await?;
    plan.free(if there { Action::Keep } else { Action::Create }, format!("bucket {bucket}"));
    let part = data::wanted(context, checked);
    let missing =
        if there { data::missing(context, &part).await? } else { part.train.files.len() + part.test.files.len() };
    match missing {
        0 => plan.free(Action::Keep, "data files: all are in the bucket".into()),
        n => plan.free(Action::Create, format!("{n} of {} data files", part.train.files.len() + part.test.files.len())),
    }
    let (job, found) = train::find(context, &part, &train::complete(hyperparameters, &part)).await?;
    let state = found.as_ref().and_then(|found| found.training_job_status());
    let action = if state == Some(&TrainingJobStatus::Completed) { Action::Keep } else { Action::Create };
    plan.job(context, action, format!("training job {job}"), Purpose::Training);
    let package = match action {
        Action::Keep => register::of_job(context, &job).await?,
        _ => None,
    };
    let package = package.and_then(|package| package.model_package_arn().map(str::to_owned));
    let group = context.settings.group();
    match &package {
        Some(arn) => plan.free(Action::Keep, format!("model package {arn}")),
        None => plan.free(Action::Create, format!("model package in group {group}, if the gate lets it pass")),
    }
    serving(context, &mut plan, package.as_deref().map(|arn| (arn, job.as_str()))).await?;
    watching(context, &mut plan).await?;
    Ok(plan)
}

/// Of `deploy` alone.
pub async fn deployment(context: &Context, package: &PackagePart) -> Result<Plan> {
    let mut plan = Plan::new(context);
    serving(context, &mut plan, Some((package.arn.as_str(), package.job.as_str()))).await?;
    Ok(plan)
}

/// Model, config and endpoint in every region; what they will be named is known once there is a package with its job.
async fn serving(context: &Context, plan: &mut Plan, package: Option<(&str, &str)>) -> Result<()> {
    one_region(context, plan, package, "").await?;
    for (wave, there) in waves::further(context, None) {
        let (bucket, region) = (&there.account.bucket, &there.aws.region);
        let action = if bucket::exists(&there.aws.s3, bucket).await? { Action::Keep } else { Action::Create };
        plan.free(action, format!("bucket {bucket} in {region}"));
        let place = format!(" in {region}, wave {}", wave.unwrap_or_default());
        one_region(&there, plan, package, &place).await?;
    }
    Ok(())
}

async fn one_region(context: &Context, plan: &mut Plan, package: Option<(&str, &str)>, place: &str) -> Result<()> {
    let wanted = package.map(|(arn, job)| deploy::wanted(context, arn, job));
    let name = context.settings.endpoint();
    let live = endpoint::describe(context, name).await?;
    let live = live.as_ref().map(|found| found.endpoint_config_name().unwrap_or_default());
    let (config, same) = match &wanted {
        Some(wanted) => (wanted.config.clone(), live == Some(wanted.config.as_str())),
        None => ("a config of that package".into(), false),
    };
    match live {
        Some(_) if same => plan.endpoint(context, Action::Keep, format!("endpoint {name} with {config}{place}")),
        Some(old) => {
            if context.settings.endpoint.shadow.is_some() {
                plan.shadow(context, name);
            }
            plan.endpoint(
                context,
                Action::Change,
                format!("endpoint {name} from {old} to {config}{place}, once it is approved"),
            );
        }
        None => {
            plan.endpoint(context, Action::Create, format!("endpoint {name} with {config}{place}, once it is approved"));
        }
    }
    Ok(())
}

async fn watching(context: &Context, plan: &mut Plan) -> Result<()> {
    let name = format!("{}-monitor", context.settings.project);
    let there = context.aws.scheduler.get_schedule().name(&name).send().await;
    let there = there.found(format!("schedule {name} cannot be looked at"))?;
    let expression = &context.settings.monitor.schedule;
    let action = match there {
        Some(there) if there.schedule_expression() == Some(expression) => Action::Keep,
        Some(_) => Action::Change,
        None => Action::Create,
    };
    plan.free(action, format!("schedule {name}, {expression}: each time a job like the next"));
    plan.job(context, Action::Create, "processing job: a look at the traffic".into(), Purpose::Processing);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_have_digits_enough() {
        assert_eq!(usd(0.115), "$0.115");
        assert_eq!(usd(0.115 * HOURS_A_MONTH), "$83.95");
    }
}
