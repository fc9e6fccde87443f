//! What is kept of a metric's values in a second: count, sum, bounds, and their spread in steps of half a percent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Neighbouring steps of the spread differ by this factor, so that a percentile is right to half a percent.
const STEP: f64 = 1.005;
/// The step of zero; below lie the negative values, mirrored.
const ZERO: i32 = 0;
/// Steps of values from 1e-12 up begin here.
const LEAST: f64 = 1e-12;

/// A number of values, summed up.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Summary {
    pub count: f64,
    pub sum: f64,
    pub min: f64,
    pub max: f64,
    /// How many values lie in each step; empty where only the figures above were sent.
    #[serde(default)]
    steps: BTreeMap<i32, f64>,
}

/// What an alarm or a question asks of values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Statistic {
    SampleCount,
    Average,
    Sum,
    Minimum,
    Maximum,
    /// From 0 to 100.
    Percentile(f64),
}

impl Statistic {
    /// `Average`, `p99.9` …
    pub fn parse(text: &str) -> Option<Statistic> {
        Some(match text {
            "SampleCount" => Statistic::SampleCount,
            "Average" => Statistic::Average,
            "Sum" => Statistic::Sum,
            "Minimum" => Statistic::Minimum,
            "Maximum" => Statistic::Maximum,
            text => {
                let percent: f64 = text.strip_prefix('p')?.parse().ok()?;
                (0.0..=100.0).contains(&percent).then_some(Statistic::Percentile(percent))?
            }
        })
    }
}

impl Summary {
    /// `times` times the same value.
    pub fn of(value: f64, times: f64) -> Summary {
        let steps = BTreeMap::from([(step(value), times)]);
        Summary { count: times, sum: value * times, min: value, max: value, steps }
    }

    /// Figures without the values.
    pub fn of_figures(count: f64, sum: f64, min: f64, max: f64) -> Summary {
        // A percentile of equal values is known all the same.
        let steps = if min == max { BTreeMap::from([(step(min), count)]) } else { BTreeMap::new() };
        Summary { count, sum, min, max, steps }
    }

    pub fn merge(&mut self, other: &Summary) {
        if other.count <= 0.0 {
            return;
        }
        if self.count <= 0.0 {
            *self = other.clone();
            return;
        }
        (self.count, self.sum) = (self.count + other.count, self.sum + other.sum);
        (self.min, self.max) = (self.min.min(other.min), self.max.max(other.max));
        for (step, times) in &other.steps {
            *self.steps.entry(*step).or_default() += times;
        }
    }

    /// `None` where there is nothing, or not what a percentile needs.
    pub fn get(&self, statistic: Statistic) -> Option<f64> {
        (self.count > 0.0).then_some(())?;
        match statistic {
            Statistic::SampleCount => Some(self.count),
            Statistic::Average => Some(self.sum / self.count),
            Statistic::Sum => Some(self.sum),
            Statistic::Minimum => Some(self.min),
            Statistic::Maximum => Some(self.max),
            Statistic::Percentile(percent) => self.percentile(percent / 100.0),
        }
    }

    fn percentile(&self, share: f64) -> Option<f64> {
        let known: f64 = self.steps.values().sum();
        if known < self.count {
            return None;
        }
        let mut passed = 0.0;
        for (step, times) in &self.steps {
            passed += times;
            if passed >= share * self.count {
                return Some(middle(*step).clamp(self.min, self.max));
            }
        }
        Some(self.max)
    }
}

fn step(value: f64) -> i32 {
    let size = value.abs();
    if size < LEAST {
        return ZERO;
    }
    // 1e-12 to 1e308 are fewer than 150,000 steps.
    let step = ((size / LEAST).ln() / STEP.ln()) as i32 + 1;
    if value < 0.0 { -step } else { step }
}

fn middle(step: i32) -> f64 {
    let size = LEAST * STEP.powf(f64::from(step.abs()) - 0.5);
    match step {
        ZERO => 0.0,
        1.. => size,
        _ => -size,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_right_to_half_a_percent() {
        let mut all = Summary::default();
        (1..=1000).for_each(|n| all.merge(&Summary::of(f64::from(n), 1.0)));
        for (asked, want) in [("p50", 500.0), ("p99", 990.0), ("p99.9", 999.0), ("p100", 1000.0), ("Average", 500.5)] {
            let got = all.get(Statistic::parse(asked).expect(asked)).expect("value");
            assert!((got - want).abs() <= want * 0.005, "{asked}: {got}, want {want}");
        }
        assert_eq!((all.get(Statistic::Minimum), all.get(Statistic::SampleCount)), (Some(1.0), Some(1000.0)));
        let mut mixed = Summary::of(-5.0, 1.0);
        mixed.merge(&Summary::of(0.0, 1.0));
        mixed.merge(&Summary::of(7.0, 1.0));
        assert_eq!(mixed.get(Statistic::Percentile(50.0)), Some(0.0));
    }

    #[test]
    fn figures_alone_have_no_percentile_unless_all_are_equal() {
        let p90 = Statistic::Percentile(90.0);
        assert_eq!(Summary::of_figures(4.0, 10.0, 1.0, 4.0).get(p90), None);
        assert_eq!(Summary::of_figures(4.0, 8.0, 2.0, 2.0).get(p90), Some(2.0));
        assert_eq!(Summary::default().get(Statistic::Sum), None);
        assert_eq!((Statistic::parse("p101"), Statistic::parse("tm90")), (None, None));
    }
}
