//! `tensors.safetensors`: the numbers of a classifier, read where they lie.

use safetensors::Dtype;

use crate::artifact::container::Tensor;
use crate::artifact::mapped::{Array, Checked, Mapped};
use crate::classifier::Classifier;
use crate::linear::vectors_of;
use crate::settings::Algorithm;
use crate::tree::{Split, Tree};

/// Mapped numbers.
#[derive(Debug)]
pub(super) struct Tensors {
    pub(super) file: Mapped,
    /// Shape (terms, sets + vectors): the scales of each term, then its weights.
    pub(super) terms: Array,
    /// Scales of a term: 1, or one a class.
    pub(super) sets: usize,
    pub(super) model: Model,
}

/// What makes a score of a document's values.
#[derive(Debug)]
pub(super) enum Model {
    /// A number a weight vector.
    Linear { intercept: Vec<f64> },
    /// Trees whose nodes lie one after the other.
    Trees(Nodes),
}

/// Nodes of trees.
#[derive(Debug)]
pub(super) struct Nodes {
    roots: Option<Array>,
    nodes: usize,
    term: Array,
    threshold: Array,
    left: Array,
    right: Array,
    /// Shape (nodes, classes).
    shares: Array,
    classes: usize,
}

/// The file's tensors. `rows` holds the column of each term's row, `scales` the scales by column, a set or one a class.
pub(super) fn tensors(scales: &[&[f64]], classifier: &Classifier, rows: &[u32]) -> Vec<Tensor> {
    let vectors = match classifier {
        Classifier::Linear(linear) => linear.intercept.len(),
        _ => 0,
    };
    let width = scales.len() + vectors;
    let mut values = Vec::with_capacity(rows.len() * width);
    for &column in rows {
        let column = column as usize;
        values.extend(scales.iter().map(|scales| scales[column]));
        if let Classifier::Linear(linear) = classifier {
            values.extend(linear.weights.row(column));
        }
    }
    let mut tensors = Vec::new();
    match classifier {
        Classifier::Linear(linear) => {
            tensors.push(Tensor::f32s("intercept", &[vectors], linear.intercept.iter().copied()));
        }
        Classifier::Tree(tree) => push_trees(std::slice::from_ref(tree), rows, &mut tensors),
        Classifier::Forest(forest) => {
            let root = |before: &mut u32, tree: &Tree| {
                let root = *before;
                *before += tree.splits.len() as u32;
                Some(root)
            };
            let roots: Vec<u32> = forest.trees.iter().scan(0, root).collect();
            tensors.push(Tensor::u32s("forest.roots", &[roots.len()], roots));
            push_trees(&forest.trees, rows, &mut tensors);
        }
    }
    tensors.push(Tensor::f32s("terms", &[rows.len(), width], values));
    tensors
}

/// Adds the nodes of trees, one tree after the other.
fn push_trees(trees: &[Tree], rows: &[u32], tensors: &mut Vec<Tensor>) {
    let mut row_of = vec![0; rows.len()];
    (0..).zip(rows).for_each(|(row, &column)| row_of[column as usize] = row);
    let mut splits = Vec::new();
    for tree in trees {
        let start = splits.len() as u32;
        splits.extend(tree.splits.iter().map(|split| match split {
            None => Split { term: 0, threshold: 0.0, left: 0, right: 0 },
            Some(Split { term, threshold, left, right }) => Split {
                term: row_of.get(*term as usize).copied().unwrap_or(u32::MAX),
                threshold: *threshold,
                left: start + left,
                right: start + right,
            },
        }));
    }
    let nodes = [splits.len()];
    tensors.push(Tensor::u32s("tree.term", &nodes, splits.iter().map(|split| split.term)));
    tensors.push(Tensor::u32s("tree.left", &nodes, splits.iter().map(|split| split.left)));
    tensors.push(Tensor::u32s("tree.right", &nodes, splits.iter().map(|split| split.right)));
    tensors.push(Tensor::f32s("tree.threshold", &nodes, splits.iter().map(|split| split.threshold)));
    let classes = trees.first().map_or(0, Tree::classes);
    let shares = trees.iter().flat_map(|tree| tree.shares.iter().copied());
    tensors.push(Tensor::f32s("tree.shares", &[splits.len(), classes], shares));
}

impl Tensors {
    /// Finds the tensors; their types and shapes must be as the manifest tells.
    pub(super) fn open(file: Mapped, algorithm: Algorithm, terms: usize, classes: usize) -> Checked<Self> {
        let vectors = match algorithm {
            Algorithm::Logistic => vectors_of(classes),
            _ => 0,
        };
        let width = file.shape("terms").and_then(|(_, shape)| shape.get(1).copied()).unwrap_or(0);
        let sets = width.saturating_sub(vectors);
        if sets != 1 && sets != classes {
            return Err(file.refuse(format!("`terms` has {sets} scales a term; expected 1 or {classes}")));
        }
        let all = file.array("terms", Dtype::F32, &[terms, width])?;
        let (model, count) = match algorithm {
            Algorithm::Logistic => {
                let intercept = file.array("intercept", Dtype::F32, &[vectors])?;
                let intercept = (0..vectors).map(|vector| file.f32(intercept, vector)).collect::<Checked<_>>()?;
                (Model::Linear { intercept }, 2)
            }
            _ => {
                let nodes = Nodes::open(&file, classes)?;
                let count = 6 + usize::from(nodes.roots.is_some());
                (Model::Trees(nodes), count)
            }
        };
        if file.tensors() != count {
            return Err(file.refuse(format!("there are {} tensors; expected {count}", file.tensors())));
        }
        Ok(Tensors { file, terms: all, sets, model })
    }

    /// Numbers a term.
    pub(super) fn width(&self) -> usize {
        self.sets + if let Model::Linear { intercept } = &self.model { intercept.len() } else { 0 }
    }

    /// The numbers of all terms and how many each has, for asking memory ahead; none while some are still to be verified.
    #[inline]
    pub(super) fn ahead(&self) -> (&[[u8; 4]], usize) {
        (self.file.sound(self.terms).map_or(&[], |terms| terms.all()), self.width())
    }

    /// The scales of a term, then its weights.
    #[inline]
    pub(super) fn term(&self, row: u32) -> Checked<&[[u8; 4]]> {
        let (row, width) = (row as usize, self.width());
        self.file.fours(self.terms, row * width, (row + 1) * width)
    }
}

/// A little-endian 32-bit float.
#[inline]
pub(super) fn float(four: [u8; 4]) -> f64 {
    f64::from(f32::from_le_bytes(four))
}

impl Nodes {
    fn open(file: &Mapped, classes: usize) -> Checked<Self> {
        let nodes = file.shape("tree.term").map_or(0, |(_, shape)| shape.iter().product());
        if nodes == 0 {
            return Err(file.refuse("there is no node of a tree".into()));
        }
        let roots = match file.shape("forest.roots") {
            Some((_, &[roots])) if roots > 0 => Some(file.array("forest.roots", Dtype::U32, &[roots])?),
            Some((_, shape)) => return Err(file.refuse(format!("`forest.roots` is of shape {shape:?}"))),
            None => None,
        };
        Ok(Nodes {
            roots,
            nodes,
            term: file.array("tree.term", Dtype::U32, &[nodes])?,
            threshold: file.array("tree.threshold", Dtype::F32, &[nodes])?,
            left: file.array("tree.left", Dtype::U32, &[nodes])?,
            right: file.array("tree.right", Dtype::U32, &[nodes])?,
            shares: file.array("tree.shares", Dtype::F32, &[nodes, classes])?,
            classes,
        })
    }

    /// Mean of the shares of the leaves that a document comes to; `value` is of a term's row.
    pub(super) fn shares(&self, file: &Mapped, value: impl Fn(u32) -> f64, shares: &mut [f64]) -> Checked<()> {
        shares.fill(0.0);
        for tree in 0..self.roots.map_or(1, |roots| roots.len) {
            let root = self.roots.map_or(Ok(0), |roots| file.u32(roots, tree))?;
            let leaf = self.leaf(file, root, &value)?;
            for (class, share) in shares.iter_mut().enumerate() {
                *share += file.f32(self.shares, leaf * self.classes + class)?;
            }
        }
        // Shares are rounded to 32 bits each.
        let sum: f64 = shares.iter().sum();
        shares.iter_mut().for_each(|share| *share /= sum);
        Ok(())
    }

    fn leaf(&self, file: &Mapped, root: u32, value: impl Fn(u32) -> f64) -> Checked<usize> {
        let mut node = root as usize;
        loop {
            let (left, right) = (file.u32(self.left, node)? as usize, file.u32(self.right, node)? as usize);
            if (left, right) == (0, 0) {
                return Ok(node);
            }
            // Children come after their parent, so that every walk ends.
            if left <= node || right <= node {
                return Err(file.refuse(format!("node {node} leads to {left} and {right}; expected nodes after it")));
            }
            let left_side = value(file.u32(self.term, node)?) <= file.f32(self.threshold, node)?;
            node = if left_side { left } else { right };
        }
    }

    /// Checks every node: what `terms` and each walk need.
    pub(super) fn verify(&self, file: &Mapped, terms: usize) -> Checked<()> {
        for node in 0..self.nodes {
            let (left, right) = (file.u32(self.left, node)? as usize, file.u32(self.right, node)? as usize);
            let term = file.u32(self.term, node)? as usize;
            let sound = |child: usize| (node + 1..self.nodes).contains(&child);
            if (left, right) != (0, 0) && (term >= terms || !sound(left) || !sound(right)) {
                let reason = format!("node {node} of the tree asks term {term} and leads to {left} and {right}");
                return Err(file.refuse(reason));
            }
            let shares = file.fours(self.shares, node * self.classes, (node + 1) * self.classes)?;
            let sum: f64 = shares.iter().map(|&share| float(share)).sum();
            let probabilities = shares.iter().all(|&share| float(share) >= 0.0) && (sum - 1.0).abs() <= 1e-3;
            if !probabilities {
                return Err(file.refuse(format!("the shares of node {node} of the tree sum to {sum}; expected 1")));
            }
            if !file.f32(self.threshold, node)?.is_finite() {
                return Err(file.refuse(format!("the threshold of node {node} of the tree is not finite")));
            }
        }
        (0..self.roots.map_or(0, |roots| roots.len)).try_for_each(|tree| {
            let root = self.roots.map_or(Ok(0), |roots| file.u32(roots, tree))? as usize;
            match root < self.nodes {
                true => Ok(()),
                false => Err(file.refuse(format!("tree {tree} begins at node {root} of {}", self.nodes))),
            }
        })
    }
}
