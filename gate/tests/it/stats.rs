//! What scipy and statsmodels say, and what must hold of any counts.

use gate::stats::{
    Discordant, Side, fisher, holm, incomplete_beta, least_share, lower, mcnemar, newcombe, normal_quantile,
    rows_needed, tango, two_sided, upper, wilson,
};
use proptest::prelude::*;
use serde_json::Value;

fn expected() -> Value {
    serde_json::from_str(include_str!("../golden/stats/expected.json")).unwrap()
}

fn near(found: f64, want: &Value, tolerance: f64, what: &Value) {
    let want = want.as_f64().unwrap();
    assert!((found - want).abs() <= tolerance * want.abs().max(1e-3), "{found} is not {want}: {what}");
}

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

#[test]
fn shares_have_the_intervals_of_statsmodels() {
    for case in expected()["shares"].as_array().unwrap() {
        let (right, rows) = (number(&case["right"]), number(&case["rows"]));
        let (low, high) = two_sided(right as f64, rows as f64, 0.95);
        near(low, &case["exact"][0], 1e-8, case);
        near(high, &case["exact"][1], 1e-8, case);
        let (low, high) = wilson(right, rows);
        near(low, &case["wilson"][0], 1e-9, case);
        near(high, &case["wilson"][1], 1e-9, case);
    }
}

#[test]
fn pairs_are_tested_as_statsmodels_does() {
    for case in expected()["paired"].as_array().unwrap() {
        let pairs = Discordant { won: number(&case["won"]), lost: number(&case["lost"]) };
        near(mcnemar(pairs), &case["two_sided"], 1e-9, case);
        near(pairs.better(), &case["better"], 1e-9, case);
        let rows = number(&case["rows"]);
        let z = normal_quantile(0.975);
        near(tango(pairs, rows, z), &case["tango"][0], 1e-5, case);
        near(tango(pairs, rows, -z), &case["tango"][1], 1e-5, case);
    }
}

#[test]
fn two_shares_are_compared_as_scipy_does() {
    for case in expected()["two"].as_array().unwrap() {
        let [a, n, b, m] = [0, 1, 2, 3].map(|at| number(&case["table"][at]));
        near(fisher(a, n, b, m), &case["fisher"], 1e-6, case);
        let (low, high) = newcombe((a, n), (b, m));
        near(low, &case["newcombe"][0], 1e-8, case);
        near(high, &case["newcombe"][1], 1e-8, case);
    }
}

#[test]
fn functions_are_scipys() {
    let expected = expected();
    for case in expected["beta"].as_array().unwrap() {
        let [a, b, x] = ["a", "b", "x"].map(|key| case[key].as_f64().unwrap());
        // The gamma functions of a million leave nine digits of their difference.
        near(incomplete_beta(a, b, x), &case["value"], 1e-8, case);
    }
    for case in expected["normal"].as_array().unwrap() {
        near(normal_quantile(case["share"].as_f64().unwrap()), &case["quantile"], 1e-9, case);
    }
    let case = &expected["holm"];
    let p: Vec<f64> = case["p_values"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
    for (found, want) in holm(&p).into_iter().zip(case["adjusted"].as_array().unwrap()) {
        near(found, want, 1e-12, case);
    }
}

/// The issue's own words: with 30 rows nothing below 93 % can be shown to be above 80 %.
#[test]
fn thirty_rows_show_little() {
    let least = least_share(30, 0.8, 0.05, Side::Above).unwrap();
    assert_eq!((least * 30.0).round() as u64, 28);
    assert_eq!(least_share(5, 0.8, 0.05, Side::Above), None, "not even all of five");
    let rows = rows_needed(0.85, 0.8, 0.05, Side::Above).unwrap();
    assert!(lower(0.85 * rows as f64, rows as f64, 0.05) > 0.8);
    assert!(lower(0.85 * (rows - 1) as f64, (rows - 1) as f64, 0.05) <= 0.8);
    assert_eq!(rows_needed(0.8, 0.8, 0.05, Side::Above), None);
}

proptest! {
    /// Clopper and Pearson's promise, counted out: the share that the bound names would give so many or more with
    /// probability alpha.
    #[test]
    fn a_lower_bound_is_where_the_tail_is_alpha(rows in 1u64..60, part in 0.0f64..1.0, alpha in 0.01f64..0.2) {
        let right = ((rows as f64 * part) as u64).max(1);
        let share = lower(right as f64, rows as f64, alpha);
        let mut term = (1.0 - share).powi(rows as i32);
        let mut tail = 0.0;
        for k in 0..=rows {
            if k >= right { tail += term; }
            term *= (rows - k) as f64 / (k + 1) as f64 * share / (1.0 - share);
        }
        prop_assert!((tail - alpha).abs() < 1e-7, "{} of {}: {} has a tail of {}", right, rows, share, tail);
    }

    #[test]
    fn sides_mirror_each_other(rows in 1u64..500, part in 0.0f64..=1.0, bound in 0.05f64..0.95) {
        let right = (rows as f64 * part).round();
        let n = rows as f64;
        prop_assert!((upper(right, n, 0.05) - (1.0 - lower(n - right, n, 0.05))).abs() < 1e-12);
        let above = least_share(rows, bound, 0.05, Side::Above);
        let below = least_share(rows, 1.0 - bound, 0.05, Side::Below);
        let mirrored = match (above, below) {
            (Some(above), Some(below)) => (above - (1.0 - below)).abs() < 1e-9,
            (None, None) => true,
            _ => false,
        };
        prop_assert!(mirrored, "{above:?} {below:?}");
        if let Some(least) = above {
            let k = (least * n).round();
            prop_assert!(lower(k, n, 0.05) > bound && (k < 1.0 || lower(k - 1.0, n, 0.05) <= bound));
        }
    }

    #[test]
    fn tango_turns_with_its_pairs(won in 0u64..40, lost in 0u64..40, more in 1u64..200) {
        let (pairs, turned) = (Discordant { won, lost }, Discordant { won: lost, lost: won });
        let rows = won + lost + more;
        let (low, high) = (tango(pairs, rows, 1.96), tango(pairs, rows, -1.96));
        let point = (won as f64 - lost as f64) / rows as f64;
        prop_assert!(low < point && point < high, "{} {} {}", low, point, high);
        prop_assert!((tango(turned, rows, 1.96) + high).abs() < 1e-7);
    }
}
