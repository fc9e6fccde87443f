//! Single requests: good ones in every form, and those that are the client's fault.

use crate::{
    contract::*,
    error::Result,
    http::{Answer, Ask, Broken},
    judge::Judge,
};

use super::Served;

/// What the platform adds to a client's request.
const HEADERS_ADDED: [(&str, &str); 6] = [
    ("x-amzn-sagemaker-custom-attributes", "conformance=1"),
    ("x-amzn-sagemaker-target-variant", "AllTraffic"),
    ("x-amzn-sagemaker-inference-id", "conformance-1"),
    ("x-amzn-sagemaker-target-model", "model.tar.gz"),
    ("x-amzn-sagemaker-target-container-hostname", "algo-1"),
    ("x-amzn-sagemaker-session-id", "conformance"),
];
/// What nobody takes for text, a number or JSON.
const MALFORMED_BODY: &[u8] = b"{\"\xff\xfe \x00\xc3\x28\"\n\"";

/// Judges them; whether the request is answered, so that more can be asked.
pub(super) async fn judge(served: &Served<'_>, judge: &mut Judge<'_>) -> Result<bool> {
    let limit = served.plan.limits.invocation();
    judge.say("hosting: requests");
    let answer = served.server.ask(served.ask(), limit).await;
    let usable = matches!(&answer, Ok(answer) if is_success(answer));
    match &answer {
        Ok(answer) if is_success(answer) => {
            judge.pass(&INVOCATION, answer.shown());
            content_type(served, answer, judge);
        }
        Ok(answer) if !served.request.given && is_client_error(answer) => {
            let reason = format!(
                "the kit's own request of {} is not taken ({}); give a good one (--body, --content-type)",
                served.request.content_type,
                answer.shown()
            );
            judge.not_applicable(&INVOCATION, reason);
        }
        Ok(answer) => judge.fail(&INVOCATION, "2xx to a good request", answer.shown()),
        Err(broken) => judge.fail(&INVOCATION, "an answer to a good request", broken.to_string()),
    }
    if usable {
        further(served, judge).await?;
        let ask = HEADERS_ADDED.iter().fold(served.ask(), |ask, (name, value)| ask.with(name, value));
        judge.decide(&HEADERS, good(served.server.ask(ask, limit).await, "2xx, as without these headers"));
    }
    let unknown = Ask::post("/invocations", "application/x-conformance-unknown", served.body.clone());
    let found =
        refused(served, served.server.ask(unknown, limit).await, "415, or another 4xx that says which types are taken")
            .await;
    judge.decide(&UNKNOWN_TYPE, found);
    malformed(served, judge).await?;
    Ok(usable)
}

fn content_type(served: &Served<'_>, answer: &Answer, judge: &mut Judge<'_>) {
    judge.decide(
        &CONTENT_TYPE,
        match (&answer.content_type, &served.request.accept) {
            (None, _) => Err(("a Content-Type header, which the client is passed".to_owned(), "none".to_owned())),
            (Some(kind), Some(wanted)) if !same_type(kind, wanted) => {
                Err((format!("{wanted}, as Accept asks"), kind.clone()))
            }
            (Some(kind), _) => Ok(kind.clone()),
        },
    );
}

/// Every request of the probe file but the first.
async fn further(served: &Served<'_>, judge: &mut Judge<'_>) -> Result<()> {
    let further = served.plan.hosting.request.iter().skip(1);
    let count = further.len();
    for request in further {
        let kind = &request.content_type;
        let mut ask = Ask::post("/invocations", kind, request.bytes()?);
        if let Some(accept) = &request.accept {
            ask = ask.with("accept", accept);
        }
        let answer = served.server.ask(ask, served.plan.limits.invocation()).await;
        let other = answer.as_ref().ok().filter(|a| is_success(a)).and_then(|a| {
            let (wanted, kind) = (request.accept.as_ref()?, a.content_type.clone().unwrap_or_default());
            (!same_type(&kind, wanted)).then(|| (format!("{wanted}, as Accept asks"), format!("`{kind}`")))
        });
        let found = other.map_or_else(|| good(answer, "2xx to a good request"), Err);
        if let Err((expected, seen)) = found {
            judge.fail(&REQUESTS, format!("{expected}, of type {kind}"), seen);
            return Ok(());
        }
    }
    match count {
        0 => judge.not_applicable(&REQUESTS, "the probe has but one request"),
        n => judge.pass(&REQUESTS, format!("{n} of {n}")),
    }
    Ok(())
}

async fn malformed(served: &Served<'_>, judge: &mut Judge<'_>) -> Result<()> {
    let given = &served.plan.hosting.malformed;
    let (kind, body) = match given {
        Some(request) => (&request.content_type, request.bytes()?),
        None => (&served.request.content_type, MALFORMED_BODY.to_vec()),
    };
    let answer = served.server.ask(Ask::post("/invocations", kind, body), served.plan.limits.invocation()).await;
    match answer {
        Ok(answer) if is_success(&answer) && given.is_none() => {
            judge.not_applicable(
                &MALFORMED,
                "it takes the kit's malformed body as good; give one that it cannot take ([hosting.malformed])",
            );
        }
        answer => judge.decide(&MALFORMED, refused(served, answer, "4xx, and a message that says what is wrong").await),
    }
    Ok(())
}

/// A client's error is answered as one, and the server goes on.
async fn refused(
    served: &Served<'_>,
    answer: std::result::Result<Answer, Broken>,
    expected: &str,
) -> std::result::Result<String, (String, String)> {
    let wrong = |seen: String| Err((expected.to_owned(), seen));
    match answer {
        Ok(answer) if is_client_error(&answer) => match served.healthy().await {
            Ok(()) => Ok(answer.shown()),
            Err(seen) => Err(("a server that is healthy afterwards".to_owned(), seen)),
        },
        Ok(answer) => wrong(answer.shown()),
        Err(broken) => wrong(broken.to_string()),
    }
}

/// A good request is answered as one.
pub(super) fn good(
    answer: std::result::Result<Answer, Broken>,
    expected: &str,
) -> std::result::Result<String, (String, String)> {
    match answer {
        Ok(answer) if is_success(&answer) => Ok(answer.shown()),
        Ok(answer) => Err((expected.to_owned(), answer.shown())),
        Err(broken) => Err((expected.to_owned(), broken.to_string())),
    }
}

pub(super) fn is_success(answer: &Answer) -> bool {
    (200..300).contains(&answer.status)
}

pub(super) fn is_client_error(answer: &Answer) -> bool {
    (400..500).contains(&answer.status)
}

/// Whether the first type is what the second asks for; parameters aside.
fn same_type(kind: &str, wanted: &str) -> bool {
    let bare = |text: &str| text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    wanted.contains('*') || wanted.split(',').any(|wanted| bare(wanted) == bare(kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_are_compared_without_their_parameters() {
        for (kind, wanted, same) in [
            ("text/csv; charset=utf-8", "text/csv", true),
            ("Text/CSV", "text/csv;header=absent", true),
            ("text/csv", "application/json, text/csv;q=0.5", true),
            ("text/csv", "*/*", true),
            ("text/html", "text/csv", false),
        ] {
            assert_eq!(same_type(kind, wanted), same, "{kind} for {wanted}");
        }
    }
}
