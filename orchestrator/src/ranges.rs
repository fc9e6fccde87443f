//! What a tuning job searches, read from the settings and judged by the trainer's own rules before anything costs.

use std::collections::BTreeMap;

use aws_sdk_sagemaker::types::{
    CategoricalParameterRange, ContinuousParameterRange, HyperParameterScalingType, IntegerParameterRange,
    ParameterRanges,
};
use trainer::hyperparameters::Hyperparameters;

use crate::{
    check,
    error::{Failure, Result},
    settings::{Settings, Strategy},
};

/// The spellings of `scaling`.
const SCALINGS: [&str; 4] = ["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"];

/// Hyperparameters of a tuning job.
#[derive(Debug)]
pub struct Asked {
    /// The same in every training job.
    pub fixed: BTreeMap<String, String>,
    /// Those that are searched.
    pub ranges: BTreeMap<String, Range>,
}

/// What a hyperparameter may be.
#[derive(Debug)]
pub enum Range {
    /// One of these.
    Values(Vec<String>),
    /// A number between two, both included.
    Between {
        /// As text, for SageMaker wants it so.
        min: String,
        /// As text.
        max: String,
        /// How the range is walked.
        scaling: String,
        /// Whether only integers.
        whole: bool,
    },
}

/// Reads `[tune]` and the fixed hyperparameters; refused here as the trainer would refuse them in the first job.
pub fn asked(settings: &Settings) -> Result<Asked> {
    let mut fixed = check::hyperparameters(settings)?;
    let mut ranges = BTreeMap::new();
    for (name, value) in &settings.tune.ranges {
        let wrong = |expected: &str| {
            Failure::usage(format!("{}: tune.ranges.{name} = {value}: expected {expected}", settings.source()))
        };
        let range = Range::of(value).map_err(|expected| wrong(&expected))?;
        if settings.tune.strategy == Strategy::Grid && matches!(range, Range::Between { .. }) {
            return Err(wrong("a list of values, since a grid has no end of numbers"));
        }
        ranges.insert(name.clone(), range);
        fixed.remove(name);
    }
    if ranges.is_empty() {
        return Err(Failure::usage(format!("{}: tune.ranges is empty: there is nothing to search", settings.source())));
    }
    // The trainer's own search would look for the same thing once more in every job.
    fixed.entry("tune".into()).or_insert_with(|| "none".into());
    for end in [Range::first, Range::last] {
        let mut all = fixed.clone();
        all.extend(ranges.iter().map(|(name, range)| (name.clone(), end(range))));
        Hyperparameters::parse(all).map_err(|wrong| {
            Failure::usage("the hyperparameters to be searched cannot be used")
                .because(wrong)
                .hint(format!("{}, tune.ranges and training.hyperparameters", settings.source()))
        })?;
    }
    Ok(Asked { fixed, ranges })
}

impl Range {
    fn of(value: &toml::Value) -> std::result::Result<Range, String> {
        let expected = || {
            let scalings = SCALINGS.join(", ");
            format!("a list of values, or {{ min = …, max = … }} with a scaling, if any, of {scalings}")
        };
        match value {
            toml::Value::Array(items) if !items.is_empty() => {
                items.iter().map(check::plain).collect::<Option<_>>().map(Range::Values).ok_or_else(expected)
            }
            toml::Value::Table(table) => {
                let scaling = table.get("scaling").map_or(Some("Auto"), toml::Value::as_str);
                let scaling = scaling.filter(|s| SCALINGS.contains(s)).ok_or_else(expected)?.to_owned();
                if table.keys().any(|key| !matches!(key.as_str(), "min" | "max" | "scaling")) {
                    return Err(expected());
                }
                match (table.get("min"), table.get("max")) {
                    (Some(toml::Value::Integer(min)), Some(toml::Value::Integer(max))) if min <= max => {
                        Ok(Range::Between { min: min.to_string(), max: max.to_string(), scaling, whole: true })
                    }
                    (Some(toml::Value::Float(min)), Some(toml::Value::Float(max))) if min <= max => {
                        Ok(Range::Between { min: min.to_string(), max: max.to_string(), scaling, whole: false })
                    }
                    _ => Err(format!("{}; min not above max, both with a point or both without", expected())),
                }
            }
            _ => Err(expected()),
        }
    }

    fn first(&self) -> String {
        match self {
            Range::Values(values) => values.first().cloned().unwrap_or_default(),
            Range::Between { min, .. } => min.clone(),
        }
    }

    fn last(&self) -> String {
        match self {
            Range::Values(values) => values.last().cloned().unwrap_or_default(),
            Range::Between { max, .. } => max.clone(),
        }
    }
}

impl Asked {
    /// How many combinations a grid has.
    pub fn combinations(&self) -> usize {
        let sizes = self.ranges.values().map(|range| match range {
            Range::Values(values) => values.len(),
            Range::Between { .. } => 1,
        });
        sizes.product()
    }

    /// As SageMaker takes them.
    pub fn ranges(&self) -> ParameterRanges {
        let mut all = ParameterRanges::builder();
        for (name, range) in &self.ranges {
            match range {
                Range::Values(values) => {
                    let range = CategoricalParameterRange::builder().name(name).set_values(Some(values.clone()));
                    all = all.categorical_parameter_ranges(range.build());
                }
                Range::Between { min, max, scaling, whole: true } => {
                    let range = IntegerParameterRange::builder().name(name).min_value(min).max_value(max);
                    let range = range.scaling_type(HyperParameterScalingType::from(scaling.as_str()));
                    all = all.integer_parameter_ranges(range.build());
                }
                Range::Between { min, max, scaling, whole: false } => {
                    let range = ContinuousParameterRange::builder().name(name).min_value(min).max_value(max);
                    let range = range.scaling_type(HyperParameterScalingType::from(scaling.as_str()));
                    all = all.continuous_parameter_ranges(range.build());
                }
            }
        }
        all.build()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(ranges: &str, strategy: Strategy) -> String {
        let mut settings = Settings::default();
        settings.tune.strategy = strategy;
        settings.tune.ranges = toml::from_str(ranges).unwrap();
        asked(&settings).unwrap_err().to_string()
    }

    #[test]
    fn what_the_trainer_would_refuse_is_refused_here() {
        for (ranges, strategy, want) in [
            ("C = [0.5, -1.0]", Strategy::Random, "the hyperparameters to be searched cannot be used"),
            ("Z = [1, 2]", Strategy::Random, "hyperparameter \"Z\" is unknown"),
            (
                "C = { min = 2.0, max = 1.0 }",
                Strategy::Random,
                "tune.ranges.C = { max = 1.0, min = 2.0 }: expected a list",
            ),
            ("C = { min = 1, max = 2.0 }", Strategy::Random, "both with a point or both without"),
            ("C = { min = 0.1, max = 2.0, scaling = \"Log\" }", Strategy::Random, "Logarithmic"),
            (
                "C = { min = 0.1, max = 2.0 }",
                Strategy::Grid,
                "expected a list of values, since a grid has no end of numbers",
            ),
            ("", Strategy::Random, "tune.ranges is empty"),
        ] {
            let said = refused(ranges, strategy);
            assert!(said.contains(want), "{ranges}: {said}");
        }
    }

    #[test]
    fn what_is_searched_is_not_fixed() {
        let mut settings = Settings::default();
        settings.training.hyperparameters.insert("C".into(), toml::Value::Float(3.0));
        let asked = asked(&settings).unwrap();
        assert_eq!(asked.fixed.get("C"), None);
        assert_eq!(asked.fixed["tune"], "none");
        assert_eq!(asked.ranges().continuous_parameter_ranges()[0].max_value(), Some("20"));
        assert_eq!(asked.combinations(), 4);
    }
}
