//! Pages of keys, of versions and of uploads: in byte order of keys, cut by prefix, delimiter and marker.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::object::Version;

/// Pages hold at most this many entries, as S3's do.
pub const MAX_PAGE: usize = 1000;

/// Which keys a page is to hold.
#[derive(Clone, Copy, Debug, Default)]
pub struct Query<'a> {
    /// Keys begin with this.
    pub prefix: &'a str,
    /// Keys that hold this behind the prefix are rolled up to it; empty is none.
    pub delimiter: &'a str,
    /// Keys come after this.
    pub after: &'a str,
    /// At most this many keys and rolled-up prefixes.
    pub limit: usize,
}

/// One page.
#[derive(Debug, PartialEq)]
pub struct Page<T> {
    /// What was found, in order.
    pub items: Vec<T>,
    /// What was rolled up, in order.
    pub prefixes: Vec<String>,
    /// The last key or prefix of a page that more follows: the next page's `after`.
    pub next: Option<String>,
}

/// A page of keys; `pick` says what of an entry is shown, nothing if it is not.
pub fn keys<'m, V, T>(
    map: &'m BTreeMap<String, V>,
    query: Query<'_>,
    mut pick: impl FnMut(&'m str, &'m V) -> Option<T>,
) -> Page<T> {
    let mut page = Page { items: Vec::new(), prefixes: Vec::new(), next: None };
    if query.limit == 0 {
        return page;
    }
    let mut from = start(query);
    let mut last = String::new();
    'restart: loop {
        for (key, value) in map.range::<str, _>((as_bound(&from), Bound::Unbounded)) {
            let Some(rest) = key.strip_prefix(query.prefix) else { return page };
            let Some(item) = pick(key, value) else { continue };
            let full = page.items.len() + page.prefixes.len() == query.limit;
            match rolled_up(query, rest) {
                Some(end) => {
                    let rolled = &key[..end];
                    // A page that ended with this prefix is followed by what comes behind all of its keys.
                    if rolled != query.after {
                        if full {
                            page.next = Some(last);
                            return page;
                        }
                        page.prefixes.push(rolled.to_owned());
                        rolled.clone_into(&mut last);
                    }
                    match successor(rolled) {
                        Some(behind) => from = Bound::Included(behind),
                        None => return page,
                    }
                    continue 'restart;
                }
                None if full => {
                    page.next = Some(last);
                    return page;
                }
                None => {
                    page.items.push(item);
                    key.clone_into(&mut last);
                }
            }
        }
        return page;
    }
}

/// One line of a listing of versions.
#[derive(Debug, PartialEq)]
pub struct Listed<'m> {
    /// Its key.
    pub key: &'m str,
    /// An object's or a delete marker.
    pub version: &'m Version,
    /// Whether it is the key's newest.
    pub is_latest: bool,
}

/// A page of versions, newest first within a key. `within` goes on inside the key `query.after`, behind that version.
pub fn versions<'m>(
    map: &'m BTreeMap<String, Vec<Version>>,
    query: Query<'_>,
    within: Option<&str>,
) -> (Page<Listed<'m>>, Option<String>) {
    let listed = |key: &'m str, all: &'m [Version], position: usize| Listed {
        key,
        version: &all[position],
        is_latest: position + 1 == all.len(),
    };
    let mut first = Vec::new();
    if let Some((key, all)) = map.get_key_value(query.after).filter(|(key, _)| key.starts_with(query.prefix))
        && let Some(seen) = within.and_then(|id| all.iter().position(|version| version.id == id))
    {
        first.extend((0..seen).rev().map(|position| listed(key, all, position)));
    }
    // Every key has a version at least, so a page of keys has keys enough for a page of versions.
    let rest = keys(map, Query { limit: query.limit.saturating_add(1), ..query }, |key, all| Some((key, all)));
    let mut rolled = rest.prefixes.into_iter().peekable();
    let mut items = first;
    for (key, all) in rest.items {
        items.extend((0..all.len()).rev().map(|position| listed(key, all, position)));
    }
    let mut page = Page { items: Vec::new(), prefixes: Vec::new(), next: None };
    let mut next_version = None;
    let mut items = items.into_iter().peekable();
    while items.peek().is_some() || rolled.peek().is_some() {
        if page.items.len() + page.prefixes.len() >= query.limit {
            return (page, next_version);
        }
        let item_first = match (items.peek(), rolled.peek()) {
            (Some(item), Some(prefix)) => item.key < prefix.as_str(),
            (item, _) => item.is_some(),
        };
        if item_first {
            if let Some(item) = items.next() {
                page.next = Some(item.key.to_owned());
                next_version = Some(item.version.id.clone());
                page.items.push(item);
            }
        } else if let Some(prefix) = rolled.next() {
            page.next = Some(prefix.clone());
            next_version = None;
            page.prefixes.push(prefix);
        }
    }
    page.next = None;
    (page, None)
}

/// Where the part to roll up to ends in a key, if it is to be rolled up.
fn rolled_up(query: Query<'_>, rest: &str) -> Option<usize> {
    if query.delimiter.is_empty() {
        return None;
    }
    rest.find(query.delimiter).map(|at| query.prefix.len() + at + query.delimiter.len())
}

fn start(query: Query<'_>) -> Bound<String> {
    if query.after >= query.prefix && !query.after.is_empty() {
        Bound::Excluded(query.after.to_owned())
    } else {
        Bound::Included(query.prefix.to_owned())
    }
}

fn as_bound(bound: &Bound<String>) -> Bound<&str> {
    match bound {
        Bound::Included(key) => Bound::Included(key),
        Bound::Excluded(key) => Bound::Excluded(key),
        Bound::Unbounded => Bound::Unbounded,
    }
}

/// The first text behind all texts that begin with `prefix`.
fn successor(prefix: &str) -> Option<String> {
    let mut chars: Vec<char> = prefix.chars().collect();
    while let Some(last) = chars.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{e000}'),
            last => char::from_u32(last as u32 + 1),
        };
        if let Some(next) = next {
            chars.push(next);
            return Some(chars.into_iter().collect());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(keys: &[&str]) -> BTreeMap<String, ()> {
        keys.iter().map(|key| ((*key).to_owned(), ())).collect()
    }

    fn walk(map: &BTreeMap<String, ()>, prefix: &str, delimiter: &str, limit: usize) -> (Vec<String>, Vec<String>) {
        let (mut items, mut prefixes, mut after) = (Vec::new(), Vec::new(), String::new());
        loop {
            let query = Query { prefix, delimiter, after: &after, limit };
            let page = keys(map, query, |key, ()| Some(key.to_owned()));
            assert!(page.items.len() + page.prefixes.len() <= limit);
            items.extend(page.items);
            prefixes.extend(page.prefixes);
            match page.next {
                Some(next) => after = next,
                None => return (items, prefixes),
            }
        }
    }

    #[test]
    fn pages_of_any_size_add_up() {
        let map = map(&["a", "a/", "a/b", "a/c/d", "a0", "b/x", "b/y", "c", "é/1", "\u{10ffff}/z"]);
        for limit in 1..12 {
            let (items, prefixes) = walk(&map, "", "/", limit);
            assert_eq!(items, ["a", "a0", "c"], "limit {limit}");
            assert_eq!(prefixes, ["a/", "b/", "é/", "\u{10ffff}/"], "limit {limit}");
            assert_eq!(walk(&map, "a/", "/", limit), (vec!["a/".into(), "a/b".into()], vec!["a/c/".into()]));
            assert_eq!(walk(&map, "", "", limit).0.len(), 10, "limit {limit}");
        }
    }

    #[test]
    fn successors_come_behind_all_keys_of_a_prefix() {
        for (prefix, want) in [("a/", Some("a0")), ("\u{d7ff}", Some("\u{e000}")), ("a\u{10ffff}", Some("b"))] {
            assert_eq!(successor(prefix).as_deref(), want, "{prefix:?}");
        }
        assert_eq!(successor("\u{10ffff}"), None);
    }

    #[test]
    fn an_empty_page_is_the_last() {
        let query = Query { limit: 0, ..Query::default() };
        assert_eq!(keys(&map(&["a"]), query, |_, ()| Some(())).next, None);
    }
}
