//! `ModelPackage`: a version in the registry, and whether it may be deployed.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{
    listing::{Order, Row, page},
    model_package_group, tags, text,
};
use crate::{account::Account, arn, fault::Fault, shapes, time};

/// Most customer metadata properties of one package.
const MOST_PROPERTIES: usize = 50;

/// A package as it is kept: by `<group>/<version>`, or by its own name where it is in no group.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelPackage {
    /// As it was created, with what was updated since.
    request: Value,
    key: String,
    arn: String,
    pub group: Option<String>,
    version: Option<u64>,
    created: Timestamp,
    modified: Timestamp,
    updated: bool,
}

pub(super) fn create(account: &Arc<Account>, mut request: Value) -> Result<Value, Fault> {
    if let Some(made) = made_with(account, text(&request, "ClientToken")) {
        return Ok(json!({"ModelPackageArn": made.arn}));
    }
    let (group, name) = (text(&request, "ModelPackageGroupName"), text(&request, "ModelPackageName").to_owned());
    let (group, version, key) = match (group.is_empty(), name.is_empty()) {
        (false, true) => {
            let group = model_package_group::find(account, group)?.name().to_owned();
            let next = |group: &mut super::ModelPackageGroup| {
                group.last_version += 1;
                group.last_version
            };
            let version = account.model_package_groups.update(&group, next)?;
            let version =
                version.ok_or_else(|| Fault::validation(format!("ModelPackageGroup {group} does not exist.")))?;
            let key = format!("{group}/{version}");
            (Some(group), Some(version), key)
        }
        (true, false) => (None, None, name),
        _ => {
            return Err(Fault::validation(
                "Exactly one of ModelPackageGroupName and ModelPackageName must be specified.",
            ));
        }
    };
    let arn = arn::sagemaker(&account.region, "model-package", &key);
    if let Some(group) = &group {
        request["ModelPackageGroupName"] = json!(group);
        if text(&request, "ModelApprovalStatus").is_empty() {
            request["ModelApprovalStatus"] = json!("PendingManualApproval");
        }
    }
    let now = time::now();
    let package = ModelPackage {
        request: request.clone(),
        key: key.clone(),
        arn: arn.clone(),
        group,
        version,
        created: now,
        modified: now,
        updated: false,
    };
    if !account.model_packages.add(&key, package)? {
        return Err(Fault::validation(format!("Model Package already exists: {arn}")));
    }
    tags::attach(account, &arn, &request)?;
    Ok(json!({"ModelPackageArn": arn}))
}

/// What an earlier try of the same request made, whose answer was lost.
fn made_with(account: &Account, token: &str) -> Option<ModelPackage> {
    let same = |package: &ModelPackage| text(&package.request, "ClientToken") == token;
    if token.is_empty() { None } else { account.model_packages.all().into_iter().find(same) }
}

fn find(account: &Account, arn_or_name: &str) -> Result<ModelPackage, Fault> {
    let key = arn::name_of("model-package", arn_or_name);
    let arn = arn::sagemaker(&account.region, "model-package", key);
    account.model_packages.get(key).ok_or_else(|| Fault::validation(format!("ModelPackage {arn} does not exist.")))
}

/// The first container of a package's inference specification; refused unless approved.
pub(super) fn container_of_approved(account: &Account, arn_or_name: &str) -> Result<Value, Fault> {
    let package = find(account, arn_or_name)?;
    let approval = text(&package.request, "ModelApprovalStatus");
    if package.group.is_some() && approval != "Approved" {
        return Err(Fault::validation(format!(
            "ModelPackage {} is in ModelApprovalStatus {approval}; only an Approved model package can be deployed.",
            package.arn
        )));
    }
    let container = package.request["InferenceSpecification"]["Containers"].get(0);
    container.cloned().ok_or_else(|| {
        Fault::validation(format!(
            "ModelPackage {} has no InferenceSpecification with a container to deploy.",
            package.arn
        ))
    })
}

impl ModelPackage {
    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeModelPackageOutput", &self.request);
        let mut put = |name: &str, value: Value| out.insert(name.to_owned(), value);
        let name = self.group.as_deref().unwrap_or(&self.key);
        put("ModelPackageName", json!(name));
        put("ModelPackageArn", json!(self.arn));
        if let Some(version) = self.version {
            put("ModelPackageVersion", json!(version));
        }
        put("CreationTime", time::epoch(self.created));
        put("ModelPackageStatus", json!("Completed"));
        put("ModelPackageStatusDetails", json!({"ValidationStatuses": [], "ImageScanStatuses": []}));
        put("CreatedBy", json!({}));
        if self.updated {
            put("LastModifiedTime", time::epoch(self.modified));
            put("LastModifiedBy", json!({}));
        }
        Value::Object(out)
    }
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, text(&request, "ModelPackageName")).map(|package| package.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let group = text(&request, "ModelPackageGroupName");
    let group = match group {
        "" => None,
        group => Some(model_package_group::find(account, group)?.name().to_owned()),
    };
    let (approval, kind) = (text(&request, "ModelApprovalStatus"), text(&request, "ModelPackageType"));
    let wanted = |package: &ModelPackage| {
        let of_kind = match kind {
            "Both" => true,
            "Versioned" => package.group.is_some(),
            _ if group.is_some() => true,
            _ => package.group.is_none(),
        };
        of_kind
            && (group.is_none() || package.group == group)
            && (approval.is_empty() || text(&package.request, "ModelApprovalStatus") == approval)
    };
    let row = |package: ModelPackage| {
        let mut summary = shapes::pick(shapes::sagemaker(), "ModelPackageSummary", &package.describe());
        if package.group.is_some() {
            summary.remove("ModelPackageName");
        }
        // Versions of one group are ordered as numbers.
        let name = match (&package.group, package.version) {
            (Some(group), Some(version)) => format!("{group}/{version:020}"),
            _ => package.key,
        };
        let (created, modified) = (package.created, package.modified);
        Row { name, status: "Completed".to_owned(), created, modified, summary: Value::Object(summary) }
    };
    let rows = account.model_packages.all().into_iter().filter(wanted).map(row).collect();
    page(&request, rows, "ModelPackageSummaryList", Order::Ascending)
}

pub(super) fn update(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let package = find(account, text(&request, "ModelPackageArn"))?;
    let changed = account.model_packages.update(&package.key, |package| {
        let properties = properties(&package.request["CustomerMetadataProperties"], &request)?;
        for member in [
            "ModelApprovalStatus",
            "ModelPackageRegistrationType",
            "ApprovalDescription",
            "InferenceSpecification",
            "SourceUri",
            "ModelCard",
            "ModelLifeCycle",
        ] {
            if let Some(value) = request.get(member).filter(|v| !v.is_null()) {
                package.request[member] = value.clone();
            }
        }
        package.request["CustomerMetadataProperties"] = properties;
        (package.modified, package.updated) = (time::now(), true);
        Ok::<(), Fault>(())
    })?;
    changed.unwrap_or(Ok(()))?;
    Ok(json!({"ModelPackageArn": package.arn}))
}

fn properties(old: &Value, request: &Value) -> Result<Value, Fault> {
    let mut merged: Map<String, Value> = old.as_object().cloned().unwrap_or_default();
    for key in request["CustomerMetadataPropertiesToRemove"].as_array().into_iter().flatten().filter_map(Value::as_str)
    {
        merged.remove(key);
    }
    merged.extend(request["CustomerMetadataProperties"].as_object().cloned().unwrap_or_default());
    if merged.len() > MOST_PROPERTIES {
        return Err(Fault::validation(format!(
            "A model package can have at most {MOST_PROPERTIES} CustomerMetadataProperties."
        )));
    }
    Ok(if merged.is_empty() { Value::Null } else { Value::Object(merged) })
}

pub(super) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let package = find(account, text(&request, "ModelPackageName"))?;
    account.model_packages.remove(&package.key)?;
    tags::detach(account, &package.arn)?;
    Ok(Value::Null)
}
