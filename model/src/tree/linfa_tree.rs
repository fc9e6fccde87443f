//! A tree grown by linfa-trees, on dense records of the selected columns.

use linfa::prelude::Fit;
use linfa::{DatasetBase, ParamGuard};
use linfa_trees::{DecisionTree, TreeNode};
use ndarray::{Array1, Array2};

use crate::error::FitError;
use crate::settings::Settings;
use crate::tree::selection::Selection;
use crate::tree::{Split, Tree, descend};

/// Bytes that linfa-trees takes a cell: the value, and its sorted copy with the row's number.
const CELL_BYTES: u64 = 24;

/// Grows a tree with linfa-trees. With two classes the same data grow the same tree. With more, linfa-trees sums
/// impurities in the order of a hash map, in 32 bits: where several splits are equally good, the last bit may choose
/// another of them each time.
pub(super) fn fit(settings: &Settings, selection: &Selection) -> Result<Tree, FitError> {
    let (algorithm, setting) = ("solver=linfa", "class_weight");
    if settings.class_weight.is_some() {
        return Err(FitError::Unsupported {
            algorithm,
            setting,
            instead: "use solver=sparse, or leave class_weight out",
        });
    }
    let (rows, columns, limit) = (selection.rows(), selection.columns.len(), settings.dense_memory_limit);
    let bytes = CELL_BYTES.saturating_mul(rows as u64).saturating_mul(columns as u64);
    if bytes > limit {
        return Err(FitError::DenseTooLarge { algorithm, rows, columns, bytes, limit });
    }
    let mut dense = Array2::zeros((rows, columns));
    for (row, mut dense) in dense.rows_mut().into_iter().enumerate() {
        let (features, values) = selection.row(row);
        features.iter().zip(values).for_each(|(&feature, &value)| dense[feature as usize] = value);
    }
    let targets: Array1<usize> = selection.targets.iter().map(|&target| target as usize).collect();
    let weights = weights(&targets);
    let grown = DecisionTree::params()
        .max_depth(Some(settings.max_depth))
        // Half a row of grace, for rows that weigh a little less than 1.
        .min_weight_leaf(settings.min_samples_leaf as f32 - 0.5)
        .check()?
        .fit(&DatasetBase::new(dense, targets).with_weights(weights))?;
    let mut tree = Tree { splits: Vec::new(), shares: Array2::zeros((0, 0)) };
    add(&mut tree, grown.root_node());
    count(&mut tree, selection);
    for split in tree.splits.iter_mut().flatten() {
        split.term = selection.columns[split.term as usize];
    }
    Ok(tree)
}

fn add(tree: &mut Tree, node: &TreeNode<f64, usize>) -> u32 {
    let number = tree.splits.len();
    tree.splits.push(None);
    if let [Some(left), Some(right)] = node.children()[..] {
        let (term, threshold, _) = node.split();
        let (left, right) = (add(tree, left), add(tree, right));
        tree.splits[number] = Some(Split { term: term as u32, threshold, left, right });
    }
    number as u32
}

/// linfa-trees keeps the leaves' classes alone: the rows are sent down once more to have the shares.
fn count(tree: &mut Tree, selection: &Selection) {
    tree.shares = Array2::zeros((tree.splits.len(), selection.class_weights.len()));
    for (row, &target) in selection.targets.iter().enumerate() {
        let value = |feature| selection.value(row, feature);
        descend(|node| tree.splits[node], value, |node| tree.shares[(node, target as usize)] += 1.0);
    }
    for mut shares in tree.shares.rows_mut() {
        let rows = shares.sum();
        shares /= rows.max(1.0);
    }
}

/// Rows of a later class weigh a little less, so that no leaf's class is a tie: linfa-trees would settle it by the order
/// of a hash map, which is another each time. The little is as small as keeps sums of weights exact in 32-bit floats.
fn weights(targets: &Array1<usize>) -> Array1<f32> {
    let bits_of_rows = usize::BITS - targets.len().leading_zeros();
    let little = 2f32.powi(-(24 - bits_of_rows as i32).clamp(8, 20));
    targets.mapv(|class| (1.0 - class as f32 * little).max(0.5))
}
