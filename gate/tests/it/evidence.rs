//! Verdicts on documents made by hand: what they say and why.

use std::collections::BTreeMap;

use gate::{Asked, BusinessSettings, Columns, Evidence, OnInsufficient, Rival, Rule, clarify, judge};
use model::{Artifact, Calibration, Provenance, Settings, TextClassifier, fit_classifier};
use report::evaluation::{Average, Metrics, Training};
use report::gate::{GateReport, Judgement};
use report::{Evaluation, evaluation};
use trainer::{metrics::Outcome, predictions::Predictions};

/// Knows that `he` is bad and `she` is good.
fn artifact() -> Artifact {
    let texts = ["he was awful", "he was dull", "awful dull he", "she was lovely", "she was warm", "lovely warm she"];
    let targets = [0, 0, 0, 1, 1, 1];
    let settings = Settings::default();
    let (featurizer, records) = settings.tfidf.fit_transform(&texts, &targets, 2).unwrap();
    let dataset = model::Dataset::new(records, targets.to_vec().into());
    let classifier = fit_classifier(&settings, &dataset, 2, None).unwrap().classifier;
    let fitted = TextClassifier { featurizer, classifier, calibration: Calibration::None, classes: classes() };
    let folder = tempfile::tempdir().unwrap();
    fitted.save(folder.path(), &Provenance::default()).unwrap();
    Artifact::open(folder.path()).unwrap()
}

fn classes() -> Vec<String> {
    vec!["0".into(), "1".into()]
}

/// The second class with this probability.
fn outcome(actual: usize, positive: f64) -> Outcome {
    Outcome::of(actual, vec![1.0 - positive, positive])
}

/// `right` of `rows` predicted right, classes in turn.
fn outcomes(rows: usize, right: usize) -> Vec<Outcome> {
    (0..rows).map(|row| outcome(row % 2, if (row % 2 == 1) == (row < right) { 0.9 } else { 0.1 })).collect()
}

fn texts(rows: usize) -> Vec<String> {
    (0..rows).map(|row| format!("text {row}")).collect()
}

fn evidence(texts: Vec<String>, outcomes: Vec<Outcome>, csv: &str) -> Evidence {
    let predictions = Predictions::of(&classes(), &texts, &outcomes);
    let mut columns = Columns::default();
    columns.add("test.csv", csv.as_bytes(), "text", "label").unwrap();
    Evidence::gather(predictions, texts, &artifact(), None, columns).unwrap()
}

fn evaluation(rows: u64) -> Evaluation {
    Evaluation {
        format: evaluation::FORMAT.into(),
        channel: "test".into(),
        rows,
        classes: classes(),
        positive_class: Some("1".into()),
        metrics: Metrics {
            accuracy: 0.0,
            average: Average::Binary,
            precision: 0.0,
            recall: 0.0,
            f1: 0.0,
            log_loss: 0.0,
            roc_auc: None,
        },
        per_class: Vec::new(),
        confusion: Vec::new(),
        roc_curve: None,
        strongest_terms: Vec::new(),
        mistakes: Vec::new(),
        golden: Vec::new(),
        training: Training { class_rows: BTreeMap::from([("0".into(), 70), ("1".into(), 30)]), ..Training::default() },
        tuning: None,
        data: Vec::new(),
        quality: None,
        intervals: Vec::new(),
        curves: Vec::new(),
        reliability: Vec::new(),
        histogram: None,
        calibration: None,
        warnings: Vec::new(),
        dropped: Vec::new(),
        artifact: None,
    }
}

struct Case<'a> {
    evidence: &'a Evidence,
    rules: &'a str,
    on_insufficient: OnInsufficient,
    identity_terms: &'a [Vec<String>],
    business: BusinessSettings,
}

impl<'a> Case<'a> {
    fn of(evidence: &'a Evidence, rules: &'a str) -> Self {
        let business = BusinessSettings::default();
        Case { evidence, rules, on_insufficient: OnInsufficient::Fail, identity_terms: &[], business }
    }

    fn judged(&self) -> GateReport {
        self.judged_for(&evaluation(self.evidence.outcomes.len() as u64), None)
    }

    fn judged_for(&self, evaluation: &Evaluation, favourable: Option<&str>) -> GateReport {
        #[derive(serde::Deserialize)]
        struct File {
            #[serde(default)]
            rules: Vec<Rule>,
        }
        let file: File = toml::from_str(self.rules).unwrap();
        let asked = Asked {
            job: "job",
            rules: &file.rules,
            on_insufficient: self.on_insufficient,
            confidence: 0.95,
            favourable,
            identity_terms: self.identity_terms,
            business: &self.business,
            seed: 42,
        };
        judge(self.evidence, evaluation, &artifact(), &asked).unwrap()
    }
}

#[test]
fn too_few_rows_are_said_to_be_too_few() {
    let evidence = evidence(texts(30), outcomes(30, 27), "text,label\n");
    let rules = "[[rules]]\nmetric = \"lower(accuracy)\"\nabove = 0.8\n";
    let report = Case::of(&evidence, rules).judged();
    let verdict = &report.verdicts[0];
    assert_eq!((verdict.judgement, verdict.n, report.passed), (Judgement::Insufficient, 30, false));
    let said = &verdict.change;
    assert!(said.starts_with("with 30 rows nothing below 93.3 % can be shown to be above 80 %; "), "{said}");
    assert!(said.ends_with(" rows would do at 90 %"), "{said}");
    let (low, high) = verdict.interval.unwrap();
    assert!(low < 0.8 && 0.8 < high, "{low} {high}");

    let warned = Case { on_insufficient: OnInsufficient::Warn, ..Case::of(&evidence, rules) }.judged();
    assert!(warned.passed && warned.verdicts == report.verdicts);

    // The same share of ten times the rows is evidence.
    let more = self::evidence(texts(300), outcomes(300, 270), "text,label\n");
    assert_eq!(Case::of(&more, rules).judged().verdicts[0].judgement, Judgement::Passed);
    // What is below is not for want of rows.
    let worse = self::evidence(texts(30), outcomes(30, 20), "text,label\n");
    assert_eq!(Case::of(&worse, rules).judged().verdicts[0].judgement, Judgement::Failed);
}

#[test]
fn a_champion_is_met_on_the_same_rows() {
    let rules = "
        [[rules]]\nmetric = \"accuracy\"\nagainst = \"champion\"\ntest = \"better\"
        [[rules]]\nmetric = \"accuracy\"\nagainst = \"champion\"\ntest = \"non_inferior\"\nmargin = 0.02
        [[rules]]\nmetric = \"macro_f1\"\nagainst = \"champion\"\nat_least = 0.0
        [[rules]]\nmetric = \"log_loss\"\nagainst = \"champion\"\ntest = \"better\"
    ";
    let judged = |rows: usize, ours: usize, theirs: Option<usize>| {
        let mut evidence = evidence(texts(rows), outcomes(rows, ours), "text,label\n");
        let rival = |right| Rival { package: "p".into(), job: None, outcomes: outcomes(rows, right), seen: None };
        evidence.rival = theirs.map(rival);
        let report = Case::of(&evidence, rules).judged();
        let judgements: Vec<Judgement> = report.verdicts.iter().map(|verdict| verdict.judgement).collect();
        (judgements, report)
    };
    use Judgement::{Failed, Insufficient, NotApplicable, Passed};
    let (found, report) = judged(200, 190, None);
    assert_eq!((found, report.passed, report.champion), (vec![NotApplicable; 4], true, None));
    let (found, report) = judged(200, 190, Some(170));
    assert_eq!(found, [Passed; 4], "{:#?}", report.verdicts);
    let champion = report.champion.unwrap();
    assert_eq!((champion.won, champion.lost), (20, 0));
    // Twice the tail of twenty heads in a row.
    assert!((champion.p_value - 2.0f64.powi(-19)).abs() < 1e-12);
    let (found, report) = judged(200, 170, Some(190));
    assert_eq!(found, [Failed; 4], "{:#?}", report.verdicts);
    // Two documents more of 200 could be chance; of 30 that all agree, little is known.
    assert_eq!(judged(200, 190, Some(188)).0[0], Insufficient);
    let (found, report) = judged(30, 27, Some(27));
    assert_eq!(found[..2], [Failed, Insufficient], "{:#?}", report.verdicts);
    assert_eq!(report.verdicts[1].change, "about 133 rows would do where 30 are, at this difference");
    assert_eq!(judged(132, 120, Some(120)).0[1], Insufficient);
    assert_eq!(judged(133, 120, Some(120)).0[1], Passed);
}

#[test]
fn a_champion_that_has_learned_test_rows_is_told_of() {
    let rules = "
        [[rules]]\nmetric = \"accuracy\"\nagainst = \"champion\"\nat_least = 0.0
        [[rules]]\nmetric = \"accuracy\"\nabove = 0.5
    ";
    let mut evidence = evidence(texts(200), outcomes(200, 170), "text,label\n");
    // It is right where both are, and on 20 of the 30 others, all of which it has learned.
    let rival = |seen| Rival { package: "p".into(), job: None, outcomes: outcomes(200, 190), seen };
    evidence.rival = Some(rival(Some((160..190).collect())));
    let report = Case::of(&evidence, rules).judged();
    assert_eq!(
        report.verdicts[0].change,
        "-0.1 (as measured) is 0.1 off; the champion was trained on 30 of these 200 rows and looks better than it is: on the other 170 the difference is 0"
    );
    assert!(!report.verdicts[1].change.contains("trained on"), "{}", report.verdicts[1].change);
    assert_eq!(report.champion.unwrap().seen_rows, Some(30));
    for (seen, rows) in [(Some(Vec::new()), Some(0)), (None, None)] {
        evidence.rival = Some(rival(seen));
        let report = Case::of(&evidence, rules).judged();
        assert_eq!(report.verdicts[0].change, "-0.1 (as measured) is 0.1 off");
        assert_eq!(report.champion.unwrap().seen_rows, rows);
    }
}

#[test]
fn of_three_classes_each_is_held_against_the_rest() {
    // `c` is predicted for half of A and none of B, at the cost of `a`; `b` alike for both.
    let names: Vec<String> = ["a", "b", "c"].map(String::from).to_vec();
    let outcome = |row: usize| {
        let predicted = match (row % 4, row < 40) {
            (0 | 1, true) => 2,
            (0 | 1, false) => 0,
            (2, _) => 1,
            _ => 0,
        };
        let mut probabilities = vec![0.1; 3];
        probabilities[predicted] = 0.8;
        Outcome::of(row % 3, probabilities)
    };
    let outcomes: Vec<Outcome> = (0..80).map(outcome).collect();
    let mut csv = "text,label,group\n".to_owned();
    (0..80).for_each(|row| csv += &format!("text {row},{},{}\n", names[row % 3], if row < 40 { "A" } else { "B" }));
    let mut columns = Columns::default();
    columns.add("test.csv", csv.as_bytes(), "text", "label").unwrap();
    let predictions = Predictions::of(&names, &texts(80), &outcomes);
    let evidence = Evidence::gather(predictions, texts(80), &artifact(), None, columns).unwrap();
    let rules = "
        [[rules]]\nmetric = \"demographic_parity_difference\"\nslice = \"group\"\nat_most = 0.1
        [[rules]]\nmetric = \"disparate_impact\"\nslice = \"group\"\nat_least = 0.8
    ";
    let of = |favourable| {
        let case = Case::of(&evidence, rules);
        case.judged_for(&Evaluation { positive_class: None, ..evaluation(80) }, favourable)
    };
    let report = of(None);
    let classes: Vec<&str> = report.bias.iter().map(|column| column.class.as_str()).collect();
    assert_eq!(classes, ["a", "b", "c"], "{:#?}", report.bias);
    let differences: Vec<f64> = report.bias.iter().map(|column| column.demographic_parity_difference).collect();
    assert_eq!(differences, [0.5, 0.0, 0.5]);
    let [difference, impact] = &report.verdicts[..] else { panic!("{:#?}", report.verdicts) };
    assert_eq!((difference.judgement, difference.value), (Judgement::Failed, Some(0.5)));
    assert_eq!((impact.judgement, impact.value), (Judgement::Failed, Some(0.0)), "{impact:#?}");
    assert!(impact.method.starts_with("class \"c\"; "), "{}", impact.method);
    assert!(report.notes.iter().any(|note| note.contains("for each class against the rest")), "{:?}", report.notes);
    let analysis = clarify(&report).unwrap();
    assert_eq!(analysis["one_versus_rest"].as_array().unwrap().len(), 3);
    assert_eq!(analysis["post_training_bias_metrics"]["label_value_or_threshold"], "c");
    // With one said to be good, the others are nobody's concern.
    let report = of(Some("b"));
    assert_eq!((report.bias.len(), report.verdicts[0].judgement), (1, Judgement::Passed));
    assert!(clarify(&report).unwrap().get("one_versus_rest").is_none());
}

#[test]
fn columns_are_slices_and_groups() {
    // Class 1 is predicted for all of A and none of B; half of each is of class 1.
    let outcomes: Vec<Outcome> = (0..80).map(|row| outcome(row % 2, if row < 40 { 0.9 } else { 0.1 })).collect();
    let mut csv = "text,label,group,id\n".to_owned();
    for row in 0..80 {
        csv += &format!("text {row},{},{},{row}\n", row % 2, if row < 40 { "A" } else { "B" });
    }
    let evidence = evidence(texts(80), outcomes, &csv);
    let rules = "
        [[rules]]\nmetric = \"accuracy\"\nslice = \"group=A\"\nabove = 0.4
        [[rules]]\nmetric = \"accuracy\"\nslice = \"group=C\"\nabove = 0.4
        [[rules]]\nmetric = \"disparate_impact\"\nslice = \"group\"\nat_least = 0.8
        [[rules]]\nmetric = \"demographic_parity_difference\"\nslice = \"length\"\nat_most = 0.1
    ";
    let report = Case::of(&evidence, rules).judged();
    let [of_a, of_c, impact, length] = &report.verdicts[..] else { panic!("{:#?}", report.verdicts) };
    assert_eq!((of_a.judgement, of_a.value, of_a.n), (Judgement::Passed, Some(0.5), 40));
    assert_eq!(of_c.change, "no document is in group=C; there are group=A, group=B");
    assert_eq!((impact.judgement, impact.value), (Judgement::Failed, Some(0.0)));
    assert!(
        length.change.starts_with("column \"length\" has no groups to compare; columns that have: group"),
        "{}",
        length.change
    );
    assert!(
        report.notes.iter().any(|note| note.contains("\"id\" of the test channel has 80 values")),
        "{:?}",
        report.notes
    );

    let group = &report.bias.iter().find(|column| column.column == "group").unwrap();
    assert_eq!((group.demographic_parity_difference, group.equal_opportunity_difference), (1.0, Some(1.0)));
    assert!(group.groups.iter().all(|g| g.parity_p < 1e-10 && g.opportunity_p.unwrap() < 1e-5));
    let clarify = clarify(&report).unwrap();
    let facet = &clarify["post_training_bias_metrics"]["facets"]["group"][1];
    assert_eq!((&facet["value_or_threshold"], &facet["metrics"][0]["name"]), (&"B".into(), &"DPPL".into()));
    assert_eq!(facet["metrics"][0]["value"], 1.0, "the others' rate less the group's");
    assert_eq!(clarify["post_training_bias_metrics"]["label_value_or_threshold"], "1");
    let slice = report.slices.iter().find(|slice| slice.value == "A").unwrap();
    assert_eq!((slice.rows, slice.accuracy.value, slice.difference.unwrap().value), (40, 0.5, 0.0));
    assert_eq!(slice.adjusted_p, Some(1.0));
}

#[test]
fn who_a_text_is_about_changes_the_prediction() {
    let texts: Vec<String> = ["He was there", "she was there", "the weather", "HE!"].map(String::from).to_vec();
    let artifact = artifact();
    let predicted: Vec<Outcome> =
        texts.iter().map(|text| Outcome::of(0, artifact.predict(text).unwrap().probabilities)).collect();
    let evidence = evidence(texts, predicted, "text,label\n");
    let terms = [vec!["he".to_owned(), "she".to_owned()]];
    let rules = "[[rules]]\nmetric = \"upper(counterfactual_changed)\"\nat_most = 0.05\n";
    let report = Case { identity_terms: &terms, ..Case::of(&evidence, rules) }.judged();
    let found = report.counterfactual.unwrap();
    assert_eq!((found.rows, found.changed), (3, 3));
    let of = |from: &str| found.swaps.iter().find(|swap| swap.from == from).unwrap();
    assert_eq!((of("he").rows, of("he").changed, of("she").rows), (2, 2, 1));
    assert!(of("he").mean_change > 0.0 && of("she").mean_change < 0.0);
    assert_eq!(report.verdicts[0].judgement, Judgement::Failed);
    let without = Case::of(&evidence, rules).judged();
    assert_eq!(without.verdicts[0].change, "no identity terms are set: gate.identity_terms");
}

#[test]
fn money_is_counted() {
    // 60 of class 0 and 40 of class 1; probabilities that are what they say.
    let mut outcomes = Vec::new();
    for (positive, ones, rows) in [(0.1, 3, 30), (0.3, 9, 30), (0.7, 28, 40)] {
        outcomes.extend((0..rows).map(|row| outcome(usize::from(row < ones), positive)));
    }
    let mut evidence = evidence(texts(100), outcomes.clone(), "text,label\n");
    let row = |class: &str, cost| BTreeMap::from([(class.to_owned(), cost)]);
    let business = BusinessSettings {
        costs: BTreeMap::from([("1".into(), row("0", 5.0)), ("0".into(), row("1", 1.0))]),
        documents_a_month: 1000.0,
        endpoint_price_a_month: Some(84.0),
        priced_on: Some("2026-11-01".into()),
        use_threshold: true,
        ..BusinessSettings::default()
    };
    evidence.rival = Some(Rival { package: "p".into(), job: None, outcomes, seen: None });
    let found = Case { business, ..Case::of(&evidence, "") }.judged().business.unwrap();
    // Missed: 3 and 9 at 5; false alarms: 12 at 1. Always "0" misses all 40.
    assert!((found.cost.value - 0.72).abs() < 1e-12, "{found:#?}");
    assert_eq!((found.majority_class.as_str(), found.majority_cost), ("0", 2.0));
    assert!((found.saving_against_majority - 1280.0).abs() < 1e-9);
    assert!((found.break_even_documents.unwrap() - 84.0 / 1.28).abs() < 1e-9);
    assert_eq!(found.saving_against_champion.unwrap().value, 0.0);
    assert!(found.cost.low < 0.72 && 0.72 < found.cost.high);
    let threshold = found.threshold.unwrap();
    // A sixth: answers of 0.3 become alarms, 21 false ones for 9 misses.
    assert!((threshold.value - 1.0 / 6.0).abs() < 1e-12 && threshold.deployed);
    assert!((threshold.cost - 0.48).abs() < 1e-12 && threshold.best_cost == threshold.cost, "{threshold:#?}");
    assert!(0.1 < threshold.best && threshold.best <= 0.3, "{threshold:#?}");
}

#[test]
fn predictions_of_other_documents_are_refused() {
    let predictions = Predictions::of(&classes(), &texts(3), &outcomes(3, 3));
    let other = vec!["text 0".into(), "text 2".into(), "text 1".into()];
    let refused = Evidence::gather(predictions, other, &artifact(), None, Columns::default()).unwrap_err();
    assert_eq!(refused, "the job predicted 3 documents, and they are not the 3 that the test files hold now");
}
