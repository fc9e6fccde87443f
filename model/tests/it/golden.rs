//! Recordings of scikit-learn (`tests/golden/*/make.py` makes them): the same numbers must come out.

use linfa::ParamGuard;
use model::linear::LinearParams;
use model::{ClassWeight, Dataset, FitError, Records, TfidfParams};
use serde::Deserialize;
use serde::de::DeserializeOwned;

type Row = (Vec<u32>, Vec<f64>);

fn read<T: DeserializeOwned>(json: &str) -> T {
    serde_json::from_str(json).expect("the recording is as its maker wrote it")
}

#[derive(Deserialize)]
struct Tfidf {
    cases: Vec<TfidfCase>,
    errors: Vec<TfidfError>,
}

#[derive(Deserialize)]
struct TfidfCase {
    params: TfidfParams,
    documents: Vec<usize>,
    terms: Vec<String>,
    idf: Option<Vec<f64>>,
    rows: Vec<Row>,
}

#[derive(Deserialize)]
struct TfidfError {
    params: TfidfParams,
    error: String,
}

#[test]
fn tfidf_is_scikit_learns() {
    let documents: Vec<String> = read(include_str!("../golden/tfidf/documents.json"));
    let recorded: Tfidf = read(include_str!("../golden/tfidf/expected.json"));
    assert!(recorded.cases.len() > 30);
    for case in recorded.cases {
        let params = &case.params;
        let documents: Vec<&str> = case.documents.iter().map(|&i| documents[i].as_str()).collect();
        let (featurizer, records) = params.fit_transform(&documents, &[], 0).unwrap();
        // Columns are in an order of our own: terms are compared as a set, with what they have.
        let terms = featurizer.terms();
        let mut columns: Vec<usize> = (0..terms.len()).collect();
        columns.sort_by_key(|&column| &terms[column]);
        assert!(columns.iter().map(|&column| &terms[column]).eq(&case.terms), "{params:?}");
        let mut places = vec![0; columns.len()];
        for (place, &column) in columns.iter().enumerate() {
            places[column] = place;
        }
        for (term, (&column, want)) in columns.iter().zip(case.idf.iter().flatten()).enumerate() {
            let found = featurizer.scales()[0][column];
            assert!((found - want).abs() < 1e-12, "{params:?}: idf of {:?}", case.terms[term]);
        }
        assert_eq!(records.rows(), case.rows.len());
        for (row, (columns, values)) in case.rows.iter().enumerate() {
            let mut found: Vec<(usize, f64)> =
                records.row(row).map(|(column, value)| (places[column], value)).collect();
            found.sort_by_key(|(place, _)| *place);
            assert!(
                found.iter().map(|f| f.0).eq(columns.iter().map(|&c| c as usize)),
                "{params:?}, {:?}",
                documents[row]
            );
            for ((_, found), want) in found.iter().zip(values) {
                assert!((found - want).abs() < 1e-12, "{params:?}, {:?}: {found} against {want}", documents[row]);
            }
        }
    }
    for case in recorded.errors {
        let same = match case.params.fit_transform(&documents, &[], 0).unwrap_err() {
            FitError::CrossedFrequencies { .. } => case.error.starts_with("max_df corresponds to < documents"),
            FitError::NothingRemains { .. } => case.error.starts_with("After pruning, no terms remain"),
            _ => false,
        };
        assert!(same, "{:?}: {}", case.params, case.error);
    }
}

#[derive(Deserialize)]
struct Logistic {
    cases: Vec<LogisticCase>,
}

#[derive(Deserialize)]
struct LogisticCase {
    name: String,
    params: LogisticSettings,
    columns: usize,
    rows: Vec<Row>,
    targets: Vec<usize>,
    classes: usize,
    coefficients: Vec<Vec<f64>>,
    intercept: Vec<f64>,
    probabilities: Vec<Vec<f64>>,
    objective: f64,
}

#[derive(Deserialize)]
struct LogisticSettings {
    #[serde(rename = "C")]
    c: f64,
    class_weight: Option<ClassWeight>,
}

#[test]
fn logistic_regression_is_scikit_learns() {
    let recorded: Logistic = read(include_str!("../golden/logistic/expected.json"));
    assert_eq!(recorded.cases.len(), 8);
    for case in recorded.cases {
        let name = &case.name;
        let row = |(columns, values): &(Vec<u32>, Vec<f64>)| columns.clone().into_iter().zip(values.clone());
        let records = Records::from_rows(case.columns, case.rows.iter().map(row));
        let dataset = Dataset::new(records, case.targets.iter().copied().collect());
        let LogisticSettings { c, class_weight } = case.params;
        let params = LinearParams::new(case.classes).c(c).class_weight(class_weight);
        let fit = |tol, max_iter| {
            params
                .tol(tol)
                .max_iter(max_iter)
                .check()
                .unwrap()
                .fit_from(&dataset, None, model::Watch::default())
                .unwrap()
        };
        let (logistic, convergence) = fit(1e-10, 10_000);
        assert!(convergence.converged, "{name}: {convergence:?}");
        for (vector, (coefficients, intercept)) in case.coefficients.iter().zip(&case.intercept).enumerate() {
            assert!((logistic.intercept[vector] - intercept).abs() < 1e-5, "{name}");
            for (found, want) in logistic.weights.column(vector).iter().zip(coefficients) {
                assert!((found - want).abs() < 1e-5, "{name}: {found} against {want}");
            }
        }
        for (found, want) in logistic.probabilities(dataset.records()).rows().into_iter().zip(&case.probabilities) {
            assert!(found.iter().zip(want).all(|(found, want)| (found - want).abs() < 1e-6), "{name}");
        }
        // The mean objective times C and the rows' weight is the documentation's; balanced weights sum to the rows.
        let objective = |mean: f64| mean * c * case.targets.len() as f64;
        let apart = objective(convergence.objective) / case.objective - 1.0;
        assert!(apart.abs() < 1e-9, "{name}: the objective is {apart:e} off");
        // And as close as anyone needs with the default tolerance.
        let (_, convergence) = fit(1e-4, 100);
        let apart = objective(convergence.objective) / case.objective - 1.0;
        assert!(convergence.converged && (-1e-9..1e-4).contains(&apart), "{name}: {apart:e}, {convergence:?}");
    }
}
