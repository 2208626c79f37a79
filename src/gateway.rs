//! One request, top to bottom: [`Gateway::handle`] is a line of stages, each of which needs the value of the one
//! before it, so that none can be skipped or reordered.

pub mod checks;
pub mod compile;
pub mod connect;
pub mod drift;
pub mod explain;
mod find;
pub mod limit;
pub mod operation;
pub mod route;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use hyper::body::Body;
use tokio_util::sync::CancellationToken;
use tower::BoxError;

use crate::admit::{self, InFlight, Standing};
use crate::authenticate::{self, Caller, Verifiers};
use crate::head::{Head, TrustedProxies};
use crate::nats::Nats;
use crate::problem::{Code, Problem};
use crate::translate::{self, HttpResponse, Seen};
use crate::validate::{self, Opened, Payload};
use compile::Compiled;
use find::{Destination, Matched};
use operation::{Operation, Stage};
use route::Allow;

/// Everything that requests share.
#[derive(Debug)]
pub struct Gateway {
    table: Compiled,
    in_flight: InFlight,
    nats: Nats,
    drift: ArcSwap<drift::Seen>,
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

/// What the stages have made of a request so far: a `problem` case may read it.
#[derive(Debug, Default)]
struct Progress {
    caller: Option<Caller>,
    payload: Option<Payload>,
    /// What is left of the caller's quota.
    standing: Option<Standing>,
}

impl Gateway {
    /// A gateway over a compiled route table.
    pub fn new(table: Compiled, nats: Nats) -> Gateway {
        let in_flight = InFlight::new(table.in_flight);
        Gateway { table, in_flight, nats, drift: ArcSwap::default(), closed: CancellationToken::new() }
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
        let mut progress = Progress::default();
        let mut response = match self.answer(head, body, &matched, &mut progress).await {
            Ok(response) => response,
            Err(problem) => {
                let response = unsuccessful(head, &matched, &progress, &problem);
                note.problem = Some(problem);
                response
            }
        };
        limit::tell(matched.operation, progress.standing, response.headers_mut());
        response
    }

    /// The stages.
    async fn answer<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        head: &Head,
        body: B,
        matched: &Matched<'_>,
        progress: &mut Progress,
    ) -> Result<HttpResponse, Problem> {
        let operation = matched.operation;
        let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
        let _permit = admit::admit(&self.in_flight, &operation.in_flight)?;
        limit::before(operation, head, &mut progress.standing)?;
        let caller = self
            .unless_closed(authenticate::authenticate(&operation.access, head, deadline))
            .await
            .inspect_err(|problem| limit::failed(operation, head, problem))?;
        let caller = &*progress.caller.insert(caller);
        limit::after(matched, head, caller, &mut progress.standing)?;
        let opened = operation.input.open(head, &matched.path);
        let opened = permitted(operation, head, caller, opened, &mut progress.payload)?;
        let body_due = deadline.min(head.received + self.table.body_timeout);
        let received = opened.receive(head, body, self.nats.max_payload(), body_due);
        let received = self.unless_closed(received).await;
        let payload = opened.close(received, &mut progress.payload)?;
        let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
        operation.authorize(Stage::Body, seen)?;
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

    /// The methods of a path; `None` if there is no such path.
    pub fn methods(&self, path: &str) -> Option<Allow> {
        self.table.routes.methods(path)
    }

    /// The operations that are bound.
    pub fn operations(&self) -> &[Arc<Operation>] {
        &self.table.operations
    }

    /// Who says who calls. Somebody has to [watch](Verifiers::watch) them.
    pub fn verifiers(&self) -> &Verifiers {
        &self.table.verifiers
    }

    /// Whether the server is as the manifests declare. Somebody has to [watch](drift::watch) it.
    pub fn drift(&self) -> Arc<drift::Seen> {
        self.drift.load_full()
    }

    /// The connection.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// The proxies whose word on where a request comes from is believed.
    pub fn trusted_proxies(&self) -> &TrustedProxies {
        &self.table.trusted_proxies
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

/// Lets a request pass whose caller may make it, as far as its parameters tell; those that are wrong tell nothing, and
/// such a request ends in any case. What has been read of a refused one is kept for the `problem` cases.
fn permitted<'o>(
    operation: &Operation,
    head: &Head,
    caller: &Caller,
    opened: Opened<'o>,
    kept: &mut Option<Payload>,
) -> Result<Opened<'o>, Problem> {
    let Some(payload) = opened.payload() else { return Ok(opened) };
    let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
    match operation.authorize(Stage::Parameters, seen) {
        Ok(()) => Ok(opened),
        Err(problem) => {
            *kept = opened.into_payload();
            Err(problem)
        }
    }
}

fn draining() -> Problem {
    Problem::new(Code::Draining, "the gateway is shutting down")
}

fn unsuccessful(head: &Head, matched: &Matched<'_>, progress: &Progress, problem: &Problem) -> HttpResponse {
    let cases = &matched.operation.problems;
    let payload = progress.payload.as_ref();
    // Only a case reads the path, and only if the stage that decodes it was not reached.
    let path =
        if cases.is_empty() || payload.is_some() { Vec::new() } else { validate::as_text(&matched.path) };
    let seen = Seen { head, path: &path, payload, caller: progress.caller.as_ref() };
    translate::problem::response(cases, seen, problem)
}

fn options(allow: &str) -> HttpResponse {
    let mut response = Response::new(Full::default());
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
