//! The words and signs of an expression.

/// One of them.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    /// A name or keyword.
    Word(String),
    /// Between double quotes; there is no way to write one inside.
    Text(String),
    /// Not negative; a percent sign is worked in.
    Number(f64),
    /// `(`, `)`, `<`, `<=` and so on.
    Sign(&'static str),
}

const SIGNS: [&str; 12] = ["<=", ">=", "==", "!=", "<", ">", "+", "-", "*", "/", "(", ")"];

/// Each with the number of the character it begins at, from 1; or where that cannot be, and why.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, (usize, String)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let place = |rest: &str| text[..text.len() - rest.len()].chars().count() + 1;
    loop {
        rest = rest.trim_start();
        let Some(first) = rest.chars().next() else { return Ok(tokens) };
        let at = place(rest);
        if let Some(sign) = SIGNS.into_iter().find(|sign| rest.starts_with(sign)) {
            tokens.push((at, Token::Sign(sign)));
            rest = &rest[sign.len()..];
        } else if first == '"' {
            let Some(end) = rest[1..].find('"') else { return Err((at, "a quote that does not end".into())) };
            tokens.push((at, Token::Text(rest[1..=end].to_string())));
            rest = &rest[end + 2..];
        } else if first.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
            let value: f64 =
                rest[..end].parse().map_err(|_| (at, format!("`{}`, which is no number", &rest[..end])))?;
            rest = &rest[end..];
            let (scale, after) = rest.strip_prefix('%').map_or((1.0, rest), |after| (100.0, after));
            tokens.push((at, Token::Number(value / scale)));
            rest = after;
        } else if first.is_ascii_alphabetic() || first == '_' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            tokens.push((at, Token::Word(rest[..end].to_string())));
            rest = &rest[end..];
        } else {
            return Err((at, format!("`{first}`")));
        }
    }
}
