//! EventBridge Scheduler starting processing jobs: one schedule, made or mended.

use aws_sdk_scheduler::types::{FlexibleTimeWindow, FlexibleTimeWindowMode, Target};

use crate::{
    error::{self, Failure, Found as _, Made as _, Result},
    output::Outcome,
    settings,
    stages::Context,
};

/// The scheduler's way to call SageMaker.
const CREATE_PROCESSING_JOB: &str = "arn:aws:scheduler:::aws-sdk:sagemaker:createProcessingJob";

/// The schedule `name` calls CreateProcessingJob with `input` (JSON) whenever `expression` says.
pub async fn ensure(context: &Context, name: &str, expression: &str, input: &str) -> Result<Outcome> {
    let target = Target::builder().arn(CREATE_PROCESSING_JOB).role_arn(&context.account.scheduler_role).input(input);
    let target = target.build().map_err(|e| Failure::new("the schedule's target is incomplete").because(e))?;
    let exact = FlexibleTimeWindow::builder().mode(FlexibleTimeWindowMode::Off).build();
    let exact = exact.map_err(|e| Failure::new("the schedule's time window is incomplete").because(e))?;
    let scheduler = &context.aws.scheduler;
    let there =
        scheduler.get_schedule().name(name).send().await.found(format!("schedule {name} cannot be looked at"))?;
    match there {
        Some(there)
            if there.schedule_expression() == Some(expression)
                && there.target().is_some_and(|old| same(old, &target)) =>
        {
            return Ok(Outcome::Unchanged);
        }
        Some(_) => {
            let request = scheduler.update_schedule().name(name).schedule_expression(expression).target(target);
            let request = request.flexible_time_window(exact);
            request.send().await.map_err(error::aws(format!("schedule {name} cannot be changed")))?;
        }
        None => {
            if context.settings.target == settings::Target::Aws {
                let kind = &context.settings.training.instance_type;
                context.out.say(format_args!("{expression}: a job on {kind} costs money until: orchestrator destroy"));
            }
            let request = scheduler.create_schedule().name(name).schedule_expression(expression).target(target);
            let request =
                request.flexible_time_window(exact).description("Compares an endpoint's traffic with its baseline");
            request.send().await.made(format!("schedule {name} cannot be made"))?;
        }
    }
    Ok(Outcome::Done)
}

/// What the scheduler adds of its own (a retry policy) is no difference.
fn same(old: &Target, new: &Target) -> bool {
    (old.arn(), old.role_arn(), old.input()) == (new.arn(), new.role_arn(), new.input())
}
