//! `tensors.safetensors`: the numbers of an artifact, read where they lie.

use std::ops::Range;

use safetensors::tensor::{Metadata, TensorView};
use safetensors::{Dtype, SafeTensorError, SafeTensors};

use crate::classifier::Classifier;
use crate::linear::vectors_of;
use crate::settings::Algorithm;
use crate::tree::Split;

/// Mapped numbers, each checked to be finite and in range.
#[derive(Debug)]
pub(super) struct Tensors<B> {
    bytes: B,
    idf: Range<usize>,
    pub(super) model: Model,
}

/// Where the classifier's numbers lie.
#[derive(Debug)]
pub(super) enum Model {
    /// `weights` has `vectors` numbers a term.
    Logistic { weights: Range<usize>, intercept: Range<usize>, vectors: usize },
    /// Node by node; `shares` has `classes` numbers a node.
    Tree { term: Range<usize>, threshold: Range<usize>, left: Range<usize>, right: Range<usize>, shares: Range<usize> },
}

/// The file's bytes.
pub(super) fn to_bytes(idf: &[f64], classifier: &Classifier) -> Result<Vec<u8>, SafeTensorError> {
    let floats = |values: &mut dyn Iterator<Item = f64>| values.flat_map(|v| (v as f32).to_le_bytes()).collect();
    let mut tensors: Vec<(&str, Dtype, Vec<usize>, Vec<u8>)> =
        vec![("idf", Dtype::F32, vec![idf.len()], floats(&mut idf.iter().copied()))];
    match classifier {
        Classifier::Linear(logistic) => {
            let (weights, intercept) = (&logistic.weights, &logistic.intercept);
            tensors.push(("weights", Dtype::F32, weights.shape().into(), floats(&mut weights.iter().copied())));
            tensors.push(("intercept", Dtype::F32, intercept.shape().into(), floats(&mut intercept.iter().copied())));
        }
        Classifier::Forest(_) => {}
        Classifier::Tree(tree) => {
            let nodes = vec![tree.splits.len()];
            let leaf = Split { term: 0, threshold: 0.0, left: 0, right: 0 };
            let splits = || tree.splits.iter().map(|split| split.unwrap_or(leaf));
            let integers = |of: fn(Split) -> u32| splits().flat_map(|split| of(split).to_le_bytes()).collect();
            tensors.push(("tree.term", Dtype::U32, nodes.clone(), integers(|split| split.term)));
            tensors.push(("tree.left", Dtype::U32, nodes.clone(), integers(|split| split.left)));
            tensors.push(("tree.right", Dtype::U32, nodes.clone(), integers(|split| split.right)));
            tensors.push(("tree.threshold", Dtype::F32, nodes, floats(&mut splits().map(|split| split.threshold))));
            tensors.push((
                "tree.shares",
                Dtype::F32,
                tree.shares.shape().into(),
                floats(&mut tree.shares.iter().copied()),
            ));
        }
    }
    let views: Result<Vec<_>, SafeTensorError> = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((*name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect();
    safetensors::serialize(views?, None)
}

impl<B: AsRef<[u8]>> Tensors<B> {
    /// From bytes of any origin, each number checked; else what is wrong with them.
    pub(super) fn from_bytes(bytes: B, algorithm: Algorithm, terms: usize, classes: usize) -> Result<Self, String> {
        let (header, metadata) = SafeTensors::read_metadata(bytes.as_ref()).map_err(|e| e.to_string())?;
        let layout = Layout { header: header + 8, metadata };
        let idf = layout.find("idf", Dtype::F32, &[terms])?;
        let model = match algorithm {
            Algorithm::Logistic => {
                let vectors = vectors_of(classes);
                layout.count(3)?;
                Model::Logistic {
                    weights: layout.find("weights", Dtype::F32, &[terms, vectors])?,
                    intercept: layout.find("intercept", Dtype::F32, &[vectors])?,
                    vectors,
                }
            }
            Algorithm::Forest => return Err("this format holds no forest".into()),
            Algorithm::Tree => {
                layout.count(6)?;
                let nodes = layout.metadata.info("tree.term").map_or(0, |info| info.shape.iter().product());
                Model::Tree {
                    term: layout.find("tree.term", Dtype::U32, &[nodes])?,
                    threshold: layout.find("tree.threshold", Dtype::F32, &[nodes])?,
                    left: layout.find("tree.left", Dtype::U32, &[nodes])?,
                    right: layout.find("tree.right", Dtype::U32, &[nodes])?,
                    shares: layout.find("tree.shares", Dtype::F32, &[nodes, classes])?,
                }
            }
        };
        let tensors = Tensors { bytes, idf, model };
        tensors.check(terms, classes)?;
        Ok(tensors)
    }

    fn check(&self, terms: usize, classes: usize) -> Result<(), String> {
        self.finite("idf", &self.idf)?;
        match &self.model {
            Model::Logistic { weights, intercept, .. } => {
                self.finite("weights", weights)?;
                self.finite("intercept", intercept)
            }
            Model::Tree { term, threshold, shares, .. } => {
                self.finite("tree.threshold", threshold)?;
                self.finite("tree.shares", shares)?;
                self.check_nodes(term.len() / 4, terms, classes)
            }
        }
    }

    fn check_nodes(&self, nodes: usize, terms: usize, classes: usize) -> Result<(), String> {
        if nodes == 0 {
            return Err("the tree has no node".into());
        }
        for node in 0..nodes {
            if let Some(Split { term, left, right, .. }) = self.split(node) {
                // Children come after their parent, so that every walk ends.
                let sound = |child: u32| (node + 1..nodes).contains(&(child as usize));
                if term as usize >= terms || !sound(left) || !sound(right) {
                    return Err(format!("node {node} of the tree asks term {term} and leads to {left} and {right}"));
                }
            }
            let shares: f64 = (0..classes).map(|class| self.share(node, class)).sum();
            if (0..classes).any(|class| self.share(node, class) < 0.0) || (shares - 1.0).abs() > 1e-3 {
                return Err(format!("the shares of node {node} of the tree sum to {shares}; expected 1"));
            }
        }
        Ok(())
    }

    fn finite(&self, name: &str, range: &Range<usize>) -> Result<(), String> {
        // Exponents of all ones are infinities and NaNs.
        let finite = |four: &[u8]| four[3] & 0x7F != 0x7F || four[2] & 0x80 == 0;
        match self.bytes.as_ref()[range.clone()].chunks_exact(4).position(|four| !finite(four)) {
            Some(at) => Err(format!("number {at} of `{name}` is not finite")),
            None => Ok(()),
        }
    }

    /// Inverse document frequency of a term.
    #[inline]
    pub(super) fn idf(&self, term: u32) -> f64 {
        self.float(&self.idf, term as usize)
    }

    /// Number `at` of a range of 32-bit floats.
    #[inline]
    pub(super) fn float(&self, range: &Range<usize>, at: usize) -> f64 {
        f64::from(f32::from_le_bytes(self.four(range, at)))
    }

    /// Where a node of the tree leads; none from a leaf.
    pub(super) fn split(&self, node: usize) -> Option<Split> {
        let Model::Tree { term, threshold, left, right, .. } = &self.model else { return None };
        let integer = |range| u32::from_le_bytes(self.four(range, node));
        let split = Split {
            term: integer(term),
            threshold: self.float(threshold, node),
            left: integer(left),
            right: integer(right),
        };
        ((split.left, split.right) != (0, 0)).then_some(split)
    }

    /// Share of a class in a node of the tree.
    pub(super) fn share(&self, node: usize, class: usize) -> f64 {
        match &self.model {
            Model::Tree { shares, term, .. } => {
                let classes = shares.len() / term.len().max(1);
                self.float(shares, node * classes + class)
            }
            Model::Logistic { .. } => 0.0,
        }
    }

    fn four(&self, range: &Range<usize>, at: usize) -> [u8; 4] {
        let mut four = [0; 4];
        four.copy_from_slice(&self.bytes.as_ref()[range.clone()][at * 4..at * 4 + 4]);
        four
    }
}

struct Layout {
    header: usize,
    metadata: Metadata,
}

impl Layout {
    /// Where a tensor's bytes lie; it must be of this type and shape.
    fn find(&self, name: &str, dtype: Dtype, shape: &[usize]) -> Result<Range<usize>, String> {
        let info = self.metadata.info(name).ok_or_else(|| format!("there is no tensor `{name}`"))?;
        if info.dtype != dtype || info.shape != shape {
            let (found, of) = (info.dtype, &info.shape);
            return Err(format!("`{name}` is {found:?} of shape {of:?}; expected {dtype:?} of shape {shape:?}"));
        }
        Ok(self.header + info.data_offsets.0..self.header + info.data_offsets.1)
    }

    fn count(&self, expected: usize) -> Result<(), String> {
        match self.metadata.offset_keys().len() {
            found if found == expected => Ok(()),
            found => Err(format!("there are {found} tensors; expected {expected}")),
        }
    }
}
