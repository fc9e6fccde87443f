//! How far scoring is from what memory gives: `reach MODEL_DIR TEXTS.jsonl`, on one thread.
//!
//! The file holds `{"text": …}` a line. One line of JSON comes out: lines of cache that a text's words, pairs and terms lead
//! to (of linear models of words and pairs), nanoseconds a text, and nanoseconds of a random read in as much memory as the
//! artifact takes, where each read waits for the one before and where none does (Linux).

use std::error::Error;
use std::hint::black_box;
use std::path::Path;
use std::time::Instant;

use model::{Artifact, SplitMix64};
use serde::Deserialize;

/// Bytes of a line of cache.
const LINE: usize = 64;
/// Lines that what tells pairs apart leads to, 32 bytes from any even place on.
const RESTS: f64 = 1.0 + 30.0 / 64.0;
const ROUNDS: usize = 40;
const READS: usize = 20_000_000;

#[derive(Deserialize)]
struct Line {
    text: String,
}

fn main() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [dir, texts] = &args[..] else { return Err("usage: reach MODEL_DIR TEXTS.jsonl".into()) };
    let artifact = Artifact::open(Path::new(dir))?;
    artifact.verify()?;
    let file = std::fs::read_to_string(texts)?;
    let texts: Vec<Line> = file.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let (mut words, mut pairs, mut terms) = (0, 0, 0);
    for Line { text } in &texts {
        let mut count = 0;
        artifact.tokens(text, &mut |_| count += 1);
        words += count;
        pairs += usize::saturating_sub(count, 1);
        terms += artifact.explain(text, usize::MAX)?.terms.len();
    }
    let mut text_ns = f64::INFINITY;
    for _ in 0..ROUNDS {
        let start = Instant::now();
        for Line { text } in &texts {
            black_box(artifact.predict(text)?);
        }
        text_ns = text_ns.min(start.elapsed().as_secs_f64() * 1e9 / texts.len() as f64);
    }
    // A word's place, a pair's bucket and rests, a term's numbers.
    let lines = (words as f64 + pairs as f64 * (1.0 + RESTS) + terms as f64) / texts.len() as f64;
    let (waiting, together) = random_reads(artifact.bytes() as usize);
    let [words, pairs, terms] = [words, pairs, terms].map(|count| count as f64 / texts.len() as f64);
    println!(
        r#"{{"words":{words:.1},"pairs":{pairs:.1},"terms":{terms:.1},"lines":{lines:.1},"ns_a_text":{text_ns:.0},"ns_waiting":{waiting:.2},"ns_together":{together:.2}}}"#
    );
    Ok(())
}

/// Nanoseconds of a random read in so many bytes: where each tells the next one's place, and where all places are known.
fn random_reads(bytes: usize) -> (f64, f64) {
    let lines = (bytes / LINE).max(2);
    let mut random = SplitMix64::new(1, 0);
    // One circle through all lines, in random order.
    let mut order: Vec<u32> = (0..lines as u32).collect();
    (1..lines).rev().for_each(|at| order.swap(at, random.below(at + 1)));
    let mut next = vec![[0u32; LINE / 4]; lines];
    (0..lines).for_each(|at| next[order[at] as usize][0] = order[(at + 1) % lines]);
    let (start, mut at) = (Instant::now(), 0);
    for _ in 0..READS {
        at = next[at as usize][0];
    }
    black_box(at);
    let waiting = start.elapsed().as_secs_f64() * 1e9 / READS as f64;
    let (start, mut sum, mut place) = (Instant::now(), 0u32, 1u32);
    for _ in 0..READS {
        place = place.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        sum = sum.wrapping_add(next[((u64::from(place) * lines as u64) >> 32) as usize][0]);
    }
    black_box(sum);
    (waiting, start.elapsed().as_secs_f64() * 1e9 / READS as f64)
}
