//! From the command line to the stages: what can be refused is refused before anything is touched, then the emulator is
//! taken hold of, and it is let go whatever happens.

use std::{collections::BTreeMap, path::Path};

use tokio::signal::unix::{SignalKind, signal};

use crate::{
    ask,
    aws::{Account, Aws},
    check::{self, CheckedData},
    cli::{Cli, Command},
    emulate,
    error::{self, Failure, Result},
    kit,
    output::Output,
    plan::{self, Plan},
    ranges,
    run_record::RunRecord,
    settings::{self, Settings, Target},
    stages::{
        Context, approve, data, deploy, destroy, diff, evaluate,
        invoke::{self, Asked},
        lineage, loadtest, monitor, register, reproduce,
        run::{self, kept},
        status, train,
        transform::{self, Input},
        tune, windows,
    },
};

/// A stage and all that it needs from this machine.
enum Wanted {
    Data(CheckedData),
    Train(BTreeMap<String, String>),
    Tune(Box<ranges::Asked>),
    Transform(transform::Asked),
    Loadtest(f64),
    Evaluate,
    Register(bool),
    Approve(String, Option<String>),
    Lineage(String),
    Reproduce(String),
    Diff(String, String),
    Deploy,
    Monitor(bool),
    Invoke(Asked, Option<usize>),
    Run(CheckedData, BTreeMap<String, String>),
    Plan(CheckedData, BTreeMap<String, String>),
    Status,
    Destroy,
}

impl Wanted {
    /// Whether it may start a job, whose name its image decides with.
    fn runs_the_image(&self) -> bool {
        use Wanted::{Monitor, Plan, Reproduce, Run, Train, Transform, Tune};
        matches!(self, Train(_) | Tune(_) | Transform(_) | Run(..) | Plan(..) | Monitor(_) | Reproduce(_))
    }
}

/// Does what was asked.
pub fn execute(cli: Cli, out: &Output) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(error::io("the asynchronous runtime does not start"))?;
    if let Command::Conformance(arguments) = &cli.command {
        // It is of no project: settings say nothing to it.
        return runtime.block_on(async { kit::judge(arguments, out, stopped()?).await });
    }
    let settings = settings::load(cli.global.config.as_deref(), cli.overrides())?;
    let (path, yes) = (cli.global.run, cli.global.yes);
    let done = match cli.command {
        Command::Emulator { port, host, state, faults } => {
            let mut local = settings.local;
            local.state = state.unwrap_or(local.state);
            runtime.block_on(async {
                let stop = stopped()?;
                emulate::serve(&local, (host, port), faults, out, stop).await
            })
        }
        command => runtime.block_on(async {
            let stop = stopped()?;
            tokio::pin!(stop);
            let prepared = {
                let (settings, path) = (settings.clone(), path.clone());
                tokio::task::spawn_blocking(move || prepare(command, &settings, &path))
            };
            let prepared = tokio::select! {
                prepared = prepared => prepared.map_err(|e| Failure::new("the check of the input broke off").because(e))?,
                () = &mut stop => return Err(Failure::interrupted("nothing was changed")),
            };
            let (wanted, record) = prepared?;
            connected(settings, wanted, record, &path, out, yes, stop).await
        }),
    };
    // A read of stdin or of a large file may still be going on; there is nothing to wait for.
    runtime.shutdown_background();
    done
}

/// Ready as soon as this process is asked to stop.
fn stopped() -> Result<impl Future<Output = ()>> {
    let failed = || error::io("signals cannot be listened to");
    let mut interrupt = signal(SignalKind::interrupt()).map_err(failed())?;
    let mut terminate = signal(SignalKind::terminate()).map_err(failed())?;
    let mut hangup = signal(SignalKind::hangup()).map_err(failed())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    })
}

/// Reads and judges everything of this machine; changes nothing.
fn prepare(command: Command, settings: &Settings, path: &Path) -> Result<(Wanted, Option<RunRecord>)> {
    let record = RunRecord::read(path)?;
    // A record of something else says nothing here: stages that only may have one pass it over.
    let needs = matches!(
        command,
        Command::Train(_)
            | Command::Tune(_)
            | Command::Transform { .. }
            | Command::Loadtest { .. }
            | Command::Evaluate
            | Command::Register { .. }
            | Command::Approve { .. }
            | Command::Deploy
            | Command::Monitor { .. }
    );
    let record = record.filter(|old| needs || (old.target, &old.project) == (settings.target, &settings.project));
    let wanted = match command {
        Command::Data(_) => Wanted::Data(check::data(settings)?),
        Command::Run { .. } => {
            let hyperparameters = check::hyperparameters(settings)?;
            Wanted::Run(check::data(settings)?, hyperparameters)
        }
        Command::Train(_) => {
            known(&record, settings, path)?.data()?;
            Wanted::Train(check::hyperparameters(settings)?)
        }
        Command::Tune(_) => {
            known(&record, settings, path)?.data()?;
            Wanted::Tune(Box::new(ranges::asked(settings)?))
        }
        Command::Loadtest { seconds } => {
            if !(0.05..=600.0).contains(&seconds) {
                return Err(Failure::usage(format!("--seconds {seconds}: expected 0.05 to 600")));
            }
            known(&record, settings, path)?.deployment()?;
            Wanted::Loadtest(seconds)
        }
        Command::Transform { input, output, content_type, join, input_filter, output_filter } => {
            known(&record, settings, path)?.model_package()?;
            let input = Input::read(input)?;
            Wanted::Transform(transform::Asked { input, output, content_type, join, input_filter, output_filter })
        }
        Command::Evaluate => {
            known(&record, settings, path)?.training()?;
            Wanted::Evaluate
        }
        Command::Register { failed } => {
            known(&record, settings, path)?.evaluation()?;
            Wanted::Register(failed)
        }
        Command::Approve { reason, overriding } => {
            known(&record, settings, path)?.model_package()?;
            Wanted::Approve(reason, overriding)
        }
        Command::Lineage { package } => Wanted::Lineage(package),
        Command::Reproduce { package } => Wanted::Reproduce(package),
        Command::Diff { before, after } => Wanted::Diff(before, after),
        Command::Deploy => {
            known(&record, settings, path)?.model_package()?;
            Wanted::Deploy
        }
        Command::Monitor { watch } => {
            known(&record, settings, path)?.deployment()?;
            Wanted::Monitor(watch)
        }
        Command::Invoke { text, content_type, explain } => Wanted::Invoke(invoke::asked(text, content_type)?, explain),
        Command::Plan { .. } => {
            let hyperparameters = check::hyperparameters(settings)?;
            Wanted::Plan(check::data(settings)?, hyperparameters)
        }
        Command::Status => Wanted::Status,
        Command::Destroy => Wanted::Destroy,
        Command::Emulator { .. } | Command::Conformance(_) => {
            return Err(Failure::usage("this subcommand is no stage"));
        }
    };
    Ok((wanted, record))
}

/// The record, if there is one and it is of this project and target.
fn known<'a>(record: &'a Option<RunRecord>, settings: &Settings, path: &Path) -> Result<&'a RunRecord> {
    let shown = path.display();
    let Some(record) = record else {
        return Err(Failure::new(format!("{shown}: there is no run record yet"))
            .hint("begin with: orchestrator data (or all stages: orchestrator run)"));
    };
    for (what, recorded, wanted) in [
        ("project", record.project.clone(), settings.project.clone()),
        ("target", record.target.to_string(), settings.target.to_string()),
    ] {
        if recorded != wanted {
            return Err(Failure::new(format!("{shown} is of {what} {recorded}, the settings are of {wanted}"))
                .hint("name its settings with --config and --target, or another record with --run"));
        }
    }
    Ok(record)
}

/// Takes hold of the emulator where there is no account, works, lets go.
async fn connected(
    settings: Settings,
    wanted: Wanted,
    record: Option<RunRecord>,
    path: &Path,
    out: &Output,
    yes: bool,
    stop: impl Future<Output = ()>,
) -> Result<()> {
    tokio::pin!(stop);
    let again = "repeat the command: it goes on from there";
    // Who follows windows ends it by hand: that is no interruption.
    let follows = matches!(wanted, Wanted::Monitor(true));
    let interrupted = |what: &str| match follows {
        true => Ok(()),
        false => Err(Failure::interrupted(what).hint(again)),
    };
    if settings.target == Target::Aws {
        let work = async {
            let aws = Aws::account(&settings).await?;
            work(settings.clone(), aws, wanted, record, path, out, yes).await
        };
        return tokio::select! {
            done = work => done,
            () = &mut stop => interrupted("what was started in the account goes on there"),
        };
    }
    let connection = tokio::select! {
        connection = emulate::connect(&settings) => connection?,
        () = &mut stop => return interrupted("the emulator had not started yet"),
    };
    let url = connection.url().to_owned();
    let done = tokio::select! {
        done = async {
            let aws = Aws::local(&url).await?;
            work(settings, aws, wanted, record, path, out, yes).await
        } => done,
        () = &mut stop => interrupted("everything that was started has been ended"),
    };
    connection.close().await;
    done
}

/// The plan is shown, and agreed to where it does anything.
async fn shown(context: &Context, plan: &Plan, what: &str) -> Result<()> {
    context.out.say(plan.to_string().trim_end());
    if plan.does_something() { ask::agreed(context, what).await } else { Ok(()) }
}

/// One stage.
async fn work(
    settings: Settings,
    aws: Aws,
    wanted: Wanted,
    record: Option<RunRecord>,
    path: &Path,
    out: &Output,
    yes: bool,
) -> Result<()> {
    let account = Account::of(&settings, &aws, wanted.runs_the_image()).await?;
    let context = Context { settings, aws, account, out: out.clone(), yes };
    let (target, region, number) = (context.settings.target, &context.aws.region, &context.aws.account);
    let fresh = || RunRecord::new(&context.settings.project, target, region, number);
    let here = |record: &RunRecord| (&record.region, &record.account) == (region, number);
    let record = match (&wanted, record) {
        (
            Wanted::Data(_)
            | Wanted::Run(..)
            | Wanted::Invoke(..)
            | Wanted::Plan(..)
            | Wanted::Status
            | Wanted::Destroy
            | Wanted::Lineage(_)
            | Wanted::Reproduce(_)
            | Wanted::Diff(..),
            record,
        ) => record.filter(here),
        (_, Some(record)) if !here(&record) => {
            let (theirs, ours) = (format!("{} {}", record.account, record.region), format!("{number} {region}"));
            return Err(Failure::new(format!(
                "{} is of account {theirs}, the credentials are of {ours}",
                path.display()
            ))
            .hint("use the credentials and region it was made with, or another record with --run"));
        }
        (_, record) => record,
    };
    let recorded = record.is_some();
    if !recorded && matches!(wanted, Wanted::Data(_) | Wanted::Run(..)) && path.exists() {
        out.say(format_args!("{} is of another project, target or account: it is begun anew", path.display()));
    }
    let mut run = record.unwrap_or_else(fresh);
    match wanted {
        Wanted::Data(checked) => out.result(&kept(data::data(&context, &mut run, &checked).await, &run, path)?),
        Wanted::Train(parameters) => {
            out.result(&kept(train::train(&context, &mut run, &parameters).await, &run, path)?)
        }
        Wanted::Tune(asked) => out.result(&kept(tune::tune(&context, &mut run, &asked).await, &run, path)?),
        Wanted::Loadtest(seconds) => {
            out.result(&kept(loadtest::loadtest(&context, &mut run, seconds).await, &run, path)?)
        }
        Wanted::Transform(asked) => {
            out.result(&kept(transform::transform(&context, &mut run, &asked).await, &run, path)?)
        }
        Wanted::Evaluate => {
            let done = kept(evaluate::evaluate(&context, &mut run).await, &run, path)?;
            out.result(&done)?;
            evaluate::gate(&context, &done.evaluation)
        }
        Wanted::Register(failed) => {
            out.result(&kept(register::register(&context, &mut run, failed).await, &run, path)?)
        }
        Wanted::Approve(reason, overriding) => {
            let done = approve::approve(&context, &mut run, &reason, overriding.as_deref()).await;
            out.result(&kept(done, &run, path)?)
        }
        Wanted::Lineage(package) => out.result(&lineage::lineage(&context, &package).await?),
        Wanted::Reproduce(package) => {
            let done = reproduce::reproduce(&context, &package).await?;
            out.result(&done)?;
            done.finding()
        }
        Wanted::Diff(before, after) => out.result(&diff::diff(&context, &before, &after).await?),
        Wanted::Deploy => {
            if target == Target::Aws {
                let plan = plan::deployment(&context, run.model_package()?).await?;
                shown(&context, &plan, "deploy").await?;
            }
            out.result(&kept(deploy::deploy(&context, &mut run).await, &run, path)?)
        }
        Wanted::Monitor(follow) => {
            let done = kept(monitor::monitor(&context, &mut run).await, &run, path)?;
            if follow {
                out.say(done.to_string().trim_end());
                return windows::watch(&context, &done.monitoring.endpoint).await;
            }
            out.result(&done)?;
            done.finding()
        }
        Wanted::Invoke(asked, explain) => invoke::invoke(&context, context.settings.endpoint(), asked, explain).await,
        Wanted::Plan(checked, parameters) => out.result(&plan::whole(&context, &checked, &parameters).await?),
        Wanted::Run(checked, parameters) => {
            if target == Target::Aws {
                let plan = plan::whole(&context, &checked, &parameters).await?;
                shown(&context, &plan, "run").await?;
            }
            out.result(&run::run(&context, &mut run, path, &checked, &parameters).await?)
        }
        Wanted::Status => out.result(&status::status(&context, recorded.then_some(&run)).await?),
        Wanted::Destroy => {
            let done = destroy::destroy(&context, recorded.then_some(&mut run)).await;
            out.result(&if recorded { kept(done, &run, path)? } else { done? })
        }
    }
}
