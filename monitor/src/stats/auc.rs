//! The area under a ROC curve and its variance (DeLong, DeLong & Clarke-Pearson 1988), by ranks.

/// The area and what chance does to it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Auc {
    /// Share of the pairs of one positive and one negative in which the positive scores higher, ties a half.
    pub area: f64,
    /// Of the area.
    pub variance: f64,
}

/// None where either side has fewer than two scores.
pub fn delong(positive: &[f64], negative: &[f64]) -> Option<Auc> {
    let (m, n) = (positive.len(), negative.len());
    if m < 2 || n < 2 {
        return None;
    }
    let pooled: Vec<f64> = positive.iter().chain(negative).copied().collect();
    let all = midranks(&pooled);
    let own = [midranks(positive), midranks(negative)];
    // Of each score, the share of the other side that it beats.
    let of_positive: Vec<f64> = all[..m].iter().zip(&own[0]).map(|(all, own)| (all - own) / n as f64).collect();
    let of_negative: Vec<f64> = all[m..].iter().zip(&own[1]).map(|(all, own)| 1.0 - (all - own) / m as f64).collect();
    let area = of_positive.iter().sum::<f64>() / m as f64;
    Some(Auc { area, variance: variance(&of_positive) / m as f64 + variance(&of_negative) / n as f64 })
}

fn variance(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (values.len() - 1) as f64
}

/// From 1; of equal values the mean of theirs.
fn midranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0;
    for ties in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let rank = before as f64 + (ties.len() as f64 + 1.0) / 2.0;
        ties.iter().for_each(|&place| ranks[place] = rank);
        before += ties.len();
    }
    ranks
}
