//! One request, top to bottom: [`Gateway::handle`] is a line of stages, each of which needs the value of the one
//! before it, so that none can be skipped or reordered.

pub mod checks;
pub mod compile;
pub mod connect;
pub mod explain;
mod find;
pub mod operation;
pub mod route;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body;
use tokio_util::sync::CancellationToken;
use tower::BoxError;

use crate::admit::{self, InFlight};
use crate::authenticate;
use crate::head::Head;
use crate::nats::Nats;
use crate::problem::{Code, Problem};
use crate::translate::{self, HttpResponse, Seen};
use crate::validate::{self, Payload};
use compile::Compiled;
use find::{Destination, Matched};
use operation::Operation;

/// Everything that requests share.
#[derive(Debug)]
pub struct Gateway {
    table: Compiled,
    in_flight: InFlight,
    nats: Nats,
    closed: CancellationToken,
}

/// What the log says of a request beside its answer.
#[derive(Debug, Default)]
pub struct Note {
    /// The operation, once matched.
    pub operation: Option<Arc<str>>,
    /// Why there was no success.
    pub problem: Option<Problem>,
}

impl Gateway {
    /// A gateway over a compiled route table.
    pub fn new(table: Compiled, nats: Nats) -> Gateway {
        let in_flight = InFlight::new(table.in_flight);
        Gateway { table, in_flight, nats, closed: CancellationToken::new() }
    }

    /// Answers one request. `note` takes what the access log says of it.
    pub async fn handle<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        head: &Head,
        body: B,
        note: &mut Note,
    ) -> HttpResponse {
        let matched = match self.find(head) {
            Ok(Destination::Operation(matched)) => matched,
            Ok(Destination::Options(allow)) => return options(&allow),
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
    async fn answer<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        head: &Head,
        body: B,
        matched: &Matched<'_>,
        payload: &mut Option<Payload>,
    ) -> Result<HttpResponse, Problem> {
        let operation = matched.operation;
        let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
        let _permit = admit::admit(&self.in_flight, &operation.in_flight)?;
        let caller = authenticate::authenticate(head)?;
        let received =
            validate::receive(&operation.input, head, &matched.path, body, self.nats.max_payload(), deadline);
        let payload = &*payload.insert(self.unless_closed(received).await?);
        let seen = Seen { head, path: &[], payload: Some(payload) };
        let outbound = operation.mapping.outbound(seen, caller, payload, deadline)?;
        let reply = operation.binding.send(&self.nats, outbound, head, deadline).await?;
        operation.answering.response(seen, reply)
    }

    fn find<'a>(&'a self, head: &'a Head) -> Result<Destination<'a>, Problem> {
        match self.closed.is_cancelled() {
            true => Err(draining()),
            false => self.table.find(head),
        }
    }

    /// A stage that waits for the client, who shall not keep the gateway from ending.
    async fn unless_closed<T>(&self, stage: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
        tokio::select! {
            biased;
            done = stage => done,
            () = self.closed.cancelled() => Err(draining()),
        }
    }

    /// The operations that are bound.
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.table.operations
    }

    /// The connection.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// From now on every new request is answered `draining`, and so is one whose body is still on its way.
    pub fn close(&self) {
        self.closed.cancel();
    }
}

fn draining() -> Problem {
    Problem::new(Code::Draining, "the gateway is shutting down")
}

fn unsuccessful(
    head: &Head,
    matched: &Matched<'_>,
    payload: Option<&Payload>,
    problem: &Problem,
) -> HttpResponse {
    let cases = &matched.operation.problems;
    // Only a case reads the path, and only if the stage that decodes it was not reached.
    let path =
        if cases.is_empty() || payload.is_some() { Vec::new() } else { validate::as_text(&matched.path) };
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
