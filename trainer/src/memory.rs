//! What memory a fit may take where `max_memory` does not say.

use std::fs;

/// The share of what there is that is taken.
const SHARE: f64 = 0.8;

/// Bytes: a share of the container's limit (cgroup version 2, else 1) or of the host's free memory, whichever is less;
/// none where neither is told.
pub fn allowed() -> Option<u64> {
    let limit = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        .into_iter()
        .find_map(|path| fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let least = match (limit, available) {
        (Some(limit), Some(available)) => limit.min(available),
        (limit, available) => limit.or(available)?,
    };
    Some((least as f64 * SHARE) as u64)
}

/// `MemAvailable` of `/proc/meminfo`, bytes.
fn available(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn free_memory_of_the_host() {
        let meminfo = "MemTotal:       16384 kB\nMemFree:  100 kB\nMemAvailable:    8192 kB\nBuffers: 1 kB\n";
        for (text, want) in [(meminfo, Some(8 << 20)), ("MemTotal: 1 kB\n", None), ("MemAvailable: lots kB", None)] {
            assert_eq!(available(text), want, "{text}");
        }
    }
}
