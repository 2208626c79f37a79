//! What a contract says of itself.

use serde_json::{Map, Value};

use super::super::Contract;
use super::kind::is_internal;
use crate::yaml::Node;

/// A contract's own words about itself, without extensions.
#[derive(Debug, Default)]
pub struct About {
    /// `info`.
    pub info: Map<String, Value>,
    /// `tags`.
    pub tags: Vec<Value>,
    /// `externalDocs`.
    pub external_docs: Option<Value>,
    /// `jsonSchemaDialect`, if it is not the usual one.
    pub dialect: Option<String>,
}

impl About {
    /// Of a contract.
    pub fn of(contract: &Contract) -> About {
        let Some(root) = contract.documents.root() else { return About::default() };
        let info = root.get("info").map(public);
        let tags = root.get("tags").map(Node::items).unwrap_or_default();
        About {
            info: info.and_then(|info| info.as_object().cloned()).unwrap_or_default(),
            tags: tags.iter().map(public).collect(),
            external_docs: root.get("externalDocs").map(public),
            dialect: root.get("jsonSchemaDialect").and_then(Node::as_str).map(str::to_owned),
        }
    }
}

/// Everything but extensions.
fn public(node: &Node) -> Value {
    let entries = node.entries();
    if entries.is_empty() {
        return match node.items() {
            [] => node.to_json(),
            items => items.iter().map(public).collect(),
        };
    }
    let entries = entries.iter().filter(|(key, _)| !is_internal(&key.name));
    entries.map(|(key, value)| (key.name.clone(), public(value))).collect()
}
