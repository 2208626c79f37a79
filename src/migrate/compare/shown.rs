//! What leaves the process of two answers that differ: the places, generalised, and of the values there only kind and
//! length, unless it is written that they may be shown.

use std::collections::BTreeSet;

use super::super::status::Example;
use super::rules::{At, SHOWN};
use crate::diagnostic::is_unseen;
use crate::json::Tree;

/// Places that are told of one pair; of more, that there are.
pub(super) const PLACES: usize = 16;
/// Characters of a place, and of one name in it.
const PLACE: usize = 200;
const NAME: usize = 64;
/// Digits of a name: `sha256`, `address2`; what has more is a time, a telephone number, or made by chance.
const DIGITS: usize = 4;
/// Characters of a value that may be shown.
const VALUE: usize = 120;
/// Stands for what is left out.
pub(in super::super) const MORE: &str = "…";

/// The places where two answers differ.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Places {
    found: BTreeSet<String>,
    more: bool,
    example: Example,
}

impl Places {
    /// Notes one, with what stands there on each side.
    pub(super) fn note(
        &mut self,
        place: String,
        legacy: impl FnOnce() -> String,
        nats: impl FnOnce() -> String,
    ) {
        if self.found.contains(&place) {
            return;
        }
        if self.found.len() == PLACES {
            self.more = true;
            return;
        }
        self.example.legacy.insert(place.clone(), legacy());
        self.example.nats.insert(place.clone(), nats());
        self.found.insert(place);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.found.len() + usize::from(self.more)
    }

    /// Takes those of another one in.
    pub(super) fn extend(&mut self, mut other: Places) {
        for place in std::mem::take(&mut other.found) {
            let (legacy, nats) = (other.example.legacy.remove(&place), other.example.nats.remove(&place));
            self.note(place, || legacy.unwrap_or_default(), || nats.unwrap_or_default());
        }
        self.more |= other.more;
    }

    /// In their order, and one pair as the example.
    pub(super) fn into_parts(self) -> (Vec<String>, Example) {
        let more = self.more.then(|| MORE.to_owned());
        (self.found.into_iter().chain(more).collect(), self.example)
    }
}

/// A pointer whose indexes have become `*`, and so have names that are no names but values: numbers, ids, addresses, times,
/// keys.
pub(super) fn pointer(path: &[Option<&str>]) -> String {
    if path.is_empty() {
        return "body".to_owned();
    }
    let mut pointer = String::new();
    for step in path {
        pointer.push('/');
        match step.filter(|name| is_name(name)) {
            Some(name) => name.chars().for_each(|char| match char {
                '~' => pointer.push_str("~0"),
                '/' => pointer.push_str("~1"),
                char if is_unseen(char) => pointer.extend(char.escape_default()),
                char => pointer.push(char),
            }),
            None => pointer.push('*'),
        }
    }
    cut(pointer, PLACE)
}

fn is_name(name: &str) -> bool {
    let is_value = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
    let is_number = name.bytes().all(|byte| byte.is_ascii_digit());
    let is_id = name.len() >= 16 && name.bytes().all(is_value);
    let is_address = name.find('@').is_some_and(|at| at > 0);
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    let is_key = name.len() >= 16 && digits > 0 && !name.contains(|c: char| c.is_lowercase() || c == '_');
    name.len() <= NAME && digits <= DIGITS && !is_number && !is_id && !is_address && !is_key
}

/// What an example says of a value; none: there is none.
pub(super) fn value(tree: Option<&Tree<'_>>, at: &At<'_>) -> String {
    match tree {
        None => "missing".to_owned(),
        Some(tree) if at.says(SHOWN) => clean(&tree.to_value().to_string()),
        Some(tree) => redacted(tree),
    }
}

fn redacted(tree: &Tree<'_>) -> String {
    match tree {
        Tree::Null => "null".to_owned(),
        Tree::Bool(_) => "bool".to_owned(),
        Tree::Number(_) => "number".to_owned(),
        Tree::Text(text) => format!("string({})", text.chars().count()),
        Tree::List(items) => format!("list({})", items.len()),
        Tree::Map(members) => format!("map({})", members.entries().len()),
    }
}

fn clean(text: &str) -> String {
    let mut shown = String::new();
    for char in text.chars().take(VALUE + 1) {
        match is_unseen(char) {
            true => shown.extend(char.escape_default()),
            false => shown.push(char),
        }
    }
    cut(shown, VALUE)
}

fn cut(text: String, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}{MORE}", &text[..at]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_values_become_stars() {
        for (path, shown) in [
            (&[Some("items"), None, Some("etag")][..], "/items/*/etag"),
            (&[Some("users"), Some("4711"), Some("name")], "/users/*/name"),
            (&[Some("0b5fd1f4-9c1c-4b8e-8a55-0f6f0f1f2f3f")], "/*"),
            (&[Some("ann@example.com")], "/*"),
            (&[Some("2026-11-25"), Some("10.20.30.40"), Some("+49 171 1234567")], "/*/*/*"),
            (&[Some("AKIAIOSFODNN7EXAMPLE"), Some("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOjQ3MTF9.c2ln")], "/*/*"),
            (
                &[Some("sha256"), Some("shippingAddressLine2"), Some("MAX_RETRIES_PER_HOST_2")],
                "/sha256/shippingAddressLine2/MAX_RETRIES_PER_HOST_2",
            ),
            (&[Some("@type")], "/@type"),
            (&[Some("a/b~c\u{1b}[m")], "/a~1b~0c\\u{1b}[m"),
            (&[Some("a\u{202e}b\u{2028}")], "/a\\u{202e}b\\u{2028}"),
            (&[], "body"),
        ] {
            assert_eq!(pointer(path), shown);
        }
        assert_eq!(pointer(&[Some("x".repeat(65).as_str())]), "/*");
        let long = vec![Some("abcdefghijkl"); 100];
        assert!(pointer(&long).chars().count() <= PLACE + 1);
    }
}
