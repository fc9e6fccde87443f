//! One rule, as `[[gate.rules]]` has it.

use std::fmt;

use serde::Deserialize;

use crate::metric::{End, Figure, Metric, Source};

/// The level of a test where the rule names none.
const ALPHA: f64 = 0.05;

/// A rule as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    metric: Figure,
    class: Option<String>,
    slice: Option<String>,
    against: Option<Against>,
    above: Option<f64>,
    at_least: Option<f64>,
    below: Option<f64>,
    at_most: Option<f64>,
    test: Option<TestName>,
    margin: Option<f64>,
    alpha: Option<f64>,
}

#[derive(Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Against {
    Champion,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum TestName {
    NonInferior,
    Better,
}

/// What must hold.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(try_from = "Written")]
pub struct Rule {
    /// The figure.
    pub figure: Figure,
    /// Of this class; none: the headline's.
    pub class: Option<String>,
    /// Of this part of the test channel, `column=value`; for a figure of groups the column alone.
    pub slice: Option<String>,
    /// Held against what.
    pub comparison: Comparison,
}

/// Held against what.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Comparison {
    /// A number.
    Absolute(Bound),
    /// The difference from the champion against a number.
    Difference(Bound),
    /// Not worse than the champion by `margin`, shown at level `alpha`.
    NonInferior {
        /// So much worse is as good as equal.
        margin: f64,
        /// One-sided level.
        alpha: f64,
    },
    /// Better than the champion, shown at level `alpha`.
    Better {
        /// One-sided level.
        alpha: f64,
    },
}

/// A relation and a number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// `>`
    Above(f64),
    /// `≥`
    AtLeast(f64),
    /// `<`
    Below(f64),
    /// `≤`
    AtMost(f64),
}

impl Bound {
    /// The number.
    pub fn number(self) -> f64 {
        match self {
            Bound::Above(number) | Bound::AtLeast(number) | Bound::Below(number) | Bound::AtMost(number) => number,
        }
    }

    /// Whether more is what is wanted.
    pub fn wants_more(self) -> bool {
        matches!(self, Bound::Above(_) | Bound::AtLeast(_))
    }

    /// Whether `value` is as wanted.
    pub fn holds(self, value: f64) -> bool {
        match self {
            Bound::Above(number) => value > number,
            Bound::AtLeast(number) => value >= number,
            Bound::Below(number) => value < number,
            Bound::AtMost(number) => value <= number,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self {
            Bound::Above(_) => ">",
            Bound::AtLeast(_) => ">=",
            Bound::Below(_) => "<",
            Bound::AtMost(_) => "<=",
        };
        write!(f, "{sign} {}", self.number())
    }
}

impl Rule {
    /// `accuracy > bound`, the rule that `gate.accuracy` stands for.
    pub fn accuracy_above(bound: f64) -> Self {
        let figure = Figure { metric: Metric::Accuracy, end: End::Value };
        Rule { figure, class: None, slice: None, comparison: Comparison::Absolute(Bound::Above(bound)) }
    }
}

impl TryFrom<Written> for Rule {
    type Error = String;

    fn try_from(rule: Written) -> Result<Self, String> {
        let figure = rule.metric;
        let wrong = |what: &str| Err(format!("rule on {figure}: {what}"));
        let bounds: Vec<Bound> = [
            rule.above.map(Bound::Above),
            rule.at_least.map(Bound::AtLeast),
            rule.below.map(Bound::Below),
            rule.at_most.map(Bound::AtMost),
        ]
        .into_iter()
        .flatten()
        .collect();
        if bounds.iter().any(|bound| !bound.number().is_finite()) {
            return wrong("the bound is no number");
        }
        let against = rule.against.is_some();
        let alpha = rule.alpha.unwrap_or(ALPHA);
        if !(alpha > 0.0 && alpha < 0.5) {
            return wrong("alpha must be above 0 and below 0.5");
        }
        let compared = matches!(figure.metric.source(), Source::Share | Source::Documents);
        if against && !compared {
            return wrong("it is not compared with the champion; leave `against` out");
        }
        let comparison = match (rule.test, &bounds[..]) {
            (None, [bound]) if rule.margin.is_none() && rule.alpha.is_none() => {
                if against {
                    Comparison::Difference(*bound)
                } else {
                    Comparison::Absolute(*bound)
                }
            }
            (None, [_]) => return wrong("margin and alpha belong to a test; name it, or leave them out"),
            (None, _) => {
                return wrong("it needs one of above, at_least, below, at_most, or a test against the champion");
            }
            (Some(_), [_, ..]) => {
                return wrong("a test has no bound of its own; leave above, at_least, below, at_most out");
            }
            (Some(_), []) if !against => return wrong("a test is against = \"champion\""),
            (Some(_), []) if figure.end != End::Value => return wrong("a test takes the metric alone"),
            (Some(TestName::NonInferior), []) => match rule.margin {
                Some(margin) if margin > 0.0 && margin.is_finite() => Comparison::NonInferior { margin, alpha },
                _ => return wrong("non_inferior needs a margin above 0"),
            },
            (Some(TestName::Better), []) if rule.margin.is_some() => return wrong("`better` has no margin"),
            (Some(TestName::Better), []) => Comparison::Better { alpha },
        };
        if let Comparison::Absolute(bound) | Comparison::Difference(bound) = comparison
            && figure.end != End::Value
            && (figure.end == End::Lower) != bound.wants_more()
        {
            return wrong("lower(…) is held above a bound, upper(…) below one");
        }
        if rule.class.is_some() && !figure.metric.of_class() {
            return wrong("it is of no class; leave `class` out");
        }
        let groups = figure.metric.source() == Source::Groups;
        let of_documents = groups || compared;
        match &rule.slice {
            None if groups => return wrong("it needs slice = \"column\", whose groups it compares"),
            Some(_) if !of_documents => return wrong("it has no slices; leave `slice` out"),
            Some(slice) if !groups && !slice.contains('=') => return wrong("slice is written column=value"),
            _ => {}
        }
        Ok(Rule { figure, class: rule.class, slice: rule.slice, comparison })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.figure)?;
        if let Some(class) = &self.class {
            write!(f, " of class {class}")?;
        }
        if let Some(slice) = &self.slice {
            write!(f, " where {slice}")?;
        }
        match self.comparison {
            Comparison::Absolute(bound) => write!(f, " {bound}"),
            Comparison::Difference(bound) => write!(f, " less the champion's {bound}"),
            Comparison::NonInferior { margin, alpha } => {
                write!(f, " not worse than the champion's by {margin} (level {alpha})")
            }
            Comparison::Better { alpha } => write!(f, " better than the champion's (level {alpha})"),
        }
    }
}
