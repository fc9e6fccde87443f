//! Against scipy and scikit-learn (`tests/golden/drift/make.py`).

use monitor::stats::sample::{Moments, Sample};
use monitor::stats::{auc, divergence, fdr, interval, means, rates};
use serde_json::Value;

fn expected() -> Value {
    serde_json::from_str(include_str!("../golden/drift/expected.json")).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect()
}

fn near(found: f64, wanted: &Value, what: &str) {
    let wanted = wanted.as_f64().unwrap();
    assert!((found - wanted).abs() <= 1e-9 * wanted.abs().max(1e-3), "{what}: {found}, recorded {wanted}");
}

#[test]
fn rates_are_tested_as_scipy_tests_them() {
    let expected = expected();
    let cases = expected["rates"].as_array().unwrap();
    assert_eq!(cases.len(), 7);
    for case in cases {
        let of = |side: &str| (case[side][0].as_u64().unwrap(), case[side][1].as_u64().unwrap());
        let (baseline, window) = (of("baseline"), of("window"));
        near(rates::g(baseline, window), &case["g"], "G");
        let p = rates::p_value(baseline, window);
        let exact = case["g_p"].as_f64().unwrap() <= 0.05 && baseline.0 + window.0 <= 5000;
        let wanted = &case[if exact { "exact_p" } else { "g_p" }];
        assert!((p / wanted.as_f64().unwrap() - 1.0).abs() < 1e-6, "{case}: {p}");
    }
}

#[test]
fn p_values_are_adjusted_as_scipy_adjusts_them() {
    let expected = &expected()["adjusted"];
    let (found, wanted) = (fdr::adjusted(&numbers(&expected["p_values"])), numbers(&expected["expected"]));
    assert_eq!(found.len(), 60);
    assert!(found.iter().zip(&wanted).all(|(f, w)| (f - w).abs() < 1e-12), "{found:?}");
    assert!(fdr::adjusted(&[]).is_empty());
}

#[test]
fn areas_divergences_means_and_intervals_are_theirs() {
    let expected = expected();
    for case in expected["areas"].as_array().unwrap() {
        let found = auc::delong(&numbers(&case["positive"]), &numbers(&case["negative"])).unwrap();
        near(found.area, &case["area"], "area");
    }
    for case in expected["mixes"].as_array().unwrap() {
        let shares: Vec<(f64, f64)> =
            case["shares"].as_array().unwrap().iter().map(numbers).map(|pair| (pair[0], pair[1])).collect();
        near(divergence::jensen_shannon(&shares), &case["jensen_shannon"], "Jensen-Shannon");
    }
    for case in expected["means"].as_array().unwrap() {
        let of = |side: &str| -> Moments { *numbers(&case[side]).into_iter().collect::<Sample>().moments() };
        let found = means::compare(&of("baseline"), &of("window")).unwrap();
        assert!((found.p_value / case["p_value"].as_f64().unwrap() - 1.0).abs() < 1e-6, "{found:?}");
        near(found.change / (found.error / interval::Z95), &case["z"], "z");
    }
    for case in expected["wilson"].as_array().unwrap() {
        let (low, high) = interval::wilson(case["right"].as_u64().unwrap(), case["all"].as_u64().unwrap());
        near(low, &case["low"], "Wilson's lower end");
        near(high, &case["high"], "Wilson's upper end");
    }
}

/// Against the variance of areas drawn again and again, which DeLong's estimates from one draw.
#[test]
fn the_variance_of_an_area_is_that_of_repeated_draws() {
    let mut state = 7u64;
    let mut uniform = move || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1u64 << 53) as f64
    };
    let mut draw = |shift: f64, n: usize| -> Vec<f64> { (0..n).map(|_| uniform() + shift).collect() };
    let found: Vec<auc::Auc> = (0..400).map(|_| auc::delong(&draw(0.2, 60), &draw(0.0, 80)).unwrap()).collect();
    let mean = found.iter().map(|a| a.area).sum::<f64>() / 400.0;
    let variance = found.iter().map(|a| (a.area - mean).powi(2)).sum::<f64>() / 399.0;
    let estimated = found.iter().map(|a| a.variance).sum::<f64>() / 400.0;
    assert!((estimated / variance - 1.0).abs() < 0.2, "estimated {estimated}, drawn {variance}");
    // Of two uniform variables, one 0.2 higher: 1 - 0.8² / 2.
    assert!((mean - 0.68).abs() < 0.01, "{mean}");
}
