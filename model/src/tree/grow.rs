//! Growing a tree on sparse rows: Gini impurity, all splits of the features considered, in 64 bits and in one order.
//!
//! Why not linfa-trees alone: it needs the zeros (24 bytes a cell, with its sorted copy); it sums impurities in 32 bits in
//! the order of a hash map, so that three classes grow another tree each time; and below the root it overlooks a split
//! between two values where the last row of the lower one is not in the node, which for sparse columns is the split
//! between "absent" and "present" in half of all nodes. Where it overlooks nothing both grow the same tree, which is tested.

use ndarray::Array2;

use crate::random::SplitMix64;
use crate::settings::Settings;
use crate::tree::selection::Selection;
use crate::tree::{Split, Tree};

/// Splits that lower the weighted impurity by no more than this, relative to the node's weight, are none.
const LEAST_DECREASE: f64 = 1e-9;

/// Grows a tree on the rows of `selection` that `weights` (by row) leave above 0. `random` draws the features that a node
/// may split by, `√features` of all and further ones while none of them can split; without it all.
pub(crate) fn grow(selection: &Selection, weights: &[f64], settings: &Settings, random: Option<SplitMix64>) -> Tree {
    let features = selection.columns.len();
    let mut grower = Grower {
        selection,
        weights,
        max_depth: settings.max_depth,
        min_samples_leaf: settings.min_samples_leaf,
        at_once: if random.is_some() { ((features as f64).sqrt() as usize).max(1) } else { features },
        random,
        splits: Vec::new(),
        shares: Vec::new(),
        seen: vec![0; features],
        slots: vec![NONE; features],
    };
    let mut rows: Vec<u32> = (0..selection.rows() as u32).filter(|&row| weights[row as usize] > 0.0).collect();
    grower.node(&mut rows, 0);
    let shape = (grower.splits.len(), selection.class_weights.len());
    let shares = Array2::from_shape_vec(shape, grower.shares).expect("every node has a share a class");
    Tree { splits: grower.splits, shares }
}

const NONE: u32 = u32::MAX;

struct Grower<'s> {
    selection: &'s Selection,
    weights: &'s [f64],
    max_depth: usize,
    min_samples_leaf: usize,
    /// Features that a node looks at before it is content.
    at_once: usize,
    random: Option<SplitMix64>,
    splits: Vec<Option<Split>>,
    shares: Vec<f64>,
    /// Rows of the node that hold a feature: all 0 between nodes.
    seen: Vec<u32>,
    /// Place of a feature among those looked at: all NONE between looks.
    slots: Vec<u32>,
}

/// A value of a feature in a row of the node.
struct Value {
    value: f64,
    class: u32,
    weight: f64,
}

/// The best so far.
struct Best {
    feature: u32,
    threshold: f64,
    quality: f64,
}

impl Grower<'_> {
    /// Adds the node of `rows`, and those below it; gives its number.
    fn node(&mut self, rows: &mut [u32], depth: usize) -> u32 {
        let mut totals = vec![0.0; self.selection.class_weights.len()];
        rows.iter().for_each(|&row| totals[self.class(row)] += self.weights[row as usize]);
        let weight: f64 = totals.iter().sum();
        let number = self.splits.len();
        self.splits.push(None);
        self.shares.extend(totals.iter().map(|of_class| of_class / weight));
        let pure = totals.iter().filter(|of_class| **of_class > 0.0).count() < 2;
        if pure || depth == self.max_depth || rows.len() < 2 * self.min_samples_leaf {
            return number as u32;
        }
        if let Some(Best { feature, threshold, .. }) = self.best(rows, &totals) {
            let goes_left = |row: &u32| self.selection.value(*row as usize, feature) <= threshold;
            let (mut left, mut right): (Vec<u32>, Vec<u32>) = rows.iter().partition(|row| goes_left(row));
            let term = self.selection.columns[feature as usize];
            let (left, right) = (self.node(&mut left, depth + 1), self.node(&mut right, depth + 1));
            self.splits[number] = Some(Split { term, threshold, left, right });
        }
        number as u32
    }

    fn class(&self, row: u32) -> usize {
        self.selection.targets[row as usize] as usize
    }

    fn best(&mut self, rows: &[u32], totals: &[f64]) -> Option<Best> {
        for &row in rows {
            self.selection.row(row as usize).0.iter().for_each(|&feature| self.seen[feature as usize] += 1);
        }
        // Columns that no row of the node holds are drawn too and count: so trees differ more, as scikit-learn's do.
        let mut pool: Vec<u32> = (0..self.seen.len() as u32).collect();
        let weight: f64 = totals.iter().sum();
        let whole = totals.iter().map(|of_class| of_class * of_class).sum::<f64>() / weight;
        let (mut best, mut from) = (None, 0);
        while best.is_none() && from < pool.len() {
            let to = (from + self.at_once).min(pool.len());
            if let Some(random) = &mut self.random {
                random.draw(&mut pool[from..], to - from);
                // Of equal splits the first column's, whatever order they were drawn in.
                pool[from..to].sort_unstable();
            }
            let present = pool[from..to].iter().copied().filter(|&feature| self.seen[feature as usize] > 0);
            let present: Vec<u32> = present.collect();
            if !present.is_empty() {
                best = self.best_of(rows, totals, &present, whole + LEAST_DECREASE * weight);
            }
            from = to;
        }
        self.seen.fill(0);
        best
    }

    fn best_of(&mut self, rows: &[u32], totals: &[f64], looked_at: &[u32], quality: f64) -> Option<Best> {
        let sizes = looked_at.iter().map(|&feature| self.seen[feature as usize] as usize);
        let mut values: Vec<Vec<Value>> = sizes.map(Vec::with_capacity).collect();
        looked_at.iter().zip(0..).for_each(|(&feature, slot)| self.slots[feature as usize] = slot);
        for &row in rows {
            let (features, of_features) = self.selection.row(row as usize);
            for (&feature, &value) in features.iter().zip(of_features) {
                let slot = self.slots[feature as usize];
                if slot != NONE {
                    let (class, weight) = (self.selection.targets[row as usize], self.weights[row as usize]);
                    values[slot as usize].push(Value { value, class, weight });
                }
            }
        }
        looked_at.iter().for_each(|&feature| self.slots[feature as usize] = NONE);
        let mut best = Best { feature: NONE, threshold: 0.0, quality };
        for (&feature, values) in looked_at.iter().zip(&mut values) {
            values.sort_by(|a, b| a.value.total_cmp(&b.value));
            let least = self.min_samples_leaf;
            Sides::new(totals, rows.len()).pass(values, least, |threshold, quality| {
                if quality > best.quality {
                    best = Best { feature, threshold, quality };
                }
            });
        }
        (best.feature != NONE).then_some(best)
    }
}

/// Both sides of a split while values pass from the right to the left, lowest first.
struct Sides {
    left: Vec<f64>,
    right: Vec<f64>,
    /// Weight, and sum of the squares of the classes' weights.
    left_sums: (f64, f64),
    right_sums: (f64, f64),
    left_rows: usize,
    rows: usize,
}

impl Sides {
    fn new(totals: &[f64], rows: usize) -> Self {
        let squares = totals.iter().map(|of_class| of_class * of_class).sum();
        Sides {
            left: vec![0.0; totals.len()],
            right: totals.to_vec(),
            left_sums: (0.0, 0.0),
            right_sums: (totals.iter().sum(), squares),
            left_rows: 0,
            rows,
        }
    }

    /// Hands each split that leaves `least` rows on both sides to `found`, with its quality `Σ_side Σ_k w_k² / w`: the
    /// greater, the less the weighted Gini impurity `Σ_side w (1 - Σ_k (w_k / w)²)`.
    fn pass(mut self, values: &[Value], least: usize, mut found: impl FnMut(f64, f64)) {
        let zeros = self.rows - values.len();
        let below = values.iter().take_while(|value| value.value < 0.0).count();
        let mut zero_weights = self.right.clone();
        values.iter().for_each(|value| zero_weights[value.class as usize] -= value.weight);
        let mut before = None;
        for (place, value) in values.iter().enumerate() {
            if place == below && zeros > 0 {
                self.split(before, 0.0, least, &mut found);
                self.shift_zeros(&zero_weights, zeros);
                before = Some(0.0);
            }
            self.split(before, value.value, least, &mut found);
            self.shift(value.class as usize, value.weight, 1);
            before = Some(value.value);
        }
        if below == values.len() && zeros > 0 {
            self.split(before, 0.0, least, &mut found);
        }
    }

    fn split(&self, before: Option<f64>, value: f64, least: usize, found: &mut impl FnMut(f64, f64)) {
        let Some(before) = before else { return };
        // As 32-bit floats hold it: the artifact's threshold sends the same rows to the same side.
        let threshold = f64::from(((before + value) / 2.0) as f32);
        let between = before <= threshold && threshold < value;
        if between && self.left_rows >= least && self.rows - self.left_rows >= least {
            let quality = self.left_sums.1 / self.left_sums.0 + self.right_sums.1 / self.right_sums.0;
            found(threshold, quality);
        }
    }

    fn shift_zeros(&mut self, weights: &[f64], rows: usize) {
        for (class, &weight) in weights.iter().enumerate() {
            // Below 0 by rounding alone.
            self.shift(class, weight.max(0.0), 0);
        }
        self.left_rows += rows;
    }

    fn shift(&mut self, class: usize, weight: f64, rows: usize) {
        let (left, right) = (&mut self.left[class], &mut self.right[class]);
        self.left_sums.0 += weight;
        self.left_sums.1 += weight * (2.0 * *left + weight);
        self.right_sums.0 -= weight;
        self.right_sums.1 -= weight * (2.0 * *right - weight);
        *left += weight;
        *right -= weight;
        self.left_rows += rows;
    }
}
