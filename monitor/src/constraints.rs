//! `constraints.json`, in Model Monitor's schema: what a window must keep to. Written with the baseline, read back with
//! each run, so that a person can edit it in between.

use serde::{Deserialize, Serialize};

use crate::features::{Numeric, OF_WINDOWS, PREDICTED_LABEL};
use crate::statistics::{InferredType, Statistics};

/// The difference that matters unless the file says otherwise: of distribution functions, or of shares.
pub const THRESHOLD: f64 = 0.1;

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Constraints {
    /// Of the schema.
    pub version: serde_json::Number,
    /// One a feature.
    pub features: Vec<FeatureConstraints>,
    /// Of all features.
    #[serde(default)]
    pub monitoring_config: MonitoringConfig,
}

/// Of one feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FeatureConstraints {
    /// Its name in `statistics.json`.
    pub name: String,
    /// What its values are.
    pub inferred_type: InferredType,
    /// Least share of documents that have a value.
    pub completeness: f64,
    /// Of numbers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub num_constraints: Option<NumberConstraints>,
    /// Of text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub string_constraints: Option<StringConstraints>,
    /// What holds for this feature instead of [`Constraints::monitoring_config`].
    #[serde(default, rename = "monitoringConfigOverrides", skip_serializing_if = "Option::is_none")]
    pub overrides: Option<Overrides>,
}

/// Of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumberConstraints {
    /// Whether none is below 0.
    pub is_non_negative: bool,
}

/// Of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StringConstraints {
    /// Values that may occur.
    pub domains: Vec<String>,
}

/// On or off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Switch {
    /// On.
    #[default]
    Enabled,
    /// Off.
    Disabled,
}

/// What makes a difference one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum ComparisonMethod {
    /// Over the threshold, however few the documents.
    Simple,
    /// Over the threshold and too large for chance.
    #[default]
    Robust,
}

/// Of all features.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MonitoringConfig {
    /// Whether violations are looked for.
    pub evaluate_constraints: Switch,
    /// Whether metrics are written (where the job publishes any).
    pub emit_metrics: Switch,
    /// Least share of values that have the feature's type.
    pub datatype_check_threshold: f64,
    /// Least share of values that are in the domain.
    pub domain_content_threshold: f64,
    /// Of distributions.
    pub distribution_constraints: DistributionConstraints,
}

/// Of distributions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct DistributionConstraints {
    /// Whether they are compared.
    pub perform_comparison: Switch,
    /// The difference above which one matters.
    pub comparison_threshold: f64,
    /// What else makes it one.
    pub comparison_method: ComparisonMethod,
}

/// For one feature alone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Overrides {
    /// Of its distribution.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub distribution_constraints: Option<DistributionConstraints>,
}

impl Default for MonitoringConfig {
    fn default() -> Self {
        Self {
            evaluate_constraints: Switch::Enabled,
            emit_metrics: Switch::Enabled,
            datatype_check_threshold: 1.0,
            domain_content_threshold: 1.0,
            distribution_constraints: DistributionConstraints::default(),
        }
    }
}

impl Default for DistributionConstraints {
    fn default() -> Self {
        Self {
            perform_comparison: Switch::Enabled,
            comparison_threshold: THRESHOLD,
            comparison_method: ComparisonMethod::Robust,
        }
    }
}

impl Constraints {
    /// What `statistics` suggest; labels may be any of `classes`.
    pub fn suggested(statistics: &Statistics, classes: &[String], config: &MonitoringConfig) -> Self {
        let of_window = |&(name, comparison_threshold): &(&str, f64)| FeatureConstraints {
            name: name.into(),
            inferred_type: InferredType::Unknown,
            completeness: 0.0,
            num_constraints: None,
            string_constraints: None,
            overrides: Some(Overrides {
                distribution_constraints: Some(DistributionConstraints {
                    comparison_threshold,
                    ..config.distribution_constraints.clone()
                }),
            }),
        };
        let features = statistics
            .features
            .iter()
            .map(|feature| {
                let is_number = Numeric::ALL.iter().any(|n| n.name() == feature.name);
                FeatureConstraints {
                    name: feature.name.clone(),
                    inferred_type: feature.inferred_type,
                    completeness: feature.completeness(),
                    num_constraints: is_number.then_some(NumberConstraints { is_non_negative: true }),
                    string_constraints: (feature.name == PREDICTED_LABEL)
                        .then(|| StringConstraints { domains: classes.to_vec() }),
                    overrides: None,
                }
            })
            .chain(OF_WINDOWS.iter().map(of_window))
            .collect();
        Self { version: 0.into(), features, monitoring_config: config.clone() }
    }

    /// By name.
    pub fn feature(&self, name: &str) -> Option<&FeatureConstraints> {
        self.features.iter().find(|feature| feature.name == name)
    }

    /// What holds for a feature's distribution; none where it is not to be compared.
    pub fn distribution(&self, name: &str) -> Option<&DistributionConstraints> {
        let own = self.feature(name).and_then(|f| f.overrides.as_ref()?.distribution_constraints.as_ref());
        let holding = own.unwrap_or(&self.monitoring_config.distribution_constraints);
        (holding.perform_comparison == Switch::Enabled).then_some(holding)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::features::Columns;

    #[test]
    fn a_person_can_edit_them() {
        let statistics = Statistics::of(&Columns::default(), &|_| true, &|_| 0);
        let suggested = Constraints::suggested(&statistics, &["0".into(), "1".into()], &MonitoringConfig::default());
        let mut json = serde_json::to_value(&suggested).unwrap();
        assert_eq!(json["monitoring_config"]["distribution_constraints"]["comparison_threshold"], 0.1);
        assert_eq!(json["features"][3]["string_constraints"]["domains"], serde_json::json!(["0", "1"]));
        json["monitoring_config"]["distribution_constraints"]["comparison_threshold"] = 0.3.into();
        json["features"][0]["monitoringConfigOverrides"] = serde_json::json!({"distribution_constraints": {"comparison_threshold": 0.5, "comparison_method": "Simple"}});
        json["features"][1]["monitoringConfigOverrides"] =
            serde_json::json!({"distribution_constraints": {"perform_comparison": "Disabled"}});
        let edited: Constraints = serde_json::from_value(json).unwrap();
        let threshold = |name: &str| edited.distribution(name).map(|d| (d.comparison_threshold, d.comparison_method));
        assert_eq!(threshold("text_length"), Some((0.5, ComparisonMethod::Simple)));
        assert_eq!(threshold("term_count"), None);
        assert_eq!(threshold("score"), Some((0.3, ComparisonMethod::Robust)));
    }
}
