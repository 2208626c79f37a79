//! The first stage: which operation a request is for.

use std::sync::Arc;

use http::{HeaderValue, Method};

use super::compile::Compiled;
use super::operation::{Operation, Route};
use super::route::Match;
use crate::contract::PathParam;
use crate::head::Head;
use crate::problem::{Code, Problem, Violation};

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
    /// `not_found`, `method_not_allowed`, `not_bound`, `invalid_parameter`.
    pub fn find<'a>(&'a self, head: &'a Head) -> Result<Destination<'a>, Problem> {
        match self.routes.find(head.method(), head.path()) {
            Match::Found { value: Route::Bound(operation), params } => {
                Ok(Destination::Operation(Matched { operation, path: params }))
            }
            Match::Found { value: Route::Unbound(name), .. } => {
                let detail = format!("the operation {name} is in the contract, and is not served here yet");
                Err(Problem::new(Code::NotBound, detail))
            }
            Match::MethodNotAllowed { allow } if head.method() == Method::OPTIONS => {
                Ok(Destination::Options(allow.to_string()))
            }
            Match::MethodNotAllowed { allow } => {
                let mut problem = Problem::new(Code::MethodNotAllowed, format!("this path takes {allow}"));
                problem.allow = HeaderValue::from_str(&allow.to_string()).ok().map(Box::new);
                Err(problem)
            }
            Match::NotFound => Err(Problem::new(Code::NotFound, "no operation has this path")),
            Match::BadPath { parameter, reason } => {
                let violation = Violation::parameter(&*parameter, reason.to_string());
                let detail = format!("the path parameter {parameter} {reason}");
                Err(Problem::new(Code::InvalidParameter, detail).with_errors(vec![violation]))
            }
        }
    }
}
