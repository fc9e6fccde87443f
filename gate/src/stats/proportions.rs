//! Score intervals: of a share (Wilson 1927), and of the difference of two (Newcombe 1998, method 10).

/// The 97.5 % quantile of the normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval of `right` of `rows`; `(0, 1)` of no rows.
pub fn wilson(right: u64, rows: u64) -> (f64, f64) {
    if rows == 0 {
        return (0.0, 1.0);
    }
    let (n, share) = (rows as f64, right as f64 / rows as f64);
    let middle = share + Z * Z / (2.0 * n);
    let spread = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (((middle - spread) / whole).max(0.0), ((middle + spread) / whole).min(1.0))
}

/// 95 % interval of `a/n - b/m`, the two independent.
pub fn newcombe((a, n): (u64, u64), (b, m): (u64, u64)) -> (f64, f64) {
    let share = |right: u64, rows: u64| if rows == 0 { 0.0 } else { right as f64 / rows as f64 };
    let ((p, q), (lp, up), (lq, uq)) = ((share(a, n), share(b, m)), wilson(a, n), wilson(b, m));
    let difference = p - q;
    (
        difference - ((p - lp).powi(2) + (uq - q).powi(2)).sqrt(),
        difference + ((up - p).powi(2) + (q - lq).powi(2)).sqrt(),
    )
}
