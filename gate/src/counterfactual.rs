//! The same text about somebody else: does the prediction change?

use model::{Artifact, ArtifactError, threads};
use report::gate::{Counterfactual, Estimate, SwapFigures};

use crate::{stats::two_sided, words::words};

/// Swaps every term of each of `groups` for each other one of its group, wherever it stands as a word of `texts`, whatever its
/// case; what is put there takes the case over. `of`: the class whose probability is told.
pub fn counterfactual(
    artifact: &Artifact,
    texts: &[String],
    groups: &[Vec<String>],
    of: usize,
) -> Result<Option<Counterfactual>, ArtifactError> {
    let pairs: Vec<(&String, &String)> = groups
        .iter()
        .flat_map(|group| group.iter().flat_map(move |from| group.iter().map(move |to| (from, to))))
        .filter(|(from, to)| from != to)
        .collect();
    if pairs.is_empty() {
        return Ok(None);
    }
    // Of each text: the swaps that it can take, whether each changes the class, and the change of the probability.
    let swapped = threads::map(texts.len(), |row| {
        let text = &texts[row];
        let mut done = Vec::new();
        let mut before = None;
        for (pair, (from, to)) in pairs.iter().enumerate() {
            let Some(other) = swap(text, from, to) else { continue };
            let before = match &before {
                Some(before) => before,
                None => before.insert(artifact.predict(text)?),
            };
            let after = artifact.predict(&other)?;
            let change = after.probabilities[of] - before.probabilities[of];
            done.push((pair, after.class != before.class, change));
        }
        Ok(done)
    });
    let swapped: Vec<Vec<(usize, bool, f64)>> = swapped.into_iter().collect::<Result<_, ArtifactError>>()?;
    let rows = swapped.iter().filter(|done| !done.is_empty()).count() as u64;
    let changed = swapped.iter().filter(|done| done.iter().any(|(_, changed, _)| *changed)).count() as u64;
    let swaps = pairs.iter().enumerate().filter_map(|(pair, (from, to))| {
        let of_pair: Vec<_> = swapped.iter().flatten().filter(|(of, ..)| *of == pair).collect();
        let sum: f64 = of_pair.iter().map(|(_, _, change)| change).sum();
        (!of_pair.is_empty()).then(|| SwapFigures {
            from: (*from).clone(),
            to: (*to).clone(),
            rows: of_pair.len() as u64,
            changed: of_pair.iter().filter(|(_, changed, _)| *changed).count() as u64,
            mean_change: sum / of_pair.len() as f64,
        })
    });
    let share = (rows > 0).then(|| {
        let (low, high) = two_sided(changed as f64, rows as f64, 0.95);
        Estimate { value: changed as f64 / rows as f64, low, high }
    });
    Ok(Some(Counterfactual { rows, changed, share, swaps: swaps.collect() }))
}

/// `text` with `to` wherever `from` is a word; none where it is nowhere.
fn swap(text: &str, from: &str, to: &str) -> Option<String> {
    let wanted = from.to_lowercase();
    let (mut out, mut copied) = (String::new(), 0);
    for (at, word) in words(text) {
        if word.to_lowercase() == wanted {
            out.push_str(&text[copied..at]);
            out.push_str(&in_case_of(word, to));
            copied = at + word.len();
        }
    }
    (copied > 0).then(|| out + &text[copied..])
}

fn in_case_of(word: &str, to: &str) -> String {
    let mut letters = word.chars().filter(|c| c.is_alphabetic());
    let first = letters.next().is_some_and(char::is_uppercase);
    let mut rest = letters.peekable();
    if first && rest.peek().is_some() && rest.all(char::is_uppercase) {
        return to.to_uppercase();
    }
    let mut chars = to.chars();
    match chars.next() {
        Some(start) if first => start.to_uppercase().chain(chars).collect(),
        _ => to.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_swapped_whole_and_in_their_case() {
        for (text, want) in [
            ("He said the hero was HE, not he.", Some("She said the hero was SHE, not she.")),
            ("the theory", None),
            ("", None),
            ("he", Some("she")),
        ] {
            assert_eq!(swap(text, "he", "she").as_deref(), want, "{text}");
        }
        assert_eq!(swap("A-I", "i", "we").unwrap(), "A-We");
    }
}
