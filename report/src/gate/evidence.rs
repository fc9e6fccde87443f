//! Figures beside the verdicts: slices, bias, counterfactuals, business.

use serde::{Deserialize, Serialize};

/// A figure and its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// One part of the test channel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SliceFigures {
    /// A column of the test channel, or `length`, `language`, `negation`, `unknown_words`.
    pub column: String,
    /// Whether the column was made from the text.
    pub automatic: bool,
    /// Its value here.
    pub value: String,
    /// Documents.
    pub rows: u64,
    /// Share predicted right, Clopper-Pearson.
    pub accuracy: Estimate,
    /// Mean F1 over the classes.
    pub macro_f1: f64,
    /// Mean log loss, nats.
    pub log_loss: f64,
    /// Accuracy in the slice less accuracy outside of it, Newcombe's interval; none where nothing is outside.
    pub difference: Option<Estimate>,
    /// Fisher's exact test of that difference, adjusted by Holm over all slices.
    pub adjusted_p: Option<f64>,
}

/// The groups of one column.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasColumn {
    /// The class that is asked about: the favourable one, else each in turn against the rest.
    #[serde(default)]
    pub class: String,
    /// The column.
    pub column: String,
    /// Whether it was made from the text.
    pub automatic: bool,
    /// Greatest less smallest rate of predictions as the class, over the groups of ten documents or more.
    pub demographic_parity_difference: f64,
    /// Greatest less smallest recall of the class, over the groups with ten such documents or more; none where fewer
    /// than two have.
    pub equal_opportunity_difference: Option<f64>,
    /// Smallest rate over the greatest; 1 is even. None where nobody is predicted so.
    pub disparate_impact: Option<f64>,
    /// One a group.
    pub groups: Vec<BiasFigures>,
}

impl BiasColumn {
    /// The one whose groups differ most by how often its class is predicted; none of none.
    pub fn most_apart(columns: &[Self]) -> Option<&Self> {
        columns.iter().max_by(|a, b| a.demographic_parity_difference.total_cmp(&b.demographic_parity_difference))
    }
}

/// One group against all others.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct BiasFigures {
    /// The group.
    pub value: String,
    /// Its documents.
    pub rows: u64,
    /// Share of them that is predicted as the class.
    pub rate: f64,
    /// Rate of the others less this one's (Clarify's DPPL), Newcombe's interval.
    pub parity: Estimate,
    /// This rate over the others' (Clarify's DI); none where theirs is 0.
    pub impact: Option<f64>,
    /// Recall of the others less this one's (Clarify's RD); none where either has no document of the class.
    pub opportunity: Option<Estimate>,
    /// Fisher's exact test of `parity`, adjusted by Holm over all tests of the report.
    pub parity_p: f64,
    /// The same of `opportunity`.
    pub opportunity_p: Option<f64>,
}

/// Texts with identity terms, told once more with another term in their place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterfactual {
    /// Documents with such a term.
    pub rows: u64,
    /// Of them, those whose predicted class changes with any swap.
    pub changed: u64,
    /// `changed / rows`, Clopper-Pearson; none of no rows.
    pub share: Option<Estimate>,
    /// A pair of terms each.
    pub swaps: Vec<SwapFigures>,
}

/// One term put in another's place.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SwapFigures {
    /// What stood there.
    pub from: String,
    /// What was put there.
    pub to: String,
    /// Documents it was done in.
    pub rows: u64,
    /// Of them, those whose predicted class changed.
    pub changed: u64,
    /// Mean change of the favourable class's probability (the last class's where there is none).
    pub mean_change: f64,
}

/// What predictions cost, in money.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Business {
    /// `EUR`
    pub currency: String,
    /// Documents a month.
    pub documents_a_month: f64,
    /// Cost of a document, bootstrap.
    pub cost: Estimate,
    /// The same of always answering the most frequent class of the training data.
    pub majority_cost: f64,
    /// That class.
    pub majority_class: String,
    /// The champion's, on the same documents.
    pub champion_cost: Option<f64>,
    /// Saved a month against the majority class, before the endpoint's price.
    pub saving_against_majority: f64,
    /// Saved a month against the champion; below 0 it costs more. Paired bootstrap.
    pub saving_against_champion: Option<Estimate>,
    /// Price of the endpoint a month; none where none is set.
    pub endpoint_price: Option<f64>,
    /// The day that price was looked up, as the settings say.
    pub priced_on: Option<String>,
    /// Documents a month from which on the endpoint pays for itself; none where it never does or has no price.
    pub break_even_documents: Option<f64>,
    /// Of two classes.
    pub threshold: Option<Threshold>,
}

/// Where to draw the line so that costs are least.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Threshold {
    /// The class that is predicted from there on.
    pub class: String,
    /// From the costs alone (Elkan 2001): right where probabilities are calibrated; no document was looked at for it.
    pub value: f64,
    /// Cost of a document with it, on the test channel.
    pub cost: f64,
    /// The threshold with the least cost on the test channel, chosen by looking at it: for comparison only.
    pub best: f64,
    /// Cost with that one.
    pub best_cost: f64,
    /// Whether the package bears it, so that the endpoint will use it.
    pub deployed: bool,
}
