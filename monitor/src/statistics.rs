//! `statistics.json`, in Model Monitor's schema.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::features::{Columns, Numeric, PREDICTED_LABEL};
use crate::stats::sample::Sample;
use crate::stats::sketch::{self, Sketch};

/// The whole file.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Statistics {
    /// Of the schema.
    pub version: serde_json::Number,
    /// Of all documents.
    pub dataset: Dataset,
    /// One a feature.
    pub features: Vec<Feature>,
}

/// Of all documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dataset {
    /// Documents.
    pub item_count: u64,
}

/// Model Monitor's types.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum InferredType {
    /// Whole numbers.
    Integral,
    /// Numbers.
    Fractional,
    /// Text.
    String,
    /// Nothing there to tell.
    Unknown,
}

/// One feature.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What its values are.
    pub inferred_type: InferredType,
    /// Where they are numbers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub numerical_statistics: Option<Numerical>,
    /// Where they are text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub string_statistics: Option<Textual>,
}

/// Documents that have a value, and those that have none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Common {
    /// Have one.
    pub num_present: u64,
    /// Have none.
    pub num_missing: u64,
}

/// Of numbers; the moments are left out where there is no value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Numerical {
    /// Present and missing.
    pub common: Common,
    /// Arithmetic mean.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mean: Option<f64>,
    /// Sum.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sum: Option<f64>,
    /// Standard deviation of the documents at hand (not an estimate of others').
    #[serde(skip_serializing_if = "Option::is_none")]
    pub std_dev: Option<f64>,
    /// Least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<f64>,
    /// Greatest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// All values, sketched.
    pub distribution: NumericalDistribution,
}

/// Of numbers.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NumericalDistribution {
    /// The sketch.
    pub kll: Kll,
}

/// Ten even buckets for the eye, a sketch for tests.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Kll {
    /// Ten of equal width from the least value to the greatest.
    pub buckets: Vec<Bucket>,
    /// Order statistics with weights.
    pub sketch: KllSketch,
}

/// Documents of a range: `lower ≤ value < upper`, the last bucket's end included.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Bucket {
    /// Inclusive.
    pub lower_bound: f64,
    /// Exclusive.
    pub upper_bound: f64,
    /// Documents.
    pub count: f64,
}

/// `data[h]` holds values that stand for `2^h` documents each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KllSketch {
    /// How it was made.
    pub parameters: KllParameters,
    /// Levels.
    pub data: Vec<Vec<f64>>,
}

/// Model Monitor's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct KllParameters {
    /// Shrinking factor of KLL's levels.
    pub c: f64,
    /// Size of its widest level.
    pub k: f64,
}

/// Of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Textual {
    /// Present and missing.
    pub common: Common,
    /// Different values.
    pub distinct_count: u64,
    /// Documents a value.
    pub distribution: TextualDistribution,
}

/// Of text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TextualDistribution {
    /// Documents a value.
    pub categorical: Categorical,
}

/// Documents a value, values ascending.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Categorical {
    /// One a value.
    pub buckets: Vec<Category>,
}

/// Documents of a value.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Category {
    /// The value.
    pub value: String,
    /// Documents.
    pub count: u64,
}

impl Statistics {
    /// Of `columns`; features of which `wanted` says no are left out. `documents` counts what each feature could have.
    pub fn of(columns: &Columns, wanted: &dyn Fn(&str) -> bool, documents: &dyn Fn(&str) -> u64) -> Self {
        let numbers = |feature: Numeric| numerical(feature, columns.values(feature), documents(feature.name()));
        let mut features: Vec<Feature> = Numeric::ALL.map(numbers).into();
        features.insert(3, textual(columns, documents(PREDICTED_LABEL)));
        features.retain(|feature| wanted(&feature.name));
        Self { version: 0.into(), dataset: Dataset { item_count: columns.documents }, features }
    }

    /// By name.
    pub fn feature(&self, name: &str) -> Option<&Feature> {
        self.features.iter().find(|feature| feature.name == name)
    }
}

impl Feature {
    /// The sketched values of a number.
    pub fn sketch(&self) -> Option<Sketch> {
        self.numerical_statistics.as_ref().map(|n| Sketch::from_levels(&n.distribution.kll.sketch.data))
    }

    /// Documents a value of a text.
    pub fn categories(&self) -> Option<BTreeMap<&str, u64>> {
        let textual = self.string_statistics.as_ref()?;
        Some(textual.distribution.categorical.buckets.iter().map(|b| (b.value.as_str(), b.count)).collect())
    }

    /// Share of the documents that have a value; 1 of none.
    pub fn completeness(&self) -> f64 {
        let numbers = self.numerical_statistics.as_ref().map(|n| n.common);
        match numbers.or(self.string_statistics.as_ref().map(|s| s.common)) {
            Some(Common { num_present, num_missing }) if num_present + num_missing > 0 => {
                num_present as f64 / (num_present + num_missing) as f64
            }
            _ => 1.0,
        }
    }
}

fn numerical(feature: Numeric, values: &Sample, documents: u64) -> Feature {
    let moments = values.moments();
    let some = |value: f64| (!values.is_empty()).then_some(value);
    let items: Vec<(f64, u64)> = values.items().collect();
    let sketch =
        KllSketch { parameters: KllParameters { c: 0.64, k: sketch::K as f64 }, data: sketch::levels_of(&items) };
    let numerical = Numerical {
        common: common(moments.count, documents),
        mean: some(moments.mean),
        sum: some(moments.mean * moments.count as f64),
        std_dev: some(moments.variance().sqrt()),
        min: some(moments.min),
        max: some(moments.max),
        distribution: NumericalDistribution { kll: Kll { buckets: buckets(&items, moments.min, moments.max), sketch } },
    };
    let inferred_type = match feature.is_integral() {
        _ if values.is_empty() => InferredType::Unknown,
        true => InferredType::Integral,
        false => InferredType::Fractional,
    };
    Feature {
        name: feature.name().into(),
        inferred_type,
        numerical_statistics: Some(numerical),
        string_statistics: None,
    }
}

fn buckets(items: &[(f64, u64)], min: f64, max: f64) -> Vec<Bucket> {
    if items.is_empty() {
        return Vec::new();
    }
    let width = (max - min) / 10.0;
    let mut counts = [0.0; 10];
    for (value, count) in items {
        let place = if width > 0.0 { ((value - min) / width) as usize } else { 0 };
        counts[place.min(9)] += *count as f64;
    }
    let bound = |place: usize| if place == 10 { max } else { min + width * place as f64 };
    let bucket =
        |(place, count): (usize, f64)| Bucket { lower_bound: bound(place), upper_bound: bound(place + 1), count };
    counts.into_iter().enumerate().map(bucket).collect()
}

fn textual(columns: &Columns, documents: u64) -> Feature {
    let labels = columns.labels();
    let buckets = labels.iter().map(|(value, &count)| Category { value: value.clone(), count }).collect();
    Feature {
        name: PREDICTED_LABEL.into(),
        inferred_type: if labels.is_empty() { InferredType::Unknown } else { InferredType::String },
        numerical_statistics: None,
        string_statistics: Some(Textual {
            common: common(columns.labelled(), documents),
            distinct_count: labels.len() as u64,
            distribution: TextualDistribution { categorical: Categorical { buckets } },
        }),
    }
}

fn common(present: u64, documents: u64) -> Common {
    Common { num_present: present, num_missing: documents.saturating_sub(present) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::known_terms::TextFeatures;

    #[test]
    fn schema_and_figures() {
        let mut columns = Columns::of(3);
        for (characters, terms, unknown) in [(10, 2, 1), (20, 4, 0), (90, 8, 8)] {
            columns.add_text(TextFeatures { characters, terms, unknown, unlearned: 0.0 });
        }
        columns.add_prediction("1", 0.75);
        columns.add_prediction("0", 0.5);
        let statistics = Statistics::of(&columns, &|_| true, &|_| 3);
        let json = serde_json::to_value(&statistics).unwrap();
        assert_eq!(json["version"], 0);
        assert_eq!(json["dataset"]["item_count"], 3);
        let names: Vec<&str> =
            json["features"].as_array().unwrap().iter().map(|f| f["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["text_length", "term_count", "unknown_terms", "predicted_label", "score"]);
        let length = &json["features"][0]["numerical_statistics"];
        assert_eq!((&length["mean"], &length["min"], &length["max"]), (&40.0.into(), &10.0.into(), &90.0.into()));
        assert_eq!(length["distribution"]["kll"]["buckets"].as_array().unwrap().len(), 10);
        assert_eq!(length["distribution"]["kll"]["buckets"][9]["count"], 1.0);
        assert_eq!(length["distribution"]["kll"]["sketch"]["data"][0], serde_json::json!([10.0, 20.0, 90.0]));
        assert_eq!(json["features"][3]["string_statistics"]["common"]["num_missing"], 1);
        assert_eq!(json["features"][3]["string_statistics"]["distribution"]["categorical"]["buckets"][0]["value"], "0");
        assert_eq!(serde_json::from_value::<Statistics>(json).unwrap(), statistics);
    }

    #[test]
    fn nothing_has_no_moments() {
        let statistics = Statistics::of(&Columns::default(), &|_| true, &|_| 0);
        let text = serde_json::to_string(&statistics).unwrap();
        assert!(!text.contains("null") && !text.contains("mean"), "{text}");
        assert_eq!(statistics.feature("score").unwrap().inferred_type, InferredType::Unknown);
    }
}
