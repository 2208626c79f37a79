//! Tree → typed configuration, with every problem instead of the first one.

use serde::de::DeserializeOwned;

use super::de::{Error, Kind};
use super::{Node, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Place, most_like};

/// Problems of one file after which reading gives up.
const MOST: usize = 200;

/// Tells the keys that are designed and not built yet, so that they are refused with their own words.
pub type Later = fn(&str) -> bool;

/// Reads typed configuration from a tree. Each problem is noted at its place, its node cut from the tree,
/// and reading goes on; `None` if what is left cannot be read as a whole.
pub fn read<T: DeserializeOwned>(mut root: Node, later: Later, diagnostics: &mut Diagnostics) -> Option<T> {
    let mut cut: Vec<(Place, String)> = Vec::new();
    for _ in 0..MOST {
        let error = match T::deserialize(&root) {
            Ok(value) => return Some(value),
            Err(error) => error,
        };
        if !follows_from_a_cut(&error, &cut) {
            diagnostics.push(explain(&error, later));
        }
        cut.push(remove(&mut root, &error.path)?);
    }
    None
}

/// A key that is missing only because it was cut has been reported already.
fn follows_from_a_cut(error: &Error, cut: &[(Place, String)]) -> bool {
    match (&error.kind, error.place) {
        (Kind::MissingField(field), Some(place)) => {
            cut.iter().any(|(map, key)| *map == place && key == field)
        }
        _ => false,
    }
}

/// Removes the node at a path (innermost step first); says from which map, and under which key.
fn remove(root: &mut Node, path: &[usize]) -> Option<(Place, String)> {
    let (last, way) = path.split_first()?;
    let mut node = root;
    for step in way.iter().rev() {
        node = match &mut node.value {
            Value::List(items) => items.get_mut(*step)?,
            Value::Map(entries) => &mut entries.get_mut(*step)?.1,
            _ => return None,
        };
    }
    let place = node.place;
    match &mut node.value {
        Value::List(items) if *last < items.len() => {
            items.remove(*last);
            Some((place, String::new()))
        }
        Value::Map(entries) if *last < entries.len() => Some((place, entries.remove(*last).0.name)),
        _ => None,
    }
}

fn explain(error: &Error, later: Later) -> Diagnostic {
    let place = error.place.unwrap_or_default();
    match &error.kind {
        Kind::UnknownField { name, .. } if later(name) => {
            Diagnostic::error(place, format!("`{name}` is not available yet"))
                .reason("a key is never ignored: what it asks for would silently not happen")
                .help("remove it, and watch the changelog")
        }
        Kind::UnknownField { name, expected } => {
            let place = place_of_key(place, name);
            Diagnostic::error(place, format!("unknown key `{name}`")).help(suggest(name, expected))
        }
        Kind::UnknownVariant { name, expected } => {
            Diagnostic::error(place, format!("unknown value `{name}`")).help(suggest(name, expected))
        }
        Kind::MissingField(field) => Diagnostic::error(place, format!("the key `{field}` is missing"))
            .help(format!("add `{field}: …` here")),
        Kind::Other(message) => other(place, message),
    }
}

/// The second line of a message, if it has one, is what to do next.
fn other(place: Place, message: &str) -> Diagnostic {
    let (message, help) = match message.split_once('\n') {
        Some((message, help)) => (message, Some(help)),
        None => (message, next_step(message)),
    };
    match help {
        Some(help) => Diagnostic::error(place, message).help(help),
        None => Diagnostic::error(place, message),
    }
}

/// What to do about `expected …, found …`.
fn next_step(message: &str) -> Option<&'static str> {
    let (expected, found) = message.strip_prefix("expected ")?.rsplit_once(", found ")?;
    Some(match (expected, found) {
        (_, "nothing") => "write something under this key, or remove the key",
        ("text", "a map") => {
            "write one text here; one with `${…}` inside `{ }` must be quoted: { key: \"${…}\" }"
        }
        ("text", _) => "write one text, in quotation marks if it has special characters",
        ("a list", _) => "put it into a list: [ … ], or a line with `- ` for each item",
        ("a map", _) => "write its keys below it, or in braces: { key: value }",
        ("true or false", _) => "write true or false, without quotation marks",
        (_, "another number") => "write a number in this range",
        (number, _) if number.starts_with("a whole number") => {
            "write a number, without unit or quotation marks"
        }
        (one, _) if one.contains("{ env: NAME }") => "write { env: NAME } or { file: path }",
        _ => return None,
    })
}

fn place_of_key(place: Place, name: &str) -> Place {
    Place { length: u32::try_from(name.chars().count()).unwrap_or(1), ..place }
}

fn suggest(name: &str, expected: &[&'static str]) -> String {
    match (most_like(name, expected.iter().copied()), expected) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => "remove it".to_owned(),
        (None, expected) => format!("one of: {}", expected.join(", ")),
    }
}
