//! Requests and answers checked against AWS's own service models (`emulator/model/`, trimmed by its `make.py`),
//! and read and written as CBOR or as forms and XML where a service does not speak JSON.

pub(crate) mod cbor;
mod pattern;
pub(crate) mod query;
mod validate;

use std::{collections::BTreeMap, sync::OnceLock};

use serde::Deserialize;

use validate::faults_of_answer;
pub(crate) use validate::{Refusal, must, pick, validate};

/// A service's operations and the shapes they speak in.
#[derive(Debug, Deserialize)]
pub(crate) struct Model {
    pub operations: BTreeMap<String, Operation>,
    shapes: BTreeMap<String, Shape>,
}

/// The shapes of one operation's two sides.
#[derive(Debug, Deserialize)]
pub(crate) struct Operation {
    pub input: Option<String>,
    pub output: Option<String>,
}

/// What a value may be.
#[derive(Debug, Deserialize)]
struct Shape {
    #[serde(flatten)]
    kind: Kind,
    min: Option<f64>,
    max: Option<f64>,
    pattern: Option<String>,
    #[serde(default, rename = "enum")]
    allowed: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Kind {
    Structure {
        #[serde(default)]
        required: Vec<String>,
        members: BTreeMap<String, String>,
    },
    List {
        member: String,
    },
    Map {
        key: String,
        value: String,
    },
    String,
    Integer,
    Long,
    Float,
    Double,
    Boolean,
    Timestamp,
    Blob,
}

impl Model {
    fn shape(&self, name: &str) -> &Shape {
        // `make.py` writes every shape that one of its shapes names; a test walks them all.
        &self.shapes[name]
    }
}

/// SageMaker's control plane.
pub(crate) fn sagemaker() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/sagemaker.json")))
}

/// CloudWatch Logs.
pub(crate) fn logs() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/logs.json")))
}

/// EventBridge Scheduler.
pub(crate) fn scheduler() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/scheduler.json")))
}

/// CloudWatch.
pub(crate) fn cloudwatch() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/cloudwatch.json")))
}

/// SNS.
pub(crate) fn sns() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/sns.json")))
}

/// Application Auto Scaling.
pub(crate) fn autoscaling() -> &'static Model {
    static MODEL: OnceLock<Model> = OnceLock::new();
    MODEL.get_or_init(|| parse(include_str!("../../model/autoscaling.json")))
}

/// What is wrong with an answer of `operation`; empty where it is as the service's own model says. For tests.
#[doc(hidden)]
pub fn faults(service: &str, operation: &str, answer: &serde_json::Value) -> Vec<String> {
    let model = match service {
        "cloudwatch" => cloudwatch(),
        "sns" => sns(),
        "logs" => logs(),
        "scheduler" => scheduler(),
        "application-autoscaling" => autoscaling(),
        _ => sagemaker(),
    };
    match model.operations.get(operation) {
        None => vec![format!("{service} has no operation {operation}")],
        Some(Operation { output: None, .. }) if answer.is_null() => Vec::new(),
        Some(Operation { output: None, .. }) => vec![format!("{operation} answers nothing")],
        Some(Operation { output: Some(output), .. }) => faults_of_answer(model, output, answer),
    }
}

fn parse(text: &str) -> Model {
    serde_json::from_str(text).expect("the model compiled in is the one make.py wrote")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_there_and_every_pattern_compiles() {
        for model in [sagemaker(), cloudwatch(), sns(), logs(), scheduler(), autoscaling()] {
            for operation in model.operations.values() {
                for name in operation.input.iter().chain(&operation.output) {
                    assert!(model.shapes.contains_key(name), "{name}");
                }
            }
            for (name, shape) in &model.shapes {
                let inner: Vec<&String> = match &shape.kind {
                    Kind::Structure { members, .. } => members.values().collect(),
                    Kind::List { member } => vec![member],
                    Kind::Map { key, value } => vec![key, value],
                    _ => vec![],
                };
                for inner in inner {
                    assert!(model.shapes.contains_key(inner), "{name} names {inner}");
                }
                if let Some(pattern) = &shape.pattern {
                    pattern::compile(pattern).unwrap_or_else(|e| panic!("{name}: {pattern}: {e}"));
                }
            }
        }
    }
}
