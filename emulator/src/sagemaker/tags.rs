//! Tags, by the ARN of what they are on.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{text, typed};
use crate::{account::Account, fault::Fault};

/// Most tags on one resource.
const MOST: usize = 50;

/// A key and its value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Tag {
    key: String,
    value: String,
}

/// Puts the tags of a Create request on what it made.
pub(crate) fn attach(account: &Account, arn: &str, request: &Value) -> Result<(), Fault> {
    match request.get("Tags").filter(|tags| !tags.is_null()) {
        Some(tags) => put(account, arn, typed(tags)?).map(|_| ()),
        None => Ok(()),
    }
}

/// Forgets the tags of a deleted resource.
pub(crate) fn detach(account: &Account, arn: &str) -> Result<(), Fault> {
    account.tags.remove(arn)?;
    Ok(())
}

fn put(account: &Account, arn: &str, tags: Vec<Tag>) -> Result<Vec<Tag>, Fault> {
    account.tags.add(arn, Vec::new())?;
    let merged = account.tags.update(arn, |kept| {
        let mut merged = kept.clone();
        for tag in tags {
            match merged.iter_mut().find(|old| old.key == tag.key) {
                Some(old) => *old = tag,
                None => merged.push(tag),
            }
        }
        let fits = merged.len() <= MOST;
        if fits {
            kept.clone_from(&merged);
        }
        fits.then_some(merged)
    })?;
    merged
        .flatten()
        .ok_or_else(|| Fault::new("ResourceLimitExceeded", format!("A resource can have at most {MOST} tags ({arn})")))
}

/// CloudWatch spells it otherwise.
fn resource(request: &Value) -> &str {
    request.get("ResourceARN").and_then(Value::as_str).unwrap_or_else(|| text(request, "ResourceArn"))
}

pub(crate) fn add(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let tags = put(account, resource(&request), typed(&request["Tags"])?)?;
    Ok(json!({"Tags": tags}))
}

pub(crate) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    Ok(json!({"Tags": account.tags.get(resource(&request)).unwrap_or_default()}))
}

pub(crate) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let keys: Vec<String> = typed(&request["TagKeys"])?;
    account.tags.update(resource(&request), |tags| tags.retain(|tag| !keys.contains(&tag.key)))?;
    Ok(json!({}))
}
