//! The mix of languages of texts.

use std::collections::BTreeMap;

use model::language::guess;

/// Texts whose language is guessed: a mix is known well enough by these.
const MOST: usize = 500;

/// Texts a language, of the first 500.
pub fn mix<'t>(texts: impl Iterator<Item = &'t str>) -> BTreeMap<String, u64> {
    let mut mix = BTreeMap::new();
    texts.take(MOST).for_each(|text| *mix.entry(guess(text).to_string()).or_default() += 1);
    mix
}
