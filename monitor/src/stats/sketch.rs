//! A sample in bounded room: the values themselves, or evenly spaced order statistics with their weights.

/// Most items of a sketch's widest level (Model Monitor's `k`).
pub const K: u64 = 2048;

/// Values ascending, each with the number of documents it stands for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sketch {
    items: Vec<(f64, u64)>,
}

impl Sketch {
    /// Sketches `values` (any order, finite) through [`levels`]. Its distribution function is off by less than `1/K`.
    pub fn of(values: &[f64]) -> Self {
        Self::from_levels(&levels(values))
    }

    /// What KLL levels say: an item of level `h` stands for `2^h` documents. Values that are no number are left out.
    pub fn from_levels(levels: &[Vec<f64>]) -> Self {
        let mut items: Vec<(f64, u64)> = levels
            .iter()
            .take(u64::BITS as usize / 2)
            .enumerate()
            .flat_map(|(level, values)| values.iter().map(move |&value| (value, 1u64 << level)))
            .filter(|(value, _)| value.is_finite())
            .collect();
        items.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
        Self { items }
    }

    /// Values with how often each came, ascending.
    pub fn from_counts(items: impl Iterator<Item = (f64, u64)>) -> Self {
        Self { items: items.collect() }
    }

    /// Values ascending, with weights.
    pub fn items(&self) -> &[(f64, u64)] {
        &self.items
    }

    /// Documents that the sketch stands for.
    pub fn count(&self) -> u64 {
        self.items.iter().map(|(_, count)| count).sum()
    }

    /// The value below which a share `q` of the documents lies; none of an empty sketch.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let rank = (q * self.count() as f64).floor() as u64;
        let mut seen = 0;
        self.items
            .iter()
            .find(|(_, count)| {
                seen += count;
                seen > rank
            })
            .or(self.items.last())
            .map(|(value, _)| *value)
    }

    /// Documents with a value in `[low, high)`.
    pub fn between(&self, low: f64, high: f64) -> u64 {
        self.items.iter().filter(|(value, _)| *value >= low && *value < high).map(|(_, count)| count).sum()
    }
}

/// KLL levels of `values` (any order).
pub fn levels(values: &[f64]) -> Vec<Vec<f64>> {
    let mut values = values.to_vec();
    values.sort_unstable_by(f64::total_cmp);
    levels_of(&values.into_iter().map(|value| (value, 1)).collect::<Vec<_>>())
}

/// KLL levels of `items`, values ascending with how often each came: all of them at level 0 where they are few, else the
/// middle of each run of `2^h` at level `h`, and what is left over (the greatest) at the levels below.
pub fn levels_of(items: &[(f64, u64)]) -> Vec<Vec<f64>> {
    let all: u64 = items.iter().map(|(_, count)| count).sum();
    let mut level = 0;
    while all >> level > K {
        level += 1;
    }
    let mut levels = vec![Vec::new(); level + 1];
    let (mut start, mut item, mut before) = (0u64, 0, 0u64);
    for h in (0..=level).rev() {
        let run = 1u64 << h;
        while all - start >= run {
            let middle = start + (run - 1) / 2;
            while before + items[item].1 <= middle {
                before += items[item].1;
                item += 1;
            }
            levels[h].push(items[item].0);
            start += run;
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_values_are_kept_whole() {
        let sketch = Sketch::of(&[3.0, 1.0, 2.0, 2.0]);
        assert_eq!(sketch.items(), [(1.0, 1), (2.0, 1), (2.0, 1), (3.0, 1)]);
        assert_eq!(sketch.quantile(0.5), Some(2.0));
        assert_eq!(sketch.between(2.0, 3.0), 2);
    }

    #[test]
    fn many_values_keep_their_count_and_their_ranks() {
        let n = 100_003u32;
        let values: Vec<f64> = (0..n).map(|v| f64::from(v * 7919 % n)).collect();
        let sketch = Sketch::of(&values);
        assert_eq!(sketch.count(), u64::from(n));
        assert!(sketch.items().len() as u64 <= K + 64, "{} items", sketch.items().len());
        let mut seen = 0;
        for (value, count) in sketch.items() {
            let (below, upto) = (seen as f64, (seen + count) as f64);
            let off = (below - value).abs().max((upto - value).abs()) / f64::from(n);
            assert!(off < 1.0 / K as f64, "value {value} stands for ranks {below} to {upto}");
            seen += count;
        }
    }

    #[test]
    fn foreign_levels_do_no_harm() {
        let mut levels = vec![vec![1.0]; 80];
        levels[0] = vec![f64::NAN, f64::INFINITY, 2.0];
        assert_eq!(Sketch::from_levels(&levels).count(), (1u64 << 32) - 1);
        assert_eq!(Sketch::from_levels(&[]).quantile(0.5), None);
    }
}
