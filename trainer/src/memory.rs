//! What memory a fit may take where `max_memory` does not say.

use std::fs;
use std::path::Path;

/// The share of what there is that is taken.
const SHARE: f64 = 0.8;

/// Where groups' limits are mounted.
const GROUPS: &str = "/sys/fs/cgroup";

/// Bytes: a share of the limit of the process's groups or of the host's free memory, whichever is less; none where neither is told.
pub fn allowed() -> Option<u64> {
    let read = |path: &Path| fs::read_to_string(path).ok();
    let limit = limit(&read(Path::new("/proc/self/cgroup")).unwrap_or_default(), read);
    let available = fs::read_to_string("/proc/meminfo").ok().and_then(|text| available(&text));
    let least = match (limit, available) {
        (Some(limit), Some(available)) => limit.min(available),
        (limit, available) => limit.or(available)?,
    };
    Some((least as f64 * SHARE) as u64)
}

/// The least limit of the groups that `/proc/self/cgroup` names (of version 2, or the memory's of version 1) and of those above
/// them; a container sees its own as the topmost.
fn limit(groups: &str, read: impl Fn(&Path) -> Option<String>) -> Option<u64> {
    let of_line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        let (controllers, group) = (fields.next()?, fields.next()?);
        let (mount, file) = match controllers {
            "" => (GROUPS.to_owned(), "memory.max"),
            list if list.split(',').any(|one| one == "memory") => (format!("{GROUPS}/memory"), "memory.limit_in_bytes"),
            _ => return None,
        };
        let own = Path::new(&mount).join(group.trim_start_matches('/'));
        let above = own.ancestors().take_while(|folder| folder.starts_with(&mount));
        above.filter_map(|folder| read(&folder.join(file))?.trim().parse::<u64>().ok()).min()
    };
    groups.lines().filter_map(of_line).min()
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

    #[test]
    fn the_least_limit_of_all_groups() {
        let files = [
            ("/sys/fs/cgroup/memory/memory.limit_in_bytes", "9000\n"),
            ("/sys/fs/cgroup/memory/jobs/memory.limit_in_bytes", "700\n"),
            ("/sys/fs/cgroup/memory/jobs/one/memory.limit_in_bytes", "8000\n"),
            ("/sys/fs/cgroup/memory.max", "max\n"),
            ("/sys/fs/cgroup/jobs/memory.max", "600\n"),
        ];
        let read = |path: &Path| {
            files.iter().find(|(name, _)| Path::new(name) == path).map(|(_, content)| (*content).to_owned())
        };
        for (groups, want) in [
            ("5:cpu:/jobs\n4:memory:/jobs/one\n0::/\n", Some(700)),
            ("4:hugetlb,memory:/docker/not-seen-from-here\n", Some(9000)),
            ("0::/jobs/one\n", Some(600)),
            ("0::/\n", None),
            ("nonsense", None),
        ] {
            assert_eq!(limit(groups, read), want, "{groups}");
        }
    }
}
