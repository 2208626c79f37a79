//! One request, top to bottom: [`Gateway::handle`] is a line of stages, each of which needs the value of the one
//! before it, so that none can be skipped or reordered.

pub mod checks;
pub mod compile;
pub mod operation;
pub mod route;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use http::{HeaderValue, Method, Response, StatusCode, header};
use http_body_util::Full;

use crate::admit::{self, InFlight};
use crate::authenticate;
use crate::contract::PathParam;
use crate::head::Head;
use crate::nats::Nats;
use crate::problem::{Code, Problem, Violation};
use crate::translate::{self, HttpResponse, Seen};
use crate::validate::{self, Payload};
use operation::{Operation, Route};
use route::{Match, RouteTable};

/// Everything that requests share.
#[derive(Debug)]
pub struct Gateway {
    routes: RouteTable<Route>,
    operations: Vec<Arc<Operation>>,
    in_flight: InFlight,
    nats: Nats,
    closed: AtomicBool,
}

/// What the log says of a request beside its answer.
#[derive(Debug, Default)]
pub struct Note {
    /// The operation, once matched.
    pub operation: Option<Arc<str>>,
    /// Why there was no success.
    pub problem: Option<Problem>,
}

/// The operation that a request is for.
struct Matched<'a> {
    operation: &'a Operation,
    path: Vec<PathParam<'a>>,
}

impl Gateway {
    /// A gateway over a compiled route table.
    pub fn new(table: compile::Compiled, nats: Nats) -> Gateway {
        Gateway {
            routes: table.routes,
            operations: table.operations,
            in_flight: InFlight::new(table.in_flight),
            nats,
            closed: AtomicBool::new(false),
        }
    }

    /// Answers one request. `note` takes what the access log says of it.
    pub async fn handle(&self, head: &Head, body: Body, note: &mut Note) -> HttpResponse {
        let matched = match self.find(head) {
            Ok(Ok(matched)) => matched,
            Ok(Err(response)) => return response,
            Err(problem) => {
                let response = problem.response(head.id.as_str());
                note.problem = Some(problem);
                return response;
            }
        };
        note.operation = Some(Arc::clone(&matched.operation.name));
        let mut payload = None;
        match self.answer(head, body, &matched, &mut payload).await {
            Ok(response) => response,
            Err(problem) => {
                let response = unsuccessful(head, &matched, payload.as_ref(), &problem);
                note.problem = Some(problem);
                response
            }
        }
    }

    /// The stages.
    async fn answer(
        &self,
        head: &Head,
        body: Body,
        matched: &Matched<'_>,
        payload: &mut Option<Payload>,
    ) -> Result<HttpResponse, Problem> {
        let operation = matched.operation;
        let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
        let _permit = admit::admit(&self.in_flight, &operation.in_flight)?;
        let caller = authenticate::authenticate(head)?;
        let received =
            validate::receive(&operation.input, head, &matched.path, body, self.nats.max_payload(), deadline).await?;
        let payload = &*payload.insert(received);
        let seen = Seen { head, path: &[], payload: Some(payload) };
        let outbound = operation.mapping.outbound(seen, caller, payload, deadline)?;
        let reply = operation.binding.send(&self.nats, outbound, head, deadline).await?;
        operation.answering.response(seen, reply)
    }

    /// The operation of a request; or an answer that needs none; or why there is neither.
    fn find<'a>(&'a self, head: &'a Head) -> Result<Result<Matched<'a>, HttpResponse>, Problem> {
        if self.closed.load(Ordering::Relaxed) {
            return Err(Problem::new(Code::Draining, "the gateway is shutting down"));
        }
        match self.routes.find(head.method(), head.path()) {
            Match::Found { value: Route::Bound(operation), params } => Ok(Ok(Matched { operation, path: params })),
            Match::Found { value: Route::Unbound(name), .. } => {
                let detail = format!("the operation {name} is in the contract, and is not served here yet");
                Err(Problem::new(Code::NotBound, detail))
            }
            Match::MethodNotAllowed { allow } if head.method() == Method::OPTIONS => Ok(Err(options(&allow.to_string()))),
            Match::MethodNotAllowed { allow } => {
                let mut problem = Problem::new(Code::MethodNotAllowed, format!("this path takes {allow}"));
                problem.allow = HeaderValue::from_str(&allow.to_string()).ok();
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

    /// The operations that are bound.
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.operations
    }

    /// The connection.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// From now on every new request is answered `draining`.
    pub fn close(&self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

fn unsuccessful(head: &Head, matched: &Matched<'_>, payload: Option<&Payload>, problem: &Problem) -> HttpResponse {
    let cases = &matched.operation.problems;
    // Only a case reads the path, and only if the stage that decodes it was not reached.
    let path = if cases.is_empty() || payload.is_some() { Vec::new() } else { validate::as_text(&matched.path) };
    translate::problem::response(cases, Seen { head, path: &path, payload }, problem)
}

fn options(allow: &str) -> HttpResponse {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
