//! A configuration as its leaves: each value with its way, as the server and as manifests write it. Pure.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::jetstream::field::{Form, Kind};
use crate::jetstream::manifest::GoDuration;

/// A value that is compared as a whole.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Leaf {
    /// The name of the field that it belongs to.
    pub(super) root: String,
    /// Its way as manifests write it.
    pub(super) shown: String,
    pub(super) value: Value,
}

/// All leaves, by their way as the server writes it.
pub(super) fn leaves(kind: Kind, config: &Map<String, Value>) -> BTreeMap<String, Leaf> {
    let mut out = BTreeMap::new();
    for (name, value) in config {
        let shown = kind.field(name).and_then(|field| field.manifest).unwrap_or(name);
        walk(name, name.clone(), shown.to_owned(), value, &mut out);
    }
    out
}

fn walk(root: &str, way: String, shown: String, value: &Value, out: &mut BTreeMap<String, Leaf>) {
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                let named = root == "sources" && way == "sources";
                let (way, shown) = match (named, root) {
                    (true, _) => (format!("{way}[{key}]"), format!("{shown}[{key}]")),
                    (_, "metadata") => (format!("{way}.{key}"), format!("{shown}.{key}")),
                    _ => (format!("{way}.{key}"), format!("{shown}.{}", camel(key))),
                };
                walk(root, way, shown, value, out);
            }
        }
        Value::Array(items) if items.iter().any(Value::is_object) => {
            for (index, item) in items.iter().enumerate() {
                walk(root, format!("{way}[{index}]"), format!("{shown}[{index}]"), item, out);
            }
        }
        value => {
            out.insert(way, Leaf { root: root.to_owned(), shown, value: value.clone() });
        }
    }
}

/// `max_ack_pending` → `maxAckPending`.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for (index, part) in name.split('_').enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if index > 0 => out.extend(first.to_uppercase()),
            Some(first) => out.push(first),
            None => {}
        }
        out.push_str(letters.as_str());
    }
    out
}

/// A value as a person writes it: durations in Go's notation.
pub fn show(kind: Kind, field: &str, value: &Value) -> String {
    let root = field.split(['.', '[']).next().unwrap_or_default();
    let durations =
        matches!(kind.field(root).map(|field| field.form), Some(Form::Duration | Form::Durations))
            || field.ends_with(".inactive_threshold");
    plain(value, durations)
}

fn plain(value: &Value, durations: bool) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| plain(item, durations)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Number(number) if durations => number
            .as_i64()
            .map_or_else(|| number.to_string(), |n| GoDuration::from_nanoseconds(n).to_string()),
        other => other.to_string(),
    }
}
