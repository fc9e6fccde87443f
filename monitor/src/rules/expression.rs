//! Expressions, typed: numbers and truths. A figure that is not there makes what depends on it unknown, never false.

use std::fmt::{self, Display, Formatter};

use super::{Condition, Figures};

/// Something that is true, false, or unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Truth {
    /// Both.
    And(Box<Truth>, Box<Truth>),
    /// Either.
    Or(Box<Truth>, Box<Truth>),
    /// Not.
    Not(Box<Truth>),
    /// Of two numbers.
    Compare(Number, Comparison, Number),
}

/// How two numbers are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// `<`
    Less,
    /// `<=`
    AtMost,
    /// `>`
    Greater,
    /// `>=`
    AtLeast,
    /// `==`
    Equal,
    /// `!=`
    Unequal,
}

/// A number, or unknown.
#[derive(Clone, Debug, PartialEq)]
pub enum Number {
    /// As written.
    Value(f64),
    /// Of the window.
    Figure(Figure),
    /// Of two.
    Of(Box<Number>, Operation, Box<Number>),
}

/// What is done with two numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
}

/// A figure of the window.
#[derive(Clone, Debug, PartialEq)]
pub enum Figure {
    /// By name, such as `documents` or `mean(score)`.
    Named(String),
    /// Documents that meet the condition.
    Count(Condition),
    /// Their share of those that meet the other one, or of all.
    Share(Condition, Option<Condition>),
}

impl Truth {
    /// None where it hangs on what is unknown.
    pub fn holds(&self, figures: &Figures) -> Option<bool> {
        match self {
            Truth::Not(one) => one.holds(figures).map(|holds| !holds),
            Truth::And(one, other) => match (one.holds(figures), other.holds(figures)) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (one, other) => Some(one? && other?),
            },
            Truth::Or(one, other) => match (one.holds(figures), other.holds(figures)) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (one, other) => Some(one? || other?),
            },
            Truth::Compare(one, comparison, other) => {
                let (one, other) = (one.value(figures)?, other.value(figures)?);
                Some(match comparison {
                    Comparison::Less => one < other,
                    Comparison::AtMost => one <= other,
                    Comparison::Greater => one > other,
                    Comparison::AtLeast => one >= other,
                    Comparison::Equal => one == other,
                    Comparison::Unequal => one != other,
                })
            }
        }
    }

    /// Every figure that it is about, with its value.
    pub fn figures<'t>(&'t self, into: &mut Vec<&'t Figure>) {
        match self {
            Truth::Not(one) => one.figures(into),
            Truth::And(one, other) | Truth::Or(one, other) => {
                one.figures(into);
                other.figures(into);
            }
            Truth::Compare(one, _, other) => {
                one.figures(into);
                other.figures(into);
            }
        }
    }

    pub(super) fn conditions(&self, into: &mut Vec<Condition>) {
        let mut figures = Vec::new();
        self.figures(&mut figures);
        for figure in figures {
            match figure {
                Figure::Named(_) => {}
                Figure::Count(condition) | Figure::Share(condition, None) => into.push(condition.clone()),
                Figure::Share(condition, Some(among)) => {
                    into.push(condition.among(among));
                    into.push(among.clone());
                }
            }
        }
    }
}

impl Condition {
    /// Both.
    fn among(&self, other: &Condition) -> Condition {
        Condition(other.0.iter().chain(&self.0).cloned().collect())
    }
}

impl Number {
    fn value(&self, figures: &Figures) -> Option<f64> {
        let value = match self {
            Number::Value(value) => *value,
            Number::Figure(figure) => figure.value(figures)?,
            Number::Of(one, operation, other) => {
                let (one, other) = (one.value(figures)?, other.value(figures)?);
                match operation {
                    Operation::Add => one + other,
                    Operation::Subtract => one - other,
                    Operation::Multiply => one * other,
                    Operation::Divide => one / other,
                }
            }
        };
        value.is_finite().then_some(value)
    }

    fn figures<'n>(&'n self, into: &mut Vec<&'n Figure>) {
        match self {
            Number::Value(_) => {}
            Number::Figure(figure) => into.push(figure),
            Number::Of(one, _, other) => {
                one.figures(into);
                other.figures(into);
            }
        }
    }
}

impl Figure {
    /// None where the window does not have it.
    pub fn value(&self, figures: &Figures) -> Option<f64> {
        let count = |condition: &Condition| figures.counted.count(condition).map(|n| n as f64);
        match self {
            Figure::Named(name) => figures.named.get(name).copied(),
            Figure::Count(condition) => count(condition),
            Figure::Share(condition, None) => Some(count(condition)? / figures.named.get("documents")?),
            Figure::Share(condition, Some(among)) => Some(count(&condition.among(among))? / count(among)?),
        }
        .filter(|value| value.is_finite())
    }
}

impl Display for Truth {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Truth::And(one, other) => write!(f, "({one} and {other})"),
            Truth::Or(one, other) => write!(f, "({one} or {other})"),
            Truth::Not(one) => write!(f, "not {one}"),
            Truth::Compare(one, comparison, other) => {
                let sign = match comparison {
                    Comparison::Less => "<",
                    Comparison::AtMost => "<=",
                    Comparison::Greater => ">",
                    Comparison::AtLeast => ">=",
                    Comparison::Equal => "==",
                    Comparison::Unequal => "!=",
                };
                write!(f, "{one} {sign} {other}")
            }
        }
    }
}

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Number::Value(value) => write!(f, "{value}"),
            Number::Figure(figure) => write!(f, "{figure}"),
            Number::Of(one, operation, other) => {
                let sign = match operation {
                    Operation::Add => '+',
                    Operation::Subtract => '-',
                    Operation::Multiply => '*',
                    Operation::Divide => '/',
                };
                write!(f, "({one} {sign} {other})")
            }
        }
    }
}

impl Display for Figure {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Figure::Named(name) => f.write_str(name),
            Figure::Count(condition) => write!(f, "count({condition})"),
            Figure::Share(condition, None) => write!(f, "share({condition})"),
            Figure::Share(condition, Some(among)) => write!(f, "share({condition} among {among})"),
        }
    }
}
