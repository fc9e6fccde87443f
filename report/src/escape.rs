//! Foreign text made harmless: for HTML, and for GitHub's Markdown.

use std::fmt::{self, Display, Formatter, Write};

/// Text as it may stand between tags and in quoted attributes.
pub(crate) struct Html<'t>(pub &'t str);

impl Display for Html<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() => f.write_char('\u{FFFD}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Text as one cell of a Markdown table: one line, nothing in it means anything to the renderer.
pub(crate) struct Markdown<'t>(pub &'t str);

impl Display for Markdown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '@' => f.write_str("&#64;")?,
                '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '~' | '!' | '$' | ':' => {
                    f.write_char('\\')?;
                    f.write_char(c)?;
                }
                c if c.is_whitespace() => f.write_char(' ')?,
                c if c.is_control() => f.write_char('\u{FFFD}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn html_is_text_again() {
        for (text, want) in [
            ("<script>alert('x')</script>", "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;"),
            ("\" onload=\"x", "&quot; onload=&quot;x"),
            ("AT&T\0", "AT&amp;T\u{FFFD}"),
            ("two\nlines", "two\nlines"),
        ] {
            assert_eq!(Html(text).to_string(), want, "{text:?}");
        }
    }

    #[test]
    fn markdown_is_one_plain_cell() {
        for (text, want) in [
            ("a | b", "a \\| b"),
            ("two\nlines\r\n", "two lines  "),
            ("**bold** @someone <b>", "\\*\\*bold\\*\\* &#64;someone &lt;b&gt;"),
            ("[x](https://y)", "\\[x\\]\\(https\\://y\\)"),
        ] {
            assert_eq!(Markdown(text).to_string(), want, "{text:?}");
        }
    }
}
