//! Several tests at once.

/// The level that each of `p_values` must stay under so that, without any drift, the probability of even one false
/// alarm is at most `family` (Holm 1979): the smallest is held against `family / k`, the next against
/// `family / (k - 1)`, and from the first that does not pass on, none does.
pub fn levels(p_values: &[f64], family: f64) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&a, &b| p_values[a].total_cmp(&p_values[b]));
    let mut levels = vec![0.0; p_values.len()];
    let mut failed = None;
    for (place, &test) in order.iter().enumerate() {
        let level = failed.unwrap_or(family / (p_values.len() - place) as f64);
        levels[test] = level;
        if p_values[test] >= level {
            failed = Some(level);
        }
    }
    levels
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_step_up_until_one_fails() {
        for (p, want) in [
            (vec![0.001, 0.2, 0.004], vec![0.01 / 3.0, 0.01, 0.005]),
            (vec![0.5, 0.004, 0.9], vec![0.01 / 3.0; 3]),
            (vec![], vec![]),
        ] {
            assert_eq!(levels(&p, 0.01), want, "{p:?}");
        }
    }
}
