//! All rules, and everything that stands beside them, as one report.

use report::{
    Evaluation,
    gate::{Champion, Estimate, FORMAT, GateReport, Judgement},
};
use trainer::metrics::accuracy;

use crate::{
    bias::bias,
    business::{BusinessSettings, business},
    counterfactual::counterfactual,
    evidence::Evidence,
    judge::Court,
    rule::Rule,
    settings::OnInsufficient,
    slices,
    stats::{Resampling, mcnemar},
};

/// What is asked of the evidence.
pub struct Asked<'a> {
    /// The training job.
    pub job: &'a str,
    /// The rules, in order.
    pub rules: &'a [Rule],
    /// What too little evidence comes to.
    pub on_insufficient: OnInsufficient,
    /// Confidence of `lower(…)` and `upper(…)`, one-sided.
    pub confidence: f64,
    /// The class that is good to be predicted as; none: of two classes the second, of more each in turn.
    pub favourable: Option<&'a str>,
    /// Terms that mean people, in groups whose terms may stand for each other.
    pub identity_terms: &'a [Vec<String>],
    /// Costs.
    pub business: &'a BusinessSettings,
    /// Of all randomness.
    pub seed: u64,
}

/// Judges. `artifact` is the new one. What of the settings does not fit the data is the error.
pub fn judge(
    evidence: &Evidence,
    evaluation: &Evaluation,
    artifact: &model::Artifact,
    asked: &Asked<'_>,
) -> Result<GateReport, String> {
    let Evidence { classes, outcomes, .. } = evidence;
    let mut notes = evidence.notes.clone();
    let place = |name: &str| classes.iter().position(|class| class == name);
    let favourable = match asked.favourable {
        Some(name) => Some(place(name).ok_or_else(|| {
            format!("gate.favourable_class: there is no class {name:?}; there are {}", classes.join(", "))
        })?),
        None => evaluation.positive_class.as_deref().and_then(place),
    };
    let asked_about = match favourable {
        Some(class) => class..class + 1,
        None => 0..evidence.own,
    };
    let asked_about: Vec<(usize, &str)> = asked_about.map(|class| (class, classes[class].as_str())).collect();
    let columns = bias(&evidence.slices, outcomes, &asked_about);
    if favourable.is_none() && !columns.is_empty() {
        notes.push(
            "no class is said to be good to be predicted as (gate.favourable_class): groups are compared for each class against the rest, and a rule holds if it holds for every class".into(),
        );
    }
    let of = favourable.unwrap_or(evidence.own - 1);
    let swapped = counterfactual(artifact, &evidence.texts, asked.identity_terms, of).map_err(|e| e.to_string())?;
    let costs = asked.business.costs(classes)?;
    let court = Court {
        evidence,
        evaluation,
        bias: &columns,
        counterfactual: swapped.as_ref(),
        costs: costs.as_ref(),
        alpha: 1.0 - asked.confidence,
        seed: asked.seed,
    };
    let verdicts: Vec<_> = asked.rules.iter().map(|rule| court.judge(rule)).collect();
    let content = |judgement: Judgement| match judgement {
        Judgement::Passed | Judgement::NotApplicable => true,
        Judgement::Failed => false,
        Judgement::Insufficient => asked.on_insufficient == OnInsufficient::Warn,
    };
    let champion = evidence.rival.as_ref().map(|rival| {
        let pairs = court.discordant(&evidence.all());
        let theirs = accuracy(&rival.outcomes);
        let actual: Vec<usize> = outcomes.iter().map(|outcome| outcome.actual).collect();
        let right = |o: &trainer::metrics::Outcome| f64::from(u8::from(o.actual == o.predicted));
        let gains: Vec<f64> =
            outcomes.iter().zip(&rival.outcomes).map(|(ours, their)| right(ours) - right(their)).collect();
        let draws = Resampling { actual: &actual, seed: asked.seed }.draw(&evidence.all(), &|rows| {
            Some(rows.iter().map(|&row| gains[row as usize]).sum::<f64>() / rows.len() as f64)
        });
        let (low, high) = draws.interval(0.95);
        Champion {
            package: rival.package.clone(),
            job: rival.job.clone(),
            accuracy: theirs,
            won: pairs.won,
            lost: pairs.lost,
            p_value: mcnemar(pairs),
            difference: Estimate { value: accuracy(outcomes) - theirs, low, high },
            seen_rows: rival.seen.as_ref().map(|rows| rows.len() as u64),
        }
    });
    Ok(GateReport {
        format: FORMAT.into(),
        job: asked.job.into(),
        rows: outcomes.len() as u64,
        passed: verdicts.iter().all(|verdict| content(verdict.judgement)),
        on_insufficient: asked.on_insufficient.word().into(),
        champion,
        verdicts,
        slices: slices::figures(&evidence.slices, outcomes, classes),
        favourable: favourable.map(|class| classes[class].clone()),
        bias: columns,
        counterfactual: swapped,
        business: costs
            .map(|costs| business(evidence, asked.business, &costs, &evaluation.training.class_rows, asked.seed)),
        notes,
    })
}
