//! The names that schemas give themselves: `$id`, `$anchor` and `$dynamicAnchor`, over all files of a contract.
//!
//! References are resolved as JSON Schema says: against the `$id` around them, else against their file. Nothing is ever
//! fetched: a name that no file declares leads nowhere. Contracts that name nothing cost one walk and no more.

use std::collections::HashMap;

use url::Url;

use super::applicators::{children, looks_like_schema, step};
use super::cursor::SchemaRef;
use crate::diagnostic::Place;
use crate::yaml::{Node, Value};

/// Under these, nothing is a schema.
const DATA: [&str; 5] = ["example", "examples", "default", "enum", "const"];

/// Every name, and what it stands for.
#[derive(Debug, Default)]
pub(super) struct Identifiers {
    /// The schemas with an `$id` or a `$schema` of their own.
    roots: Vec<SchemaRef>,
    /// By `$id`, absolute and without a fragment.
    resources: HashMap<String, SchemaRef>,
    /// By `$id` (or file) and name: `https://example.com/a#name`.
    anchors: HashMap<String, SchemaRef>,
    /// What the references inside of schemas with an `$id` are relative to, by the place of the reference.
    bases: HashMap<Place, Url>,
}

/// Where a walk is.
struct At<'c> {
    node: &'c Node,
    file: u32,
    pointer: String,
    base: Url,
    /// There is an `$id` around.
    named: bool,
}

impl Identifiers {
    /// Adds those of a file. `base` is the file's own address.
    pub(super) fn add(&mut self, file: u32, root: &Node, base: &Url) {
        let at = At { node: root, file, pointer: String::new(), base: base.clone(), named: false };
        self.anything(at, false);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.roots.is_empty() && self.anchors.is_empty()
    }

    /// The innermost schema with an `$id` or a `$schema` that something stands in.
    pub(super) fn root_of(&self, spot: &SchemaRef) -> Option<&SchemaRef> {
        let around = |root: &&SchemaRef| {
            let rest = spot.pointer.strip_prefix(&root.pointer);
            root.file == spot.file && rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        };
        self.roots.iter().filter(around).max_by_key(|root| root.pointer.len())
    }

    /// What a reference means, if a schema has that name. `file` is the address of the file that it stands in.
    pub(super) fn find(&self, text: &str, place: Place, file: &Url) -> Option<SchemaRef> {
        let url = self.bases.get(&place).unwrap_or(file).join(text).ok()?;
        let (resource, fragment) = url.as_str().split_once('#').unwrap_or((url.as_str(), ""));
        if !fragment.is_empty() && !fragment.starts_with('/') {
            return self.anchors.get(url.as_str()).cloned();
        }
        let root = self.resources.get(resource)?;
        let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8().ok()?;
        Some(SchemaRef { file: root.file, pointer: format!("{}{fragment}", root.pointer) })
    }

    /// A part of a document of which only its keys tell what it is.
    fn anything(&mut self, at: At<'_>, schemas: bool) {
        if schemas || looks_like_schema(at.node) {
            return self.schema(at);
        }
        for (key, child) in at.node.entries().iter().filter(|(key, _)| !is_data(&key.name)) {
            let below = at.below(&step(&key.name), child);
            match (key.name.as_str(), &child.value) {
                ("schemas", Value::Map(entries)) => {
                    for (key, schema) in entries {
                        self.schema(below.below(&step(&key.name), schema));
                    }
                }
                (name, _) => self.anything(below, name == "schema"),
            }
        }
        for (index, child) in at.node.items().iter().enumerate() {
            self.anything(at.below(&format!("/{index}"), child), false);
        }
    }

    fn schema(&mut self, mut at: At<'_>) {
        let spot = || SchemaRef { file: at.file, pointer: at.pointer.clone() };
        let text = |key: &str| at.node.get(key).and_then(Node::as_str);
        let id = text("$id").or_else(|| text("id").filter(|_| text("$schema").is_some_and(is_draft_4)));
        if let Some(url) = id.and_then(|id| at.base.join(id).ok()) {
            self.roots.push(spot());
            let resource = url.as_str().split('#').next().unwrap_or_default().to_owned();
            self.resources.entry(resource).or_insert_with(spot);
            (at.base, at.named) = (without_fragment(url), true);
        } else if text("$schema").is_some() {
            self.roots.push(spot());
        }
        for name in ["$anchor", "$dynamicAnchor"].into_iter().filter_map(text) {
            self.anchors.entry(format!("{}#{name}", at.base)).or_insert_with(spot);
        }
        if at.named {
            let references = ["$ref", "$dynamicRef"].into_iter().filter_map(|key| at.node.get(key));
            self.bases.extend(references.map(|reference| (reference.place, at.base.clone())));
        }
        for (steps, child) in children(at.node) {
            self.schema(at.below(&steps, child));
        }
    }
}

impl<'c> At<'c> {
    fn below(&self, steps: &str, node: &'c Node) -> At<'c> {
        let pointer = format!("{}{steps}", self.pointer);
        At { node, file: self.file, pointer, base: self.base.clone(), named: self.named }
    }
}

fn is_data(key: &str) -> bool {
    DATA.contains(&key) || key.starts_with("x-")
}

fn is_draft_4(schema: &str) -> bool {
    schema.contains("draft-04")
}

fn without_fragment(mut url: Url) -> Url {
    url.set_fragment(None);
    url
}
