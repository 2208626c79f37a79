//! YAML and JSON files as a tree in which every key and value knows its place.
//!
//! The file is read once into [`Node`]s. Typed configuration is then deserialised from the tree
//! ([`read()`]), so that derive, JSON Schema and diagnostics stay one: an error is noted at its place, the
//! offending node is cut, and reading goes on until nothing fails. The YAML library stays behind [`parse()`].

mod de;
mod json;
mod located;
mod parse;
mod read;

pub use located::{Entries, Located};
pub use parse::{parse, parse_all};
pub use read::{Later, read};

use crate::diagnostic::Place;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it stands.
    pub place: Place,
    /// What it is.
    pub value: Value,
}

/// What a node can be. Numbers are 64-bit integers or doubles, as serde hands them over.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `null` or `~`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number.
    Number(serde_json::Number),
    /// Text.
    Text {
        /// The text.
        text: String,
        /// Came from `{env: …}` or `{file: …}`: never shown.
        secret: bool,
        /// Starts with a quotation mark in the source.
        quoted: bool,
    },
    /// A sequence.
    List(Vec<Node>),
    /// A mapping in the order of the file. Keys are text.
    Map(Vec<(Key, Node)>),
}

/// The key of a mapping, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Key {
    /// Where it stands.
    pub place: Place,
    /// The key.
    pub name: String,
}

impl Node {
    /// Plain text that is no secret.
    pub fn text(place: Place, text: impl Into<String>) -> Node {
        Node { place, value: Value::Text { text: text.into(), secret: false, quoted: false } }
    }

    /// The value under a key of a mapping.
    pub fn get(&self, name: &str) -> Option<&Node> {
        self.entry(name).map(|(_, node)| node)
    }

    /// The key and value under a name of a mapping.
    pub fn entry(&self, name: &str) -> Option<(&Key, &Node)> {
        self.entries().iter().find(|(key, _)| key.name == name).map(|(key, node)| (key, node))
    }

    /// The entries of a mapping; none for everything else.
    pub fn entries(&self) -> &[(Key, Node)] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The items of a sequence; none for everything else.
    pub fn items(&self) -> &[Node] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    /// The text of a text node.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            Value::Text { text, .. } => Some(text),
            _ => None,
        }
    }

    /// The node at an RFC 6901 pointer.
    pub fn pointer(&self, pointer: &str) -> Option<&Node> {
        let mut node = self;
        for step in pointer.split('/').skip(1) {
            let step = step.replace("~1", "/").replace("~0", "~");
            node = match &node.value {
                Value::List(items) => items.get(step.parse::<usize>().ok()?)?,
                _ => node.get(&step)?,
            };
        }
        Some(node)
    }

    /// The same without places.
    pub fn to_json(&self) -> serde_json::Value {
        match &self.value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(value) => (*value).into(),
            Value::Number(number) => number.clone().into(),
            Value::Text { text, .. } => text.as_str().into(),
            Value::List(items) => items.iter().map(Node::to_json).collect(),
            Value::Map(entries) => {
                entries.iter().map(|(key, node)| (key.name.clone(), node.to_json())).collect()
            }
        }
    }

    /// What kind of thing it is, for messages.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Bool(_) => "true or false",
            Value::Number(_) => "a number",
            Value::Text { .. } => "text",
            Value::List(_) => "a list",
            Value::Map(_) => "a map",
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde::Deserialize;

    use super::*;
    use crate::diagnostic::Diagnostics;

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct Server {
        listen: Located<String>,
        #[serde(default)]
        limit: Option<u32>,
    }

    #[derive(Deserialize, Debug)]
    #[serde(deny_unknown_fields)]
    struct File {
        server: Server,
        #[serde(default)]
        routes: Entries<Server>,
    }

    fn read_text(text: &str) -> (Option<File>, String) {
        let mut diagnostics = Diagnostics::default();
        let file = diagnostics.add_source(Path::new("a.yaml"), text);
        let value =
            parse(file, &mut diagnostics).and_then(|root| read(root, |key| key == "tls", &mut diagnostics));
        (value, diagnostics.render())
    }

    #[test]
    fn every_problem_is_reported_at_its_place() {
        let (value, report) = read_text(
            "server:\n  listen: 12\n  limt: 3\n  tls: x\nroutes:\n  a: { listen: [x] }\n  b: { listen: y, limit: no }\n",
        );
        let value = value.expect("what is right is read");
        assert_eq!(value.server.listen.value, "12");
        assert_eq!(value.server.listen.place.line, 2);
        assert_eq!(value.server.listen.place.column, 11);
        assert_eq!(value.server.limit, None);
        assert_eq!(value.routes.0.len(), 1);
        assert!(report.contains("unknown key `limt`\n  --> a.yaml:3:3"), "{report}");
        assert!(report.contains("did you mean `limit`?"), "{report}");
        assert!(report.contains("`tls` is not available yet\n  --> a.yaml:4:3"), "{report}");
        assert!(report.contains("expected text, found a list\n  --> a.yaml:6:16"), "{report}");
        assert!(
            report.contains("expected a whole number from 0 to 4294967295, found text\n  --> a.yaml:7:26"),
            "{report}"
        );
        assert_eq!(report.matches("error:").count(), 4, "{report}");
    }

    #[test]
    fn a_tree_that_is_read_out_of_a_tree_is_the_same() {
        let mut diagnostics = Diagnostics::default();
        let text = "a: \"q\"\nb: [1, -2, 1.5, true, null, p, 'x y']\nc: { d: {} }\n";
        let file = diagnostics.add_source(Path::new("a.yaml"), text);
        let root = parse(file, &mut diagnostics).expect("it is valid");
        let again: Node = read(root.clone(), |_| false, &mut diagnostics).expect("any tree is read");
        assert_eq!(again, root);
    }

    #[test]
    fn a_syntax_error_has_a_place() {
        let (value, report) = read_text("server:\n  listen: [a\nroutes: 1\n");
        assert!(value.is_none());
        assert!(report.contains("a.yaml:"), "{report}");
    }
}
