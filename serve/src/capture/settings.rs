//! What is captured, and where to.

use super::redact::{Pattern, Redaction, RedactionKinds};
use std::path::PathBuf;
use std::time::Duration;

/// The settings of capture on the command line.
#[derive(Debug, Clone, clap::Args)]
pub struct CaptureArgs {
    /// Capture requests and answers below this folder, in SageMaker's data-capture format; without it nothing is captured
    #[arg(long, value_name = "DIR", env = "SAGEBRUSH_CAPTURE_DIR")]
    capture_dir: Option<PathBuf>,
    /// Of a hundred requests so many are captured
    #[arg(long, value_name = "PERCENT", env = "SAGEBRUSH_CAPTURE_PERCENT", default_value_t = 100, value_parser = clap::value_parser!(u8).range(0..=100))]
    capture_percent: u8,
    /// Personal data to leave out before anything is written: card_number, e_mail, iban, or all
    #[arg(
        long,
        value_name = "KIND,…",
        env = "SAGEBRUSH_CAPTURE_REDACT",
        default_value = "",
        hide_default_value = true
    )]
    capture_redact: RedactionKinds,
    /// A regular expression; what it matches in a text is left out too
    #[arg(long, value_name = "REGEX", env = "SAGEBRUSH_CAPTURE_REDACT_PATTERN")]
    capture_redact_pattern: Option<Pattern>,
    /// Longest body and answer together that are captured
    #[arg(long, value_name = "BYTES", env = "SAGEBRUSH_CAPTURE_RECORD_BYTES", default_value_t = RECORD_BYTES, value_parser = parse_record_bytes)]
    capture_record_bytes: usize,
    /// Bytes of all captures together; above it the oldest files are removed
    #[arg(long, value_name = "BYTES", env = "SAGEBRUSH_CAPTURE_DISK_BYTES", default_value_t = DISK_BYTES, value_parser = clap::value_parser!(u64).range(64 << 20..))]
    capture_disk_bytes: u64,
    /// Longest time until a captured request is in a file
    #[arg(long, value_name = "SECONDS", env = "SAGEBRUSH_CAPTURE_SECONDS", default_value_t = SECONDS, value_parser = clap::value_parser!(u64).range(1..=3600))]
    capture_seconds: u64,
}

const RECORD_BYTES: usize = 1 << 20;
const DISK_BYTES: u64 = 1 << 30;
const SECONDS: u64 = 60;

/// Longest record that may be asked for: a request at the platform's limit.
const LONGEST_RECORD: usize = 25 << 20;

fn parse_record_bytes(value: &str) -> Result<usize, String> {
    match value.parse() {
        Ok(n @ 1024..=LONGEST_RECORD) => Ok(n),
        _ => Err(format!("expected a whole number from 1024 to {LONGEST_RECORD}")),
    }
}

/// The settings of capture.
#[derive(Debug, Clone)]
pub struct CaptureSettings {
    /// The folder; below it one a year, month, day and hour.
    pub dir: PathBuf,
    /// Of a hundred requests so many are captured.
    pub percent: u8,
    /// What is left out.
    pub redaction: Redaction,
    /// Longest body and answer together.
    pub record_bytes: usize,
    /// Bytes of all files together.
    pub disk_bytes: u64,
    /// Longest time until a request is in a file.
    pub every: Duration,
}

impl CaptureSettings {
    /// All requests, as they are, below this folder.
    pub fn new(dir: PathBuf) -> Self {
        Self {
            dir,
            percent: 100,
            redaction: Redaction::default(),
            record_bytes: RECORD_BYTES,
            disk_bytes: DISK_BYTES,
            every: Duration::from_secs(SECONDS),
        }
    }
}

impl CaptureArgs {
    /// None where nothing is to be captured.
    pub fn settings(&self) -> Option<CaptureSettings> {
        Some(CaptureSettings {
            dir: self.capture_dir.clone().filter(|dir| !dir.as_os_str().is_empty())?,
            percent: self.capture_percent,
            redaction: Redaction::new(self.capture_redact.clone(), self.capture_redact_pattern.clone()),
            record_bytes: self.capture_record_bytes,
            disk_bytes: self.capture_disk_bytes,
            every: Duration::from_secs(self.capture_seconds),
        })
    }
}
