//! Two artifacts side by side: whose words weigh otherwise.

use std::collections::{BTreeMap, HashMap};

use model::{Artifact, ArtifactError};
use serde::Serialize;

use crate::evidence::outcomes_of;

/// A term whose weight differs.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Moved {
    /// The class that it speaks for or against.
    pub class: String,
    /// The term.
    pub term: String,
    /// Its weight (scale times weight) in the first artifact; none where it is not in its vocabulary.
    pub before: Option<f64>,
    /// The same in the second.
    pub after: Option<f64>,
}

impl Moved {
    /// How far it moved; a term that is not there weighs nothing.
    pub fn change(&self) -> f64 {
        self.after.unwrap_or(0.0) - self.before.unwrap_or(0.0)
    }
}

/// The `k` terms a class whose weight moved most between two linear artifacts, most first; of two classes, those of the second
/// (the first's are the same turned round). None where either is not linear.
pub fn heaviest_moves(before: &Artifact, after: &Artifact, k: usize) -> Result<Vec<Moved>, ArtifactError> {
    let (old, new) = (weights(before)?, weights(after)?);
    let mut all = Vec::new();
    for (class, new) in &new {
        let Some(old) = old.get(class) else { continue };
        let mut terms: Vec<&String> = old.keys().chain(new.keys().filter(|term| !old.contains_key(*term))).collect();
        terms.sort_unstable();
        let moved = |term: &String| Moved {
            class: class.clone(),
            term: term.clone(),
            before: old.get(term).copied(),
            after: new.get(term).copied(),
        };
        let mut moved: Vec<Moved> = terms.into_iter().map(moved).filter(|moved| moved.change() != 0.0).collect();
        moved.sort_by(|a, b| b.change().abs().total_cmp(&a.change().abs()));
        moved.truncate(k);
        all.extend(moved);
    }
    Ok(all)
}

/// Of each class, every term's weight; of two classes of the second alone.
fn weights(artifact: &Artifact) -> Result<BTreeMap<String, HashMap<String, f64>>, ArtifactError> {
    let mut found = artifact.strongest_terms(artifact.terms())?;
    if let [(_, against), (_, speaking)] = &mut found[..] {
        speaking.extend(against.drain(..).map(|(term, weight)| (term, -weight)));
        found.remove(0);
    }
    Ok(found.into_iter().map(|(class, terms)| (class, terms.into_iter().collect())).collect())
}

/// A row with the two classes that it is given, by their places.
pub type Flip = (usize, usize, usize);

/// The texts that two artifacts answer otherwise, and the classes of both in whose places that is told.
pub fn flips(before: &Artifact, after: &Artifact, texts: &[String]) -> Result<(Vec<String>, Vec<Flip>), ArtifactError> {
    let mut classes = after.classes().to_vec();
    let others: Vec<String> = before.classes().iter().filter(|class| !classes.contains(class)).cloned().collect();
    classes.extend(others);
    let nothing = vec![0; texts.len()];
    let old = outcomes_of(before, texts, &nothing, &classes)?;
    let new = outcomes_of(after, texts, &nothing, &classes)?;
    let pairs = old.iter().zip(&new).enumerate();
    let flips = pairs.filter(|(_, (old, new))| old.predicted != new.predicted);
    Ok((classes, flips.map(|(row, (old, new))| (row, old.predicted, new.predicted)).collect()))
}
