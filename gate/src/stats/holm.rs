//! Several tests at once (Holm 1979).
//!
//! Holm and not Benjamini-Hochberg: slices overlap, so the tests depend on each other in any way, which Holm allows; and what
//! is reported is read as an accusation, so the chance of even one false one in the report is kept at the level.

/// Adjusted p-values, in the order of `p_values`: below the level exactly where Holm's procedure rejects.
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let (mut adjusted, mut greatest) = (vec![0.0; p_values.len()], 0.0f64);
    for (place, &test) in order.iter().enumerate() {
        greatest = greatest.max((p_values[test] * (p_values.len() - place) as f64).min(1.0));
        adjusted[test] = greatest;
    }
    adjusted
}
