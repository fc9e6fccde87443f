//! Seeded numbers, the same everywhere.

/// A pseudo-random sequence (SplitMix64, Steele, Lea and Flood 2014).
pub struct SplitMix64(u64);

impl SplitMix64 {
    /// The sequence of number `stream` under `seed`; streams do not overlap in practice.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixed = Self(seed ^ stream.wrapping_mul(0xd134_2543_de82_ef95));
        Self(mixed.next())
    }

    /// 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Two numbers below `bound` out of one step; the bias, `bound / 2³²`, does not matter to a bootstrap.
    pub fn two_below(&mut self, bound: u32) -> [usize; 2] {
        let bits = self.next();
        [bits >> 32, bits & 0xffff_ffff].map(|half| ((half * u64::from(bound)) >> 32) as usize)
    }
}
