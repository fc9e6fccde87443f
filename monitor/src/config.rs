//! What a person asks of the monitor beside its defaults: `monitor.toml`.
//!
//! ```toml
//! texts = false              # whether reports may show texts of requests
//! longest = 20000            # characters of a document above which it counts as too long
//!
//! [[rules]]
//! name = "refunds praised"
//! when = 'share(class "1" among contains "refund") > 20%'
//!
//! [[programs]]               # gets the window's records as JSON Lines on stdin, writes violations as JSON Lines
//! command = ["/opt/ml/processing/config/check", "--strict"]
//! seconds = 60
//! ```

use std::path::Path;

use serde::Deserialize;

use crate::error::{MonitorError, Result};
use crate::rules::{self, Rule};

/// The file, checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// Whether reports may show texts of requests.
    pub texts: bool,
    /// Most characters of a document that is not too long.
    pub longest: u64,
    /// Business rules.
    pub rules: Vec<Rule>,
    /// Programs that look at the records.
    pub programs: Vec<Program>,
}

/// A program that looks at the records.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Program {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// How long it may take.
    #[serde(default = "a_minute")]
    pub seconds: u64,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct File {
    texts: bool,
    longest: Option<u64>,
    rules: Vec<Asked>,
    programs: Vec<Program>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    name: String,
    when: String,
}

fn a_minute() -> u64 {
    60
}

impl Default for Config {
    fn default() -> Self {
        Self { texts: false, longest: 20_000, rules: Vec::new(), programs: Vec::new() }
    }
}

impl Config {
    /// Of a file; the defaults where none is named.
    pub fn read(path: Option<&Path>) -> Result<Self> {
        let Some(path) = path else { return Ok(Self::default()) };
        let text = std::fs::read_to_string(path).map_err(MonitorError::io(path, "is the input mounted there?"))?;
        Self::parse(&text).map_err(|(found, expected)| MonitorError::Data {
            file: path.to_path_buf(),
            line: None,
            found,
            expected,
        })
    }

    fn parse(text: &str) -> std::result::Result<Self, (String, String)> {
        let file: File = toml::from_str(text)
            .map_err(|e| (e.to_string(), "texts, longest, [[rules]] and [[programs]]".to_string()))?;
        let rule = |Asked { name, when }: Asked| match rules::parse(&when) {
            Ok(parsed) => Ok(Rule { name, text: when, when: parsed }),
            Err(refused) => {
                let found = format!("rule `{name}`, at character {}: {}", refused.place, refused.found);
                Err((found, refused.expected))
            }
        };
        if let Some(program) = file.programs.iter().find(|program| program.command.is_empty() || program.seconds == 0) {
            return Err((format!("{program:?}"), "a command of one word at least, and a second at least".into()));
        }
        Ok(Self {
            texts: file.texts,
            longest: file.longest.unwrap_or(Self::default().longest),
            rules: file.rules.into_iter().map(rule).collect::<std::result::Result<_, _>>()?,
            programs: file.programs,
        })
    }
}
