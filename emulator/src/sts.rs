//! STS, Query: who am I, and roles to take on. Any token is believed; what comes of a role is known again by its access key.

use std::{collections::HashMap, sync::Mutex};

use jiff::{SignedDuration, Timestamp};

use crate::ACCOUNT;

/// Who has which access key: roles that were taken on since the emulator started. Every other key is the account's own.
#[derive(Default)]
pub(crate) struct Sessions(Mutex<HashMap<String, String>>);

/// Answers an action of STS, asked with `access_key`; the error is AWS's code and sentence.
pub(crate) fn answer(
    sessions: &Sessions,
    parameters: &[(String, String)],
    access_key: Option<&str>,
    request_id: &str,
) -> Result<String, (&'static str, String)> {
    let given = |name: &str| parameters.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.as_str());
    let result = match given("Action") {
        "GetCallerIdentity" => {
            let known = sessions.0.lock().unwrap_or_else(|e| e.into_inner());
            let root = format!("arn:aws:iam::{ACCOUNT}:root");
            let arn = access_key.and_then(|key| known.get(key)).unwrap_or(&root);
            format!("<Arn>{arn}</Arn><UserId>{ACCOUNT}</UserId><Account>{ACCOUNT}</Account>")
        }
        action @ ("AssumeRole" | "AssumeRoleWithWebIdentity") => {
            for needed in ["RoleArn", "RoleSessionName"] {
                if given(needed).is_empty() {
                    return Err(missing(needed));
                }
            }
            if action == "AssumeRoleWithWebIdentity" && given("WebIdentityToken").is_empty() {
                return Err(missing("WebIdentityToken"));
            }
            taken_on(sessions, given("RoleArn"), given("RoleSessionName"))
        }
        _ => {
            let known = "The emulator knows GetCallerIdentity, AssumeRole and AssumeRoleWithWebIdentity alone";
            return Err(("InvalidAction", known.into()));
        }
    };
    let action = given("Action");
    Ok(format!(
        "<{action}Response xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><{action}Result>{result}</{action}Result>\
         <ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{action}Response>"
    ))
}

fn missing(parameter: &str) -> (&'static str, String) {
    (
        "ValidationError",
        format!(
            "1 validation error detected: Value null at '{parameter}' failed to satisfy constraint: Member must not be null"
        ),
    )
}

fn taken_on(sessions: &Sessions, role: &str, session: &str) -> String {
    let random = || uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let (key, secret, token) = (format!("ASIA{}", &random()[..16]), random(), random() + &random());
    let name = escape(role.rsplit('/').next().unwrap_or(role));
    let (arn, session) = (format!("arn:aws:sts::{ACCOUNT}:assumed-role/{name}/{}", escape(session)), escape(session));
    sessions.0.lock().unwrap_or_else(|e| e.into_inner()).insert(key.clone(), arn.clone());
    let until = (Timestamp::now() + SignedDuration::from_hours(1)).strftime("%Y-%m-%dT%H:%M:%SZ");
    format!(
        "<Credentials><AccessKeyId>{key}</AccessKeyId><SecretAccessKey>{secret}</SecretAccessKey><SessionToken>{token}</SessionToken>\
         <Expiration>{until}</Expiration></Credentials>\
         <AssumedRoleUser><Arn>{arn}</Arn><AssumedRoleId>AROA000000000000:{session}</AssumedRoleId></AssumedRoleUser>"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
