//! Words of a text and their places, for what asks about single words.

/// Byte ranges of the words of `text`: letters, digits and apostrophes inside them.
pub fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let inside = |c: char| c.is_alphanumeric() || matches!(c, '\'' | '’');
    text.split(move |c| !inside(c)).filter(|word| !word.is_empty()).map(move |word| {
        // A word is a piece of the text: where it lies is their distance.
        (word.as_ptr() as usize - text.as_ptr() as usize, word)
    })
}
