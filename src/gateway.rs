//! One request, top to bottom: [`Gateway::handle`] is a line of stages, each of which needs the value of the one
//! before it, so that none can be skipped or reordered.

mod buffered;
mod changes;
pub mod checks;
pub mod compile;
pub mod connect;
pub mod consumers;
mod copies;
pub mod drift;
pub mod evidence;
pub mod explain;
mod find;
pub mod keys;
pub mod limit;
pub mod load;
mod note;
pub mod operation;
pub mod recent;
pub mod reload;
pub mod route;
mod sides;

use std::sync::Arc;

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderValue, StatusCode, header};
use hyper::body::Body;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tower::BoxError;

use crate::admit::{self, InFlight, Standing};
use crate::authenticate::{self, Caller};
use crate::head::Head;
use crate::nats::Nats;
use crate::openapi::Published;
use crate::problem::{Code, Problem};
use crate::telemetry::Figures;
use crate::translate::{self, HttpResponse, Seen};
use crate::validate::{self, Opened, Payload};
use compile::Compiled;
use find::{Destination, Matched};
pub use note::{Ended, Forwarded, Note, Returned, Sent};
use operation::{OnNats, Operation, Stage};
use sides::Asked;

/// Everything that requests share.
#[derive(Debug)]
pub struct Gateway {
    table: ArcSwap<Compiled>,
    /// Counts the tables that there have been.
    generation: watch::Sender<u64>,
    in_flight: InFlight,
    nats: Nats,
    drift: ArcSwap<drift::Seen>,
    consumers: ArcSwap<consumers::Seen>,
    figures: Arc<Figures>,
    recent: recent::Recent,
    copies: copies::Copies,
    keeper: std::sync::OnceLock<Arc<evidence::Keeper>>,
    closed: CancellationToken,
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
        let figures = Arc::new(Figures::default());
        operation::adopt(&figures, &table.operations);
        Gateway {
            in_flight: InFlight::new(table.in_flight),
            table: ArcSwap::from_pointee(table),
            generation: watch::Sender::new(1),
            nats,
            drift: ArcSwap::default(),
            consumers: ArcSwap::default(),
            figures,
            recent: recent::Recent::default(),
            copies: copies::Copies::default(),
            keeper: std::sync::OnceLock::new(),
            closed: CancellationToken::new(),
        }
    }

    /// What requests that begin now run on. Whoever has it ends on it, whatever replaces it in the meantime.
    pub fn table(&self) -> Arc<Compiled> {
        self.table.load_full()
    }

    /// Lets requests that begin from now on run on another table.
    pub fn replace(&self, table: Compiled) {
        operation::adopt(&self.figures, &table.operations);
        self.table.store(Arc::new(table));
        self.generation.send_modify(|generation| *generation += 1);
    }

    /// The number of the table, from 1. It changes once another one is in place.
    pub fn generation(&self) -> watch::Receiver<u64> {
        self.generation.subscribe()
    }

    /// Answers one request by a [table](Self::table). `note` takes what the access log says of it.
    pub async fn handle<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static>(
        &self,
        table: &Arc<Compiled>,
        head: &Head,
        body: B,
        note: &mut Note,
    ) -> HttpResponse {
        let matched = match self.find(table, head) {
            Ok(Destination::Operation(matched)) => matched,
            Ok(Destination::Options(allow)) => return options(&allow),
            Err(problem) => {
                let response = problem.response(head.id.as_str()).map(Into::into);
                note.problem = Some(problem);
                return response;
            }
        };
        note.operation = Some(Arc::clone(matched.operation));
        let mut progress = Progress::default();
        let answered = self.answer(table, head, body, &matched, &mut progress, note).await;
        let mut response = match answered {
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

    /// The stages that are the same wherever a request goes.
    async fn answer<B: Body<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static>(
        &self,
        table: &Arc<Compiled>,
        head: &Head,
        body: B,
        matched: &Matched<'_>,
        progress: &mut Progress,
        note: &mut Note,
    ) -> Result<HttpResponse, Problem> {
        let operation = matched.operation;
        let deadline = head.deadline(operation.timeout, operation.waits_as_preferred());
        let permit = admit::admit(&self.in_flight, &operation.in_flight)?;
        limit::before(operation, head, &mut progress.standing)?;
        let caller = self
            .unless_closed(authenticate::authenticate(&operation.access, head, deadline))
            .await
            .inspect_err(|problem| limit::failed(operation, head, problem))?;
        let caller = &*progress.caller.insert(caller);
        note.caller = Some(caller.clone());
        limit::after(matched, head, caller, &mut progress.standing)?;
        let body_due = head.received + table.body_timeout;
        let asked = Asked { table, head, matched, caller, deadline, body_due };
        match (&operation.nats, &operation.legacy) {
            (Some(nats), None) => {
                self.on_nats(nats, asked, body, &mut progress.payload, &mut note.sent).await
            }
            // Boxed, so that requests for NATS do not carry the larger future of a forward about.
            _ => Box::pin(self.with_legacy(asked, body, permit, &mut progress.payload, note)).await,
        }
    }

    /// The stages between HTTP and NATS.
    async fn on_nats<B: Body<Data = Bytes, Error: Into<BoxError>>>(
        &self,
        nats: &OnNats,
        asked: Asked<'_>,
        body: B,
        kept: &mut Option<Payload>,
        sent: &mut Option<Sent>,
    ) -> Result<HttpResponse, Problem> {
        let Asked { head, matched, caller, deadline, .. } = asked;
        let operation = matched.operation;
        let opened = operation.input.open(head, &matched.path);
        let opened = permitted(operation, head, caller, opened, kept)?;
        let body_due = deadline.min(asked.body_due);
        let received = opened.receive(head, body, self.nats.max_payload(), body_due);
        let received = self.unless_closed(received).await;
        let payload = opened.close(received, kept)?;
        let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
        operation.authorize(Stage::Body, seen)?;
        let outbound = nats.mapping.outbound(seen, caller, payload, deadline)?;
        let sent = sent.insert(Sent::begin());
        let reply = nats.binding.send(&self.nats, outbound, head, deadline).await;
        sent.end(&reply);
        nats.answering.response(seen, reply?)
    }

    fn find<'a>(&self, table: &'a Compiled, head: &'a Head) -> Result<Destination<'a>, Problem> {
        match self.closed.is_cancelled() {
            true => Err(draining()),
            false => table.find(head),
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

    /// Whether the server is as the manifests declare. Somebody has to [watch](drift::watch) it.
    pub fn drift(&self) -> Arc<drift::Seen> {
        self.drift.load_full()
    }

    /// The last problems.
    pub fn recent(&self) -> &recent::Recent {
        &self.recent
    }

    /// What the streams and their consumers were at. Somebody has to [watch](consumers::watch) them.
    pub fn consumers(&self) -> Arc<consumers::Seen> {
        self.consumers.load_full()
    }

    /// What has been counted.
    pub fn figures(&self) -> &Arc<Figures> {
        &self.figures
    }

    /// What is published of the operations.
    pub fn published(&self) -> Published {
        self.table().published.clone()
    }

    /// The connection.
    pub fn nats(&self) -> &Nats {
        &self.nats
    }

    /// How many requests are in flight.
    pub fn in_flight(&self) -> usize {
        self.in_flight.count()
    }

    /// How many copies of requests are on their way.
    pub fn copies_in_flight(&self) -> usize {
        self.copies.in_flight()
    }

    /// How many requests may be in flight.
    pub fn in_flight_limit(&self) -> usize {
        self.in_flight.limit()
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

/// Decides on a caller whose request goes on although its parameters are wrong: nobody here says so, and the legacy service
/// may well take them. A condition that reads them has no answer then, and without one nobody passes.
fn permitted_anyway(
    operation: &Operation,
    head: &Head,
    caller: &Caller,
    opened: &Opened<'_>,
) -> Result<(), Problem> {
    let Some(wrong) = opened.wrong() else { return Ok(()) };
    let parameters = ["path", "query", "header", "cookie"];
    if operation.authorize.as_ref().is_some_and(|one| parameters.iter().any(|name| one.reads(name))) {
        return Err(wrong);
    }
    let seen = Seen { head, path: &[], payload: None, caller: Some(caller) };
    operation.authorize(Stage::Parameters, seen)
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
    let mut response = HttpResponse::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    if let Ok(allow) = HeaderValue::from_str(allow) {
        response.headers_mut().insert(header::ALLOW, allow);
    }
    response
}
