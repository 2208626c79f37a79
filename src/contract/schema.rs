//! What a schema says about types and member names, without validating anything.
//!
//! `$ref` and `allOf` hold together and are taken apart; of `oneOf` and `anyOf` any may hold, so what they say is
//! the sum. Everything that would need a validator to decide is taken as admitted.

use std::cell::Cell;
use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::documents::{Dialect, Documents};
use super::types::Types;
use crate::yaml::{Node, Value};

/// Alternatives in alternatives, deeper than people write them.
const DEEPEST: usize = 8;
/// Schemas that are looked at for one parameter, each as often as it is met: alternatives multiply, and people write
/// some hundreds.
const MOST: u32 = 20_000;

/// Keywords that admit or refuse nothing by themselves, or are looked at here.
const HARMLESS: [&str; 18] = [
    "$ref",
    "$id",
    "$schema",
    "$comment",
    "$defs",
    "definitions",
    "allOf",
    "type",
    "nullable",
    "items",
    "title",
    "description",
    "default",
    "example",
    "examples",
    "deprecated",
    "externalDocs",
    "xml",
];

/// A schema with everything that holds at the same time.
#[derive(Debug, Clone)]
pub(super) struct SchemaView<'c> {
    documents: &'c Documents,
    /// The schemas that all hold, `$ref`s and `allOf`s taken apart.
    parts: Vec<&'c Node>,
    /// Of each of these, at least one holds.
    alternatives: Vec<Vec<SchemaView<'c>>>,
    /// A reference led nowhere, or there was too much to look at.
    unknown: bool,
    /// As an alternative, it leads back to what it is an alternative of.
    circular: bool,
    /// How many more schemas may be looked at, here and in what is found here.
    left: Rc<Cell<u32>>,
}

/// What is known of members that no `properties` names.
#[derive(Debug, Clone)]
pub(super) enum Rest<'c> {
    /// Nothing is said, so JSON Schema admits any.
    Unsaid,
    /// There are none.
    Closed,
    /// `additionalProperties` speaks of them; without a schema they are anything.
    Open(Option<SchemaView<'c>>),
}

/// The way to a schema while it is taken apart.
#[derive(Clone, Copy)]
struct Way<'w, 'c> {
    /// What holds around this alternative, from the inside out.
    around: Option<&'w Around<'w, 'c>>,
    depth: usize,
}

/// The schemas that hold around an alternative.
struct Around<'w, 'c> {
    parts: &'w [&'c Node],
    next: Option<&'w Around<'w, 'c>>,
}

impl Around<'_, '_> {
    fn has(&self, node: &Node) -> bool {
        self.parts.iter().any(|part| std::ptr::eq(*part, node))
            || self.next.is_some_and(|next| next.has(node))
    }
}

impl<'c> SchemaView<'c> {
    /// What several schemas say together.
    pub(super) fn new(documents: &'c Documents, nodes: &[&'c Node]) -> SchemaView<'c> {
        let (parts, alternatives, left) = (Vec::new(), Vec::new(), Rc::new(Cell::new(MOST)));
        let view = SchemaView { documents, parts, alternatives, unknown: false, circular: false, left };
        view.inside(nodes, Way { around: None, depth: 0 })
    }

    /// What schemas say together that were found in this one.
    fn inside(&self, nodes: &[&'c Node], way: Way<'_, 'c>) -> SchemaView<'c> {
        let (documents, left) = (self.documents, Rc::clone(&self.left));
        let (parts, alternatives) = (Vec::new(), Vec::new());
        let mut view = SchemaView { documents, parts, alternatives, unknown: false, circular: false, left };
        nodes.iter().for_each(|node| view.add(node, way));
        view
    }

    fn part(&self, nodes: &[&'c Node]) -> SchemaView<'c> {
        self.inside(nodes, Way { around: None, depth: 0 })
    }

    /// Adds a schema that holds too. What was seen already ends a circle.
    fn add(&mut self, node: &'c Node, way: Way<'_, 'c>) {
        if self.left.get() == 0 || way.depth > DEEPEST {
            self.unknown = true;
            return;
        }
        if self.parts.iter().any(|part| std::ptr::eq(*part, node)) {
            return;
        }
        if way.around.is_some_and(|around| around.has(node)) {
            self.circular = true;
            return;
        }
        self.left.set(self.left.get() - 1);
        // Beside a `$ref`, 3.0 reads nothing; the node is kept so that a circle of them ends.
        self.parts.push(node);
        if let Some(reference) = node.get("$ref") {
            match self.documents.resolve(reference) {
                Ok((target, _)) => self.add(target, way),
                Err(_) => self.unknown = true,
            }
            if self.documents.dialect() == Dialect::V30 {
                return;
            }
        }
        node.get("allOf").map(Node::items).unwrap_or_default().iter().for_each(|part| self.add(part, way));
        for branches in ["oneOf", "anyOf"].iter().filter_map(|keyword| node.get(keyword)) {
            if let [only] = branches.items() {
                self.add(only, way);
                continue;
            }
            let around = Around { parts: &self.parts, next: way.around };
            let deeper = Way { around: Some(&around), depth: way.depth + 1 };
            let views = branches.items().iter().map(|one| self.inside(&[one], deeper));
            // An alternative that is the whole again adds nothing to it.
            let views: Vec<_> = views.filter(|view| !view.circular).collect();
            self.alternatives.extend((!views.is_empty()).then_some(views));
        }
    }

    /// The parts that speak: a `$ref` of 3.0 says nothing beside what it refers to.
    fn speaking(&self) -> impl Iterator<Item = &'c Node> {
        let silent = self.documents.dialect() == Dialect::V30;
        self.parts.iter().copied().filter(move |part| !silent || part.get("$ref").is_none())
    }

    /// The types of its values; `None`: nothing is said.
    pub(super) fn types(&self) -> Option<Types> {
        let own = self.speaking().filter_map(own_types);
        let either = self.alternatives.iter().filter_map(|branches| {
            let types = branches.iter().map(SchemaView::types);
            types.reduce(|a, b| Some(a?.or(b?))).flatten()
        });
        own.chain(either).reduce(Types::and)
    }

    /// What every item of an array holds; `None`: nobody says.
    pub(super) fn items(&self) -> Option<SchemaView<'c>> {
        if self.speaking().any(|part| part.get("prefixItems").is_some()) {
            return None;
        }
        let nodes: Vec<&Node> = self.speaking().filter_map(|part| part.get("items")).collect();
        let mut view = self.part(&nodes);
        for branches in &self.alternatives {
            let views = distinct(branches.iter().filter_map(SchemaView::items));
            view.alternatives.extend((!views.is_empty()).then_some(views));
        }
        (!view.says_nothing()).then_some(view)
    }

    /// The members that are named, in the order in which they stand.
    pub(super) fn members(&self) -> Vec<(&'c str, SchemaView<'c>)> {
        let mut found = Members::default();
        for (key, node) in
            self.speaking().filter_map(|part| part.get("properties")).flat_map(|all| all.entries())
        {
            found.of(&key.name).0.push(node);
        }
        for branches in &self.alternatives {
            let mut views: Vec<(&str, Vec<SchemaView<'_>>)> = Vec::new();
            let mut known: HashMap<&str, usize> = HashMap::new();
            for (name, view) in branches.iter().flat_map(SchemaView::members) {
                let at = *known.entry(name).or_insert(views.len());
                match views.get_mut(at) {
                    Some((_, views)) => views.push(view),
                    None => views.push((name, vec![view])),
                }
            }
            views.into_iter().for_each(|(name, views)| found.of(name).1.push(distinct(views)));
        }
        let view = |(name, (nodes, alternatives)): (_, (Vec<&'c Node>, Vec<_>))| {
            let mut view = self.part(&nodes);
            view.alternatives.extend(alternatives);
            (name, view)
        };
        found.all.into_iter().map(view).collect()
    }

    /// What holds for members that are not named. A branch that is open leaves the whole open.
    pub(super) fn rest(&self) -> Rest<'c> {
        let said: Vec<&Node> = self.speaking().filter_map(|part| part.get("additionalProperties")).collect();
        if said.iter().any(|node| node.value == Value::Bool(false)) {
            return Rest::Closed;
        }
        let schemas: Vec<&Node> = said.iter().copied().filter(|node| !node.entries().is_empty()).collect();
        let mut branches = self.alternatives.iter().flatten().map(SchemaView::rest);
        match (said.is_empty(), schemas.is_empty()) {
            (false, false) => Rest::Open(Some(self.part(&schemas))),
            (false, true) => Rest::Open(None),
            _ => branches.find(|rest| matches!(rest, Rest::Open(_))).unwrap_or(Rest::Unsaid),
        }
    }

    /// The properties that are declared, once for each part that declares them.
    pub(super) fn properties(&self) -> impl Iterator<Item = (&'c str, &'c Node)> {
        let entries = self.parts.iter().filter_map(|part| part.get("properties")).flat_map(Node::entries);
        entries.map(|(key, node)| (key.name.as_str(), node))
    }

    /// The `default`, if one is given.
    pub(super) fn default(&self) -> Option<&'c Node> {
        self.speaking().find_map(|part| part.get("default"))
    }

    /// Whether a value can be of its type and still be wrong.
    pub(super) fn constrains(&self) -> bool {
        let harmless = |name: &str| HARMLESS.contains(&name) || name.starts_with("x-");
        self.unknown
            || !self.alternatives.is_empty()
            || self.speaking().flat_map(Node::entries).any(|(key, _)| !harmless(&key.name))
            || self.items().is_some_and(|items| items.constrains())
    }

    /// What it consists of, for telling whether two views are the same.
    pub(super) fn identity(&self) -> Vec<usize> {
        let mut identity: Vec<usize> =
            self.parts.iter().map(|part| std::ptr::from_ref(*part).addr()).collect();
        for branches in &self.alternatives {
            identity.push(branches.len());
            branches.iter().for_each(|branch| {
                identity.push(0);
                identity.extend(branch.identity());
            });
        }
        identity
    }

    fn says_nothing(&self) -> bool {
        self.parts.is_empty() && self.alternatives.is_empty()
    }
}

/// Alternatives, each once. One that is nothing but alternatives is replaced by them: what a circle of schemas says
/// of its members then comes back to itself.
fn distinct<'c>(views: impl IntoIterator<Item = SchemaView<'c>>) -> Vec<SchemaView<'c>> {
    let spliced = views.into_iter().flat_map(|mut view| match view.alternatives.len() {
        1 if view.parts.is_empty() => view.alternatives.pop().unwrap_or_default(),
        _ => vec![view],
    });
    let mut seen = HashSet::new();
    spliced.filter(|view| seen.insert(view.identity())).collect()
}

/// What is said of each member: by schemas that hold, and by alternatives.
#[derive(Default)]
struct Members<'c> {
    all: Vec<(&'c str, Said<'c>)>,
    index: HashMap<&'c str, usize>,
}

type Said<'c> = (Vec<&'c Node>, Vec<Vec<SchemaView<'c>>>);

impl<'c> Members<'c> {
    fn of(&mut self, name: &'c str) -> &mut Said<'c> {
        let at = *self.index.entry(name).or_insert(self.all.len());
        if at == self.all.len() {
            self.all.push((name, Said::default()));
        }
        &mut self.all[at].1
    }
}

/// What a schema says of itself: its `type`, else what its values or keywords tell.
fn own_types(node: &Node) -> Option<Types> {
    let kind = node.get("type");
    let named = kind
        .iter()
        .flat_map(|kind| kind.as_str().into_iter().chain(kind.items().iter().filter_map(Node::as_str)));
    if let Some(types) = named.filter_map(Types::named).reduce(Types::or) {
        let nullable = node.get("nullable").is_some_and(|flag| flag.value == Value::Bool(true));
        return Some(if nullable { types.or(Types::NULL) } else { types });
    }
    let values = node.get("enum").map(Node::items).unwrap_or_default().iter().chain(node.get("const"));
    if let Some(types) = values.map(type_of).reduce(Types::or) {
        return Some(types);
    }
    match () {
        () if node.get("properties").is_some() => Some(Types::OBJECT),
        () if node.get("items").is_some() => Some(Types::ARRAY),
        () => None,
    }
}

fn type_of(node: &Node) -> Types {
    match &node.value {
        Value::Null => Types::NULL,
        Value::Bool(_) => Types::BOOLEAN,
        Value::Number(number) if number.is_f64() => Types::NUMBER,
        Value::Number(_) => Types::INTEGER,
        Value::Text { .. } => Types::TEXT,
        Value::List(_) => Types::ARRAY,
        Value::Map(_) => Types::OBJECT,
    }
}
