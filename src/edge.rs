//! The public listener: what is the same for every request. A head is made, the gateway asked, a panic caught,
//! and one access line logged, also for a client that went away.

mod access;
mod unread;

use std::net::IpAddr;
use std::panic::AssertUnwindSafe;
use std::pin::pin;
use std::sync::Arc;

use futures_util::FutureExt;
use http::{HeaderValue, Request};
use hyper::body::Incoming;

use crate::gateway::{Gateway, Note};
use crate::head::Head;
use crate::problem::{self, Code, Problem};
use crate::telemetry::Log;
use crate::translate::HttpResponse;
use access::AccessLine;
use unread::Unread;

/// What the public listener's connections share. Without a log there are no access lines.
#[derive(Debug)]
pub struct Edge {
    /// Answers requests.
    pub gateway: Arc<Gateway>,
    /// Takes access lines.
    pub log: Option<Log>,
}

impl Edge {
    /// Answers one request of a peer.
    pub async fn entry(&self, peer: IpAddr, request: Request<Incoming>) -> HttpResponse {
        let (parts, body) = request.into_parts();
        let body = Unread::new(&parts, body);
        let head = Head::new(parts, peer);
        let mut line = AccessLine::new(self.log.as_ref(), &head);
        let mut response = self.answer(&head, body, &mut line.note).await;
        if let Ok(id) = HeaderValue::from_str(head.id.as_str()) {
            response.headers_mut().insert(problem::REQUEST_ID, id);
        }
        line.answered(response.status());
        response
    }

    /// A panic is a bug: it is answered and logged, and nothing else is touched by it.
    async fn answer(&self, head: &Head, body: Unread, note: &mut Note) -> HttpResponse {
        let answered = {
            let handling = pin!(self.gateway.handle(head, body, note));
            AssertUnwindSafe(handling).catch_unwind().await
        };
        answered.unwrap_or_else(|_| {
            let problem = Problem::new(Code::Internal, "this is a fault of the gateway").because("panic");
            let response = problem.response(head.id.as_str());
            note.problem = Some(problem);
            response
        })
    }
}
