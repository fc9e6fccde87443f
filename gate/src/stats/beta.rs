//! The regularised incomplete beta function, in which binomial tails are told.

/// Continued fraction's relative accuracy.
const ACCURACY: f64 = 1e-15;
/// It takes about `√max(a, b)` steps; this is enough for 10⁹ documents.
const STEPS: usize = 200_000;
/// Stands for 0 in a denominator (Lentz's method).
const TINY: f64 = 1e-300;

/// `Iₓ(a, b)` for `a, b > 0` and `0 ≤ x ≤ 1`: the probability that a beta variable is at most `x`. By Lentz's method on the
/// continued fraction (Abramowitz & Stegun 26.5.8).
pub fn incomplete_beta(a: f64, b: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 0.0;
    }
    if x >= 1.0 {
        return 1.0;
    }
    let front = a * x.ln() + b * (-x).ln_1p() + libm::lgamma(a + b) - libm::lgamma(a) - libm::lgamma(b);
    // The fraction converges fast below the mean; above it the other tail does.
    if x < (a + 1.0) / (a + b + 2.0) {
        (front.exp() * fraction(a, b, x) / a).min(1.0)
    } else {
        (1.0 - front.exp() * fraction(b, a, 1.0 - x) / b).max(0.0)
    }
}

fn fraction(a: f64, b: f64, x: f64) -> f64 {
    let kept = |value: f64| if value.abs() < TINY { TINY } else { value };
    let mut c = 1.0;
    let mut d = 1.0 / kept(1.0 - (a + b) * x / (a + 1.0));
    let mut result = d;
    for step in 1..=STEPS {
        let m = step as f64;
        let even = m * (b - m) * x / ((a + 2.0 * m - 1.0) * (a + 2.0 * m));
        d = 1.0 / kept(1.0 + even * d);
        c = kept(1.0 + even / c);
        result *= d * c;
        let odd = -(a + m) * (a + b + m) * x / ((a + 2.0 * m) * (a + 2.0 * m + 1.0));
        d = 1.0 / kept(1.0 + odd * d);
        c = kept(1.0 + odd / c);
        result *= d * c;
        if (d * c - 1.0).abs() < ACCURACY {
            break;
        }
    }
    result
}
