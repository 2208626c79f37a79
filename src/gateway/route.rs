//! Which operation a request belongs to. Compiled once, then only read.
//!
//! Paths are matched raw, segment by segment: literal before mixed (`{id}:verb`; the more literal text, the
//! earlier) before parameter. What a parameter takes is percent-decoded once, so `%2F` stays inside its
//! segment. A path that has no such method gives way to a less literal one that has it, as the routers of the
//! legacy services do: `DELETE /users/me` reaches `/users/{id}` if only `GET` stands at `/users/me`.
//!
//! This is a tree of our own because `matchit` decides by the path alone, takes one parameter a segment, and
//! refuses neighbours that contracts have (`/users/me` beside `/users/v{n}`): a second matcher behind it
//! could not lead back to the paths that it had left aside.

mod allow;
mod guard;
mod search;
mod tree;

use std::sync::Arc;

use http::Method;

pub use allow::Allow;
pub use guard::Guard;
use search::Search;
use tree::{Endpoint, Node};

pub use crate::contract::path::BadValue;
use crate::contract::path::{PathParam, PathTemplate};

/// Every operation, by method and path.
#[derive(Debug)]
pub struct RouteTable<T> {
    root: Node<T>,
}

/// An operation of the same method and shape of path stands there already: a request could mean either.
#[derive(Debug, PartialEq, Eq)]
pub struct Conflict<'r, T> {
    /// The one that stands.
    pub earlier: &'r T,
    /// The one that was refused.
    pub value: T,
}

/// What a method and path lead to.
#[derive(Debug, PartialEq, Eq)]
pub enum Match<'r, 'p, T> {
    /// An operation, and what its path parameters took, from left to right.
    Found {
        /// What was inserted.
        value: &'r T,
        /// Empty, and not allocated, for a literal path.
        params: Vec<PathParam<'p>>,
    },
    /// The path exists with other methods. For `OPTIONS` this is the answer to give, not a failure.
    MethodNotAllowed {
        /// For the header `Allow`.
        allow: Allow,
    },
    /// No such path.
    NotFound,
    /// An operation, and a parameter that holds what no text may hold.
    BadPath {
        /// What was inserted.
        value: &'r T,
        /// Which parameter.
        parameter: Arc<str>,
        /// What is wrong with it.
        reason: BadValue,
    },
}

impl<T> Default for RouteTable<T> {
    fn default() -> Self {
        RouteTable { root: Node::default() }
    }
}

impl<T> RouteTable<T> {
    /// Adds an operation.
    ///
    /// # Errors
    /// When one of the same method and shape stands already. Names of parameters make no difference.
    pub fn insert(
        &mut self,
        method: Method,
        template: &PathTemplate,
        value: T,
    ) -> Result<(), Conflict<'_, T>> {
        let node = template.segments().iter().fold(&mut self.root, |node, segment| node.child(segment));
        let endpoints = &mut node.endpoints;
        if let Some(at) = endpoints.iter().position(|endpoint| endpoint.method == method) {
            return Err(Conflict { earlier: &endpoints[at].value, value });
        }
        endpoints.push(Endpoint { method, names: template.shared_names(), value });
        Ok(())
    }

    /// Finds the operation of a request. `raw_path` is the path as it came, without the query.
    pub fn find<'r, 'p>(&'r self, method: &Method, raw_path: &'p str) -> Match<'r, 'p, T> {
        let Some(path) = raw_path.strip_prefix('/') else { return Match::NotFound };
        let mut search = Search::new(Some(method), false);
        if let Some(endpoint) = search.descend(&self.root, Some(path)) {
            return found(endpoint, &search.captured);
        }
        if !search.allowed.is_empty() {
            return Match::MethodNotAllowed { allow: Allow::new(search.allowed) };
        }
        // A path that would match if a parameter could be empty is that client's mistake, not an unknown path.
        let mut search = Search::new(Some(method), true);
        match search.descend(&self.root, Some(path)) {
            Some(endpoint) => found(endpoint, &search.captured),
            None => Match::NotFound,
        }
    }

    /// The methods that a path has, all of them; `None` if there is no such path.
    pub fn methods(&self, raw_path: &str) -> Option<Allow> {
        let mut search = Search::new(None, false);
        // Nothing is found where nothing is looked for: every endpoint on the way says what it has.
        let _ = search.descend(&self.root, Some(raw_path.strip_prefix('/')?));
        (!search.allowed.is_empty()).then(|| Allow::new(search.allowed))
    }
}

fn found<'r, 'p, T>(endpoint: &'r Endpoint<T>, captured: &[&'p str]) -> Match<'r, 'p, T> {
    let mut params = Vec::with_capacity(captured.len());
    for (name, raw) in endpoint.names.iter().zip(captured) {
        let value = match raw.is_empty() {
            true => Err(BadValue::Empty),
            false => BadValue::decode(raw),
        };
        match value {
            Ok(value) => params.push(PathParam { name: Arc::clone(name), raw, value }),
            Err(reason) => {
                return Match::BadPath { value: &endpoint.value, parameter: Arc::clone(name), reason };
            }
        }
    }
    Match::Found { value: &endpoint.value, params }
}

#[cfg(test)]
mod tests;
