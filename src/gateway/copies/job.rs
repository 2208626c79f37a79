//! One copy on its way to the side that does not answer, until both answers are there.

use std::sync::Arc;

use bytes::Bytes;
use http::Method;
use http_body_util::{BodyExt, Full, Limited};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout, timeout_at};

use super::{GIVEN, Place};
use crate::authenticate::Caller;
use crate::body::Body;
use crate::config::Noise;
use crate::exchange::{self, Outbound, Reply, Stored};
use crate::gateway::compile::Compiled;
use crate::gateway::find::{Destination, Matched};
use crate::gateway::operation::{OnNats, Operation, Stage, State};
use crate::gateway::sides::{Asked, inspected};
use crate::gateway::{Progress, permitted, unsuccessful};
use crate::head::Head;
use crate::migrate::{Answer, Pair, Side};
use crate::nats::Nats;
use crate::problem::{Code, Problem};
use crate::translate::{self, HttpResponse, Seen};
use crate::validate;

/// A copy, with all that it needs.
pub(super) struct Job {
    pub(super) nats: Nats,
    pub(super) table: Arc<Compiled>,
    pub(super) head: Head,
    pub(super) caller: Caller,
    pub(super) body: Bytes,
    /// Whose answer the client gets.
    pub(super) served: Side,
    /// That answer.
    pub(super) given: oneshot::Receiver<Answer>,
    pub(super) _place: Place,
}

impl Job {
    /// Asks the other side, waits for the answer that the client gets, and hands over both.
    pub(super) async fn run(self) {
        let Ok(Destination::Operation(matched)) = self.table.find(&self.head) else { return };
        let operation = matched.operation;
        let Some(migration) = &operation.migration else { return };
        let due = Instant::now() + migration.shadow.timeout;
        let within = (migration.evidence.max_body(), due);
        let aside = async {
            match migration.shadow.noise {
                Noise::Legacy if self.served == Side::Legacy && operation.safe => {
                    self.answer(self.on_legacy(&matched, due), within).await
                }
                _ => None,
            }
        };
        let other = async {
            match self.served {
                Side::Legacy => self.answer(self.on_nats(&matched, due), within).await,
                Side::Nats => self.answer(self.on_legacy(&matched, due), within).await,
            }
        };
        let (candidate, again) = tokio::join!(other, aside);
        let primary = timeout(GIVEN, self.given).await.ok().and_then(Result::ok);
        if again.is_some() {
            let primary = primary.clone();
            let pair = Pair { served: self.served, primary, candidate: again, noise: true };
            migration.evidence.observe_aside(pair).await;
        }
        let pair = Pair { served: self.served, primary, candidate, noise: false };
        migration.evidence.observe_aside(pair).await;
    }

    /// What comes of an answer, if it comes in time.
    async fn answer(
        &self,
        answered: impl Future<Output = Result<HttpResponse, (Code, HttpResponse)>>,
        (longest, due): (usize, Instant),
    ) -> Option<Answer> {
        let began = Instant::now();
        let (code, response) = match timeout_at(due, answered).await.ok()? {
            Ok(response) => (None, response),
            Err((code, response)) => (Some(code), response),
        };
        let took = began.elapsed();
        let (parts, body) = response.into_parts();
        let limited = Limited::new(body, longest);
        let body = match *self.head.method() == Method::HEAD {
            // What it would be is no part of the answer.
            true => Some(Bytes::new()),
            false => timeout_at(due, limited.collect()).await.ok()?.ok().map(|body| body.to_bytes()),
        };
        Some(Answer { status: parts.status, headers: parts.headers, body, code, took })
    }

    async fn on_legacy(
        &self,
        matched: &Matched<'_>,
        due: Instant,
    ) -> Result<HttpResponse, (Code, HttpResponse)> {
        let operation = matched.operation;
        let failed = |problem: Problem| {
            (problem.code, unsuccessful(&self.head, matched, &Progress::default(), &problem))
        };
        let Some(forward) = &operation.legacy else {
            return Err(failed(Problem::new(Code::Internal, "the operation has no legacy side")));
        };
        // A request that is refused itself has no copy there either.
        let asked = Asked {
            table: &self.table,
            head: &self.head,
            matched,
            caller: &self.caller,
            deadline: due,
            body_due: due,
        };
        let body = inspected(asked, Body::whole(self.body.clone()), &mut None).await.map_err(failed)?;
        let path = validate::as_text(&matched.path);
        let seen = Seen { head: &self.head, path: &path, payload: None, caller: Some(&self.caller) };
        forward.send(seen, body, true).await.map_err(failed)
    }

    async fn on_nats(
        &self,
        matched: &Matched<'_>,
        due: Instant,
    ) -> Result<HttpResponse, (Code, HttpResponse)> {
        let mut progress = Progress { caller: Some(self.caller.clone()), ..Progress::default() };
        let answered = self.stages(matched, due, &mut progress).await;
        answered.map_err(|problem| (problem.code, unsuccessful(&self.head, matched, &progress, &problem)))
    }

    /// The stages of a request for NATS, but for those that have been passed, and for publishing.
    async fn stages(
        &self,
        matched: &Matched<'_>,
        due: Instant,
        progress: &mut Progress,
    ) -> Result<HttpResponse, Problem> {
        let (head, operation) = (&self.head, matched.operation);
        let Some(nats) = &operation.nats else {
            return Err(Problem::new(Code::Internal, "the operation has no side on NATS"));
        };
        let opened = operation.input.open(head, &matched.path);
        let opened = permitted(operation, head, &self.caller, opened, &mut progress.payload)?;
        let body = Full::new(self.body.clone());
        let received = opened.receive(head, body, self.nats.max_payload(), due).await;
        let payload = opened.close(received, &mut progress.payload)?;
        let seen = Seen { head, path: &[], payload: Some(payload), caller: Some(&self.caller) };
        operation.authorize(Stage::Body, seen)?;
        let outbound = nats.mapping.outbound(seen, &self.caller, payload, due)?;
        let reply = self.send(nats, operation, outbound, seen, due).await?;
        nats.answering.response(seen, reply)
    }

    /// Sends a request as the copy that it is. What would be published is answered as if it had been.
    async fn send(
        &self,
        nats: &OnNats,
        operation: &Operation,
        outbound: Outbound,
        seen: Seen<'_>,
        due: Instant,
    ) -> Result<Reply, Problem> {
        match outbound {
            Outbound::Request(mut message) => {
                message.headers.insert(exchange::SHADOW, "true");
                let subject = operation.migration.as_ref().and_then(|one| one.shadow.subject.as_ref());
                if let Some(subject) = subject {
                    message.subject = translate::subject(subject, seen)?;
                }
                nats.binding.send(&self.nats, Outbound::Request(message), &self.head, due).await
            }
            Outbound::Publish(_, identity) => {
                let stream = operation.stream().unwrap_or_default().to_owned();
                if let State::Broken(problems) = &*operation.finding.get() {
                    let cause = problems.join("; ");
                    return Err(
                        Problem::new(Code::StreamUnavailable, "the stream would not take it").because(cause)
                    );
                }
                Ok(Reply::Stored(Stored {
                    id: identity.id,
                    stream,
                    sequence: 1,
                    duplicate: false,
                    unverified: false,
                }))
            }
        }
    }
}
