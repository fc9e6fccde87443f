//! Before a shift: the last captured requests, asked again of what serves and of what is to serve.
//!
//! Both stand side by side on an endpoint of their own, an instance each, and every request names the variant that it is for.
//! What serves is not touched, both run on machines that do nothing else, and each answer, failure and time is seen at once.
//! SageMaker's `ShadowProductionVariants` would copy the traffic that comes in meanwhile, not what was captured; they would have the
//! live fleet replaced to begin with; and what they answer is only in the capture, without what failed (docs/deployment.md).

mod apart;
mod comparison;
mod part;
mod replay;

use jiff::Timestamp;

pub use part::ShadowPart;

use apart::Apart;

use crate::{
    endpoint::Live,
    error::{Failure, Result},
    run_record::RunRecord,
    settings::Shadow,
    stages::{Context, deploy::Names},
};

/// A comparison that was passed so short a while ago is not made again.
const FRESH_SECONDS: i64 = 3600;

/// Compares, where the settings say so and there is something to compare with; what is beyond a bound is a failure.
pub async fn compare(
    context: &Context,
    run: &mut RunRecord,
    wanted: &Names,
    before: &Live,
) -> Result<Option<ShadowPart>> {
    let Some(bounds) = &context.settings.endpoint.shadow else { return Ok(None) };
    let name = context.settings.endpoint();
    let apart = Apart::of(context, name, wanted, before);
    let Some(apart) = apart else {
        // An interrupted comparison may have left it.
        apart::remove(context, &context.settings.shadow_endpoint()).await?;
        return Ok(None);
    };
    let part = match known(run, &apart, bounds) {
        Some(part) => {
            apart.remove().await?;
            part
        }
        None => {
            let Some(part) = apart.replay(run, bounds).await? else { return Ok(None) };
            part
        }
    };
    run.shadow = Some(part.clone());
    if part.refusals.is_empty() { Ok(Some(part)) } else { Err(refused(name, &part, bounds)) }
}

/// A comparison of these two that was passed within the hour.
fn known(run: &RunRecord, apart: &Apart<'_>, bounds: &Shadow) -> Option<ShadowPart> {
    let known =
        run.shadow.as_ref().filter(|part| (&part.live, &part.candidate) == (&apart.live, &apart.wanted.config))?;
    let at: Timestamp = known.at.parse().ok()?;
    let fresh = (0..FRESH_SECONDS).contains(&Timestamp::now().duration_since(at).as_secs());
    let enough = known.requests >= u64::from(bounds.min_requests);
    (fresh && enough && known.beyond(bounds).is_empty()).then(|| ShadowPart { refusals: Vec::new(), ..known.clone() })
}

fn refused(name: &str, part: &ShadowPart, bounds: &Shadow) -> Failure {
    let what =
        format!("endpoint {name} keeps {}: {} does not answer captured requests as it does", part.live, part.candidate);
    let mut failure = Failure::new(what);
    for refusal in &part.refusals {
        failure = failure.because(refusal);
    }
    failure = failure.because(part);
    if bounds.show_texts {
        for example in &part.examples {
            failure = failure.because(format!("request {}: {}", example.request, example.text.escape_debug()));
        }
    }
    failure.hint("look at these requests; where the changes are wanted, widen the bounds of [endpoint.shadow] and run `deploy` again")
}
