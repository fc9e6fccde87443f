//! How far two mixes of shares are apart, as people are used to hear it.

/// Added to a share that is none, so that its logarithm is a number.
const LEAST: f64 = 1e-4;

/// Total variation, in `[0, 1]`: the largest difference of any set of categories' share. Pairs of shares.
pub fn total_variation(shares: impl IntoIterator<Item = (f64, f64)>) -> f64 {
    shares.into_iter().map(|(p, q)| (p - q).abs()).sum::<f64>() / 2.0
}

/// Population stability index, `Σ (q - p) ln(q / p)`; pairs of shares (baseline, window). Customarily under 0.1 is calm and
/// over 0.25 is a shift.
pub fn psi(shares: &[(f64, f64)]) -> f64 {
    shares.iter().map(|&(p, q)| (p.max(LEAST), q.max(LEAST))).map(|(p, q)| (q - p) * (q / p).ln()).sum()
}

/// Jensen-Shannon divergence, bits: 0 of equal mixes, 1 of mixes without a common bin.
pub fn jensen_shannon(shares: &[(f64, f64)]) -> f64 {
    let part = |p: f64, mean: f64| if p > 0.0 { p * (p / mean).log2() } else { 0.0 };
    let both = |&(p, q): &(f64, f64)| (part(p, (p + q) / 2.0) + part(q, (p + q) / 2.0)) / 2.0;
    shares.iter().map(both).sum::<f64>().clamp(0.0, 1.0)
}
