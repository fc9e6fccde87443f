//! The steps of a plan that cost something, each with its price where a list has one.

use super::{Action, Cost, Plan, Step};
use crate::{
    error::Result,
    prices::{self, HOURS_A_MONTH, Purpose},
    scaling,
    settings::{EndpointSettings, Serverless, Strategy, Target},
    stages::Context,
};

impl Plan {
    pub(super) fn free(&mut self, action: Action, what: String) {
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
    pub(super) fn job(&mut self, context: &Context, action: Action, what: String, purpose: Purpose) {
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
    pub(super) fn shadow(&mut self, context: &Context) {
        let kind = &context.settings.endpoint.instance_type;
        let cost = self.rate(context, Purpose::Hosting, kind, 2);
        let cost = cost.map(|rate| Cost { usd_an_hour: rate, usd_a_month: None, usd_at_most: None });
        let runs = format!("2 x {kind}, while captured requests are asked again");
        let what = format!("endpoint {}, before the shift", context.settings.shadow_endpoint());
        self.steps.push(Step { action: Action::Create, what, runs: Some(runs), cost });
    }

    pub(super) fn endpoint(&mut self, context: &Context, action: Action, what: String) {
        let EndpointSettings { instance_type: kind, instance_count: count, .. } = &context.settings.endpoint;
        if let Some(Serverless { memory_mb, max_concurrency }) = context.settings.endpoint.serverless {
            let rate = self.rate(context, Purpose::Serverless, &format!("{memory_mb} MB"), 1);
            let cost = rate.map(|rate| Cost { usd_an_hour: rate, usd_a_month: None, usd_at_most: None });
            let runs = format!(
                "{memory_mb} MB, at most {max_concurrency} requests at once; nothing at rest, the time of each request counts"
            );
            return self.steps.push(Step { action, what, runs: Some(runs), cost });
        }
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

    /// What scales the endpoint: at most, it costs what its most instances cost.
    pub(super) async fn scaling(&mut self, context: &Context, place: &str) -> Result<()> {
        let name = context.settings.endpoint();
        let live = scaling::live(context, name).await?;
        let Some(settings) = &context.settings.endpoint.autoscaling else {
            if live.is_some() {
                self.free(
                    Action::Keep,
                    format!("scaling of endpoint {name}{place}: no longer asked for, until destroy"),
                );
            }
            return Ok(());
        };
        let action = match live {
            Some(live) if live.is(settings, settings.invocations_per_minute) => Action::Keep,
            Some(_) => Action::Change,
            None => Action::Create,
        };
        let (kind, most) = (&context.settings.endpoint.instance_type, settings.max_instances);
        let rate = self.rate(context, Purpose::Hosting, kind, most);
        let month = rate.map(|rate| rate * HOURS_A_MONTH);
        let cost = rate.map(|rate| Cost { usd_an_hour: rate, usd_a_month: month, usd_at_most: None });
        let what = format!("scaling of endpoint {name}{place}: {}", scaling::told(settings));
        self.steps.push(Step {
            action,
            what,
            runs: Some(format!("{most} x {kind} in all, while there is that much to do")),
            cost,
        });
        Ok(())
    }

    /// The jobs of `tune` and `transform`, which `run` does not start.
    pub(super) fn on_demand(&mut self, context: &Context) {
        let (training, tune, transform) =
            (&context.settings.training, &context.settings.tune, &context.settings.transform);
        let (kind, minutes) = (&training.instance_type, training.max_runtime_minutes);
        let jobs = f64::from(tune.max_jobs);
        let rate = self.rate(context, Purpose::Training, kind, 1);
        let cost = rate.map(|rate| Cost {
            usd_an_hour: rate * f64::from(tune.max_parallel.min(tune.max_jobs)),
            usd_a_month: None,
            usd_at_most: Some(rate * jobs * f64::from(minutes) / 60.0),
        });
        // A grid has as many jobs as combinations.
        let count = if tune.strategy == Strategy::Grid {
            "a training job a combination".into()
        } else {
            format!("{} training jobs", tune.max_jobs)
        };
        let cost = cost.filter(|_| tune.strategy != Strategy::Grid);
        let runs = format!("{count}, {} at once, each on 1 x {kind}, at most {minutes} min", tune.max_parallel);
        self.steps.push(Step {
            action: Action::Asked,
            what: "tuning job, by orchestrator tune".into(),
            runs: Some(runs),
            cost,
        });
        let (kind, count) = (&transform.instance_type, transform.instance_count);
        let rate = self.rate(context, Purpose::Transform, kind, count);
        let cost = rate.map(|rate| Cost { usd_an_hour: rate, usd_a_month: None, usd_at_most: None });
        let runs = Some(format!("{count} x {kind}, as long as the documents take"));
        self.steps.push(Step {
            action: Action::Asked,
            what: "batch transform job, by orchestrator transform".into(),
            runs,
            cost,
        });
    }
}
