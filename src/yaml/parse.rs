//! Text → [`Node`]: the one place that knows the YAML library.

use std::collections::HashMap;
use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_saphyr::{DuplicateKeyPolicy, Options, Spanned};

use super::{Key, Node, Value};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

/// Maps and lists inside one another, as many as JSON may have: each takes its part of the stack.
const MOST_NESTED: usize = 128;

/// Reads a file with one document, as JSON if its name ends so. What cannot be read is a diagnostic at its place.
pub fn parse(file: u32, diagnostics: &mut Diagnostics) -> Option<Node> {
    let source = diagnostics.sources.get(file as usize)?;
    let text = source.text.clone();
    if text.trim().is_empty() {
        return Some(Node { place: Place::file(file), value: Value::Map(Vec::new()) });
    }
    if source.path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return super::json::parse(file, &text).map_err(|error| diagnostics.push(error)).ok();
    }
    match serde_saphyr::from_str_with_options::<Spanned<Raw>>(&text, options()) {
        Ok(raw) => Some(raw.into_node(file, &text, diagnostics)),
        Err(error) => {
            diagnostics.push(syntax_error(file, &text, &error));
            None
        }
    }
}

/// Reads a file with any number of documents. Empty ones are left out.
pub fn parse_all(file: u32, diagnostics: &mut Diagnostics) -> Vec<Node> {
    let Some(source) = diagnostics.sources.get(file as usize) else { return Vec::new() };
    let text = source.text.clone();
    match serde_saphyr::from_multiple_with_options::<Spanned<Raw>>(&text, options()) {
        Ok(documents) => documents.into_iter().map(|raw| raw.into_node(file, &text, diagnostics)).collect(),
        Err(error) => {
            diagnostics.push(syntax_error(file, &text, &error));
            Vec::new()
        }
    }
}

/// Sizes for contracts of tens of megabytes; aliases stay few, so that no small file becomes a large tree.
fn options() -> Options {
    let budget = serde_saphyr::budget! {
        max_events: 40_000_000,
        max_nodes: 20_000_000,
        max_total_scalar_bytes: 512 << 20,
        max_depth: MOST_NESTED,
        max_documents: 10_000,
    };
    serde_saphyr::options! {
        budget: budget,
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
        // Found in `entries`, so that both places are named and reading goes on.
        duplicate_keys: DuplicateKeyPolicy::PassThrough,
        with_snippet: false,
    }
}

fn syntax_error(file: u32, source: &str, error: &serde_saphyr::Error) -> Diagnostic {
    let place = error.location().map_or(Place::file(file), |at| Place {
        file,
        line: at.line() as u32,
        column: at.column() as u32,
        length: 1,
    });
    let text = error.without_snippet().to_string();
    let message = text.lines().next().unwrap_or_default().trim();
    let message =
        message.split_once(": ").filter(|(head, _)| head.contains("line ")).map_or(message, |m| m.1);
    let message = message.split(" at line ").next().unwrap_or(message);
    let help = match has_bare_placeholder(source, place) {
        true => "text with `${…}` inside `{ }` or `[ ]` must be quoted: { key: \"${…}\" }",
        false => "correct this place; other problems of this file are found once it can be read",
    };
    Diagnostic::error(place, format!("this is not valid YAML: {message}")).help(help)
}

/// Whether the line of a place has a `${…}` without quotation marks inside a flow map or list.
fn has_bare_placeholder(source: &str, place: Place) -> bool {
    let line = (place.line as usize).checked_sub(1).and_then(|line| source.lines().nth(line));
    let before = line.and_then(|line| line.split_once("${")).map(|(before, _)| before);
    before.is_some_and(|before| {
        before.contains(['{', '['])
            && before.matches('"').count() % 2 == 0
            && before.matches('\'').count() % 2 == 0
    })
}

/// What the YAML library hands over before places are turned into ours.
enum Raw {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Spanned<Raw>>),
    Map(Vec<(Spanned<String>, Spanned<Raw>)>),
}

trait IntoNode {
    fn into_node(self, file: u32, text: &str, diagnostics: &mut Diagnostics) -> Node;
}

impl IntoNode for Spanned<Raw> {
    fn into_node(self, file: u32, text: &str, diagnostics: &mut Diagnostics) -> Node {
        let place = place(file, &self.referenced);
        let value = match self.value {
            Raw::Null => Value::Null,
            Raw::Bool(value) => Value::Bool(value),
            Raw::Number(number) => Value::Number(number),
            Raw::Text(content) => {
                Value::Text { text: content, secret: false, quoted: is_quoted(text, &self.referenced) }
            }
            Raw::List(items) => {
                Value::List(items.into_iter().map(|item| item.into_node(file, text, diagnostics)).collect())
            }
            Raw::Map(raw) => Value::Map(entries(raw, file, text, diagnostics)),
        };
        Node { place, value }
    }
}

/// The entries of a mapping. Of a key that is there twice the first one stays.
fn entries(
    raw: Vec<(Spanned<String>, Spanned<Raw>)>,
    file: u32,
    text: &str,
    diagnostics: &mut Diagnostics,
) -> Vec<(Key, Node)> {
    let mut entries = Vec::with_capacity(raw.len());
    let mut seen: HashMap<String, Place> = HashMap::with_capacity(raw.len());
    for (key, value) in raw {
        let place = place(file, &key.referenced);
        if let Some(first) = seen.get(&key.value) {
            let message = format!("the key `{}` is there twice", key.value);
            let diagnostic = Diagnostic::error(place, message).also(*first, "the first one");
            diagnostics.push(diagnostic.help("keep one of them"));
            // Nobody sees what is dropped here, so nobody else can tell whether it is a secret.
            hide(&value.into_node(file, text, diagnostics), diagnostics);
            continue;
        }
        seen.insert(key.value.clone(), place);
        entries.push((Key { place, name: key.value }, value.into_node(file, text, diagnostics)));
    }
    entries
}

fn hide(node: &Node, diagnostics: &mut Diagnostics) {
    match &node.value {
        Value::List(items) => items.iter().for_each(|item| hide(item, diagnostics)),
        Value::Map(entries) => entries.iter().for_each(|(_, node)| hide(node, diagnostics)),
        _ => diagnostics.hide(node.place),
    }
}

fn place(file: u32, at: &serde_saphyr::Location) -> Place {
    let length = u32::try_from(at.span().len()).unwrap_or(1);
    Place { file, line: at.line() as u32, column: at.column() as u32, length }
}

fn is_quoted(text: &str, at: &serde_saphyr::Location) -> bool {
    let start = at.span().byte_offset().and_then(|offset| usize::try_from(offset).ok());
    start.and_then(|start| text.as_bytes().get(start)).is_some_and(|byte| matches!(byte, b'"' | b'\''))
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_none<E>(self) -> Result<Raw, E> {
        Ok(Raw::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Raw, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Raw, E> {
        Ok(Raw::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Raw, E> {
        Ok(Raw::Number(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Raw, E> {
        Ok(serde_json::Number::from_f64(value).map_or_else(|| Raw::Text(value.to_string()), Raw::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Raw, E> {
        Ok(Raw::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Raw, E> {
        Ok(Raw::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Raw, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Raw::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Raw, A::Error> {
        let mut map = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(Raw::Map(map))
    }
}
