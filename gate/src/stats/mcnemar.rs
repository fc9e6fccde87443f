//! McNemar's test (1947), exact: two classifiers on the same documents.

use super::incomplete_beta;

/// Documents that only one of the two predicts right.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Discordant {
    /// Right by the new one alone.
    pub won: u64,
    /// Right by the champion alone.
    pub lost: u64,
}

impl Discordant {
    /// One-sided: the probability of at least so many won, were both equally good.
    pub fn better(self) -> f64 {
        let (won, lost) = (self.won as f64, self.lost as f64);
        if self.won == 0 { 1.0 } else { incomplete_beta(won, lost + 1.0, 0.5) }
    }
}

/// Two-sided: twice the smaller tail of a fair coin thrown once a discordant document, at most 1.
pub fn mcnemar(pairs: Discordant) -> f64 {
    let turned = Discordant { won: pairs.lost, lost: pairs.won };
    (2.0 * pairs.better().min(turned.better())).min(1.0)
}
