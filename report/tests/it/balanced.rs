//! A page whose tags do not close, or that loads or runs anything, fails here.

/// Elements that never close.
const VOID: [&str; 4] = ["meta", "br", "wbr", "!DOCTYPE"];

/// Panics with the place where the page is not balanced or not self-contained.
pub fn assert_sound(page: &str) {
    let mut open: Vec<String> = Vec::new();
    let mut rest = page;
    while let Some(start) = rest.find('<') {
        let end = start + rest[start..].find('>').unwrap_or_else(|| panic!("tag without end: {}", cut(&rest[start..])));
        let tag = &rest[start + 1..end];
        let name = tag.split([' ', '/']).next().unwrap_or_default();
        if let Some(closed) = tag.strip_prefix('/') {
            assert_eq!(open.pop().as_deref(), Some(closed), "before {}", cut(&rest[start..]));
        } else if !tag.ends_with('/') && !VOID.contains(&name) {
            open.push(name.to_string());
        }
        for forbidden in [" href=", " src=", " on", "url("] {
            assert!(!tag.contains(forbidden), "{forbidden} in <{tag}>");
        }
        assert!(!["script", "link", "iframe", "img"].contains(&name), "<{tag}>");
        rest = &rest[end + 1..];
    }
    assert_eq!(open, Vec::<String>::new(), "never closed");
    assert!(!page.contains("http"), "a page names no other place");
    assert!(!page.contains("NaN") && !page.contains("inf%"), "a number that is none");
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}

#[test]
#[should_panic(expected = "before </p>")]
fn an_open_tag_is_found() {
    assert_sound("<p><b>x</p>");
}
