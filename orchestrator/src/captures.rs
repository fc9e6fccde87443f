//! Captured requests in the bucket: waiting until those just sent have landed.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use jiff::{SignedDuration, Timestamp};

use crate::{bucket, error::Result, settings::Target, stages::Context};

/// The hours' folders from `from` to now, `yyyy/mm/dd/hh/`.
fn hours(from: Timestamp, to: Timestamp) -> Vec<String> {
    let mut hour = from;
    let end = to.strftime("%Y/%m/%d/%H/").to_string();
    let mut folders = Vec::new();
    // Both ends come from clocks of this machine; a clock set back gives one folder, not an endless walk.
    while folders.len() < 24 * 31 {
        let folder = hour.strftime("%Y/%m/%d/%H/").to_string();
        let last = folder >= end;
        folders.push(folder);
        match hour.checked_add(SignedDuration::from_hours(1)) {
            Ok(next) if !last => hour = next,
            _ => break,
        }
    }
    folders
}

/// The longest folder that holds every hour of the window, below the capture's prefix.
pub fn common_folder(from: Timestamp, to: Timestamp) -> String {
    let [a, b] = [from, to].map(|at| at.strftime("%Y/%m/%d/%H/").to_string());
    let shared = a.bytes().zip(b.bytes()).take_while(|(x, y)| x == y).count();
    a[..a[..shared].rfind('/').map_or(0, |at| at + 1)].to_owned()
}

/// Whether anything was captured since `from`.
pub async fn any(context: &Context, prefix: &str, from: Timestamp) -> Result<bool> {
    let (bucket, prefix) = bucket::parse(prefix)?;
    for hour in hours(from, Timestamp::now()) {
        if !bucket::list(&context.aws.s3, bucket, &format!("{prefix}{hour}")).await?.is_empty() {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Waits, not for ever, until the captures of `expected` requests whose inference ids begin with `id` are there.
/// Gives back how many are.
pub async fn wait_for(context: &Context, uri: &str, from: Timestamp, id: &str, expected: u64) -> Result<u64> {
    let patience = match context.settings.target {
        Target::Local => Duration::from_secs(10),
        Target::Aws => Duration::from_secs(300),
    };
    let start = Instant::now();
    let mut progress = context.out.progress();
    let mut seen = BTreeSet::new();
    let mut captured = 0;
    loop {
        captured += count(context, uri, from, id, &mut seen).await?;
        if captured >= expected || start.elapsed() > patience {
            return Ok(captured);
        }
        progress.line(format!("{captured} of {expected} captured requests have landed"));
        context.aws.poll.wait().await;
    }
}

async fn count(context: &Context, uri: &str, from: Timestamp, id: &str, seen: &mut BTreeSet<String>) -> Result<u64> {
    let (bucket, prefix) = bucket::parse(uri)?;
    let needle = format!("\"inferenceId\":\"{id}");
    let mut captured = 0;
    for hour in hours(from, Timestamp::now()) {
        for key in bucket::list(&context.aws.s3, bucket, &format!("{prefix}{hour}")).await? {
            if !seen.insert(key.clone()) {
                continue;
            }
            let Some(bytes) = bucket::get(&context.aws.s3, &bucket::uri(bucket, &key)).await? else { continue };
            captured += String::from_utf8_lossy(&bytes).lines().filter(|line| line.contains(&needle)).count() as u64;
        }
    }
    Ok(captured)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_walked_from_folder_to_folder() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (from, to) = (at("2026-12-31T22:59:59Z"), at("2027-01-01T00:00:01Z"));
        assert_eq!(hours(from, to), ["2026/12/31/22/", "2026/12/31/23/", "2027/01/01/00/"]);
        assert_eq!(hours(to, from), ["2027/01/01/00/"]);
        assert_eq!(common_folder(from, to), "");
        assert_eq!(common_folder(from, at("2026-12-31T23:10:00Z")), "2026/12/31/");
        assert_eq!(common_folder(from, from), "2026/12/31/22/");
        assert_eq!(common_folder(at("2026-01-01T10:00:00Z"), at("2026-01-01T19:00:00Z")), "2026/01/01/");
    }
}
