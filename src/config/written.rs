//! What was written, as digests: tells whether two readings of the configuration differ where that matters, and never
//! what stands there.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use crate::yaml::{Node, Value};

/// Sections that are read once, at start.
const AT_START: [&str; 5] = ["server", "nats", "streams", "telemetry", "migration"];
const VERIFIERS: &str = "security";
const UPSTREAMS: &str = "upstreams";

/// SHA-256 of what was written.
pub type Digest = [u8; 32];

/// Digests of what was written, after variables, files and flags were put in their places.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// By the names of keys, such as `server.drain`.
    at_start: BTreeMap<String, Digest>,
    verifiers: BTreeMap<String, Digest>,
    upstreams: BTreeMap<String, Digest>,
}

impl Written {
    pub(super) fn of(root: &Node) -> Written {
        let mut written = Written::default();
        for (key, section) in root.entries() {
            if AT_START.contains(&key.name.as_str()) {
                leaves(&key.name, section, &mut written.at_start);
            } else if key.name == VERIFIERS {
                written.verifiers = by_name(section);
            } else if key.name == UPSTREAMS {
                written.upstreams = by_name(section);
            }
        }
        written
    }

    /// The verifier of a name.
    pub fn verifier(&self, name: &str) -> Option<Digest> {
        self.verifiers.get(name).copied()
    }

    /// The upstream of a name.
    pub fn upstream(&self, name: &str) -> Option<Digest> {
        self.upstreams.get(name).copied()
    }

    /// The keys that count from a start on and differ from `other`, such as `server.drain`.
    pub fn needs_restart(&self, other: &Written) -> Vec<String> {
        let keys = self.at_start.keys().chain(other.at_start.keys());
        let mut changed: Vec<String> =
            keys.filter(|key| self.at_start.get(*key) != other.at_start.get(*key)).cloned().collect();
        changed.sort_unstable();
        changed.dedup();
        changed
    }
}

/// One entry for each key that has no keys of its own, or none that says anything.
fn leaves(name: &str, node: &Node, into: &mut BTreeMap<String, Digest>) {
    match &node.value {
        Value::Map(entries) => {
            let before = into.len();
            entries.iter().for_each(|(key, child)| leaves(&format!("{name}.{}", key.name), child, into));
            // Some are there for what they are, such as `traces: {}`; a whole section is not.
            if into.len() == before && name.contains('.') {
                into.insert(name.to_owned(), Digest::default());
            }
        }
        // The same as if it were not there.
        Value::Null => {}
        _ => drop(into.insert(name.to_owned(), digest(node))),
    }
}

fn by_name(section: &Node) -> BTreeMap<String, Digest> {
    section.entries().iter().map(|(key, node)| (key.name.clone(), digest(node))).collect()
}

/// What an operation says of how it is carried out and compared, but not of who answers for now: what has been seen of
/// it counts for as long as this is the same.
pub(super) fn of_operation(operation: &Node) -> Digest {
    let mut hasher = Sha256::new();
    for (key, node) in operation.entries() {
        hasher.update(&key.name);
        match key.name.as_str() {
            "migration" => node.get("compare").into_iter().for_each(|compare| add(compare, &mut hasher)),
            _ => add(node, &mut hasher),
        }
    }
    hasher.finalize().into()
}

fn digest(node: &Node) -> Digest {
    let mut hasher = Sha256::new();
    add(node, &mut hasher);
    hasher.finalize().into()
}

/// Each value begins with its kind and ends by its length, so that two that differ are never written alike.
fn add(node: &Node, hasher: &mut Sha256) {
    let text = |hasher: &mut Sha256, kind: &[u8], text: &str| {
        hasher.update(kind);
        hasher.update((text.len() as u64).to_le_bytes());
        hasher.update(text);
    };
    match &node.value {
        Value::Null => hasher.update(b"0"),
        Value::Bool(value) => hasher.update(if *value { b"t" } else { b"f" }),
        Value::Number(number) => text(hasher, b"n", &number.to_string()),
        Value::Text { text: value, .. } => text(hasher, b"s", value),
        Value::List(items) => {
            hasher.update(b"l");
            hasher.update((items.len() as u64).to_le_bytes());
            items.iter().for_each(|item| add(item, hasher));
        }
        Value::Map(entries) => {
            hasher.update(b"m");
            hasher.update((entries.len() as u64).to_le_bytes());
            for (key, child) in entries {
                text(hasher, b"k", &key.name);
                add(child, hasher);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diagnostic::Diagnostics;
    use crate::yaml;

    #[test]
    fn what_is_there_without_a_key_of_its_own_is_seen() {
        let before = written("telemetry: {}");
        for (text, key) in [
            ("telemetry: { traces: {} }", "telemetry.traces"),
            ("telemetry: { traces: { otlp: {} } }", "telemetry.traces.otlp"),
            ("telemetry: { traces: { service: null } }", "telemetry.traces"),
        ] {
            assert_eq!(written(text).needs_restart(&before), [key], "{text}");
            assert_eq!(before.needs_restart(&written(text)), [key], "{text}");
        }
        assert!(before.needs_restart(&written("server: {}")).is_empty());
    }

    fn written(text: &str) -> Written {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source("a.yaml".as_ref(), text);
        Written::of(&yaml::parse(file, &mut diagnostics).unwrap())
    }

    #[test]
    fn keys_that_count_from_a_start_on_are_named() {
        let before = written("server: { drain: 20s, timeouts: { idle: 1s } }\nnats: { servers: [a, b] }\n");
        for (text, changed) in [
            ("# moved\nserver: { timeouts: { idle: 1s }, drain: 20s }\nnats:\n  servers: [a, b]\n", vec![]),
            (
                "server: { drain: 21s, timeouts: { idle: 1s } }\nnats: { servers: [ab] }",
                vec!["nats.servers", "server.drain"],
            ),
            (
                "server: { drain: 20s, timeouts: { idle: 1s }, listen: 'x:1' }\nnats: { servers: [a, b] }\ncors: {}",
                vec!["server.listen"],
            ),
            ("nats: { servers: [a, b] }\nserver:\n", vec!["server.drain", "server.timeouts.idle"]),
        ] {
            assert_eq!(written(text).needs_restart(&before), changed, "{text}");
            assert_eq!(before.needs_restart(&written(text)), changed, "{text}");
        }
    }

    #[test]
    fn verifiers_differ_by_what_they_say_alone() {
        let of = |text: &str| written(text).verifier("people").unwrap();
        let base = of("security: { people: { api_key: { keys: k.yaml } } }");
        assert_eq!(of("cors: {}\nsecurity:\n  people:\n    api_key:\n      keys: 'k.yaml'\n"), base);
        assert_ne!(of("security: { people: { api_key: { keys: l.yaml } } }"), base);
        assert_ne!(of("security: { people: { basic: { keys: k.yaml } } }"), base);
    }
}
