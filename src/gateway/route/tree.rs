//! The tree of segments, built while operations are inserted.

use std::collections::HashMap;
use std::sync::Arc;

use http::Method;

use crate::contract::path::{Pattern, Segment};

/// Where the segments so far lead.
#[derive(Debug)]
pub(super) struct Node<T> {
    pub(super) literals: HashMap<String, Node<T>>,
    /// The one with most literal text first.
    pub(super) mixed: Vec<(Pattern, Node<T>)>,
    pub(super) parameter: Option<Box<Node<T>>>,
    /// Operations whose path ends here: a handful, one a method.
    pub(super) endpoints: Vec<Endpoint<T>>,
}

/// One operation at the end of its path.
#[derive(Debug)]
pub(super) struct Endpoint<T> {
    pub(super) method: Method,
    pub(super) names: Arc<[Arc<str>]>,
    pub(super) value: T,
}

impl<T> Default for Node<T> {
    fn default() -> Self {
        Node { literals: HashMap::new(), mixed: Vec::new(), parameter: None, endpoints: Vec::new() }
    }
}

impl<T> Node<T> {
    /// The node behind a segment, made if it is not there.
    pub(super) fn child(&mut self, segment: &Segment) -> &mut Node<T> {
        match segment {
            Segment::Literal(text) => self.literals.entry(text.clone()).or_default(),
            Segment::Parameter => self.parameter.get_or_insert_default(),
            Segment::Mixed(pattern) => self.mixed_child(pattern),
        }
    }

    fn mixed_child(&mut self, pattern: &Pattern) -> &mut Node<T> {
        let at = self.mixed.iter().position(|(known, _)| known == pattern).unwrap_or_else(|| {
            let at = self.mixed.partition_point(|(known, _)| known.weight() >= pattern.weight());
            self.mixed.insert(at, (pattern.clone(), Node::default()));
            at
        });
        &mut self.mixed[at].1
    }
}
