//! What the server has and no manifest can write: shown, and sent back with every update, so that it stays. Pure.

use serde_json::{Map, Value};

use crate::jetstream::effective::at_rest;
use crate::jetstream::field::{Kind, children};

/// What is declared, and what has to stay beside it. This is the configuration that an update sends.
pub fn target(kind: Kind, declared: &Map<String, Value>, live: &Map<String, Value>) -> Map<String, Value> {
    let mut out = declared.clone();
    for (name, value) in live.iter().filter(|(_, value)| !at_rest(value)) {
        match out.get_mut(name) {
            Some(declared) => merge(name, declared, value),
            None if foreign(kind, name) => drop(out.insert(name.clone(), value.clone())),
            None => {}
        }
    }
    out
}

/// What `target` adds, with its way.
pub(super) fn kept(
    kind: Kind,
    declared: &Map<String, Value>,
    live: &Map<String, Value>,
) -> Vec<(String, Value)> {
    let mut out = Vec::new();
    let target = target(kind, declared, live);
    added("", &Value::Object(declared.clone()), &Value::Object(target), &mut out);
    out
}

fn foreign(kind: Kind, name: &str) -> bool {
    kind.field(name).is_none_or(|field| field.manifest.is_none())
}

fn merge(name: &str, declared: &mut Value, live: &Value) {
    let Some(known) = children(name) else { return };
    match (declared, live) {
        (Value::Object(declared), Value::Object(live)) => {
            for (key, value) in live {
                match declared.get_mut(key) {
                    Some(declared) => merge(key, declared, value),
                    None if !known.contains(&key.as_str()) => {
                        declared.insert(key.clone(), value.clone());
                    }
                    None => {}
                }
            }
        }
        (Value::Array(items), Value::Array(others)) => {
            for item in items {
                let same = others
                    .iter()
                    .find(|other| item.get("name").is_some() && item.get("name") == other.get("name"));
                if let Some(other) = same {
                    merge(name, item, other);
                }
            }
        }
        _ => {}
    }
}

fn added(way: &str, before: &Value, after: &Value, out: &mut Vec<(String, Value)>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (key, value) in after {
                let way = if way.is_empty() { key.clone() } else { format!("{way}.{key}") };
                match before.get(key) {
                    Some(before) => added(&way, before, value, out),
                    None => out.push((way, value.clone())),
                }
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for (index, (before, after)) in before.iter().zip(after).enumerate() {
                added(&format!("{way}[{index}]"), before, after, out);
            }
        }
        _ => {}
    }
}
