//! What the gate found: verdicts with their evidence, slices, bias, counterfactuals, business value: `gate.json`.

mod evidence;
mod html;
mod markdown;

pub use evidence::{BiasColumn, BiasFigures, Business, Counterfactual, Estimate, SliceFigures, SwapFigures, Threshold};
pub use html::html;
pub use markdown::markdown;

use serde::{Deserialize, Serialize};

/// The value of [`GateReport::format`].
pub const FORMAT: &str = "sagebrush.gate/1";

/// `gate.json`, what the stage `evaluate` leaves beside the evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct GateReport {
    /// Always [`FORMAT`].
    pub format: String,
    /// The training job whose artifact was judged.
    pub job: String,
    /// Documents of the test channel.
    pub rows: u64,
    /// Whether every rule is content.
    pub passed: bool,
    /// `warn` or `fail`: what too little evidence comes to.
    pub on_insufficient: String,
    /// What it was compared with; none where nothing was deployed or approved before.
    pub champion: Option<Champion>,
    /// One a rule, in the order of the settings.
    pub verdicts: Vec<Verdict>,
    /// Parts of the test channel.
    pub slices: Vec<SliceFigures>,
    /// The class that is good to be predicted as; none where each class is asked about against the rest.
    pub favourable: Option<String>,
    /// Differences between groups, a column and class each; the classes of a column follow each other.
    pub bias: Vec<BiasColumn>,
    /// What swapping identity terms does; none where none are set.
    pub counterfactual: Option<Counterfactual>,
    /// What it is worth; none where no costs are set.
    pub business: Option<Business>,
    /// What could not be done, and why.
    pub notes: Vec<String>,
}

/// The artifact that the new one is held against, on the same documents.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Champion {
    /// Its model package.
    pub package: String,
    /// The training job it came from, where the registry says so.
    pub job: Option<String>,
    /// Its accuracy on these documents.
    pub accuracy: f64,
    /// Documents that only the new one predicts right.
    pub won: u64,
    /// Documents that only the champion predicts right.
    pub lost: u64,
    /// Exact McNemar test, two-sided.
    pub p_value: f64,
    /// Accuracy of the new one less the champion's: paired bootstrap.
    pub difference: Estimate,
    /// Documents that the champion was trained on; none where that is not known.
    #[serde(default)]
    pub seen_rows: Option<u64>,
}

/// What a rule came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Judgement {
    /// It holds.
    Passed,
    /// It does not.
    Failed,
    /// The documents are too few to say.
    Insufficient,
    /// It needs a champion, and there is none.
    NotApplicable,
}

impl Judgement {
    /// As a reader sees it.
    pub fn word(self) -> &'static str {
        match self {
            Judgement::Passed => "passed",
            Judgement::Failed => "failed",
            Judgement::Insufficient => "too little evidence",
            Judgement::NotApplicable => "nothing to compare with",
        }
    }
}

/// One rule and what was found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Verdict {
    /// The rule in words: `lower(accuracy) > 0.8`.
    pub rule: String,
    /// What it came to.
    pub judgement: Judgement,
    /// The figure, or its difference from the champion's; none where it could not be measured.
    pub value: Option<f64>,
    /// What it was held against.
    pub bound: f64,
    /// Where the true figure lies, where that is known.
    pub interval: Option<(f64, f64)>,
    /// Confidence of the interval, two-sided.
    pub level: f64,
    /// Of a test.
    pub p_value: Option<f64>,
    /// Documents that the figure rests on.
    pub n: u64,
    /// How interval or test were made.
    pub method: String,
    /// What would change the verdict.
    pub change: String,
}

impl GateReport {
    /// What it came to, in a line.
    pub fn headline(&self) -> String {
        let of = |judgement| self.verdicts.iter().filter(|verdict| verdict.judgement == judgement).count();
        let mut said = vec![format!("{} of {} rules hold", of(Judgement::Passed), self.verdicts.len())];
        for (judgement, words) in [
            (Judgement::Failed, "do not"),
            (Judgement::Insufficient, "have too little evidence"),
            (Judgement::NotApplicable, "have nothing to compare with"),
        ] {
            if of(judgement) > 0 {
                said.push(format!("{} {words}", of(judgement)));
            }
        }
        said.join(", ")
    }
}
