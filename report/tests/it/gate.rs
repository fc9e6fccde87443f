//! A gate's page and its summary.

use report::gate::{
    BiasColumn, BiasFigures, Business, Champion, Counterfactual, Estimate, GateReport, Judgement, SliceFigures,
    SwapFigures, Threshold, Verdict, html, markdown,
};

use crate::balanced::assert_sound;
use crate::keep;
use crate::samples::HOSTILE;

fn estimate(value: f64) -> Estimate {
    Estimate { value, low: value - 0.03, high: value + 0.03 }
}

/// With foreign text wherever a name can stand.
pub fn report() -> GateReport {
    let verdict = |rule: &str, judgement, value: f64| Verdict {
        rule: rule.into(),
        judgement,
        value: Some(value),
        bound: 0.8,
        interval: Some((value - 0.02, value + 0.02)),
        level: 0.95,
        p_value: Some(0.012),
        n: 1821,
        method: "Clopper-Pearson".into(),
        change: "with 30 rows nothing below 93.3 % can be shown to be above 80 %".into(),
    };
    let group = |value: &str| BiasFigures {
        value: value.into(),
        rows: 900,
        rate: 0.52,
        parity: estimate(0.07),
        impact: Some(0.88),
        opportunity: Some(estimate(0.01)),
        parity_p: 0.003,
        opportunity_p: Some(0.7),
    };
    GateReport {
        format: report::gate::FORMAT.into(),
        job: HOSTILE.into(),
        rows: 1821,
        passed: false,
        on_insufficient: "fail".into(),
        champion: Some(Champion {
            package: HOSTILE.into(),
            job: None,
            accuracy: 0.81,
            won: 31,
            lost: 12,
            p_value: 0.0055,
            difference: estimate(0.0104),
            seen_rows: Some(7),
        }),
        verdicts: vec![
            verdict("accuracy > 0.8", Judgement::Passed, 0.8412),
            verdict(HOSTILE, Judgement::Failed, 3_938_993.0),
            verdict("recall", Judgement::Insufficient, 0.00001),
            verdict("f1", Judgement::NotApplicable, f64::NAN),
        ],
        slices: vec![SliceFigures {
            column: HOSTILE.into(),
            automatic: false,
            value: HOSTILE.into(),
            rows: 374,
            accuracy: estimate(0.76),
            macro_f1: 0.75,
            log_loss: 0.51,
            difference: Some(estimate(-0.09)),
            adjusted_p: Some(0.0004),
        }],
        favourable: Some(HOSTILE.into()),
        bias: vec![BiasColumn {
            class: HOSTILE.into(),
            column: HOSTILE.into(),
            automatic: true,
            demographic_parity_difference: 0.07,
            equal_opportunity_difference: None,
            disparate_impact: Some(0.88),
            groups: vec![group(HOSTILE), group("other")],
        }],
        counterfactual: Some(Counterfactual {
            rows: 186,
            changed: 2,
            share: Some(estimate(0.0108)),
            swaps: vec![SwapFigures {
                from: HOSTILE.into(),
                to: "she".into(),
                rows: 91,
                changed: 1,
                mean_change: -0.004,
            }],
        }),
        business: Some(Business {
            currency: HOSTILE.into(),
            documents_a_month: 100_000.0,
            cost: estimate(0.4855),
            majority_cost: 0.5008,
            majority_class: HOSTILE.into(),
            champion_cost: Some(0.5221),
            saving_against_majority: 1530.0,
            saving_against_champion: Some(estimate(-3660.0)),
            endpoint_price: Some(84.0),
            priced_on: Some(HOSTILE.into()),
            break_even_documents: Some(5490.2),
            threshold: Some(Threshold {
                class: HOSTILE.into(),
                value: 1.0 / 6.0,
                cost: 0.29,
                best: 0.21,
                best_cost: 0.28,
                deployed: true,
            }),
        }),
        notes: vec![HOSTILE.into()],
    }
}

#[test]
fn a_gates_page_shows_what_was_found_and_stays_a_page() {
    let page = html(&report());
    keep("gate.html", &page);
    assert_sound(&page);
    for shown in [
        "1 of 4 rules hold, 1 do not, 1 have too little evidence, 1 have nothing to compare with",
        "too little evidence",
        "nothing below 93.3 %",
        "3,938,993",
        "McNemar, exact, two-sided",
        "31 documents",
        "−3,660",
        "5,491 documents a month",
        "0.1667",
        "0.0004",
        "186 documents with such a term; the class of 2 changes",
        "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;",
    ] {
        assert!(page.contains(shown), "page does not show {shown:?}");
    }
}

#[test]
fn a_gates_summary_is_a_table() {
    let summary = markdown(&report());
    assert!(summary.starts_with("## ❌ 1 of 4 rules hold"), "{summary}");
    assert_eq!(summary.lines().filter(|line| line.starts_with("| ")).count(), 6, "{summary}");
    assert!(!summary.contains("<script>"), "{summary}");
    let passed = GateReport { passed: true, verdicts: Vec::new(), champion: None, ..report() };
    assert!(markdown(&passed).starts_with("## ✅ 0 of 0 rules hold"));
}
