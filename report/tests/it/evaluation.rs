use proptest::prelude::*;
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
        "<small>79.8–83.4 %</small>",
        "0.8843 to 0.9127",
        "Average precision 0.9012",
        "0.0612 → 0.0118",
        "duplicates of train",
        "train.csv:17",
        "+1.25",
        "good</bdi> -0.50",
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
    assert!(
        page.contains("matrix many")
            && page.contains("Most frequent confusions")
            && page.contains("One class against")
            && page.contains("mean over classes")
    );
    assert!(!page.contains("ROC curve") && !page.contains("Tuning"), "what was not measured is not shown");
}

#[test]
fn a_race_shows_who_left_it_when() {
    let page = html(&samples::raced());
    keep("evaluation-raced.html", &page);
    assert_sound(&page);
    for shown in ["✓ chosen", "out after 2 folds", "50 candidates", "the 10 not shown", "7.4 fits of the winner"] {
        assert!(page.contains(shown), "page does not show {shown:?}");
    }
    assert!(!page.contains("<th><code>min_df</code></th>"), "what no candidate differs in has no column");
    assert!(page.find("✓ chosen") < page.find("out after"), "the chosen one comes first");
    let text = markdown(&samples::raced());
    assert!(!text.contains("min\\_df"), "{text}");
    assert!(text.contains(" ✓ |") && text.contains("out after 2 folds"), "{text}");
    assert_tables(&text);
}

#[test]
fn files_of_earlier_versions_are_read() {
    let mut file = serde_json::to_value(samples::evaluation()).unwrap();
    let fields = ["quality", "intervals", "curves", "reliability", "histogram", "calibration", "warnings", "dropped"];
    for field in fields {
        assert!(file.as_object_mut().unwrap().remove(field).is_some(), "{field}");
    }
    file["per_class"][0].as_object_mut().unwrap().remove("roc_auc").unwrap();
    file["mistakes"][0].as_object_mut().unwrap().remove("terms").unwrap();
    file["tuning"]["candidates"][0].as_object_mut().unwrap().remove("folds_seen").unwrap();
    let evaluation: report::Evaluation = serde_json::from_value(file).unwrap();
    assert_eq!((evaluation.quality.is_none(), evaluation.intervals.len()), (true, 0));
    let page = html(&evaluation);
    assert_sound(&page);
    assert!(!page.contains("Further figures") && !page.contains("Reliability"), "what was not measured is not shown");
    assert_tables(&markdown(&evaluation));
}

/// Text of what HTML and Markdown are made of.
fn any_text() -> impl Strategy<Value = String> {
    const PARTS: [&str; 18] = [
        "<", ">", "&", "\"", "'", "`", "|", "\\", "\0", "\n", "\r", "</td>", "<b>", "-->", "é", "좋", "\u{202e}", "a ",
    ];
    proptest::collection::vec(proptest::sample::select(&PARTS[..]), 0..8).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn pages_are_sound_whatever_the_data_says(texts in proptest::collection::vec(any_text(), 6)) {
        for mut e in [samples::evaluation(), samples::raced(), samples::many_classes()] {
            e.classes[0] = texts[0].clone();
            e.positive_class = e.positive_class.map(|_| texts[1].clone());
            e.per_class[0].class = texts[0].clone();
            e.curves[0].class = texts[0].clone();
            e.histogram.iter_mut().for_each(|h| h.series[0].class = texts[0].clone());
            e.mistakes[0].text = texts[2].clone();
            e.mistakes[1].terms[0].term = texts[3].clone();
            e.warnings[0].kind = texts[4].clone();
            e.dropped[0].reason = texts[5].clone();
            if let Some(tuning) = &mut e.tuning {
                tuning.reason = texts[4].clone();
                tuning.candidates[0].parameters.insert(texts[5].clone(), texts[2].clone());
            }
            assert_sound(&html(&e));
            assert_tables(&markdown(&e));
        }
    }
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
