//! `ModelPackageGroup`: the versions of one model.

use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    listing::{Order, Row, page},
    tags, text,
};
use crate::{account::Account, arn, fault::Fault, shapes, time};

/// A group as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelPackageGroup {
    request: Value,
    name: String,
    arn: String,
    created: Timestamp,
    /// The last version given; never given again.
    pub last_version: u64,
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "ModelPackageGroupName").to_owned();
    let arn = arn::sagemaker(&account.region, "model-package-group", &name);
    let (created, kept) = (time::now(), request.clone());
    let group = ModelPackageGroup { request: kept, name: name.clone(), arn: arn.clone(), created, last_version: 0 };
    if !account.model_package_groups.add(&name, group)? {
        return Err(Fault::validation(format!("Model Package Group already exists: {arn}")));
    }
    tags::attach(account, &arn, &request)?;
    Ok(json!({"ModelPackageGroupArn": arn}))
}

/// The group of that name or ARN.
pub(super) fn find(account: &Account, name: &str) -> Result<ModelPackageGroup, Fault> {
    let name = arn::name_of("model-package-group", name);
    let arn = arn::sagemaker(&account.region, "model-package-group", name);
    let missing = || Fault::validation(format!("ModelPackageGroup {arn} does not exist."));
    account.model_package_groups.get(name).ok_or_else(missing)
}

impl ModelPackageGroup {
    pub fn name(&self) -> &str {
        &self.name
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeModelPackageGroupOutput", &self.request);
        out.insert("ModelPackageGroupArn".to_owned(), json!(self.arn));
        out.insert("ModelPackageGroupStatus".to_owned(), json!("Completed"));
        out.insert("CreationTime".to_owned(), time::epoch(self.created));
        out.insert("CreatedBy".to_owned(), json!({}));
        Value::Object(out)
    }
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, text(&request, "ModelPackageGroupName")).map(|group| group.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |group: ModelPackageGroup| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "ModelPackageGroupSummary", &group.describe())),
        name: group.name,
        status: "Completed".to_owned(),
        created: group.created,
        modified: group.created,
    };
    let rows = account.model_package_groups.all().into_iter().map(row).collect();
    page(&request, rows, "ModelPackageGroupSummaryList", Order::Ascending)
}

pub(super) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let group = find(account, text(&request, "ModelPackageGroupName"))?;
    if account.model_packages.all().iter().any(|package| package.group.as_deref() == Some(&group.name)) {
        return Err(Fault::new(
            "ConflictException",
            format!("Model Package Group {} cannot be deleted since it still contains Model Packages.", group.arn),
        ));
    }
    account.model_package_groups.remove(&group.name)?;
    tags::detach(account, &group.arn)?;
    Ok(Value::Null)
}
