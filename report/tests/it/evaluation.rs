use report::evaluation::{html, markdown};

use crate::balanced::assert_sound;
use crate::{keep, samples};

#[test]
fn page_shows_every_figure_and_stays_a_page() {
    let page = html(&samples::evaluation());
    keep("evaluation.html", &page);
    assert_sound(&page);
    for shown in [
        "81.7 % of 1,821 documents predicted right",
        "of class 1",
        "0.899",
        ">723<",
        "learned from 6,920 documents",
        "0.7950 ± 0.0040",
        "31 iterations, converged",
        "60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
        "좋아요",
        "&lt;script&gt;alert(&quot;x&quot;)&lt;/script&gt;",
    ] {
        assert!(page.contains(shown), "page does not show {shown:?}");
    }
}

#[test]
fn many_classes_have_a_matrix_and_no_curve() {
    let page = html(&samples::many_classes());
    keep("evaluation-20.html", &page);
    assert_sound(&page);
    assert!(page.contains("matrix many") && page.contains("mean over classes"));
    assert!(!page.contains("ROC") && !page.contains("Tuning"), "what was not measured is not shown");
}

#[test]
fn figures_that_are_none_are_dashes() {
    let mut evaluation = samples::evaluation();
    evaluation.metrics.log_loss = f64::INFINITY;
    evaluation.strongest_terms[0].terms[0].weight = f64::NAN;
    evaluation.tuning.as_mut().unwrap().candidates[0].standard_error = f64::NAN;
    assert_sound(&html(&evaluation));
}

#[test]
fn summary_is_tables_of_constant_width() {
    let text = markdown(&samples::evaluation());
    keep("evaluation.md", &text);
    assert!(text.starts_with("## 81.7 % of 1,821 documents predicted right\n"), "{text}");
    assert!(text.contains("| **0** | 723 | 189 |"), "{text}");
    assert!(!text.contains("<script>"), "{text}");
    assert_tables(&text);
}

/// Every row of a table has the cells that its head has.
pub fn assert_tables(text: &str) {
    let cells = |line: &str| line.replace("\\|", "").matches('|').count();
    let mut head = None;
    for line in text.lines() {
        match (line.starts_with('|'), head) {
            (true, None) => head = Some(cells(line)),
            (true, Some(width)) => assert_eq!(cells(line), width, "{line}"),
            (false, _) => head = None,
        }
    }
}
