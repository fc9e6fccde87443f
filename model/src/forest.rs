//! Random forest (Breiman 2001): trees on drawn rows, splitting by drawn columns; the mean of their shares.

use linfa::ParamGuard;
use linfa::prelude::Fit;
use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2};

use crate::classifier::Dataset;
use crate::error::FitError;
use crate::linear::most_probable;
use crate::random::SplitMix64;
use crate::records::Records;
use crate::settings::{SettingError, Settings};
use crate::threads;
use crate::tree::selection::Selection;
use crate::tree::{Tree, grow};

/// A random forest.
#[derive(Debug, Clone, PartialEq)]
pub struct Forest {
    /// At least one, all of the same classes.
    pub trees: Vec<Tree>,
}

/// What a forest is grown with: what a tree is ([`TreeParams`](crate::tree::TreeParams)), and `n_estimators`.
#[derive(Debug, Clone, PartialEq)]
pub struct ForestParams(ForestValidParams);

/// Checked [`ForestParams`].
#[derive(Debug, Clone, PartialEq)]
pub struct ForestValidParams {
    settings: Settings,
    classes: usize,
}

impl ForestParams {
    /// For targets below `classes`.
    pub fn new(settings: Settings, classes: usize) -> Self {
        ForestParams(ForestValidParams { settings, classes })
    }
}

impl ParamGuard for ForestParams {
    type Checked = ForestValidParams;
    type Error = SettingError;

    fn check_ref(&self) -> Result<&ForestValidParams, SettingError> {
        self.0.settings.check().map(|()| &self.0)
    }

    fn check(self) -> Result<ForestValidParams, SettingError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Fit<Records, Array1<usize>, FitError> for ForestValidParams {
    type Object = Forest;

    fn fit(&self, dataset: &Dataset) -> Result<Forest, FitError> {
        Ok(Forest::fit(&self.settings, dataset, self.classes)?.0)
    }
}

impl Forest {
    /// Grows `n_estimators` trees, in parallel; with them, what memory took away. Each tree has a random sequence of its
    /// own: as many rows as there are, drawn with replacement, and at each node `√features` of the columns. linfa-ensemble
    /// draws columns once a tree, all of them absent in many documents, and settles ties by hash order.
    pub(crate) fn fit(
        settings: &Settings,
        dataset: &Dataset,
        classes: usize,
    ) -> Result<(Forest, Vec<String>), FitError> {
        let selection = Selection::of(settings, dataset, classes)?;
        let trees = threads::map(settings.n_estimators, |tree| {
            let mut random = SplitMix64::new(settings.seed, tree as u64);
            let mut weights = vec![0.0; selection.rows()];
            for _ in 0..selection.rows() {
                let row = random.below(selection.rows());
                weights[row] += selection.class_weights[selection.targets[row] as usize];
            }
            grow(&selection, &weights, settings, Some(random))
        });
        Ok((Forest { trees }, selection.notes))
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.trees.first().map_or(0, Tree::classes)
    }

    /// Probabilities of the classes, shape `(rows, classes)`: the mean of the trees'.
    pub fn probabilities(&self, records: &Records) -> Array2<f64> {
        let mut probabilities = Array2::zeros((records.rows(), self.classes()));
        for (row, mut probabilities) in probabilities.rows_mut().into_iter().enumerate() {
            let values: Vec<(usize, f64)> = records.row(row).collect();
            self.trees.iter().for_each(|tree| probabilities += &tree.shares_of(&values));
        }
        probabilities / self.trees.len().max(1) as f64
    }
}

impl PredictInplace<Records, Array1<usize>> for Forest {
    fn predict_inplace<'a>(&'a self, records: &'a Records, classes: &mut Array1<usize>) {
        for (probabilities, class) in self.probabilities(records).rows().into_iter().zip(classes) {
            *class = most_probable(probabilities);
        }
    }

    fn default_target(&self, records: &Records) -> Array1<usize> {
        Array1::zeros(records.rows())
    }
}
