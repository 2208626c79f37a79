//! The public listener: what is the same for every request. A head is made and held against the rules of HTTP, the
//! gateway asked, a panic caught, and one access line logged, also for a client that went away.

mod access;
mod account;
mod rules;
mod spans;
mod unread;

use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use http::header::{CONNECTION, UPGRADE};
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, Version};
use hyper::body::Incoming;

use crate::gateway::compile::Compiled;
use crate::gateway::{Gateway, Note};
use crate::head::Head;
use crate::problem::{self, Code, Problem};
use crate::socket::Peer;
use crate::telemetry::{Log, Sample, Tracer};
use crate::translate::HttpResponse;
use account::Account;
pub use rules::Rules;
use unread::Unread;

/// What the public listener's connections share. Without a log there are no access lines.
#[derive(Debug)]
pub struct Edge {
    /// Answers requests.
    pub gateway: Arc<Gateway>,
    /// Takes access lines.
    pub log: Option<Log>,
    /// How many lines of requests that went well are written; those that did not, and those that are traced, have one.
    pub lines: Sample,
    /// Takes spans.
    pub tracer: Option<Tracer>,
    /// The listener speaks TLS.
    pub secure: bool,
    /// What holds for every request.
    pub rules: Rules,
}

impl Edge {
    /// Answers one request of a peer. What is done before the future is made takes no room in it.
    pub fn entry(
        self: Arc<Self>,
        peer: Peer,
        request: Request<Incoming>,
    ) -> impl Future<Output = HttpResponse> + Send {
        let (mut parts, body) = request.into_parts();
        if parts.headers.contains_key(UPGRADE) && parts.version == Version::HTTP_11 {
            // Whoever switches the protocol hands the other half of the tunnel over to the connection.
            parts.extensions.insert(peer.turn.clone());
        }
        let lingers = Unread::lingers(&parts);
        // The whole request, whatever it takes, is for this table.
        let table = self.gateway.table();
        let mut head = Head::new(parts, peer.ip, &table.trusted_proxies);
        head.is_secure = self.secure;
        if let Some(tracer) = &self.tracer {
            head.trace.decide(|trace| tracer.samples(trace));
        }
        let turn = peer.turn;
        async move {
            let body = Unread::new(body, lingers, &turn);
            let mut account = Account::open(&self, &head);
            let mut response = match self.before(&table, &head) {
                None => self.answer(&table, &head, body, &mut account.note).await,
                Some(Ok(response)) => response,
                Some(Err(problem)) => refuse(problem, &head, &mut account.note),
            };
            finish(&table, &head, response.headers_mut());
            account.answered(response.status());
            // An answer that is still on its way is part of the request: its connection is not at rest.
            response.map(|body| body.holding(turn))
        }
    }

    /// The answer to a request that is not for an operation.
    fn before(&self, table: &Compiled, head: &Head) -> Option<Result<HttpResponse, Problem>> {
        if let Err(problem) = self.rules.check(&head.parts) {
            return Some(Err(problem));
        }
        if let Some(docs) = self.docs(table, head) {
            return Some(Ok(docs));
        }
        if *head.method() != Method::OPTIONS {
            return None;
        }
        if head.path() == "*" {
            return Some(Ok(of_the_server()));
        }
        let cors = table.cors.as_ref().filter(|cors| cors.is_preflight(head.method(), head.headers()))?;
        // A path that is not there is told as to everybody.
        let methods = match table.routes.methods(head.path()) {
            Some(methods) => methods.to_string(),
            // What the legacy service has there, nobody here knows.
            None => {
                table.fallback.as_ref().map(|_| "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT".to_owned())?
            }
        };
        Some(Ok(cors.preflight(head.headers(), &methods)))
    }

    /// The page with the published document, where no operation has its path.
    fn docs(&self, table: &Compiled, head: &Head) -> Option<HttpResponse> {
        let docs = self.rules.docs.as_ref().filter(|docs| docs.has(head.path()))?;
        if table.routes.methods(head.path()).is_some() {
            return None;
        }
        Some(docs.answer(&table.published, head.method(), head.path(), head.headers()).map(Into::into))
    }

    /// A panic is a bug: it is answered and logged, and nothing else is touched by it.
    async fn answer(
        &self,
        table: &Arc<Compiled>,
        head: &Head,
        body: Unread,
        note: &mut Note,
    ) -> HttpResponse {
        let answered = {
            let handling = pin!(self.gateway.handle(table, head, body, note));
            AssertUnwindSafe(handling).catch_unwind().await
        };
        answered.unwrap_or_else(|_| {
            let problem = Problem::new(Code::Internal, "this is a fault of the gateway").because("panic");
            let response = problem.response(head.id.as_str()).map(Into::into);
            note.problem = Some(problem);
            response
        })
    }
}

/// What is on every answer.
fn finish(table: &Compiled, head: &Head, headers: &mut HeaderMap) {
    if let Ok(id) = HeaderValue::from_str(head.id.as_str()) {
        headers.insert(problem::REQUEST_ID, id);
    }
    if let Some(cors) = &table.cors {
        cors.mark(head.headers(), headers);
    }
}

fn refuse(problem: Problem, head: &Head, note: &mut Note) -> HttpResponse {
    let mut response: HttpResponse = problem.response(head.id.as_str()).map(Into::into);
    if problem.code == Code::MalformedRequest {
        // Where this request ends is nothing to rely on.
        response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
    }
    note.problem = Some(problem);
    response
}

/// OPTIONS of the server as a whole: it is there.
fn of_the_server() -> HttpResponse {
    let mut response = HttpResponse::default();
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}
