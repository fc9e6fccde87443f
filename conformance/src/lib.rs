//! The conformance kit: any SageMaker image or program, run through the contracts that the platform holds it to.
//!
//! It knows no model and no format. What is sent, trained on and served is in a [`Plan`]; what cannot be judged without
//! being told more is not applicable, with the reason. [`CHECKS`] is the table of everything that is judged; the scenarios
//! (`training`, `hosting`, `processing`) start the subject by `runner` and say what they saw to a judge; the
//! [`Report`] prints as a table, as JSON, and as JUnit XML.

mod cli;
mod contract;
mod error;
mod hosting;
mod http;
mod judge;
mod junit;
mod layout;
mod plan;
mod processing;
mod raw;
mod report;
mod runner;
mod training;

pub use cli::{Arguments, judge};
pub use contract::{CHECKS, Check, Contract, DOCUMENTATION, Section};
pub use error::{KitError, Result};
pub use junit::write as write_junit;
pub use plan::{Hosting, Limits, Plan, Processing, Request, Training};
pub use report::{Finding, Report, Verdict};
pub use runner::{Image, Network, Program, Subject, Template};

use contract::{EXEC_FORM, READ_ONLY, USER};
use judge::Judge;

/// Runs a subject through the contracts. `say` takes lines of progress. Dropping the future ends all that was started.
pub async fn run(subject: &Subject, plan: &Plan, say: &(dyn Fn(&str) + Sync)) -> Result<Report> {
    plan.check()?;
    let mut judge = Judge::new(&plan.skip, say);
    for contract in Contract::ALL.into_iter().filter(|contract| !plan.judges(*contract)) {
        judge.rest(contract, "not asked for (--contract)");
    }
    image(subject, &mut judge);
    let trained = match plan.judges(Contract::Training) {
        true => training::judge(subject, plan, &mut judge).await?,
        false => None,
    };
    if let Subject::Image(image) = subject
        && plan.hosting.hardened
    {
        hosting::hardened(subject, plan, image, trained.as_ref(), &mut judge).await?;
    }
    judge.not_applicable(&READ_ONLY, "no part of the contract; judged with --hardened, and a model");
    hosting::judge(subject, plan, trained.as_ref(), &mut judge).await?;
    if plan.judges(Contract::Processing) {
        processing::judge(subject, plan, &mut judge).await?;
    }
    Ok(judge.report(subject.shown()))
}

/// What can be read off an image.
fn image(subject: &Subject, judge: &mut Judge<'_>) {
    let Subject::Image(image) = subject else {
        return judge.rest(Contract::Image, "it is a program, no image");
    };
    judge.decide(
        &EXEC_FORM,
        match image.shell() {
            None => Ok("no shell".to_owned()),
            Some(shell) => Err(("ENTRYPOINT [\"program\", …]: a shell does not pass SIGTERM on".to_owned(), shell)),
        },
    );
    judge.decide(
        &USER,
        match image.other_user() {
            None => Ok("root".to_owned()),
            Some(user) => Err((
                "no USER, or root: others lack permissions in what the platform mounts".to_owned(),
                user.to_owned(),
            )),
        },
    );
}
