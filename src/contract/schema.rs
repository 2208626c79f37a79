//! What a schema says about types and member names, without validating anything.
//!
//! `$ref` and `allOf` are followed, `null` alternatives are set aside; everything that would need a validator
//! to decide is answered with "unknown".

use std::collections::HashSet;

use super::documents::{Dialect, Documents};
use crate::yaml::{Node, Value};

/// Keywords by which other schemas have a say in which members there are.
const UNDECIDED: [&str; 7] = [
    "not",
    "if",
    "dependentSchemas",
    "dependentRequired",
    "patternProperties",
    "$dynamicRef",
    "$recursiveRef",
];

/// A schema with everything that holds at the same time.
#[derive(Debug, Clone)]
pub(super) struct SchemaView<'c> {
    documents: &'c Documents,
    /// The schemas that all hold, `$ref`s and `allOf`s taken apart.
    parts: Vec<&'c Node>,
    /// Something has a say that is not looked into.
    undecided: bool,
    nullable: bool,
}

/// What values a schema admits, `null` aside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing is said.
    Any,
    /// Values of one type.
    One(&'static str),
    /// Values of several types.
    Mixed,
}

const TYPES: [&str; 6] = ["string", "integer", "number", "boolean", "array", "object"];

impl<'c> SchemaView<'c> {
    pub(super) fn new(documents: &'c Documents, nodes: &[&'c Node]) -> SchemaView<'c> {
        let mut view = SchemaView { documents, parts: Vec::new(), undecided: false, nullable: false };
        let mut seen = HashSet::new();
        for node in nodes {
            view.add(node, &mut seen);
        }
        view
    }

    /// Adds a schema that holds too. What was seen already ends a circle.
    fn add(&mut self, node: &'c Node, seen: &mut HashSet<*const Node>) {
        if !seen.insert(std::ptr::from_ref(node)) {
            return;
        }
        if let Some(reference) = node.get("$ref") {
            match self.documents.resolve(reference) {
                Ok((target, _)) => self.add(target, seen),
                Err(_) => self.undecided = true,
            }
            if self.documents.dialect() == Dialect::V30 {
                return;
            }
        }
        self.parts.push(node);
        self.nullable |= node.get("nullable").is_some_and(|flag| flag.value == Value::Bool(true));
        self.nullable |= types(node).contains(&"null");
        self.undecided |= UNDECIDED.iter().any(|keyword| node.get(keyword).is_some());
        for part in node.get("allOf").map(Node::items).unwrap_or_default() {
            self.add(part, seen);
        }
        for branches in ["oneOf", "anyOf"].iter().filter_map(|keyword| node.get(keyword)) {
            match only_branch(branches) {
                Some(branch) => {
                    self.nullable |= branches.items().len() > 1;
                    self.add(branch, seen);
                }
                None => self.undecided = true,
            }
        }
    }

    /// What every item of an array holds, if one schema says it.
    fn items(&self) -> Option<SchemaView<'c>> {
        if self.parts.iter().any(|part| part.get("prefixItems").is_some()) {
            return None;
        }
        let items: Vec<&Node> = self.parts.iter().filter_map(|part| part.get("items")).collect();
        (!items.is_empty()).then(|| SchemaView::new(self.documents, &items))
    }

    /// The type of an array's items.
    pub(super) fn item_kind(&self) -> Kind {
        match self.parts.iter().any(|part| part.get("prefixItems").is_some()) {
            true => Kind::Mixed,
            false => self.items().map_or(Kind::Any, |items| items.kind()),
        }
    }

    /// The `default`, if one is given.
    pub(super) fn default(&self) -> Option<serde_json::Value> {
        self.parts.iter().find_map(|part| part.get("default")).map(Node::to_json)
    }

    /// The type of the values. Alternatives count as far as they agree.
    pub(super) fn kind(&self) -> Kind {
        self.kind_within(0)
    }

    fn kind_within(&self, depth: usize) -> Kind {
        let said = self.parts.iter().map(|part| match own_kind(part) {
            Kind::Any if depth < 8 => self.kind_of_branches(part, depth),
            kind => kind,
        });
        // All of them hold: the narrower one decides.
        said.fold(Kind::Any, |sum, kind| match (sum, kind) {
            (Kind::Any, kind) | (kind, Kind::Any) => kind,
            (Kind::Mixed, one) | (one, Kind::Mixed) => one,
            (Kind::One("number"), Kind::One("integer")) => kind,
            (sum, _) => sum,
        })
    }

    fn kind_of_branches(&self, part: &'c Node, depth: usize) -> Kind {
        let branches = ["oneOf", "anyOf"].into_iter().find_map(|keyword| part.get(keyword));
        let Some(branches) = branches.filter(|branches| only_branch(branches).is_none()) else {
            return Kind::Any;
        };
        let kinds = branches.items().iter().filter(|branch| !is_null(branch));
        let kinds = kinds.map(|branch| SchemaView::new(self.documents, &[branch]).kind_within(depth + 1));
        kinds.reduce(either).unwrap_or(Kind::Any)
    }
}

/// What holds if one or the other does.
fn either(a: Kind, b: Kind) -> Kind {
    match (a, b) {
        (a, b) if a == b => a,
        (Kind::One("number"), Kind::One("integer")) | (Kind::One("integer"), Kind::One("number")) => {
            Kind::One("number")
        }
        _ => Kind::Mixed,
    }
}

/// What a schema says of itself: its `type`, else what its values or keywords tell.
fn own_kind(node: &Node) -> Kind {
    let named = types(node).into_iter().filter(|name| *name != "null");
    let named = named
        .map(|name| TYPES.iter().find(|known| **known == name).map_or(Kind::Mixed, |known| Kind::One(known)));
    if let Some(kind) = named.reduce(either) {
        return kind;
    }
    let values = node.get("enum").map(Node::items).unwrap_or_default().iter().chain(node.get("const"));
    if let Some(kind) = values.filter(|value| value.value != Value::Null).map(kind_of_value).reduce(either) {
        return kind;
    }
    match () {
        () if node.get("properties").is_some() => Kind::One("object"),
        () if node.get("items").is_some() => Kind::One("array"),
        () => Kind::Any,
    }
}

fn kind_of_value(node: &Node) -> Kind {
    match &node.value {
        Value::Null => Kind::Any,
        Value::Bool(_) => Kind::One("boolean"),
        Value::Number(number) if number.is_f64() => Kind::One("number"),
        Value::Number(_) => Kind::One("integer"),
        Value::Text { .. } => Kind::One("string"),
        Value::List(_) => Kind::One("array"),
        Value::Map(_) => Kind::One("object"),
    }
}

fn types(node: &Node) -> Vec<&str> {
    let Some(kind) = node.get("type") else { return Vec::new() };
    kind.as_str().into_iter().chain(kind.items().iter().filter_map(Node::as_str)).collect()
}

fn is_null(node: &Node) -> bool {
    types(node) == ["null"]
}

/// The branch that is left when `null` is set aside, if it is one. Generators write optional values so.
fn only_branch(branches: &Node) -> Option<&Node> {
    let mut others = branches.items().iter().filter(|branch| !is_null(branch));
    let only = others.next().filter(|_| others.next().is_none())?;
    Some(only)
}
