//! Where a share lies.

/// The normal distribution's quantile of 97.5 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval of a share of `right` among `all`; everything where there is none.
pub fn wilson(right: u64, all: u64) -> (f64, f64) {
    if all == 0 {
        return (0.0, 1.0);
    }
    let (n, p, z2) = (all as f64, right as f64 / all as f64, Z95 * Z95);
    let centre = (p + z2 / (2.0 * n)) / (1.0 + z2 / n);
    let half = Z95 / (1.0 + z2 / n) * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
    ((centre - half).max(0.0), (centre + half).min(1.0))
}
