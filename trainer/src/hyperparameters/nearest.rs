//! Which known name was meant by an unknown one.

/// Names at most this far away are offered, for a name of `length` characters.
fn reach(length: usize) -> usize {
    (length / 3).max(2)
}

/// Advice that ends a message about `unknown`: the up to three nearest of `known`, else all of them.
pub fn advice(unknown: &str, known: &[&'static str]) -> String {
    let wanted = unknown.to_lowercase();
    let length = wanted.chars().count();
    let reach = reach(length).min(length.max(2) - 1);
    // A part of a name is near it however much is missing.
    let measure = |name: &&'static str| {
        let known = name.to_lowercase();
        let part = known.len() > 1 && length > 2 && (known.contains(&wanted) || wanted.contains(&known));
        let distance = distance(&wanted, &known);
        (part || distance <= reach).then_some((!part, distance, *name))
    };
    let mut near: Vec<(bool, usize, &str)> = known.iter().filter_map(measure).collect();
    near.sort();
    near.truncate(3);
    if near.is_empty() {
        format!("there are {}", known.join(", "))
    } else {
        format!("did you mean {}?", near.iter().map(|(.., name)| *name).collect::<Vec<_>>().join(" or "))
    }
}

/// Levenshtein's distance: the fewest insertions, deletions and replacements of a character that make `a` into `b`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hyperparameters::NAMES;

    #[test]
    fn distances() {
        for (a, b, want) in [("", "", 0), ("abc", "", 3), ("", "ab", 2), ("kitten", "sitting", 3), ("tune", "tune", 0)]
        {
            assert_eq!(distance(a, b), want, "{a} {b}");
        }
    }

    #[test]
    fn what_was_meant() {
        for (unknown, want) in [
            ("ngram_rang", "did you mean ngram_range"),
            ("c", "did you mean C?"),
            ("max_itr", "did you mean max_iter?"),
            ("sublinear-tf", "did you mean sublinear_tf?"),
            ("ngram", "did you mean ngram_range"),
            ("stopwords", "did you mean stop_words?"),
            ("learning_rate", "there are text_column, label_column, "),
        ] {
            let advice = advice(unknown, &NAMES);
            assert!(advice.starts_with(want), "{unknown}: {advice}");
        }
    }
}
