//! Properties that one direction does not carry: `readOnly` ones a request need not send, `writeOnly` ones an answer
//! need not show, even where they are required. What is sent all the same is accepted.

use std::collections::BTreeSet;

use super::Direction;
use crate::contract::documents::Documents;
use crate::contract::schema::SchemaView;
use crate::yaml::{Node, Value};

/// Names of such properties.
pub(super) type Names = BTreeSet<String>;

/// What marks them.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsent<'c> {
    documents: &'c Documents,
    mark: &'static str,
    /// Nothing in the contract is marked, as usual.
    none: bool,
}

impl<'c> Unsent<'c> {
    pub(super) fn new(documents: &'c Documents, direction: Direction) -> Unsent<'c> {
        let mark = match direction {
            Direction::Request => "readOnly",
            Direction::Response => "writeOnly",
        };
        Unsent { documents, mark, none: !documents.mentions(mark) }
    }

    /// Those that a schema names itself, by its own properties and those of whatever holds together with it.
    pub(super) fn names(&self, schema: &Node) -> Names {
        if self.none {
            return Names::new();
        }
        let view = SchemaView::new(self.documents, &[schema]);
        let marked = view.properties().filter(|(_, property)| self.is_marked(property));
        marked.map(|(name, _)| name.to_owned()).collect()
    }

    fn is_marked(&self, property: &Node) -> bool {
        let marked = |node: &Node| node.get(self.mark).is_some_and(|flag| flag.value == Value::Bool(true));
        let target = || self.documents.follow(property, String::new()).ok();
        marked(property) || target().is_some_and(|(target, _)| marked(target))
    }
}
