//! One walk down the tree for one request.

use http::Method;

use super::tree::{Endpoint, Node};

/// The state of a walk. Nothing is allocated until a parameter is met.
pub(super) struct Search<'m, 'p> {
    /// `None`: no endpoint is looked for, only methods.
    method: Option<&'m Method>,
    /// Whether a parameter may take nothing.
    empty: bool,
    /// What the parameters on the way took, raw.
    pub(super) captured: Vec<&'p str>,
    /// Methods of paths that matched and lack the one asked for.
    pub(super) allowed: Vec<Method>,
}

impl<'m, 'p> Search<'m, 'p> {
    pub(super) fn new(method: Option<&'m Method>, empty: bool) -> Self {
        Search { method, empty, captured: Vec::new(), allowed: Vec::new() }
    }

    /// The first endpoint, in order of precedence, whose path and method match. Every node of the tree is
    /// visited at most once, and no deeper than templates are long, whatever a client sends.
    pub(super) fn descend<'r, T>(
        &mut self,
        node: &'r Node<T>,
        rest: Option<&'p str>,
    ) -> Option<&'r Endpoint<T>> {
        let Some(rest) = rest else { return self.endpoint(node) };
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        let literal = node.literals.get(segment).and_then(|child| self.descend(child, rest));
        literal.or_else(|| self.mixed(node, segment, rest)).or_else(|| self.parameter(node, segment, rest))
    }

    fn mixed<'r, T>(
        &mut self,
        node: &'r Node<T>,
        segment: &'p str,
        rest: Option<&'p str>,
    ) -> Option<&'r Endpoint<T>> {
        let before = self.captured.len();
        node.mixed.iter().find_map(|(pattern, child)| {
            let matched = pattern.capture(segment, self.empty, &mut self.captured);
            let found = if matched { self.descend(child, rest) } else { None };
            if found.is_none() {
                self.captured.truncate(before);
            }
            found
        })
    }

    fn parameter<'r, T>(
        &mut self,
        node: &'r Node<T>,
        segment: &'p str,
        rest: Option<&'p str>,
    ) -> Option<&'r Endpoint<T>> {
        let child = node.parameter.as_ref().filter(|_| self.empty || !segment.is_empty())?;
        let before = self.captured.len();
        self.captured.push(segment);
        let found = self.descend(child, rest);
        if found.is_none() {
            self.captured.truncate(before);
        }
        found
    }

    /// The operation at the end of a path. A GET answers HEAD too.
    fn endpoint<'r, T>(&mut self, node: &'r Node<T>) -> Option<&'r Endpoint<T>> {
        let with = |method: &Method| node.endpoints.iter().find(|endpoint| endpoint.method == *method);
        let found = self.method.and_then(with);
        let found = found.or_else(|| with(&Method::GET).filter(|_| self.method == Some(&Method::HEAD)));
        if found.is_none() {
            self.allowed.extend(node.endpoints.iter().map(|endpoint| endpoint.method.clone()));
        }
        found
    }
}
