//! What the rules have in common.

use serde::Deserialize;

/// What too little evidence comes to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OnInsufficient {
    /// It is said, and the gate may pass.
    Warn,
    /// The gate does not pass.
    #[default]
    Fail,
}

impl OnInsufficient {
    /// As the settings spell it.
    pub fn word(self) -> &'static str {
        match self {
            OnInsufficient::Warn => "warn",
            OnInsufficient::Fail => "fail",
        }
    }
}
