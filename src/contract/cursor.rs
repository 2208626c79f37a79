//! A node of a contract together with the way to it, so that what is read can be found again later.

use super::documents::Documents;
use crate::diagnostic::{Diagnostic, Place};
use crate::yaml::{Key, Node};

/// Where a schema stands. Cheap to keep; the contract turns it into the schema.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SchemaRef {
    pub(super) file: u32,
    pub(super) pointer: String,
}

/// A node and its pointer.
#[derive(Clone)]
pub(super) struct Cursor<'c> {
    documents: &'c Documents,
    pub(super) node: &'c Node,
    pointer: String,
}

impl<'c> Cursor<'c> {
    pub(super) fn root(documents: &'c Documents) -> Option<Cursor<'c>> {
        Some(Cursor { documents, node: documents.root()?, pointer: String::new() })
    }

    pub(super) fn place(&self) -> Place {
        self.node.place
    }

    /// What stands under a key.
    pub(super) fn get(&self, name: &str) -> Option<Cursor<'c>> {
        Some(self.step(name, self.node.get(name)?))
    }

    /// The entries of a mapping, without the extensions (`x-…`).
    pub(super) fn entries(&self) -> impl Iterator<Item = (&'c Key, Cursor<'c>)> {
        let entries = self.node.entries().iter().filter(|(key, _)| !key.name.starts_with("x-"));
        entries.map(|(key, node)| (key, self.step(&key.name, node)))
    }

    /// The items of a sequence.
    pub(super) fn items(&self) -> impl Iterator<Item = Cursor<'c>> {
        self.node.items().iter().enumerate().map(|(index, node)| self.step(&index.to_string(), node))
    }

    /// Follows `$ref`s until something else stands there.
    pub(super) fn follow(self) -> Result<Cursor<'c>, Diagnostic> {
        let (node, pointer) = self.documents.follow(self.node, self.pointer)?;
        Ok(Cursor { node, pointer, ..self })
    }

    /// The text under a key.
    pub(super) fn text(&self, name: &str) -> Option<&'c str> {
        self.node.get(name)?.as_str()
    }

    /// Whether `true` stands under a key; `None` if neither `true` nor `false` does.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        match self.node.get(name)?.value {
            crate::yaml::Value::Bool(value) => Some(value),
            _ => None,
        }
    }

    /// A handle on the schema that stands here.
    pub(super) fn schema(&self) -> SchemaRef {
        SchemaRef { file: self.node.place.file, pointer: self.pointer.clone() }
    }

    fn step(&self, name: &str, node: &'c Node) -> Cursor<'c> {
        let step = name.replace('~', "~0").replace('/', "~1");
        Cursor { documents: self.documents, node, pointer: format!("{}/{step}", self.pointer) }
    }
}
