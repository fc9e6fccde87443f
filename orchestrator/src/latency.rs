//! How long a live endpoint takes to answer, measured from here.

use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use crate::{endpoint, error::Result, stages::Context};

/// Milliseconds of so many calls, one after the other, each with one document.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Latency {
    /// Calls.
    pub calls: u64,
    /// Half of them took no longer.
    pub p50_ms: f64,
    /// All but one in a hundred took no longer.
    pub p99_ms: f64,
}

impl Latency {
    /// Of times in any order; none of no times.
    pub fn of(mut took: Vec<Duration>) -> Option<Latency> {
        took.sort();
        let at = |share: f64| {
            let place = ((took.len() as f64 * share).ceil() as usize).clamp(1, took.len().max(1)) - 1;
            took.get(place).map(|took| (took.as_secs_f64() * 1e6).round() / 1e3)
        };
        Some(Latency { calls: took.len() as u64, p50_ms: at(0.5)?, p99_ms: at(0.99)? })
    }
}

/// Asks for the texts in turn, `calls` times.
pub async fn measure(context: &Context, name: &str, texts: &[&str], calls: u32) -> Result<Option<Latency>> {
    let mut took = Vec::new();
    for text in texts.iter().cycle().take(calls as usize) {
        let start = Instant::now();
        endpoint::check(context, name, &[text]).await?;
        took.push(start.elapsed());
    }
    Ok(Latency::of(took))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_times_that_were() {
        assert_eq!(Latency::of(vec![]), None);
        let took = (1..=200).rev().map(Duration::from_millis).collect();
        assert_eq!(Latency::of(took), Some(Latency { calls: 200, p50_ms: 100.0, p99_ms: 198.0 }));
        let one = Latency::of(vec![Duration::from_millis(3)]).unwrap();
        assert_eq!((one.p50_ms, one.p99_ms), (3.0, 3.0));
    }
}
