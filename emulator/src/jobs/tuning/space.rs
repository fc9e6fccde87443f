//! What hyperparameters may be, and which are tried next.
//!
//! `Random` draws, `Grid` takes every combination. The surrogate model of `Bayesian` and the brackets of `Hyperband` are
//! AWS's; here both draw a third of their jobs at random and then look around the best so far.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Hyperparameters of one training job, those that are tuned.
pub(crate) type Point = BTreeMap<String, String>;

/// Most combinations of a grid, as many as AWS takes jobs.
const MOST_COMBINATIONS: usize = 750;
/// How often something new is drawn before there is taken to be nothing new.
const DRAWS: u32 = 100;
/// How far from the best so far is looked, as a part of a range.
const REACH: f64 = 0.15;

/// The ranges of one training job definition.
#[derive(Debug)]
pub(crate) struct Space(Vec<(String, Range)>);

#[derive(Debug)]
enum Range {
    Integer(Scale),
    Continuous(Scale),
    Categorical(Vec<String>),
}

/// A range of numbers, and how it is walked.
#[derive(Clone, Copy, Debug)]
struct Scale {
    min: f64,
    max: f64,
    walk: Walk,
}

#[derive(Clone, Copy, Debug)]
enum Walk {
    Linear,
    Logarithmic,
    ReverseLogarithmic,
}

impl Space {
    /// Reads `ParameterRanges`; the reason where a range cannot be.
    pub fn of(ranges: &Value) -> Result<Space, String> {
        let mut space = Vec::new();
        let list = |member: &str| ranges[member].as_array().cloned().unwrap_or_default();
        for (member, whole) in [("IntegerParameterRanges", true), ("ContinuousParameterRanges", false)] {
            for range in list(member) {
                let name = name(&range);
                let scale = Scale::of(&range, whole).map_err(|why| format!("{member} {name}: {why}"))?;
                space.push((name, if whole { Range::Integer(scale) } else { Range::Continuous(scale) }));
            }
        }
        for range in list("CategoricalParameterRanges") {
            space.push((name(&range), Range::Categorical(super::super::words(&range["Values"]))));
        }
        let names: BTreeSet<&String> = space.iter().map(|(name, _)| name).collect();
        if space.is_empty() || names.len() < space.len() {
            return Err("ParameterRanges needs at least one range, and each hyperparameter once.".to_owned());
        }
        Ok(Space(space))
    }

    /// Every combination; ranges of numbers have no end of them.
    pub fn grid(&self) -> Result<Vec<Point>, String> {
        let mut points = vec![Point::new()];
        for (name, range) in &self.0 {
            let Range::Categorical(values) = range else {
                return Err(format!("Grid search takes categorical ranges alone; {name} is a range of numbers."));
            };
            let with = |point: &Point, value: &String| {
                let mut point = point.clone();
                point.insert(name.clone(), value.clone());
                point
            };
            points = points.iter().flat_map(|point| values.iter().map(|value| with(point, value))).collect();
            if points.len() > MOST_COMBINATIONS {
                return Err(format!("The grid has more than {MOST_COMBINATIONS} combinations."));
            }
        }
        Ok(points)
    }

    fn draw(&self, random: &mut Random) -> Point {
        let drawn = self.0.iter().map(|(name, range)| {
            let value = match range {
                Range::Integer(scale) => scale.at(random.unit()).round().to_string(),
                Range::Continuous(scale) => scale.at(random.unit()).to_string(),
                Range::Categorical(values) => random.of(values),
            };
            (name.clone(), value)
        });
        drawn.collect()
    }

    /// Somewhere around a point.
    fn near(&self, point: &Point, random: &mut Random) -> Point {
        let moved = self.0.iter().map(|(name, range)| {
            let here = point.get(name).cloned().unwrap_or_default();
            let mut step = |scale: &Scale| {
                let from = here.parse().map_or(0.5, |value| scale.place(value));
                scale.at((from + (random.unit() * 2.0 - 1.0) * REACH).clamp(0.0, 1.0))
            };
            let value = match range {
                Range::Integer(scale) => step(scale).round().to_string(),
                Range::Continuous(scale) => step(scale).to_string(),
                Range::Categorical(values) if random.unit() < 0.3 => random.of(values),
                Range::Categorical(_) => here,
            };
            (name.clone(), value)
        });
        moved.collect()
    }
}

fn name(range: &Value) -> String {
    range["Name"].as_str().unwrap_or_default().to_owned()
}

impl Scale {
    fn of(range: &Value, whole: bool) -> Result<Scale, String> {
        let number = |member: &str| {
            let text = range[member].as_str().unwrap_or_default();
            let value = text.parse::<f64>().ok().filter(|v| v.is_finite() && (!whole || v.fract() == 0.0));
            value.ok_or_else(|| format!("{member} `{text}` is no {}", if whole { "integer" } else { "number" }))
        };
        let (min, max) = (number("MinValue")?, number("MaxValue")?);
        if min > max {
            return Err(format!("MinValue {min} is above MaxValue {max}"));
        }
        let walk = match range["ScalingType"].as_str().unwrap_or("Auto") {
            "Logarithmic" if min <= 0.0 => return Err(format!("MinValue {min} must be above 0 for Logarithmic")),
            "ReverseLogarithmic" if min < 0.0 || max >= 1.0 => {
                return Err("ReverseLogarithmic needs a range from 0 up to, not including, 1".to_owned());
            }
            "Logarithmic" => Walk::Logarithmic,
            "ReverseLogarithmic" => Walk::ReverseLogarithmic,
            // AWS chooses by what the search finds; two orders of magnitude are walked by orders of magnitude here.
            "Auto" if min > 0.0 && max / min >= 100.0 => Walk::Logarithmic,
            _ => Walk::Linear,
        };
        Ok(Scale { min, max, walk })
    }

    /// The value at a part of the way, 0 to 1.
    fn at(self, part: f64) -> f64 {
        let between = |from: f64, to: f64| from + (to - from) * part;
        let value = match self.walk {
            Walk::Linear => between(self.min, self.max),
            Walk::Logarithmic => between(self.min.ln(), self.max.ln()).exp(),
            Walk::ReverseLogarithmic => 1.0 - between((1.0 - self.min).ln(), (1.0 - self.max).ln()).exp(),
        };
        value.clamp(self.min, self.max)
    }

    /// How far along the way a value is.
    fn place(self, value: f64) -> f64 {
        let along = |from: f64, to: f64, at: f64| if to == from { 0.0 } else { (at - from) / (to - from) };
        match self.walk {
            Walk::Linear => along(self.min, self.max, value),
            Walk::Logarithmic => along(self.min.ln(), self.max.ln(), value.ln()),
            Walk::ReverseLogarithmic => along((1.0 - self.min).ln(), (1.0 - self.max).ln(), (1.0 - value).ln()),
        }
    }
}

/// What is tried next.
pub(super) struct Search {
    space: Space,
    strategy: Strategy,
    random: Random,
    tried: BTreeSet<Point>,
    /// Jobs before the surroundings of the best are looked at.
    blind: usize,
}

enum Strategy {
    Grid(Vec<Point>),
    Random,
    Around,
}

impl Search {
    pub fn new(space: Space, strategy: &str, seed: u64, most: usize) -> Result<Search, String> {
        let strategy = match strategy {
            "Grid" => {
                let mut points = space.grid()?;
                points.reverse();
                Strategy::Grid(points)
            }
            "Random" => Strategy::Random,
            _ => Strategy::Around,
        };
        Ok(Search { space, strategy, random: Random(seed), tried: BTreeSet::new(), blind: most.div_ceil(3) })
    }

    /// Something that was not tried; nothing where there is nothing new. `best` so far.
    pub fn next(&mut self, best: Option<&Point>) -> Option<Point> {
        if let Strategy::Grid(points) = &mut self.strategy {
            return points.pop();
        }
        for _ in 0..DRAWS {
            let around = matches!(self.strategy, Strategy::Around) && self.tried.len() >= self.blind;
            let point = match best.filter(|_| around) {
                Some(best) => self.space.near(best, &mut self.random),
                None => self.space.draw(&mut self.random),
            };
            if self.tried.insert(point.clone()) {
                return Some(point);
            }
        }
        None
    }
}

/// SplitMix64: the same seed gives the same search.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0 up to, not including, 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of(&mut self, values: &[String]) -> String {
        let at = (self.unit() * values.len() as f64) as usize;
        values.get(at).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn range(min: f64, max: f64, scaling: &str) -> Value {
        json!({"Name": "x", "MinValue": min.to_string(), "MaxValue": max.to_string(), "ScalingType": scaling})
    }

    #[test]
    fn a_grid_is_every_combination_once() {
        let values = |name: &str, values: &[&str]| json!({"Name": name, "Values": values});
        let ranges = json!({"CategoricalParameterRanges": [values("a", &["1", "2"]), values("b", &["x", "y", "z"])]});
        let mut search = Search::new(Space::of(&ranges).expect("space"), "Grid", 1, 6).expect("search");
        let points: Vec<Point> = std::iter::from_fn(|| search.next(None)).collect();
        assert_eq!(points.len(), 6);
        assert_eq!(points.iter().collect::<BTreeSet<_>>().len(), 6);
        assert_eq!((points[0]["a"].as_str(), points[0]["b"].as_str()), ("1", "x"));
        let numbers = Space::of(&json!({"ContinuousParameterRanges": [range(0.0, 1.0, "Linear")]})).expect("space");
        assert_eq!(numbers.grid().unwrap_err(), "Grid search takes categorical ranges alone; x is a range of numbers.");
    }

    #[test]
    fn what_cannot_be_searched_is_refused() {
        for (member, range, want) in [
            (
                "IntegerParameterRanges",
                range(1.5, 2.0, "Linear"),
                "IntegerParameterRanges x: MinValue `1.5` is no integer",
            ),
            (
                "ContinuousParameterRanges",
                range(2.0, 1.0, "Auto"),
                "ContinuousParameterRanges x: MinValue 2 is above MaxValue 1",
            ),
            (
                "ContinuousParameterRanges",
                range(0.0, 1.0, "Logarithmic"),
                "ContinuousParameterRanges x: MinValue 0 must be above 0 for Logarithmic",
            ),
        ] {
            assert_eq!(Space::of(&json!({member: [range]})).unwrap_err(), want);
        }
        assert!(Space::of(&json!({})).is_err());
    }

    #[test]
    fn a_small_space_comes_to_an_end() {
        let ranges = json!({"IntegerParameterRanges": [range(1.0, 3.0, "Linear")]});
        let mut search = Search::new(Space::of(&ranges).expect("space"), "Random", 7, 100).expect("search");
        let found: BTreeSet<String> = std::iter::from_fn(|| search.next(None)).map(|p| p["x"].clone()).collect();
        assert_eq!(found, ["1", "2", "3"].map(str::to_owned).into());
    }

    proptest! {
        #[test]
        fn what_is_drawn_lies_in_the_range(seed: u64, min in 0.001_f64..0.5, width in 0.0_f64..0.4) {
            for scaling in ["Linear", "Logarithmic", "ReverseLogarithmic", "Auto"] {
                let ranges = json!({"ContinuousParameterRanges": [range(min, min + width, scaling)]});
                let space = Space::of(&ranges).unwrap();
                let mut random = Random(seed);
                let point = space.draw(&mut random);
                let near = space.near(&point, &mut random);
                for point in [point, near] {
                    let value: f64 = point["x"].parse().unwrap();
                    prop_assert!((min..=min + width).contains(&value), "{scaling} {value}");
                }
            }
        }

        #[test]
        fn a_value_is_where_it_was_drawn(part in 0.0_f64..1.0) {
            for scaling in ["Linear", "Logarithmic", "ReverseLogarithmic"] {
                let scale = Scale::of(&range(0.01, 0.9, scaling), false).unwrap();
                prop_assert!((scale.place(scale.at(part)) - part).abs() < 1e-9);
            }
        }
    }
}
