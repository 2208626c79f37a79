//! The first stage: which operation a request is for.

use std::sync::Arc;

use http::{HeaderValue, Method};

use super::compile::Compiled;
use super::operation::{Operation, Route};
use super::route::{BadValue, Match};
use crate::contract::PathParam;
use crate::head::Head;
use crate::problem::{Code, Problem, Violation};

/// Fields by which some services let a request have another method.
const METHODS: [&str; 3] = ["x-http-method-override", "x-http-method", "x-method-override"];
/// And another path.
const PATHS: [&str; 2] = ["x-original-url", "x-rewrite-url"];
/// The parameter by which some let it have another method.
const METHOD: &str = "_method";

/// The operation that a request is for.
#[derive(Debug)]
pub struct Matched<'a> {
    /// The operation.
    pub operation: &'a Arc<Operation>,
    /// What stood in its path, decoded once.
    pub path: Vec<PathParam<'a>>,
}

/// Where a request leads.
#[derive(Debug)]
pub enum Destination<'a> {
    /// To an operation.
    Operation(Matched<'a>),
    /// OPTIONS of a path: these methods.
    Options(String),
}

impl Compiled {
    /// Finds the operation of a request.
    ///
    /// # Errors
    /// `not_found`, `method_not_allowed`, `not_bound`, `invalid_parameter`, `malformed_request`.
    pub fn find<'a>(&'a self, head: &'a Head) -> Result<Destination<'a>, Problem> {
        let found = self.routes.find(head.method(), head.path());
        let (operation, path) = match found {
            Match::Found { value: Route::Bound(operation), params } => (operation, params),
            // What a service makes of such a value is its own affair, where nobody here has to read it.
            Match::BadPath { value: Route::Bound(operation), .. } if operation.passes_everything() => {
                (operation, Vec::new())
            }
            Match::BadPath { value: Route::Bound(_), parameter, reason } => {
                return Err(bad_path(&parameter, &reason));
            }
            other => return self.unmatched(head, other),
        };
        self.legacy_reads(head, operation)?;
        Ok(Destination::Operation(Matched { operation, path }))
    }

    /// A request that no operation matches.
    fn unmatched<'a>(
        &'a self,
        head: &'a Head,
        found: Match<'a, 'a, Route>,
    ) -> Result<Destination<'a>, Problem> {
        if let Some(destination) = self.options(head, &found) {
            return Ok(destination);
        }
        if let Some(fallback) = &self.fallback {
            self.legacy_reads(head, fallback)?;
            return Ok(Destination::Operation(Matched { operation: fallback, path: Vec::new() }));
        }
        Err(match found {
            Match::Found { value: Route::Unbound(name), .. } => {
                let detail = format!("the operation {name} is in the contract, and is not served here yet");
                Problem::new(Code::NotBound, detail)
            }
            Match::MethodNotAllowed { allow } => {
                let mut problem = Problem::new(Code::MethodNotAllowed, format!("this path takes {allow}"));
                problem.allow = HeaderValue::from_str(&allow.to_string()).ok().map(Box::new);
                problem
            }
            Match::BadPath { parameter, reason, .. } => bad_path(&parameter, &reason),
            Match::NotFound | Match::Found { .. } => {
                Problem::new(Code::NotFound, "no operation has this path")
            }
        })
    }

    /// OPTIONS of a path that operations have: answered here, unless it is the legacy service's path, and nothing is said
    /// of other origins.
    fn options<'a>(&'a self, head: &'a Head, found: &Match<'a, 'a, Route>) -> Option<Destination<'a>> {
        let Match::MethodNotAllowed { allow } = found else { return None };
        if *head.method() != Method::OPTIONS || (self.fallback.is_some() && self.cors.is_none()) {
            return None;
        }
        let there = |method: &Method| match self.routes.find(method, head.path()) {
            Match::Found { value: Route::Bound(operation), params } if operation.passes_everything() => {
                Some(Destination::Operation(Matched { operation, path: params }))
            }
            _ => None,
        };
        let passes = allow.methods().iter().find_map(there).filter(|_| self.cors.is_none());
        passes.or_else(|| Some(Destination::Options(allow.to_string())))
    }

    /// The legacy service may read a path as that of another operation, which must not be got around.
    fn legacy_reads(&self, head: &Head, carrier: &Arc<Operation>) -> Result<(), Problem> {
        let Some(forward) = &carrier.legacy else { return Ok(()) };
        let is_around = |other: &Arc<Operation>| {
            let passes = other.legacy.as_ref().is_some_and(|to| Arc::ptr_eq(&to.upstream, &forward.upstream));
            !(Arc::ptr_eq(other, carrier) || (passes && other.passes_everything()))
        };
        let (method, path) = (head.method(), head.path());
        let reads = |method: &Method, path: &str| {
            self.guard.as_it_came(method, path, is_around) || self.guard.any(method, path, is_around)
        };
        let (methods, paths) = (other_methods(head), other_paths(head));
        let elsewhere = || {
            let methods = || std::iter::once(method).chain(&methods);
            methods().skip(1).any(|method| reads(method, path))
                || paths.iter().any(|path| methods().any(|method| reads(method, path)))
        };
        if self.guard.any(method, path, is_around) || elsewhere() {
            let detail =
                "the request can be read as one for another operation: write its path as it is declared";
            return Err(Problem::new(Code::MalformedRequest, detail));
        }
        Ok(())
    }
}

/// The methods that a service may take a request to have, beside the one that it has.
fn other_methods(head: &Head) -> Vec<Method> {
    let query = head.parts.uri.query().filter(|query| query.contains(METHOD)).unwrap_or_default();
    let pairs = url::form_urlencoded::parse(query.as_bytes()).filter(|(name, _)| name == METHOD);
    let mut written: Vec<Vec<u8>> = pairs.map(|(_, value)| value.into_owned().into_bytes()).collect();
    written.extend(named(head, &METHODS));
    if head.method().as_str().bytes().any(|byte| byte.is_ascii_lowercase()) {
        written.push(head.method().as_str().into());
    }
    written
        .iter()
        .filter_map(|method| Method::from_bytes(&method.trim_ascii().to_ascii_uppercase()).ok())
        .collect()
}

/// The paths that a service may take a request to have, beside the one that it has.
fn other_paths(head: &Head) -> Vec<String> {
    let path = |written: Vec<u8>| {
        let text = String::from_utf8_lossy(&written);
        let text =
            text.split_once("://").map_or(&*text, |(_, rest)| &rest[rest.find('/').unwrap_or(rest.len())..]);
        text.split(['?', '#']).next().unwrap_or_default().to_owned()
    };
    named(head, &PATHS).map(path).collect()
}

/// The values of all fields of these names, also where `_` stands for `-`: many servers do not tell them apart.
fn named<'a>(head: &'a Head, names: &'a [&str]) -> impl Iterator<Item = Vec<u8>> + 'a {
    let is_one = |name: &str| {
        let bytes = || name.bytes().map(|byte| if byte == b'_' { b'-' } else { byte });
        name.starts_with('x') && names.iter().any(|one| bytes().eq(one.bytes()))
    };
    head.headers()
        .iter()
        .filter(move |(name, _)| is_one(name.as_str()))
        .map(|(_, value)| value.as_bytes().to_vec())
}

fn bad_path(parameter: &str, reason: &BadValue) -> Problem {
    let violation = Violation::parameter(parameter, reason.to_string());
    let detail = format!("the path parameter {parameter} {reason}");
    Problem::new(Code::InvalidParameter, detail).with_errors(vec![violation])
}
