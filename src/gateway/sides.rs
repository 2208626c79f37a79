//! Operations with a legacy side: which of the two a request is for, and whether the other one gets a copy or helps out.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::EXPECT;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use hyper::body::Body as HttpBody;
use tokio::time::{Instant, timeout_at};
use tower::BoxError;

use super::buffered::Buffered;
use super::compile::Compiled;
use super::find::Matched;
use super::note::{Forwarded, Note};
use super::operation::{Inspects, Stage};
use super::{Gateway, permitted, permitted_anyway};
use crate::admit::Permit;
use crate::authenticate::Caller;
use crate::body::Body;
use crate::forward::Forward;
use crate::head::Head;
use crate::migrate::{FellBack, Migration, SERVED_BY, Side, Turn};
use crate::problem::{Code, Outcome, Problem};
use crate::socket;
use crate::translate::{HttpResponse, Seen};
use crate::validate::{self, Payload};

/// A request that may be carried out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) table: &'a Arc<Compiled>,
    pub(super) head: &'a Head,
    pub(super) matched: &'a Matched<'a>,
    pub(super) caller: &'a Caller,
    /// When NATS must have answered.
    pub(super) deadline: Instant,
    /// When its body must be there, if it is read before anything is done.
    pub(super) body_due: Instant,
}

/// A request on its way to one of two sides.
struct Between<'a> {
    gateway: &'a Gateway,
    migration: &'a Migration,
    forward: &'a Forward,
    asked: Asked<'a>,
    kept: &'a mut Option<Payload>,
    note: &'a mut Note,
}

impl Gateway {
    /// Carries out a request for an operation that has a legacy side.
    pub(super) async fn with_legacy<B>(
        &self,
        asked: Asked<'_>,
        body: B,
        permit: Permit<'_>,
        kept: &mut Option<Payload>,
        note: &mut Note,
    ) -> Result<HttpResponse, Problem>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + Unpin + 'static,
    {
        let operation = asked.matched.operation;
        let Some(forward) = &operation.legacy else { return Err(one_sided()) };
        let response = match &operation.migration {
            Some(migration) => {
                Between { gateway: self, migration, forward, asked, kept, note }.carry_out(body).await?
            }
            None => {
                let body = match asked.head.headers().contains_key(EXPECT) {
                    // One that the legacy service may not want is not asked for.
                    true => Body::stream(body),
                    false => Body::coming(body).await,
                };
                self.on_legacy(forward, asked, body, kept, &mut note.forwarded).await?
            }
        };
        Ok(kept_in_flight(asked.head, response, permit))
    }

    /// Hands a request to the legacy service. What is looked at before is for the operation to say.
    async fn on_legacy(
        &self,
        forward: &Forward,
        asked: Asked<'_>,
        body: Body,
        kept: &mut Option<Payload>,
        forwarded: &mut Option<Forwarded>,
    ) -> Result<HttpResponse, Problem> {
        let Asked { head, matched, caller, .. } = asked;
        let body = self.unless_closed(inspected(asked, body, kept)).await?;
        let path = validate::as_text(&matched.path);
        let seen = Seen { head, path: &path, payload: None, caller: Some(caller) };
        Forwarded::noted(forwarded, forward.send(seen, body, false)).await
    }
}

impl Between<'_> {
    async fn carry_out<B>(mut self, body: B) -> Result<HttpResponse, Problem>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let turn = self.turn();
        self.note.served = Some(turn.side);
        let answered = match turn {
            Turn { side: Side::Legacy, copy: false, .. } => self.legacy(Body::stream(body)).await,
            Turn { side: Side::Legacy, .. } => self.shadowed(body).await,
            Turn { copy: false, falls_back: false, .. } => self.nats(body, self.asked.deadline).await,
            Turn { copy, falls_back, .. } => self.nats_first(body, copy, falls_back).await,
        };
        let wants_to_know = self.asked.head.headers().contains_key(SERVED_BY);
        match (answered, self.note.served) {
            (Ok(mut response), Some(served)) if wants_to_know => {
                response.headers_mut().insert(SERVED_BY, HeaderValue::from_static(served.name()));
                Ok(response)
            }
            (answered, _) => answered,
        }
    }

    /// Decides by what stands in the request's head.
    fn turn(&self) -> Turn {
        let Asked { head, matched, caller, .. } = self.asked;
        if !self.migration.looks(head) {
            return self.migration.turn(head, None);
        }
        let opened = matched.operation.input.open(head, &matched.path);
        let path = validate::as_text(&matched.path);
        let seen = Seen { head, path: &path, payload: opened.payload(), caller: Some(caller) };
        self.migration.turn(head, Some(&seen.scope(None, None)))
    }

    async fn legacy(&mut self, body: Body) -> Result<HttpResponse, Problem> {
        self.gateway.on_legacy(self.forward, self.asked, body, self.kept, &mut self.note.forwarded).await
    }

    async fn nats<B>(&mut self, body: B, deadline: Instant) -> Result<HttpResponse, Problem>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>>,
    {
        let Some(nats) = &self.asked.matched.operation.nats else { return Err(one_sided()) };
        let asked = Asked { deadline, ..self.asked };
        self.gateway.on_nats(nats, asked, body, self.kept, &mut self.note.sent).await
    }

    /// Reads a body, unless the gateway ends.
    async fn read(&self, body: impl Future<Output = Buffered>) -> Result<Buffered, Problem> {
        self.gateway.unless_closed(async { Ok(body.await) }).await
    }

    /// The legacy service answers, and NATS gets a copy, if the body is there soon and not too long.
    async fn shadowed<B>(&mut self, body: B) -> Result<HttpResponse, Problem>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let most = self.asked.matched.operation.input.body.max;
        match self.read(Buffered::soon(body, most)).await? {
            Buffered::Whole(bytes) => {
                let copy = self.gateway.copy(self.asked, bytes.clone(), Side::Legacy);
                let answered = self.legacy(Body::whole(bytes)).await;
                copy.watch(answered)
            }
            Buffered::Part(body) => self.legacy(body).await,
        }
    }

    /// NATS answers, and the legacy service what NATS provably did not take. For that, and for a copy, the body must be
    /// there; one that is too long for NATS is for the legacy service at once.
    async fn nats_first<B>(&mut self, body: B, copy: bool, falls_back: bool) -> Result<HttpResponse, Problem>
    where
        B: HttpBody<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
    {
        let operation = self.asked.matched.operation;
        let (most, due) = (operation.input.body.max, self.asked.body_due.min(self.asked.deadline));
        let bytes = match self.read(Buffered::read(body, most, due)).await? {
            Buffered::Whole(bytes) => bytes,
            Buffered::Part(body) if falls_back => return self.fall_back(FellBack::Body, body).await,
            Buffered::Part(body) => return self.nats(body, self.asked.deadline).await,
        };
        let breaker = self.migration.breaker.as_ref().filter(|_| falls_back);
        if breaker.is_some_and(|breaker| !breaker.lets_through()) {
            return self.fall_back(FellBack::Breaker, Body::whole(bytes)).await;
        }
        let began = Instant::now();
        let due = self.first_deadline(falls_back);
        let answered = self.nats(Full::new(bytes.clone()), due).await;
        let code = answered.as_ref().err().map(|problem| problem.code);
        if let Some(breaker) = breaker
            && (code != Some(Code::Timeout) || self.had_time(due.saturating_duration_since(began)))
            && breaker.note(code)
        {
            let (operation, code) = (&*operation.name, code.map_or("", Code::name));
            tracing::warn!(operation, code, "NATS is left alone for a while: the legacy service answers");
        }
        match answered {
            Ok(response) if copy => {
                self.gateway.copy(self.asked, bytes, Side::Nats).since(began).watch(Ok(response))
            }
            Err(problem) if falls_back && self.may_fall_back(&problem) => {
                self.instead_of(problem, Body::whole(bytes)).await
            }
            answered => answered,
        }
    }

    /// What only reads may be tried on the other side too, so long as there is time left for it.
    fn first_deadline(&self, falls_back: bool) -> Instant {
        let Asked { head, matched, deadline, .. } = self.asked;
        match falls_back && matched.operation.safe {
            true => head.received + deadline.saturating_duration_since(head.received) / 2,
            false => deadline,
        }
    }

    /// Whether NATS had at least half of what is its own. Where a client is slow with its body, or has no patience, a
    /// timeout says nothing of NATS: nobody shall keep others away from it so.
    fn had_time(&self, given: Duration) -> bool {
        let operation = self.asked.matched.operation;
        let own = if operation.safe { operation.timeout / 2 } else { operation.timeout };
        given * 2 >= own
    }

    fn may_fall_back(&self, problem: &Problem) -> bool {
        let is_unanswered = matches!(problem.code, Code::Timeout | Code::ConnectionLost);
        let in_time = self.asked.matched.operation.safe && Instant::now() < self.asked.deadline;
        // The code says why; whether NATS may have it all the same, the outcome.
        let is_free = problem.outcome() == Outcome::NotExecuted || in_time;
        (problem.code.falls_back() && is_free) || (is_unanswered && in_time)
    }

    /// The legacy service answers in the place of NATS. If it does not either, the outcome is not better than that of
    /// the first try.
    async fn instead_of(&mut self, problem: Problem, body: Body) -> Result<HttpResponse, Problem> {
        let (first, deadline) = (problem.outcome(), self.asked.deadline);
        let forwarded = self.fall_back(FellBack::Code(problem.code), body);
        if first == Outcome::NotExecuted {
            return forwarded.await;
        }
        let answered = timeout_at(deadline, forwarded).await.unwrap_or(Err(problem));
        answered.map_err(|mut legacy| {
            legacy.outcome = Some(first);
            legacy
        })
    }

    async fn fall_back(&mut self, why: FellBack, body: Body) -> Result<HttpResponse, Problem> {
        self.migration.evidence.fell_back(why);
        self.note.fell_back = Some(why);
        self.note.served = Some(Side::Legacy);
        self.legacy(body).await
    }
}

/// Looks at a request before the legacy service has it, as far as its operation says, and gives its body back.
pub(super) async fn inspected(
    asked: Asked<'_>,
    body: Body,
    kept: &mut Option<Payload>,
) -> Result<Body, Problem> {
    let Asked { head, matched, caller, body_due, .. } = asked;
    let operation = matched.operation;
    if operation.inspects == Inspects::Nothing {
        return Ok(body);
    }
    let opened = operation.input.open(head, &matched.path);
    let opened = permitted(operation, head, caller, opened, kept)?;
    if operation.inspects == Inspects::Parameters {
        permitted_anyway(operation, head, caller, &opened)?;
        return Ok(body);
    }
    let received = opened.receive(head, body, None, body_due).await;
    let payload = opened.close(received, kept)?;
    let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(caller) };
    operation.authorize(Stage::Body, seen)?;
    Ok(Body::whole(payload.body.bytes.clone()))
}

/// A request is in flight until the last byte of its answer is, and of the tunnel that comes of it.
fn kept_in_flight(head: &Head, response: HttpResponse, permit: Permit<'_>) -> HttpResponse {
    if response.status() == StatusCode::SWITCHING_PROTOCOLS {
        if let Some(turn) = head.parts.extensions.get::<socket::Turn>() {
            turn.keep(permit.keep());
        }
        return response;
    }
    match response.body() {
        Body::Whole(_) => response,
        Body::Stream(_) => response.map(|body| body.holding(permit.keep())),
    }
}

fn one_sided() -> Problem {
    Problem::new(Code::Internal, "the operation has one side alone")
}
