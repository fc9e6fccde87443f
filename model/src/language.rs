//! The language of a text, guessed: what `gate` slices by and `monitor` counts.

/// What a text is in that says too little.
pub const UNDETERMINED: &str = "undetermined";

/// ISO 639-3 code of the text's language; [`UNDETERMINED`] where the guess is not reliable.
pub fn guess(text: &str) -> &'static str {
    match whatlang::detect(text) {
        Some(found) if found.is_reliable() => found.lang().code(),
        _ => UNDETERMINED,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reviews_in_their_languages() {
        for (text, want) in [
            ("I bought this phone two weeks ago and the battery is already dead, which is a shame.", "eng"),
            ("Ce livre est magnifique, je l'ai lu en une seule soirée et je le recommande à tous.", "fra"),
            ("이 영화는 정말 재미있어요 다시 보고 싶습니다", "kor"),
            ("ok", UNDETERMINED),
            ("", UNDETERMINED),
        ] {
            assert_eq!(guess(text), want, "{text}");
        }
    }
}
