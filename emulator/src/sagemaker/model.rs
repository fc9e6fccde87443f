//! `Model`: an image, an artifact and an environment, given outright or by an approved model package.

use std::{collections::BTreeMap, sync::Arc};

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{
    listing::{Order, Row, page},
    model_package, tags, text, typed,
};
use crate::{account::Account, arn, fault::Fault, s3_uri::S3Uri, shapes, time};

/// A model as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Model {
    request: Value,
    name: String,
    arn: String,
    created: Timestamp,
    /// What an endpoint runs.
    pub container: Container,
}

/// What a container is made of, whichever way it was given.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Container {
    pub image: String,
    pub data: Option<ModelData>,
    pub environment: BTreeMap<String, String>,
}

/// Where the artifact is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelData {
    pub uri: String,
    /// A `model.tar.gz`, else a prefix of plain files.
    pub packed: bool,
}

impl ModelData {
    fn is_there(&self, account: &Account) -> bool {
        S3Uri::parse(&self.uri).is_some_and(|at| match self.packed {
            true => account.bucket.exists(&at.bucket, &at.key),
            false => account.bucket.list(&at.bucket, &at.key).is_ok_and(|found| !found.is_empty()),
        })
    }
}

/// The members that `ContainerDefinition` and `ModelPackageContainerDefinition` share.
#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Definition {
    image: Option<String>,
    mode: Option<String>,
    model_data_url: Option<String>,
    model_data_source: Option<Value>,
    model_package_name: Option<String>,
    environment: Option<BTreeMap<String, String>>,
}

pub(super) fn create(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let name = text(&request, "ModelName").to_owned();
    let arn = arn::sagemaker(&account.region, "model", &name);
    let definition = match (request.get("PrimaryContainer"), request["Containers"].as_array()) {
        (Some(primary), None) if !primary.is_null() => primary,
        (_, Some(containers)) if containers.len() == 1 => &containers[0],
        (_, Some(_)) => {
            return Err(Fault::validation(
                "The emulator runs models of one container; Containers must have exactly one.",
            ));
        }
        _ => return Err(Fault::validation("Either PrimaryContainer or Containers must be specified.")),
    };
    let container = resolve(account, typed(definition)?)?;
    let model =
        Model { name: name.clone(), arn: arn.clone(), created: time::now(), container, request: request.clone() };
    if !account.models.add(&name, model)? {
        return Err(Fault::validation(format!("Cannot create already existing model \"{arn}\".")));
    }
    tags::attach(account, &arn, &request)?;
    Ok(json!({"ModelArn": arn}))
}

fn resolve(account: &Account, definition: Definition) -> Result<Container, Fault> {
    if definition.mode.as_deref() == Some("MultiModel") {
        return Err(Fault::validation("Mode MultiModel is not supported by the emulator; use SingleModel."));
    }
    let package = match &definition.model_package_name {
        Some(name) => typed(&model_package::container_of_approved(account, name)?)?,
        None => Definition::default(),
    };
    let Some(image) = definition.image.or(package.image) else {
        return Err(Fault::validation("Either Image or ModelPackageName must be specified for the container."));
    };
    let mut environment = package.environment.unwrap_or_default();
    environment.extend(definition.environment.unwrap_or_default());
    let own = data(definition.model_data_url, definition.model_data_source);
    let data = own.or_else(|| data(package.model_data_url, package.model_data_source));
    if let Some(data) = data.as_ref().filter(|data| !data.is_there(account)) {
        return Err(Fault::validation(format!("Could not find model data at {}.", data.uri)));
    }
    Ok(Container { image, data, environment })
}

fn data(url: Option<String>, source: Option<Value>) -> Option<ModelData> {
    let source = source.as_ref().map(|source| &source["S3DataSource"]).map(|source| ModelData {
        uri: text(source, "S3Uri").to_owned(),
        packed: text(source, "CompressionType") == "Gzip" || text(source, "S3DataType") == "S3Object",
    });
    url.map(|uri| ModelData { uri, packed: true }).or(source)
}

/// The model of that name, for who wants to run it.
pub(super) fn find(account: &Account, name: &str) -> Result<Model, Fault> {
    let missing =
        || Fault::validation(format!("Could not find model \"{}\".", arn::sagemaker(&account.region, "model", name)));
    account.models.get(name).ok_or_else(missing)
}

pub(super) fn describe(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    find(account, text(&request, "ModelName")).map(|model| model.describe())
}

pub(super) fn list(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let row = |model: Model| Row {
        summary: Value::Object(shapes::pick(shapes::sagemaker(), "ModelSummary", &model.describe())),
        name: model.name,
        status: String::new(),
        created: model.created,
        modified: model.created,
    };
    page(&request, account.models.all().into_iter().map(row).collect(), "Models", Order::Descending)
}

pub(super) fn delete(account: &Arc<Account>, request: Value) -> Result<Value, Fault> {
    let model = find(account, text(&request, "ModelName"))?;
    account.models.remove(&model.name)?;
    tags::detach(account, &model.arn)?;
    Ok(Value::Null)
}

impl Model {
    pub fn role(&self) -> &str {
        text(&self.request, "ExecutionRoleArn")
    }

    fn describe(&self) -> Value {
        let mut out = shapes::pick(shapes::sagemaker(), "DescribeModelOutput", &self.request);
        out.insert("ModelArn".to_owned(), json!(self.arn));
        out.insert("CreationTime".to_owned(), time::epoch(self.created));
        out.entry("EnableNetworkIsolation").or_insert(json!(false));
        Value::Object(out)
    }
}
