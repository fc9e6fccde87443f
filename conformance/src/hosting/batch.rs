//! Batch transform: what it asks for, and that an answer has a record for each record.

use serde_json::Value;

use crate::{
    contract::*,
    http::{Answer, Ask},
    judge::Judge,
};

use super::{Served, load::is_lines, requests::is_success};

/// Records in the request.
const RECORDS: usize = 25;

/// `/execution-parameters`.
pub(super) async fn parameters(served: &Served<'_>, judge: &mut Judge<'_>) {
    let answer = served.server.ask(Ask::get("/execution-parameters"), served.plan.limits.invocation()).await;
    let expected = r#"{"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}, or 404"#;
    match answer {
        Ok(answer) if matches!(answer.status, 404 | 405) => {
            judge.not_applicable(&PARAMETERS, format!("it is optional, and {} here", answer.status));
        }
        Ok(answer) => judge.decide(&PARAMETERS, shape(&answer).map_err(|seen| (expected.to_owned(), seen))),
        Err(broken) => judge.fail(&PARAMETERS, expected, broken.to_string()),
    }
}

fn shape(answer: &Answer) -> Result<String, String> {
    if !is_success(answer) {
        return Err(answer.shown());
    }
    let value: Value = serde_json::from_slice(&answer.body).map_err(|e| format!("no JSON: {e}: {}", answer.text()))?;
    let object = value.as_object().ok_or_else(|| format!("no JSON object: {value}"))?;
    for (member, value) in object {
        let good = match member.as_str() {
            "MaxConcurrentTransforms" => value.as_u64().is_some_and(|n| n >= 1),
            "MaxPayloadInMB" => value.as_u64().is_some_and(|n| n <= 100),
            "BatchStrategy" => matches!(value.as_str(), Some("SINGLE_RECORD" | "MULTI_RECORD")),
            _ => true,
        };
        if !good {
            return Err(format!("{member} is {value}"));
        }
    }
    Ok(answer.text())
}

/// Many records in one request.
pub(super) async fn judge(served: &Served<'_>, judge: &mut Judge<'_>) {
    let kind = &served.request.content_type;
    if !is_lines(kind) {
        return judge.not_applicable(&LINES, format!("a request of {kind} has no lines"));
    }
    judge.say("batch: many records in one request");
    let accept = served.request.accept.as_deref().unwrap_or(kind);
    let mut body = Vec::new();
    let records = served.body.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    for record in records.cycle().take(RECORDS) {
        body.extend_from_slice(record);
        body.push(b'\n');
    }
    if body.is_empty() {
        return judge.not_applicable(&LINES, "the request's body has no line");
    }
    let ask = Ask::post("/invocations", kind, body).with("accept", accept);
    let answer = served.server.ask(ask, served.plan.limits.invocation()).await;
    let expected =
        format!("{RECORDS} lines of {accept}: AssembleWith and JoinSource put them beside the {RECORDS} of the input");
    match answer {
        Ok(answer) if is_success(&answer) && !is_lines(answer.content_type.as_deref().unwrap_or_default()) => {
            let kind = answer.content_type.unwrap_or_default();
            judge.not_applicable(
                &LINES,
                format!("it answers `{kind}`, which has no lines; give a line-framed --accept"),
            );
        }
        Ok(answer) if is_success(&answer) => {
            let lines = answer.body.split(|b| *b == b'\n').filter(|line| !line.is_empty()).count();
            let seen = format!("{lines} lines for {RECORDS}");
            judge.decide(&LINES, if lines == RECORDS { Ok(seen) } else { Err((expected, seen)) });
        }
        Ok(answer) => judge.fail(&LINES, expected, answer.shown()),
        Err(broken) => judge.fail(&LINES, expected, broken.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn execution_parameters_have_their_types() {
        let answer = |body: &str| Answer {
            status: 200,
            content_type: None,
            body: body.to_owned().into(),
            took: std::time::Duration::ZERO,
            closes: false,
        };
        for (body, good) in [
            (r#"{"MaxConcurrentTransforms": 8, "BatchStrategy": "MULTI_RECORD", "MaxPayloadInMB": 6}"#, true),
            (r#"{"MaxPayloadInMB": 0}"#, true),
            (r#"{"MaxConcurrentTransforms": "8"}"#, false),
            (r#"{"BatchStrategy": "MultiRecord"}"#, false),
            (r#"{"MaxPayloadInMB": 101}"#, false),
            ("[]", false),
            ("ok", false),
        ] {
            assert_eq!(shape(&answer(body)).is_ok(), good, "{body}");
        }
    }
}
