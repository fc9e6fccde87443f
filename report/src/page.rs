//! The frame of a page: one file, no scripts, nothing loaded from elsewhere, light or dark as the reader's system is.

use crate::escape::Html;

const STYLE: &str = include_str!("page/style.css");

/// A whole page. `title` is text; `header` and `sections` are HTML.
pub(crate) fn page(title: &str, header: &str, sections: &[String]) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n\
         <body>\n<header>\n{header}</header>\n<main>\n{}</main>\n</body>\n</html>\n",
        Html(title),
        sections.concat()
    )
}

/// A section with its heading; nothing where there is no content.
pub(crate) fn section(heading: &str, lead: &str, content: &str) -> String {
    if content.is_empty() {
        return String::new();
    }
    let lead = if lead.is_empty() { String::new() } else { format!("<p class=\"lead\">{}</p>\n", Html(lead)) };
    format!("<section>\n<h2>{}</h2>\n{lead}{content}</section>\n", Html(heading))
}

/// A table that scrolls by itself where the page is too narrow. `head` and `rows` hold HTML cells, numbers to the
/// right where `numeric` says so.
pub(crate) fn table(head: &[&str], numeric: &[bool], rows: &[Vec<String>]) -> String {
    let class = |column: usize| if numeric.get(column) == Some(&true) { " class=\"n\"" } else { "" };
    let head: String = head.iter().enumerate().map(|(c, h)| format!("<th{}>{h}</th>", class(c))).collect();
    let rows: String = rows
        .iter()
        .map(|row| {
            let cells: String =
                row.iter().enumerate().map(|(c, cell)| format!("<td{}>{cell}</td>", class(c))).collect();
            format!("<tr>{cells}</tr>\n")
        })
        .collect();
    format!("<div class=\"scroll\"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody></table></div>\n")
}

/// Headline figures side by side: name, value, and what it means.
pub(crate) fn tiles(tiles: &[(&str, String, &str)]) -> String {
    let tiles: String = tiles
        .iter()
        .map(|(name, value, note)| {
            let (name, value, note) = (Html(name), Html(value), Html(note));
            format!("<div class=\"tile\"><span>{name}</span><b>{value}</b><small>{note}</small></div>\n")
        })
        .collect();
    format!("<div class=\"tiles\">\n{tiles}</div>\n")
}

/// Names and values, two columns; values are HTML.
pub(crate) fn facts(facts: &[(&str, String)]) -> String {
    let facts: String =
        facts.iter().map(|(name, value)| format!("<dt>{}</dt><dd>{value}</dd>\n", Html(name))).collect();
    format!("<dl>\n{facts}</dl>\n")
}

/// A term, its spaces at either end to be seen: `␣see` and `see` are different n-grams of characters.
pub(crate) fn term(text: &str) -> String {
    word(&shown_ends(text))
}

/// With `␣` for the spaces at either end.
pub(crate) fn shown_ends(text: &str) -> String {
    let middle = text.trim_matches(' ');
    let before = text.len() - text.trim_start_matches(' ').len();
    let after = text.len() - middle.len() - before;
    format!("{}{middle}{}", "␣".repeat(before), "␣".repeat(after))
}

/// A foreign word inside a sentence or cell, whatever direction it is written in.
pub(crate) fn word(text: &str) -> String {
    format!("<bdi>{}</bdi>", Html(text))
}
