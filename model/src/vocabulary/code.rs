//! How a gram and the unit after it lead to where the longer gram must stand: a bucket, and the rest that tells it from
//! the others there.
//!
//! Both together are one number, `gram · units + unit`, of so many bits. It is scrambled so that buckets fill evenly; what
//! was scrambled can be undone, so that bucket and rest say everything, and nothing else of the gram is kept.

/// An odd number whose multiples spread (2^64 divided by the golden ratio).
const ODD: u64 = 0x9E37_79B9_7F4A_7C15;
/// Its inverse modulo 2^64.
const INVERSE: u64 = {
    // Each step doubles the bits that are right, from three.
    let (mut inverse, mut step) = (ODD, 0);
    while step < 5 {
        inverse = inverse.wrapping_mul(2u64.wrapping_sub(ODD.wrapping_mul(inverse)));
        step += 1;
    }
    inverse
};
/// Grams that a bucket holds at most, on average.
const BUCKET: usize = 8;
/// Bits of the longest rest.
const LONGEST_REST: u32 = 32;

/// The numbers of grams that are a unit longer than those of a level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Code {
    prefixes: u64,
    units: u64,
    /// Bits of all numbers.
    bits: u32,
    /// Bits of them that are the rest.
    rest: u32,
}

impl Code {
    /// For `grams` grams.
    pub(super) fn for_grams(prefixes: usize, units: usize, grams: usize) -> Option<Self> {
        let buckets = grams.div_ceil(BUCKET).next_power_of_two();
        let least = Self::bits(prefixes, units).saturating_sub(LONGEST_REST);
        Self::with_buckets(prefixes, units, buckets.max(1 << least.min(31)))
    }

    /// With so many buckets, where that is possible: a power of two.
    pub(super) fn with_buckets(prefixes: usize, units: usize, buckets: usize) -> Option<Self> {
        let bits = Self::bits(prefixes, units);
        let rest = bits.checked_sub(buckets.trailing_zeros())?;
        let (prefixes, units) = (u32::try_from(prefixes).ok()?.into(), u32::try_from(units).ok()?.into());
        (buckets.is_power_of_two() && rest <= LONGEST_REST).then_some(Self { prefixes, units, bits, rest })
    }

    /// Bits of `prefixes · units`; at least four.
    fn bits(prefixes: usize, units: usize) -> u32 {
        u64::BITS - (prefixes as u64).saturating_mul(units as u64).max(8).leading_zeros()
    }

    /// How many buckets there are.
    pub(super) fn buckets(self) -> usize {
        1 << (self.bits - self.rest)
    }

    /// Whether the rest takes four bytes rather than two.
    pub(super) fn wide(self) -> bool {
        self.rest > u16::BITS
    }

    /// Bucket and rest. Whatever is given, the bucket is one of these.
    #[inline(always)]
    pub(super) fn of(self, gram: u32, unit: u32) -> (usize, u32) {
        let (mask, half) = (self.mask(), self.bits.div_ceil(2));
        let number = u64::from(gram).wrapping_mul(self.units).wrapping_add(unit.into());
        let mixed = number.wrapping_mul(ODD) & mask;
        let mixed = (mixed ^ mixed >> half).wrapping_mul(ODD) & mask;
        ((mixed >> self.rest) as usize, (mixed & ((1 << self.rest) - 1)) as u32)
    }

    /// Gram and unit, where there are such.
    pub(super) fn undo(self, bucket: usize, rest: u32) -> Option<(usize, usize)> {
        let number = self.number(bucket, rest)?;
        Some(((number / self.units) as usize, (number % self.units) as usize))
    }

    /// Whether bucket and rest are those of a gram and a unit that there are.
    pub(super) fn known(self, bucket: usize, rest: u32) -> bool {
        self.number(bucket, rest).is_some()
    }

    fn number(self, bucket: usize, rest: u32) -> Option<u64> {
        let (mask, half) = (self.mask(), self.bits.div_ceil(2));
        let mixed = ((bucket as u64) << self.rest | u64::from(rest)).wrapping_mul(INVERSE) & mask;
        let number = (mixed ^ mixed >> half).wrapping_mul(INVERSE) & mask;
        (u64::from(rest) >> self.rest == 0 && number < self.prefixes * self.units).then_some(number)
    }

    #[inline(always)]
    fn mask(self) -> u64 {
        u64::MAX >> (u64::BITS - self.bits)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_scrambled_is_undone(
            prefixes in prop_oneof![1usize..20, 1usize..10_000_000],
            units in prop_oneof![1usize..20, 1usize..1_000_000],
            grams in prop_oneof![0usize..100, 0usize..10_000_000],
            at: (prop::sample::Index, prop::sample::Index),
        ) {
            let grams = grams.min(prefixes * units);
            let code = Code::for_grams(prefixes, units, grams).unwrap();
            prop_assert_eq!(Code::with_buckets(prefixes, units, code.buckets()), Some(code));
            prop_assert!(code.buckets() <= (grams / 4).max(1).next_power_of_two().max(1 << 13), "{}", code.buckets());
            let (gram, unit) = (at.0.index(prefixes), at.1.index(units));
            let (bucket, rest) = code.of(gram as u32, unit as u32);
            prop_assert!(bucket < code.buckets());
            prop_assert_eq!(code.undo(bucket, rest), Some((gram, unit)));
            prop_assert!(code.of(u32::MAX, u32::MAX).0 < code.buckets());
        }

        /// Any bucket and rest is of one gram and unit, or of none.
        #[test]
        fn nothing_is_of_two(prefixes in 1usize..40, units in 1usize..40, grams in 0usize..100) {
            let code = Code::for_grams(prefixes, units, grams.min(prefixes * units)).unwrap();
            let mut found: Vec<(usize, usize)> =
                (0..code.buckets()).flat_map(|b| (0..1u32 << code.rest).filter_map(move |r| code.undo(b, r))).collect();
            found.sort_unstable();
            let all: Vec<(usize, usize)> = (0..prefixes).flat_map(|p| (0..units).map(move |u| (p, u))).collect();
            prop_assert_eq!(found, all);
            prop_assert!(!code.known(0, u32::MAX));
        }
    }
}
