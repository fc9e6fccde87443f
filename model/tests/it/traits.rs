//! Our records, parameters and classifiers as linfa sees them. Its own `cross_validate` moves the rows of a dense matrix
//! and takes no other records; what is written here for any [`linfa::traits::Fit`] is the same over rows that are selected.

use linfa::DatasetBase;
use linfa::dataset::{Labels, Records as _};
use linfa::prelude::{ConfusionMatrix, ToConfusionMatrix};
use linfa::traits::{Fit, Predict, PredictInplace};
use model::forest::ForestParams;
use model::linear::LinearParams;
use model::tree::TreeParams;
use model::{Dataset, FitError, Loss, Records, Settings, TfidfParams};
use ndarray::Array1;

/// Rows of three classes, each of which a word of its own tells four times in five.
fn dataset(classes: usize) -> Dataset {
    let texts: Vec<String> = (0..120)
        .map(|row| match row % 5 {
            0 => format!("row{} says nothing", row % 7),
            _ => format!("row{} says word{}", row % 7, row % classes),
        })
        .collect();
    let targets: Vec<usize> = (0..120).map(|row| row % classes).collect();
    let (_, records) = TfidfParams::default().fit_transform(&texts, &targets, classes).unwrap();
    DatasetBase::new(records, targets.into())
}

/// Mean accuracy over `folds` folds and the confusion of all held-out rows, by linfa's traits and metrics alone.
fn cross_validated<P>(params: &P, dataset: &Dataset, folds: usize) -> (f32, ConfusionMatrix<usize>)
where
    P: Fit<Records, Array1<usize>, FitError>,
    P::Object: PredictInplace<Records, Array1<usize>>,
{
    let (mut accuracy, mut found, mut actual) = (0.0, Vec::new(), Vec::new());
    for fold in 0..folds {
        let part = |held_out: bool| {
            let rows: Vec<usize> = (0..dataset.nsamples()).filter(|row| (row % folds == fold) == held_out).collect();
            let targets = rows.iter().map(|&row| dataset.targets[row]).collect();
            DatasetBase::new(dataset.records().select(&rows), targets)
        };
        let (learned, held_out): (Dataset, Dataset) = (part(false), part(true));
        let predicted: Array1<usize> = params.fit(&learned).unwrap().predict(&held_out);
        accuracy += predicted.confusion_matrix(&held_out).unwrap().accuracy() / folds as f32;
        found.extend(predicted);
        actual.extend(held_out.targets);
    }
    (accuracy, Array1::from(found).confusion_matrix(Array1::from(actual)).unwrap())
}

#[test]
fn every_classifier_is_fitted_folded_and_measured_by_linfa() {
    for classes in [2, 3] {
        let dataset = dataset(classes);
        assert_eq!((dataset.nsamples(), dataset.label_count()[0].len()), (120, classes));
        assert_eq!(dataset.records().nfeatures(), dataset.records().columns());
        let settings = Settings { n_estimators: 10, ..Settings::default() };
        let all = [
            ("logistic", cross_validated(&LinearParams::new(classes).c(10.0), &dataset, 4)),
            ("hinge", cross_validated(&LinearParams::new(classes).loss(Loss::SquaredHinge), &dataset, 4)),
            ("tree", cross_validated(&TreeParams::new(settings.clone(), classes), &dataset, 4)),
            ("forest", cross_validated(&ForestParams::new(settings, classes), &dataset, 4)),
        ];
        for (name, (accuracy, confusion)) in all {
            // Of the fifth that says nothing, some are right by chance.
            assert!((0.8..1.0).contains(&accuracy), "{name} of {classes} classes: {accuracy}");
            // Folds of one size: the mean is that of all rows, by both of linfa's ways.
            assert!((confusion.accuracy() - accuracy).abs() < 1e-5, "{name} of {classes} classes: {confusion:?}");
        }
    }
}

#[test]
fn parameters_are_checked_on_the_way_to_a_fit() {
    let dataset = dataset(2);
    let refused = LinearParams::new(2).c(-1.0).fit(&dataset).unwrap_err().to_string();
    assert_eq!(refused, "C is `-1`; expected a finite number above 0");
    let settings = Settings { max_depth: 0, ..Settings::default() };
    let refused = TreeParams::new(settings, 2).fit(&dataset).unwrap_err().to_string();
    assert_eq!(refused, "max_depth is `0`; expected 1 to 64");
}
