//! Decision trees: the columns of the highest χ², a tree grown on them, kept as arrays.

mod grow;
mod linfa_tree;
pub(crate) mod selection;

use linfa::ParamGuard;
use linfa::prelude::Fit;
use linfa::traits::PredictInplace;
use ndarray::{Array1, Array2, ArrayView1};

use crate::classifier::Dataset;
use crate::error::FitError;
use crate::linear::most_probable;
use crate::records::Records;
use crate::settings::{SettingError, Settings, Solver};
pub(crate) use grow::grow;
use selection::Selection;

/// A decision tree, its nodes numbered from the root, 0, so that children come after their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Of each node; a leaf has no split.
    pub splits: Vec<Option<Split>>,
    /// Class shares of the training rows (by weight) that reach each node, shape `(nodes, classes)`; rows sum to 1.
    pub shares: Array2<f64>,
}

/// Where a node sends a document.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Split {
    /// The term whose value decides.
    pub term: u32,
    /// Up to this value, `left`; above, `right`.
    pub threshold: f64,
    /// A node.
    pub left: u32,
    /// A node.
    pub right: u32,
}

/// What a tree (or a forest: [`ForestParams`](crate::forest::ForestParams)) is grown with: of the settings
/// `max_depth`, `min_samples_leaf`, `tree_features`, `class_weight`, `seed`, `dense_memory_limit`, and `solver`.
#[derive(Debug, Clone, PartialEq)]
pub struct TreeParams(TreeValidParams);

/// Checked [`TreeParams`].
#[derive(Debug, Clone, PartialEq)]
pub struct TreeValidParams {
    settings: Settings,
    classes: usize,
}

impl TreeParams {
    /// For targets below `classes`.
    pub fn new(settings: Settings, classes: usize) -> Self {
        TreeParams(TreeValidParams { settings, classes })
    }
}

impl ParamGuard for TreeParams {
    type Checked = TreeValidParams;
    type Error = SettingError;

    fn check_ref(&self) -> Result<&TreeValidParams, SettingError> {
        self.0.settings.check().map(|()| &self.0)
    }

    fn check(self) -> Result<TreeValidParams, SettingError> {
        self.check_ref()?;
        Ok(self.0)
    }
}

impl Fit<Records, Array1<usize>, FitError> for TreeValidParams {
    type Object = Tree;

    fn fit(&self, dataset: &Dataset) -> Result<Tree, FitError> {
        Ok(Tree::fit(&self.settings, dataset, self.classes)?.0)
    }
}

impl Tree {
    /// Grows a tree (Gini impurity) on what memory leaves of the `tree_features` best columns; with it, what memory took
    /// away. `solver=linfa` lets linfa-trees grow it, on dense records.
    pub(crate) fn fit(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<(Tree, Vec<String>), FitError> {
        let selection = Selection::of(settings, dataset, classes)?;
        let tree = match settings.solver {
            Solver::Linfa => linfa_tree::fit(settings, &selection)?,
            Solver::Auto | Solver::Sparse => {
                let weight = |&class: &u32| selection.class_weights[class as usize];
                let weights: Vec<f64> = selection.targets.iter().map(weight).collect();
                grow(&selection, &weights, settings, None)
            }
        };
        Ok((tree, selection.notes))
    }

    /// Number of classes.
    pub fn classes(&self) -> usize {
        self.shares.ncols()
    }

    /// Probabilities of the classes, shape `(rows, classes)`: the shares of the leaf each row comes to.
    pub fn probabilities(&self, records: &Records) -> Array2<f64> {
        let mut probabilities = Array2::zeros((records.rows(), self.classes()));
        for (row, mut probabilities) in probabilities.rows_mut().into_iter().enumerate() {
            let values: Vec<(usize, f64)> = records.row(row).collect();
            probabilities.assign(&self.shares_of(&values));
        }
        probabilities
    }

    /// Shares of the leaf that a row comes to: (column, value), columns ascending.
    pub(crate) fn shares_of(&self, values: &[(usize, f64)]) -> ArrayView1<'_, f64> {
        self.shares.row(descend(|node| self.splits[node], |term| value_of(values, term), |_| ()))
    }
}

impl PredictInplace<Records, Array1<usize>> for Tree {
    fn predict_inplace<'a>(&'a self, records: &'a Records, classes: &mut Array1<usize>) {
        for (probabilities, class) in self.probabilities(records).rows().into_iter().zip(classes) {
            *class = most_probable(probabilities);
        }
    }

    fn default_target(&self, records: &Records) -> Array1<usize> {
        Array1::zeros(records.rows())
    }
}

fn value_of(values: &[(usize, f64)], term: u32) -> f64 {
    values.binary_search_by_key(&(term as usize), |&(column, _)| column).map_or(0.0, |at| values[at].1)
}

/// From the root to a leaf, visiting every node on the way; gives the leaf. Children must come after their parent.
pub(crate) fn descend(
    split: impl Fn(usize) -> Option<Split>,
    value: impl Fn(u32) -> f64,
    mut visit: impl FnMut(usize),
) -> usize {
    let mut node = 0;
    loop {
        visit(node);
        match split(node) {
            None => return node,
            Some(split) if value(split.term) <= split.threshold => node = split.left as usize,
            Some(split) => node = split.right as usize,
        }
    }
}
