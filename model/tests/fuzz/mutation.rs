//! What can happen to a file.

use model::SplitMix64;

/// Numbers that lengths, offsets and counts go wrong with.
const NUMBERS: [u64; 10] = [0, 1, 2, 255, 1 << 16, (1 << 31) - 1, u32::MAX as u64, 1 << 40, (1 << 63) - 1, u64::MAX];
/// The same in JSON.
const TEXTS: [&str; 8] = ["0", "1", "-1", "65", "4294967295", "18446744073709551615", "1e308", "[]"];

/// Changes `bytes` in one way.
pub fn mutate(bytes: &mut Vec<u8>, random: &mut SplitMix64) {
    if bytes.is_empty() {
        return bytes.push(random.below(256) as u8);
    }
    let at = random.below(bytes.len());
    match random.below(7) {
        0 => bytes[at] ^= 1 << random.below(8),
        1 => bytes.truncate(at),
        2 => bytes.extend((0..random.below(5000)).map(|n| n as u8)),
        3 => overwrite(bytes, at & !3, random, 4),
        4 => overwrite(bytes, at & !7, random, 8),
        5 => number(bytes, at, random),
        _ => {
            let end = (at + 1 + random.below(64)).min(bytes.len());
            let part: Vec<u8> = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            match random.below(2) {
                0 => drop(bytes.drain(at..end)),
                _ => drop(bytes.splice(to..to, part)),
            }
        }
    }
}

/// Another number in the place of the four or eight bytes there.
fn overwrite(bytes: &mut [u8], at: usize, random: &mut SplitMix64, width: usize) {
    let number = NUMBERS[random.below(NUMBERS.len())].to_le_bytes();
    bytes[at..].iter_mut().zip(&number[..width]).for_each(|(byte, new)| *byte = *new);
}

/// Another number in the place of one that is written in digits, the first from `at` on.
fn number(bytes: &mut Vec<u8>, at: usize, random: &mut SplitMix64) {
    let digit = |byte: &u8| byte.is_ascii_digit();
    let Some(start) = bytes.iter().skip(at).position(digit).map(|from| at + from) else { return };
    let end = bytes[start..].iter().position(|byte| !digit(byte)).map_or(bytes.len(), |length| start + length);
    bytes.splice(start..end, TEXTS[random.below(TEXTS.len())].bytes());
}
