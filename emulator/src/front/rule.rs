//! A rule: which call goes wrong, and how.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::call::Call;

/// Which call goes wrong, and how. As text: `s3.PutObject@3=reset-after`, `logs.*@1x5=throttle`, `*@2x*=delay:500`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// botocore's name of the service; any where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The operation; any where it is not given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The first call to go wrong, counted from 1 among those that fit.
    #[serde(default = "one")]
    pub nth: u64,
    /// How many calls go wrong from then on; null: all.
    #[serde(default = "once")]
    pub times: Option<u64>,
    /// What goes wrong.
    pub effect: Effect,
    /// How long `delay` takes.
    #[serde(default = "second", skip_serializing_if = "is_second")]
    pub delay_ms: u64,
}

/// What goes wrong with a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Effect {
    /// It is refused as one too many, in the service's own words; nothing happens.
    Throttle,
    /// Status 500; nothing happens.
    InternalError,
    /// Status 503; nothing happens.
    Unavailable,
    /// It is done later.
    Delay,
    /// The connection is reset; nothing happens.
    ResetBefore,
    /// It is done; the connection is reset and the answer lost.
    ResetAfter,
    /// It is done twice; the answer is the first one's.
    Duplicate,
    /// It is done; the answer never comes.
    Hang,
}

const EFFECTS: [(&str, Effect); 8] = [
    ("throttle", Effect::Throttle),
    ("internal-error", Effect::InternalError),
    ("unavailable", Effect::Unavailable),
    ("delay", Effect::Delay),
    ("reset-before", Effect::ResetBefore),
    ("reset-after", Effect::ResetAfter),
    ("duplicate", Effect::Duplicate),
    ("hang", Effect::Hang),
];

/// Why a text is no rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; expected SERVICE.OPERATION[@NTH[xTIMES]]=EFFECT, for instance s3.PutObject@3=reset-after")]
pub struct RuleError(String);

fn one() -> u64 {
    1
}

fn once() -> Option<u64> {
    Some(1)
}

fn second() -> u64 {
    1000
}

fn is_second(ms: &u64) -> bool {
    *ms == second()
}

impl Rule {
    /// Whether it is about such a call.
    pub(super) fn fits(&self, call: &Call) -> bool {
        self.service.as_ref().is_none_or(|service| *service == call.service)
            && self.operation.as_ref().is_none_or(|operation| *operation == call.operation)
    }

    /// Whether the `seen`th call that fits goes wrong.
    pub(super) fn strikes(&self, seen: u64) -> bool {
        seen >= self.nth && self.times.is_none_or(|times| seen - self.nth < times)
    }
}

impl FromStr for Rule {
    type Err = RuleError;

    fn from_str(text: &str) -> Result<Rule, RuleError> {
        let (calls, effect) = text.split_once('=').ok_or_else(|| RuleError(format!("{text:?} names no effect")))?;
        let (name, count) = calls.split_once('@').unwrap_or((calls, "1"));
        let (nth, times) = count.split_once('x').unwrap_or((count, "1"));
        let number = |text: &str| match text.parse() {
            Ok(0) | Err(_) => Err(RuleError(format!("{text:?} is no count from 1 on"))),
            Ok(number) => Ok(number),
        };
        let (service, operation) = name.split_once('.').unwrap_or((name, "*"));
        let some = |name: &str| match name {
            "" => Err(RuleError(format!("{calls:?} names no call"))),
            "*" => Ok(None),
            name => Ok(Some(name.to_owned())),
        };
        let (effect, delay) = effect.split_once(':').unwrap_or((effect, "1000"));
        let found = EFFECTS.iter().find(|(name, _)| *name == effect).ok_or_else(|| {
            let known: Vec<&str> = EFFECTS.iter().map(|(name, _)| *name).collect();
            RuleError(format!("{effect:?} is none of {}", known.join(", ")))
        })?;
        Ok(Rule {
            service: some(service)?,
            operation: some(operation)?,
            nth: number(nth)?,
            times: if times == "*" { None } else { Some(number(times)?) },
            effect: found.1,
            delay_ms: delay.parse().map_err(|_| RuleError(format!("{delay:?} are no milliseconds")))?,
        })
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = EFFECTS.iter().find(|(_, effect)| effect == self).map_or("", |(name, _)| *name);
        f.write_str(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_from_text_and_from_json() {
        for (text, json) in [
            (
                "s3.PutObject@3=reset-after",
                r#"{"service":"s3","operation":"PutObject","nth":3,"effect":"reset-after"}"#,
            ),
            ("logs.*@1x5=throttle", r#"{"service":"logs","times":5,"effect":"throttle"}"#),
            ("*@2x*=delay:500", r#"{"nth":2,"times":null,"effect":"delay","delay_ms":500}"#),
            ("*.CreateEndpoint=duplicate", r#"{"operation":"CreateEndpoint","effect":"duplicate"}"#),
        ] {
            let rule: Rule = text.parse().expect(text);
            assert_eq!(rule, serde_json::from_str(json).expect(json), "{text}");
            assert_eq!(rule, serde_json::from_value(serde_json::to_value(&rule).expect("json")).expect(text));
        }
        for (_, effect) in EFFECTS {
            assert_eq!(serde_json::to_value(effect).expect("a name"), effect.to_string());
        }
        for (bad, why) in [
            ("s3.PutObject", "names no effect"),
            ("s3.PutObject@0=hang", "no count"),
            ("s3.PutObject@1xmany=hang", "no count"),
            ("=hang", "names no call"),
            ("s3.=hang", "names no call"),
            ("s3.PutObject=explode", "none of throttle, internal-error"),
            ("s3=delay:soon", "no milliseconds"),
        ] {
            assert!(bad.parse::<Rule>().expect_err(bad).to_string().contains(why), "{bad}");
        }
    }

    #[test]
    fn the_nth_call_and_so_many_more_go_wrong() {
        for (text, want) in [
            ("*=hang", [true, false, false, false]),
            ("*@2=hang", [false, true, false, false]),
            ("*@2x2=hang", [false, true, true, false]),
            ("*@3x*=hang", [false, false, true, true]),
        ] {
            let rule: Rule = text.parse().expect(text);
            assert_eq!([1, 2, 3, 4].map(|seen| rule.strikes(seen)), want, "{text}");
        }
    }
}
