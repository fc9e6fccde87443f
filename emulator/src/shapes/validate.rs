//! A value against its shape, refused in AWS's words.

use serde_json::{Map, Value};

use super::{Kind, Model, Shape, pattern};
use crate::fault::Fault;

/// Why a request is not taken.
#[derive(Debug, PartialEq)]
pub(crate) enum Refusal {
    /// The JSON is not of the shape's types.
    Serialization(String),
    /// Types are right, values are not.
    Validation(String),
}

/// Checks a request against the input shape `name`; members the shape does not know are ignored, as AWS does.
pub(crate) fn validate(model: &'static Model, name: &str, value: &Value) -> Result<(), Refusal> {
    types(model, model.shape(name), value).map_err(Refusal::Serialization)?;
    let mut faults = Vec::new();
    constraints(model, model.shape(name), value, "", &mut faults);
    if faults.is_empty() {
        return Ok(());
    }
    let plural = if faults.len() == 1 { "" } else { "s" };
    Err(Refusal::Validation(format!("{} validation error{plural} detected: {}", faults.len(), faults.join("; "))))
}

/// What is wrong with one of our own answers; empty where it is as the model says.
pub(super) fn faults_of_answer(model: &'static Model, name: &str, value: &Value) -> Vec<String> {
    if let Err(fault) = types(model, model.shape(name), value) {
        return vec![fault];
    }
    let mut faults = Vec::new();
    constraints(model, model.shape(name), value, "", &mut faults);
    faults
}

/// The members of `value` that the structure `name` has, without nulls.
pub(crate) fn pick(model: &Model, name: &str, value: &Value) -> Map<String, Value> {
    let Kind::Structure { members, .. } = &model.shape(name).kind else { return Map::new() };
    let kept = |member: &String| value.get(member).filter(|v| !v.is_null()).map(|v| (member.clone(), v.clone()));
    members.keys().filter_map(kept).collect()
}

fn types(model: &Model, shape: &Shape, value: &Value) -> Result<(), String> {
    if value.is_null() {
        return Ok(());
    }
    match &shape.kind {
        Kind::Structure { members, .. } => {
            let object = value.as_object().ok_or_else(|| unexpected(value, "a structure"))?;
            for (name, inner) in members {
                if let Some(value) = object.get(name) {
                    types(model, model.shape(inner), value)?;
                }
            }
            Ok(())
        }
        Kind::List { member } => {
            let items = value.as_array().ok_or_else(|| unexpected(value, "a list"))?;
            items.iter().try_for_each(|item| types(model, model.shape(member), item))
        }
        Kind::Map { value: inner, .. } => {
            let object = value.as_object().ok_or_else(|| unexpected(value, "a map"))?;
            object.values().try_for_each(|value| types(model, model.shape(inner), value))
        }
        Kind::String | Kind::Blob if !value.is_string() => Err(unexpected(value, "a String")),
        Kind::Integer if !value.is_i64() && !value.is_u64() => Err(unexpected(value, "an Integer")),
        Kind::Long if !value.is_i64() && !value.is_u64() => Err(unexpected(value, "a Long")),
        Kind::Float | Kind::Double if !value.is_number() => Err(unexpected(value, "a Float")),
        Kind::Boolean if !value.is_boolean() => Err(unexpected(value, "a Boolean")),
        Kind::Timestamp if !value.is_number() && !value.is_string() => Err(unexpected(value, "a Timestamp")),
        _ => Ok(()),
    }
}

fn unexpected(value: &Value, wanted: &str) -> String {
    let found = match value {
        Value::Object(_) => return "Start of structure or map found where not expected.".to_owned(),
        Value::Array(_) => return "Start of list found where not expected".to_owned(),
        Value::String(_) => "STRING_VALUE",
        Value::Number(n) if n.is_f64() => "DECIMAL_VALUE",
        Value::Number(_) => "NUMBER_VALUE",
        Value::Bool(true) => "TRUE_VALUE",
        Value::Bool(false) => "FALSE_VALUE",
        Value::Null => "NULL_VALUE",
    };
    format!("{found} can not be converted to {wanted}")
}

fn constraints(model: &'static Model, shape: &'static Shape, value: &Value, path: &str, faults: &mut Vec<String>) {
    let broken = own(shape, value);
    faults.extend(broken.into_iter().map(|rule| fault(value, path, &rule)));
    match (&shape.kind, value) {
        (Kind::Structure { required, members }, Value::Object(object)) => {
            for (name, inner) in members {
                let path = join(path, &lower_first(name));
                match object.get(name).filter(|v| !v.is_null()) {
                    Some(value) => constraints(model, model.shape(inner), value, &path, faults),
                    None if required.contains(name) => {
                        faults.push(fault(&Value::Null, &path, "Member must not be null"))
                    }
                    None => {}
                }
            }
        }
        (Kind::List { member }, Value::Array(items)) => {
            let inner = model.shape(member);
            if inner.is_simple() {
                if let Some(rules) = items.iter().map(|item| rules_if_broken(inner, item)).find(|r| !r.is_empty()) {
                    faults.push(fault(value, path, &format!("Member must satisfy constraint: [{}]", rules.join(", "))));
                }
            } else {
                for (i, item) in items.iter().enumerate() {
                    constraints(model, inner, item, &join(path, &format!("{}.member", i + 1)), faults);
                }
            }
        }
        (Kind::Map { key, value: inner }, Value::Object(object)) => {
            let (key, inner) = (model.shape(key), model.shape(inner));
            let keys = object.keys().map(|k| rules_if_broken(key, &Value::String(k.clone()))).find(|r| !r.is_empty());
            if let Some(rules) = keys {
                faults.push(fault(value, path, &format!("Map keys must satisfy constraint: [{}]", rules.join(", "))));
            }
            if !inner.is_simple() {
                for (name, item) in object {
                    constraints(model, inner, item, &join(path, &format!("{name}.member")), faults);
                }
            } else if let Some(rules) = object.values().map(|v| rules_if_broken(inner, v)).find(|r| !r.is_empty()) {
                faults.push(fault(value, path, &format!("Map value must satisfy constraint: [{}]", rules.join(", "))));
            }
        }
        _ => {}
    }
}

impl Shape {
    fn is_simple(&self) -> bool {
        !matches!(self.kind, Kind::Structure { .. } | Kind::List { .. } | Kind::Map { .. })
    }
}

/// The rules of the shape itself that `value` breaks, each as AWS words it.
fn own(shape: &'static Shape, value: &Value) -> Vec<String> {
    rules(shape, Some(value))
}

/// All rules of a simple shape where `value` breaks one: inside lists and maps AWS names them together.
fn rules_if_broken(shape: &'static Shape, value: &Value) -> Vec<String> {
    if rules(shape, Some(value)).is_empty() { vec![] } else { rules(shape, None) }
}

fn rules(shape: &'static Shape, broken_by: Option<&Value>) -> Vec<String> {
    let mut found = Vec::new();
    let mut rule = |broken: &dyn Fn(&Value) -> bool, text: String| {
        if broken_by.is_none_or(broken) {
            found.push(text);
        }
    };
    let (noun, numeric) = match shape.kind {
        Kind::Integer | Kind::Long | Kind::Float | Kind::Double => ("value", true),
        _ => ("length", false),
    };
    let measure = move |v: &Value| if numeric { v.as_f64() } else { length(v) };
    if let Some(max) = shape.max {
        let broken = |v: &Value| measure(v).is_some_and(|n| n > max);
        rule(&broken, format!("Member must have {noun} less than or equal to {max}"));
    }
    if let Some(min) = shape.min {
        let broken = |v: &Value| measure(v).is_some_and(|n| n < min);
        rule(&broken, format!("Member must have {noun} greater than or equal to {min}"));
    }
    if let Some(pattern) = &shape.pattern {
        let broken = |v: &Value| v.as_str().is_some_and(|s| !pattern::matches(pattern, s));
        rule(&broken, format!("Member must satisfy regular expression pattern: {pattern}"));
    }
    if !shape.allowed.is_empty() {
        let broken = |v: &Value| v.as_str().is_some_and(|s| !shape.allowed.iter().any(|a| a == s));
        rule(&broken, format!("Member must satisfy enum value set: [{}]", shape.allowed.join(", ")));
    }
    found
}

/// Characters of a string, items of a list or map.
fn length(value: &Value) -> Option<f64> {
    match value {
        Value::String(s) => Some(s.chars().count() as f64),
        Value::Array(items) => Some(items.len() as f64),
        Value::Object(members) => Some(members.len() as f64),
        _ => None,
    }
}

/// One rule that the model does not have and the service keeps, in the same words.
pub(crate) fn must(value: &Value, path: &str, rule: &str) -> Fault {
    Fault::validation(format!("1 validation error detected: {}", fault(value, path, rule)))
}

fn fault(value: &Value, path: &str, rule: &str) -> String {
    match value {
        Value::Null => format!("Value null at '{path}' failed to satisfy constraint: {rule}"),
        value => format!("Value '{}' at '{path}' failed to satisfy constraint: {rule}", shown(value)),
    }
}

/// A value as Java's `toString` shows it.
fn shown(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Array(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Value::Object(members) => {
            let members = members.iter().map(|(k, v)| format!("{k}={}", shown(v)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn join(path: &str, member: &str) -> String {
    if path.is_empty() { member.to_owned() } else { format!("{path}.{member}") }
}

fn lower_first(name: &str) -> String {
    let mut chars = name.chars();
    chars.next().map(|c| c.to_lowercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::shapes::sagemaker;

    #[test]
    fn refusals_are_worded_as_awss() {
        let pattern = "[a-zA-Z0-9]([\\-a-zA-Z0-9]*[a-zA-Z0-9])?";
        let role = "arn:aws:iam::000000000000:role/x";
        let production = |variant: Value| json!({"EndpointConfigName": "c", "ProductionVariants": [variant]});
        for (shape, value, want) in [
            (
                "CreateModelInput",
                json!({"ModelName": "a_b"}),
                format!("1 validation error detected: Value 'a_b' at 'modelName' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}"),
            ),
            (
                "CreateModelInput",
                json!({"ModelName": "-".repeat(64)}),
                format!("2 validation errors detected: Value '{0}' at 'modelName' failed to satisfy constraint: Member must have length less than or equal to 63; Value '{0}' at 'modelName' failed to satisfy constraint: Member must satisfy regular expression pattern: {pattern}", "-".repeat(64)),
            ),
            (
                "CreateModelInput",
                json!({"PrimaryContainer": null}),
                "1 validation error detected: Value null at 'modelName' failed to satisfy constraint: Member must not be null".to_owned(),
            ),
            (
                "CreateEndpointConfigInput",
                production(json!({"VariantName": "v", "InitialInstanceCount": -1})),
                "1 validation error detected: Value '-1' at 'productionVariants.1.member.initialInstanceCount' failed to satisfy constraint: Member must have value greater than or equal to 1".to_owned(),
            ),
            (
                "CreateTrainingJobRequest",
                json!({"TrainingJobName": "j", "RoleArn": role, "OutputDataConfig": {"S3OutputPath": "s3://b/o"}, "HyperParameters": {"k": "x".repeat(2501)}}),
                format!("1 validation error detected: Value '{{k={}}}' at 'hyperParameters' failed to satisfy constraint: Map value must satisfy constraint: [Member must have length less than or equal to 2500, Member must have length greater than or equal to 0, Member must satisfy regular expression pattern: .*]", "x".repeat(2501)),
            ),
            (
                "UpdateModelPackageInput",
                json!({"ModelPackageArn": "arn:aws:sagemaker:us-east-1:000000000000:model-package/g/1", "ModelApprovalStatus": "Yes"}),
                "1 validation error detected: Value 'Yes' at 'modelApprovalStatus' failed to satisfy constraint: Member must satisfy enum value set: [Approved, Rejected, PendingManualApproval]".to_owned(),
            ),
        ] {
            assert_eq!(validate(sagemaker(), shape, &value), Err(Refusal::Validation(want)), "{shape} {value}");
        }
    }

    #[test]
    fn wrong_types_do_not_deserialize_and_unknown_members_do_not_matter() {
        for (value, want) in [
            (json!({"ModelName": 1}), "NUMBER_VALUE can not be converted to a String"),
            (json!({"ModelName": {}}), "Start of structure or map found where not expected."),
            (json!({"ModelName": "m", "Containers": "c"}), "STRING_VALUE can not be converted to a list"),
        ] {
            assert_eq!(validate(sagemaker(), "CreateModelInput", &value), Err(Refusal::Serialization(want.to_owned())));
        }
        assert_eq!(validate(sagemaker(), "CreateModelInput", &json!({"ModelName": "m", "Novel": [1]})), Ok(()));
    }
}
