//! Against scipy (`tests/golden/stats/make.py`).

use monitor::stats::ks::{Alternative, two_sample};
use monitor::stats::{categories, sketch::Sketch};
use serde::Deserialize;

#[derive(Deserialize)]
struct Expected {
    distinct: Vec<Ks>,
    tied: Vec<Ks>,
    mixes: Vec<Mix>,
}

#[derive(Deserialize)]
struct Ks {
    baseline: Vec<f64>,
    window: Vec<f64>,
    alternative: String,
    distance: f64,
    p_value: f64,
}

#[derive(Deserialize)]
struct Mix {
    counts: Vec<(u64, u64)>,
    p_value: f64,
}

fn expected() -> Expected {
    serde_json::from_str(include_str!("../golden/stats/expected.json")).unwrap()
}

#[test]
fn kolmogorov_smirnov_is_scipys() {
    let Expected { distinct, tied, .. } = expected();
    assert_eq!((distinct.len(), tied.len()), (12, 8));
    for case in distinct.iter().chain(&tied) {
        let alternative = if case.alternative == "greater" { Alternative::Greater } else { Alternative::Different };
        let found = two_sample(&Sketch::of(&case.baseline), &Sketch::of(&case.window), alternative).unwrap();
        let sizes = format!("{} against {}, {}", case.baseline.len(), case.window.len(), case.alternative);
        assert!((found.distance - case.distance).abs() < 1e-9, "{sizes}: {found:?}, scipy {}", case.distance);
        assert!((found.p_value / case.p_value - 1.0).abs() < 1e-6, "{sizes}: {found:?}, scipy {}", case.p_value);
    }
}

#[test]
fn mixes_are_scipys() {
    for case in expected().mixes {
        let found = categories::compare(&case.counts).unwrap();
        assert!(
            (found.p_value / case.p_value - 1.0).abs() < 1e-6,
            "{:?}: {found:?}, scipy {}",
            case.counts,
            case.p_value
        );
    }
}
