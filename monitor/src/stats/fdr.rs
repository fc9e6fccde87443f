//! Thousands of tests at once.

/// Each p-value adjusted for all of them (Benjamini & Hochberg 1995): of those at or under `q`, the share of false ones is
/// expected to be `q` at most, and where nothing moved at all the chance of even one is `q` at most.
pub fn adjusted(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[b].total_cmp(&p_values[a]));
    let (mut adjusted, mut least) = (vec![1.0; p_values.len()], 1.0f64);
    for (place, &test) in order.iter().enumerate() {
        let rank = p_values.len() - place;
        least = least.min(p_values[test] * p_values.len() as f64 / rank as f64);
        adjusted[test] = least;
    }
    adjusted
}
