//! A logistic regression from labels of which some are wrong.
//!
//! `P(right) = (1 - 2 η) σ(β · x) + η`, where η, the share of wrong labels, is of the kind of case: none of whole
//! documents, unknown of pieces. Both are learned by maximum likelihood (Bootkrajang & Kabán 2012, "label-noise robust
//! logistic regression"; expectation and maximisation, the latter a Newton step).

use super::{COEFFICIENTS, KINDS};

/// Penalty on the squared coefficients, but for the first: hardly any.
const PENALTY: f64 = 0.01;
/// Rounds at most; it moves slowly where the kinds of labels are hard to tell apart.
const ROUNDS: usize = 500;
/// Ends where no coefficient moves by more.
const STILL: f64 = 1e-5;

/// One prediction of a document whose label is known, or of a piece of it.
pub(super) struct Case {
    pub features: [f64; COEFFICIENTS],
    pub right: bool,
    /// 0 for a whole document.
    pub kind: usize,
}

/// Log-odds of being right; none where all cases are alike.
pub(super) fn learn(cases: &[Case]) -> Option<[f64; COEFFICIENTS]> {
    let rights = cases.iter().filter(|case| case.right).count();
    if rights == 0 || rights == cases.len() {
        return None;
    }
    let (mut beta, mut noise) = ([0.0; COEFFICIENTS], [0.1; KINDS]);
    noise[0] = 0.0;
    for _ in 0..ROUNDS {
        let (mut gradient, mut hessian) = ([0.0; COEFFICIENTS], [[0.0; COEFFICIENTS]; COEFFICIENTS]);
        let mut wrong = [(0.0, 0.0); KINDS];
        for Case { features, right, kind } in cases {
            let p = 1.0 / (1.0 + (-dot(features, &beta)).exp());
            let eta = noise[*kind];
            // The chance that it was right, by its own label and not by its document's.
            let (seen, hidden) =
                if *right { ((1.0 - eta) * p, eta * (1.0 - p)) } else { (eta * p, (1.0 - eta) * (1.0 - p)) };
            let truly = seen / (seen + hidden).max(f64::MIN_POSITIVE);
            let (sum, count) = &mut wrong[*kind];
            *sum += if *right { 1.0 - truly } else { truly };
            *count += 1.0;
            for i in 0..COEFFICIENTS {
                gradient[i] += (truly - p) * features[i];
                for j in 0..=i {
                    hessian[i][j] += p * (1.0 - p) * features[i] * features[j];
                }
            }
        }
        for i in 1..COEFFICIENTS {
            gradient[i] -= PENALTY * beta[i];
            hessian[i][i] += PENALTY;
        }
        let step = solve(hessian, gradient)?;
        beta.iter_mut().zip(step).for_each(|(beta, step)| *beta += step);
        for (eta, (sum, count)) in noise.iter_mut().zip(wrong).skip(1) {
            *eta = f64::min(sum / f64::max(count, 1.0), 0.5);
        }
        if step.iter().all(|step| step.abs() < STILL) {
            break;
        }
    }
    beta.iter().all(|b| b.is_finite()).then_some(beta)
}

fn dot(a: &[f64; COEFFICIENTS], b: &[f64; COEFFICIENTS]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// `x` of `A x = b`; of the symmetric `A` the lower half is there (Cholesky); none where it is not positive definite.
fn solve(mut a: [[f64; COEFFICIENTS]; COEFFICIENTS], mut b: [f64; COEFFICIENTS]) -> Option<[f64; COEFFICIENTS]> {
    for i in 0..COEFFICIENTS {
        for j in 0..=i {
            let rest = a[i][j] - (0..j).map(|k| a[i][k] * a[j][k]).sum::<f64>();
            a[i][j] = if i == j { rest.sqrt() } else { rest / a[j][j] };
        }
        if !(a[i][i] > 0.0 && a[i][i].is_finite()) {
            return None;
        }
    }
    for i in 0..COEFFICIENTS {
        b[i] = (b[i] - (0..i).map(|k| a[i][k] * b[k]).sum::<f64>()) / a[i][i];
    }
    for i in (0..COEFFICIENTS).rev() {
        b[i] = (b[i] - (i + 1..COEFFICIENTS).map(|k| a[k][i] * b[k]).sum::<f64>()) / a[i][i];
    }
    Some(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::SplitMix64;

    /// Documents and pieces that are right by one rule, the pieces' labels wrong so often.
    fn cases(wrong: f64) -> Vec<Case> {
        let mut random = SplitMix64::new(7, 0);
        let mut uniform = || random.below(1 << 30) as f64 / f64::from(1 << 30);
        (0..60_000)
            .map(|number| {
                let (z, known) = (4.0 * uniform(), 3.0 * uniform());
                let truly = uniform() < 1.0 / (1.0 + (0.5 - 1.5 * z).exp());
                let kind = number % 2;
                let flipped = kind == 1 && uniform() < wrong;
                Case { features: [1.0, z, known, z * known], right: truly != flipped, kind }
            })
            .collect()
    }

    #[test]
    fn the_rule_is_found_whatever_the_noise() {
        for wrong in [0.0, 0.2, 0.35] {
            let beta = learn(&cases(wrong)).expect("coefficients");
            for (z, known) in [(0.0, 0.0), (1.0, 1.0), (2.0, 2.0), (3.0, 0.5)] {
                let found = 1.0 / (1.0 + (-dot(&beta, &[1.0, z, known, z * known])).exp());
                let want = 1.0 / (1.0 + (0.5_f64 - 1.5 * z).exp());
                assert!((found - want).abs() < 0.03, "{wrong} {z} {known}: {found} instead of {want}");
            }
        }
    }

    #[test]
    fn of_cases_that_are_all_alike_nothing_is_learned() {
        let alike = || (0..100).map(|n| Case { features: [1.0, f64::from(n), 1.0, 1.0], right: true, kind: 0 });
        assert_eq!(learn(&alike().collect::<Vec<_>>()), None);
    }
}
