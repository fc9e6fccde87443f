//! Business rules: what they mean, what is refused, and that nothing breaks them.

use std::collections::BTreeMap;

use monitor::rules::{Counted, Figures, Rule, parse};
use proptest::prelude::*;

fn figures() -> Figures {
    let named = [("documents", 200.0), ("mean(score)", 0.75), ("records(e_mail)", 3.0)];
    let named: BTreeMap<String, f64> = named.map(|(name, value)| (name.to_string(), value)).into();
    Figures { named, counted: Counted::default() }
}

#[test]
fn what_rules_mean() {
    for (text, want) in [
        ("documents >= 100", Some(true)),
        ("documents < 100 or mean(score) > 70%", Some(true)),
        ("not documents < 100 and mean(score) > 80%", Some(false)),
        ("records(e_mail) / documents > 0.01", Some(true)),
        ("2 + 3 * 4 == 14 and (2 + 3) * 4 == 20 and 7 - 2 - 1 == 4 and -1 < 0", Some(true)),
        ("accuracy < 0.8", None),
        ("accuracy < 0.8 and documents > 1000", Some(false)),
        ("accuracy < 0.8 or documents > 100", Some(true)),
        ("documents / 0 > 1", None),
        ("share(class \"1\" among contains \"refund\") > 20%", None),
    ] {
        assert_eq!(parse(text).unwrap().holds(&figures()), want, "{text}");
    }
}

#[test]
fn what_means_nothing_is_refused_with_its_place() {
    for (text, message) in [
        ("", "at character 1: the end; expected a number, documents,"),
        ("documents", "at character 10: the end; expected a comparison"),
        ("documents > 1 2", "at character 15: 2; expected `and`, `or`, or the end"),
        ("docs > 1", "at character 1: `docs`; expected a number, documents,"),
        ("mean(colour) > 1", "at character 6: `colour`; expected a feature: text_length"),
        ("share(class 1) > 1", "at character 13: 1; expected class \"…\""),
        ("share(class \"1) > 1", "at character 13: a quote that does not end"),
        ("documents > 1 and 2", "at character 20: the end; expected comparisons on both sides"),
        ("1.2.3 > 1", "at character 1: `1.2.3`, which is no number"),
        ("system(\"rm\") > 1", "at character 1: `system`"),
    ] {
        let refused = parse(text).unwrap_err().to_string();
        let refused = if refused.starts_with(message) { message.to_string() } else { refused };
        assert_eq!(refused, message, "{text}");
    }
    let deep = format!("{}documents > 1{}", "(".repeat(100), ")".repeat(100));
    assert!(parse(&deep).unwrap_err().to_string().contains("a rule that is less deep"));
}

#[test]
fn every_condition_is_counted_once() {
    let rule = |text: &str| Rule { name: "r".into(), text: text.into(), when: parse(text).unwrap() };
    let counted = Counted::of(&[
        rule("share(class \"1\" among contains \"refund\") > 20%"),
        rule("count(contains \"refund\") > 5"),
    ]);
    let figures = Figures { named: BTreeMap::new(), counted };
    // Of no document there is no share, but there is a count.
    assert_eq!(rule("count(contains \"refund\") < 5").when.holds(&figures), Some(true));
    assert_eq!(rule("share(class \"1\" among contains \"refund\") > 20%").when.holds(&figures), None);
}

/// Rules as text.
fn rule() -> impl Strategy<Value = String> {
    let condition =
        prop_oneof!["class \"[a-z0-9 ]{0,5}\"", "contains \"[a-z]{1,5}( [a-z]{1,5})?\"", "not longer [0-9]{1,4}",];
    let figure = prop_oneof![
        Just("documents".to_string()),
        Just("mean(text_length)".to_string()),
        "[0-9]{1,3}(\\.[0-9]{1,2})?%?",
        condition.clone().prop_map(|c| format!("count({c})")),
        (condition.clone(), condition).prop_map(|(a, b)| format!("share({a} among {b})")),
    ];
    let number = figure.prop_recursive(3, 8, 2, |inner| {
        (inner.clone(), prop::sample::select(vec!["+", "-", "*", "/"]), inner)
            .prop_map(|(a, o, b)| format!("({a} {o} {b})"))
    });
    let comparison = (number.clone(), prop::sample::select(vec!["<", "<=", ">", ">=", "==", "!="]), number)
        .prop_map(|(a, c, b)| format!("{a} {c} {b}"));
    comparison.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), prop::sample::select(vec!["and", "or"]), inner)
                .prop_map(|(a, o, b)| format!("({a} {o} {b})")),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_again_means_the_same(text in rule()) {
        let parsed = parse(&text).map_err(|e| TestCaseError::fail(format!("{text}: {e}")))?;
        let again = parse(&parsed.to_string()).map_err(|e| TestCaseError::fail(format!("{parsed}: {e}")))?;
        prop_assert_eq!(&parsed, &again);
        prop_assert_eq!(parsed.holds(&figures()), again.holds(&figures()));
    }

    #[test]
    fn any_text_is_a_rule_or_a_reason(text in "[ -~é\"()<>=!0-9a-z]{0,60}") {
        let _ = parse(&text).map(|rule| rule.holds(&figures()));
    }
}
