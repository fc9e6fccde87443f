//! A decision tree: grown by linfa-trees on dense records, kept as arrays.

use linfa::prelude::Fit;
use linfa::traits::PredictInplace;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2};

use crate::classifier::{Dataset, to_dense};
use crate::error::FitError;
use crate::linear::{count_rows, most_probable};
use crate::records::Records;
use crate::settings::Settings;

/// A decision tree, its nodes numbered from the root, 0, so that children come after their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// Of each node; a leaf has no split.
    pub splits: Vec<Option<Split>>,
    /// Class shares of the training rows that reach each node, shape `(nodes, classes)`; rows sum to 1.
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

impl Tree {
    /// Grows a tree with linfa-trees (Gini impurity, `max_depth`, `min_samples_leaf`).
    ///
    /// With two classes the same data grow the same tree. With more, linfa-trees sums impurities in the order of a hash
    /// map, in 32 bits: where several splits are equally good, the last bit may choose another of them each time.
    pub(crate) fn fit(settings: &Settings, dataset: &Dataset, classes: usize) -> Result<Tree, FitError> {
        if settings.class_weight.is_some() {
            return Err(FitError::Unsupported {
                algorithm: "algorithm=tree",
                setting: "class_weight",
                instead: "use algorithm=logistic, or leave class_weight out",
            });
        }
        count_rows(dataset.records(), &dataset.targets, classes)?;
        let dense = to_dense("algorithm=tree", dataset.records(), settings.dense_memory_limit)?;
        let dense = DatasetBase::new(dense, dataset.targets.clone()).with_weights(weights(&dataset.targets));
        let grown = DecisionTree::params()
            .max_depth(Some(settings.max_depth))
            // Half a row of grace, for rows that weigh a little less than 1.
            .min_weight_leaf(settings.min_samples_leaf as f32 - 0.5)
            .check()?
            .fit(&dense)?;
        let mut tree = Tree { splits: Vec::new(), shares: Array2::zeros((0, classes)) };
        tree.add(grown.root_node());
        tree.count(dataset, classes);
        Ok(tree)
    }

    fn add(&mut self, node: &TreeNode<f64, usize>) -> u32 {
        let number = self.splits.len();
        self.splits.push(None);
        if let [Some(left), Some(right)] = node.children()[..] {
            let (term, threshold, _) = node.split();
            let (left, right) = (self.add(left), self.add(right));
            self.splits[number] = Some(Split { term: term as u32, threshold, left, right });
        }
        number as u32
    }

    /// linfa-trees keeps the leaves' classes alone: the training rows are sent down once more to have the shares.
    fn count(&mut self, dataset: &Dataset, classes: usize) {
        self.shares = Array2::zeros((self.splits.len(), classes));
        for (row, &target) in dataset.targets.iter().enumerate() {
            let values: Vec<(usize, f64)> = dataset.records().row(row).collect();
            let value = |term| value_of(&values, term);
            descend(|node| self.splits[node], value, |node| self.shares[(node, target)] += 1.0);
        }
        for mut shares in self.shares.rows_mut() {
            let rows = shares.sum();
            shares /= rows.max(1.0);
        }
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
            let value = |term| value_of(&values, term);
            probabilities.assign(&self.shares.row(descend(|node| self.splits[node], value, |_| ())));
        }
        probabilities
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

/// Rows of a later class weigh a little less, so that no leaf's class is a tie: linfa-trees would settle it by the order
/// of a hash map, which is another each time. The little is as small as keeps sums of weights exact in 32-bit floats.
fn weights(targets: &Array1<usize>) -> Array1<f32> {
    let bits_of_rows = usize::BITS - targets.len().leading_zeros();
    let little = 2f32.powi(-(24 - bits_of_rows as i32).clamp(8, 20));
    targets.mapv(|class| (1.0 - class as f32 * little).max(0.5))
}
