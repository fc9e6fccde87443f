//! Fisher's exact test of two shares.

/// Probabilities this much above the observed one count as equal to it (rounding).
const EQUAL: f64 = 1.0 + 1e-7;

/// Two-sided: `a` of `n` against `b` of `m`. The probability, with the margins as they are, of a table that is as improbable
/// as this one or more so; 1 where either is empty.
pub fn fisher(a: u64, n: u64, b: u64, m: u64) -> f64 {
    if n == 0 || m == 0 {
        return 1.0;
    }
    let hits = a + b;
    let (least, most) = (hits.saturating_sub(m), hits.min(n));
    let choose = |n: u64, k: u64| {
        let gamma = |x: u64| libm::lgamma(x as f64 + 1.0);
        gamma(n) - gamma(k) - gamma(n - k)
    };
    let whole = choose(n + m, hits);
    let probability = |k: u64| (choose(n, k) + choose(m, hits - k) - whole).exp();
    let observed = probability(a) * EQUAL;
    (least..=most).map(probability).filter(|&p| p <= observed).sum::<f64>().min(1.0)
}
