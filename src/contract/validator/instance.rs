//! What is validated, as the validator sees it: a [`Tree`] whose numbers are never rounded, and a walk that a
//! hostile body cannot make endless.
//!
//! Whether a value is valid costs little: results are remembered on the way. Listing what is wrong is not, and a
//! schema that refers to itself from two alternatives doubles the work at each level. So a list is written under a
//! [`Watch`]: once it is used up, containers look empty and the walk comes to its end.

mod equality;

use std::borrow::Cow;
use std::cell::{Cell, OnceCell};
use std::collections::HashSet;

use jsonschema::JsonType;
use jsonschema::json::{Array, Json, JsonNumber, Node, NodeIdentity, Object};
use serde_json::Value;

use crate::json::{Decimal, Members, Tree};
use equality::{equals, same, say};

/// Looks at values while a list is written; some tens of milliseconds.
const LOOKS: u32 = 1_000_000;
/// Errors in a list, those of alternatives counted. Each takes some hundred bytes.
const ERRORS: u32 = 1_000;
/// From here on, items of an array are compared by what they say rather than one with another.
const FEW: usize = 12;

/// The representation of JSON that validators are compiled for.
#[derive(Debug)]
pub(super) struct Instance;

/// A value that is validated.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    tree: &'a Tree<'a>,
    watch: Option<&'a Watch>,
    is_root: bool,
}

/// What a walk may still cost.
#[derive(Debug)]
pub(super) struct Watch {
    looks: Cell<u32>,
    errors: Cell<u32>,
    /// The root as the library wants it.
    whole: OnceCell<Value>,
}

impl Watch {
    pub(super) fn new() -> Watch {
        Watch { looks: Cell::new(LOOKS), errors: Cell::new(ERRORS), whole: OnceCell::new() }
    }

    /// Whether something was left out.
    pub(super) fn is_used_up(&self) -> bool {
        self.looks.get() == 0 || self.errors.get() == 0
    }

    /// Counts a look; false if there are no more.
    fn look(&self) -> bool {
        self.looks.set(self.looks.get().saturating_sub(1));
        !self.is_used_up()
    }
}

impl<'a> Seen<'a> {
    pub(super) fn new(tree: &'a Tree<'a>) -> Seen<'a> {
        Seen { tree, watch: None, is_root: false }
    }

    pub(super) fn watched(tree: &'a Tree<'a>, watch: &'a Watch) -> Seen<'a> {
        Seen { tree, watch: Some(watch), is_root: true }
    }

    /// The number, if it is one.
    pub(super) fn decimal(&self) -> Option<Decimal<'a>> {
        match self.tree {
            Tree::Number(text) => Some(Decimal::new(text)),
            _ => None,
        }
    }

    fn inside(&self, tree: &'a Tree<'a>) -> Seen<'a> {
        Seen { tree, watch: self.watch, is_root: false }
    }

    fn may_look(&self) -> bool {
        self.watch.is_none_or(Watch::look)
    }
}

impl Json for Instance {
    type Node<'a> = Seen<'a>;
    type PreparedKey = String;
    type StringBuffer = ();

    const ACYCLIC: bool = true;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(_buffer: &mut (), string: &str, f: impl FnOnce(Self::Node<'_>) -> T) -> T {
        let tree = Tree::Text(Cow::Borrowed(string));
        f(Seen::new(&tree))
    }
}

impl<'a> Node<'a, Instance> for Seen<'a> {
    type Object = Map<'a>;
    type Array = List<'a>;
    type Number = Number<'a>;

    fn as_object(&self) -> Option<Map<'a>> {
        match self.tree {
            Tree::Map(members) if self.may_look() => Some(Map { members, of: *self }),
            _ => None,
        }
    }

    fn as_array(&self) -> Option<List<'a>> {
        match self.tree {
            Tree::List(items) if self.may_look() => Some(List { items, of: *self }),
            _ => None,
        }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        match self.tree {
            Tree::Text(text) => Some(Cow::Borrowed(text)),
            _ => None,
        }
    }

    fn as_number(&self) -> Option<Number<'a>> {
        match self.tree {
            Tree::Number(text) => Some(Number(text)),
            _ => None,
        }
    }

    fn as_boolean(&self) -> Option<bool> {
        match self.tree {
            Tree::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn is_null(&self) -> bool {
        matches!(self.tree, Tree::Null)
    }

    fn json_type(&self) -> JsonType {
        match self.tree {
            Tree::Null => JsonType::Null,
            Tree::Bool(_) => JsonType::Boolean,
            Tree::Number(_) => JsonType::Number,
            Tree::Text(_) => JsonType::String,
            Tree::List(_) => JsonType::Array,
            Tree::Map(_) => JsonType::Object,
        }
    }

    fn equals_value(&self, expected: &Value) -> bool {
        equals(self.tree, expected)
    }

    /// Asked for by every error, which keeps what it gets: so it gets nothing, and is counted. Only of the root the
    /// library looks for what is inside.
    fn to_value(&self) -> Cow<'a, Value> {
        let Some(watch) = self.watch else { return Cow::Owned(Value::Null) };
        watch.errors.set(watch.errors.get().saturating_sub(1));
        match self.is_root {
            true => Cow::Borrowed(watch.whole.get_or_init(|| self.tree.to_value())),
            false => Cow::Owned(Value::Null),
        }
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Some(NodeIdentity::new(std::ptr::from_ref(self.tree).addr()))
    }
}

/// The members of an object.
pub(super) struct Map<'a> {
    members: &'a Members<'a>,
    of: Seen<'a>,
}

impl<'a> Object<'a, Instance> for Map<'a> {
    type Node = Seen<'a>;
    type MemberName = &'a str;
    type MembersIter = EachMember<'a>;

    fn len(&self) -> usize {
        self.members.entries().len()
    }

    fn get(&self, key: &String) -> Option<Seen<'a>> {
        self.members.get(key).map(|tree| self.of.inside(tree))
    }

    fn members(&self) -> EachMember<'a> {
        EachMember { rest: self.members.entries().iter(), of: self.of }
    }
}

/// One member after the other.
pub(super) struct EachMember<'a> {
    rest: std::slice::Iter<'a, (Cow<'a, str>, Tree<'a>)>,
    of: Seen<'a>,
}

impl<'a> Iterator for EachMember<'a> {
    type Item = (&'a str, Seen<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, tree) = self.rest.next().filter(|_| self.of.may_look())?;
        Some((name, self.of.inside(tree)))
    }
}

/// The items of an array.
pub(super) struct List<'a> {
    items: &'a [Tree<'a>],
    of: Seen<'a>,
}

impl<'a> Array<'a, Instance> for List<'a> {
    type Node = Seen<'a>;
    type ElementsIter = EachItem<'a>;

    fn len(&self) -> usize {
        self.items.len()
    }

    fn elements(&self) -> EachItem<'a> {
        EachItem { rest: self.items.iter(), of: self.of }
    }

    fn is_unique(&self) -> bool {
        if self.items.len() <= FEW {
            let mut rest = self.items.iter();
            return std::iter::from_fn(|| Some((rest.next()?, rest.clone())))
                .all(|(item, mut others)| !others.any(|other| same(item, other)));
        }
        let mut seen = HashSet::with_capacity(self.items.len());
        self.items.iter().all(|item| {
            let mut said = Vec::new();
            say(item, &mut said);
            seen.insert(said)
        })
    }
}

/// One item after the other.
pub(super) struct EachItem<'a> {
    rest: std::slice::Iter<'a, Tree<'a>>,
    of: Seen<'a>,
}

impl<'a> Iterator for EachItem<'a> {
    type Item = Seen<'a>;

    fn next(&mut self) -> Option<Seen<'a>> {
        let tree = self.rest.next().filter(|_| self.of.may_look())?;
        Some(self.of.inside(tree))
    }
}

/// A number as it is written.
pub(super) struct Number<'a>(&'a str);

impl JsonNumber for Number<'_> {
    fn as_u64(&self) -> Option<u64> {
        self.0.parse().ok()
    }

    fn as_i64(&self) -> Option<i64> {
        self.0.parse().ok()
    }

    fn as_f64(&self) -> Option<f64> {
        self.0.parse().ok()
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Borrowed(self.0)
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(self.0.parse().unwrap_or(serde_json::Number::from(0)))
    }

    fn is_integer(&self) -> bool {
        let digits = self.0.strip_prefix('-').unwrap_or(self.0);
        digits.bytes().all(|byte| byte.is_ascii_digit()) || Decimal::new(self.0).is_integer()
    }
}
