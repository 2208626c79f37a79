//! A contract's operations as OpenAPI 3.1 that refers to nothing outside of itself: what they reach, in whatever file it
//! stands, becomes a component. Operations of 3.0 are written as those of 3.1.
//!
//! Schemas are copied with every keyword that they have. Extensions (`x-…`) stay behind, and so does what leads around the
//! gateway: servers, and links by path. Which of two components of one name keeps it is decided by [`Components::finish`].

mod about;
mod components;
mod equal;
mod kind;
mod name;
mod schema;

use std::collections::HashMap;

use serde_json::{Map, Value, json};

use super::cursor::SchemaRef;
use super::documents::{Dialect, Documents};
use super::{Contract, Operation};
use crate::yaml::Node;
pub use about::About;
pub use components::{Components, Section};
use kind::{Child, Kind};

/// Copies the operations of one contract.
pub struct Bundler<'c, 'o> {
    documents: &'c Documents,
    components: &'o mut Components,
    openapi_3_0: bool,
    /// The components of what has been reached.
    known: HashMap<(Section, SchemaRef), usize>,
    /// What has been reached and is still to be copied.
    waiting: Vec<(usize, Kind, &'c Node)>,
}

impl<'c, 'o> Bundler<'c, 'o> {
    /// For one contract; what it reaches goes to the components.
    pub fn new(contract: &'c Contract, components: &'o mut Components) -> Bundler<'c, 'o> {
        let documents = &contract.documents;
        let openapi_3_0 = documents.dialect() == Dialect::V30;
        let (known, waiting) = (HashMap::new(), Vec::new());
        Bundler { documents, components, openapi_3_0, known, waiting }
    }

    /// An operation: as it stands there, with the parameters of its path, and what it demands of who calls. What it
    /// refers to is in the components when this returns.
    pub fn operation(&mut self, operation: &Operation) -> Map<String, Value> {
        let [item, own] = &operation.spots;
        let Some(node) = self.documents.at(own.file, &own.pointer) else { return Map::new() };
        let mut copy = match self.object(Kind::Operation, node) {
            Value::Object(copy) => copy,
            _ => Map::new(),
        };
        let around = self.documents.at(item.file, &item.pointer).and_then(|item| item.get("parameters"));
        let parameters = self.parameters(around, node.get("parameters"));
        copy.shift_remove("parameters");
        if !parameters.is_empty() {
            copy.insert("parameters".to_owned(), Value::Array(parameters));
        }
        copy.insert("security".to_owned(), self.security(operation));
        self.settle();
        copy
    }

    /// Those of the path that the operation does not replace, and its own. Those of the path itself are copied whole,
    /// since their names depend on where the operation is published.
    fn parameters(&mut self, around: Option<&'c Node>, own: Option<&'c Node>) -> Vec<Value> {
        let mut all: Vec<(String, Value)> = Vec::new();
        for node in [around, own].into_iter().flatten().flat_map(Node::items) {
            let Ok((target, _)) = self.documents.follow(node, String::new()) else { continue };
            let text = |key| target.get(key).and_then(Node::as_str).unwrap_or_default();
            let name = text("name");
            // Names of headers are the same in whatever case.
            let name = if text("in") == "header" { name.to_ascii_lowercase() } else { name.to_owned() };
            let identity = format!("{} {name}", text("in"));
            let copy = match text("in") {
                "path" => self.object(Kind::Parameter, target),
                _ => self.any(Kind::Parameter, node),
            };
            match all.iter_mut().find(|(known, _)| *known == identity) {
                Some((_, value)) => *value = copy,
                None => all.push((identity, copy)),
            }
        }
        all.into_iter().map(|(_, copy)| copy).collect()
    }

    /// Alternatives, by the names that the schemes will have. One that demands what nobody defines is left out.
    fn security(&mut self, operation: &Operation) -> Value {
        let Some(security) = &operation.security else { return json!([]) };
        let mut alternatives = Vec::new();
        for uses in &security.alternatives {
            let demands = uses.iter().map(|one| {
                let scopes: Vec<&str> = one.scopes.iter().map(|scope| scope.value.as_str()).collect();
                Some((self.scheme(&one.scheme.value)?, json!(scopes)))
            });
            alternatives.extend(demands.collect::<Option<Map<String, Value>>>().map(Value::Object));
        }
        Value::Array(alternatives)
    }

    fn scheme(&mut self, name: &str) -> Option<String> {
        let schemes = self.documents.root()?.get("components")?.get("securitySchemes")?;
        let node = schemes.get(name)?;
        let (target, _) = self.documents.follow(node, String::new()).ok()?;
        let pointer = format!("/components/securitySchemes{}", super::applicators::step(name));
        Some(self.refer(Section::SecuritySchemes, Kind::SecurityScheme, target, pointer, name))
    }

    /// Copies what is waiting, and what that reaches in turn.
    fn settle(&mut self) {
        while let Some((component, kind, node)) = self.waiting.pop() {
            let body = self.object(kind, node);
            self.components.fill(component, body);
        }
    }

    /// Something that may be a reference.
    fn any(&mut self, kind: Kind, node: &'c Node) -> Value {
        // What stands beside a schema's reference counts, and what it leads to may be one again.
        if kind == Kind::Schema {
            return self.schema(node);
        }
        let (Some(reference), Some(section)) =
            (node.get("$ref").filter(|one| one.as_str().is_some()), kind.section())
        else {
            return self.object(kind, node);
        };
        let pointer = self.documents.resolve(reference).map(|(_, pointer)| pointer).unwrap_or_default();
        let Ok((target, pointer)) = self.documents.follow(node, pointer) else { return kind.stand_in() };
        let name = self.name(target, &pointer);
        let mut copy = Map::from_iter([(
            "$ref".to_owned(),
            Value::String(self.refer(section, kind, target, pointer, &name)),
        )]);
        for key in ["summary", "description"].into_iter().filter(|_| !self.openapi_3_0) {
            copy.extend(node.get(key).map(|text| (key.to_owned(), text.to_json())));
        }
        Value::Object(copy)
    }

    /// Something that stands where it stands.
    fn object(&mut self, kind: Kind, node: &'c Node) -> Value {
        if kind == Kind::Schema {
            return self.schema(node);
        }
        let mut copy = Map::with_capacity(node.entries().len());
        for (key, value) in node.entries() {
            if kind::is_internal(&key.name) {
                continue;
            }
            let child = match kind.child(&key.name) {
                Child::Left => continue,
                Child::Data => value.to_json(),
                Child::One(kind) => self.any(kind, value),
                Child::List(kind) => value.items().iter().map(|item| self.any(kind, item)).collect(),
                Child::Map(kind) => self.map(kind, value, false),
                Child::Extended(kind) => self.map(kind, value, true),
            };
            copy.insert(key.name.clone(), child);
        }
        kind.complete(&mut copy);
        Value::Object(copy)
    }

    fn map(&mut self, kind: Kind, node: &'c Node, extended: bool) -> Value {
        let entries = node.entries().iter().filter(|(key, _)| !(extended && kind::is_internal(&key.name)));
        let copied = entries.map(|(key, child)| (key.name.clone(), self.any(kind, child)));
        Value::Object(copied.collect())
    }

    /// The reference to a component, which will be there.
    fn refer(
        &mut self,
        section: Section,
        kind: Kind,
        target: &'c Node,
        pointer: String,
        name: &str,
    ) -> String {
        let spot = SchemaRef { file: target.place.file, pointer };
        if let Some(known) = self.known.get(&(section, spot.clone())) {
            return Components::reference(*known);
        }
        let component = self.components.add(section, name, Value::Null);
        self.known.insert((section, spot), component);
        self.waiting.push((component, kind, target));
        Components::reference(component)
    }

    /// What a component is called by where it stands.
    fn name(&self, target: &Node, pointer: &str) -> String {
        name::of(pointer, self.documents.stem(target.place.file))
    }
}
