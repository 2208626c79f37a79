//! The public listener: what is the same for every request. A head is made, the gateway asked, a panic caught,
//! and one access line logged, also for a client that went away.

mod access;

use std::net::{IpAddr, Ipv4Addr};
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use futures_util::FutureExt;
use http::HeaderValue;

use crate::gateway::{Gateway, Note};
use crate::head::Head;
use crate::problem::{self, Code, Problem};
use crate::telemetry::Log;
use crate::translate::HttpResponse;
use access::AccessLine;

/// Who is connected; put on every request by the listener.
#[derive(Debug, Clone, Copy)]
pub struct Peer(pub IpAddr);

/// What the public listener shares.
struct Edge {
    gateway: Arc<Gateway>,
    log: Option<Log>,
}

/// The service of the public listener. Without a log there are no access lines.
pub fn router(gateway: Arc<Gateway>, log: Option<Log>) -> Router {
    Router::new().fallback(entry).with_state(Arc::new(Edge { gateway, log }))
}

async fn entry(State(edge): State<Arc<Edge>>, request: Request) -> axum::response::Response {
    let (parts, body) = request.into_parts();
    let ip = parts.extensions.get::<Peer>().map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.0);
    let head = Head::new(parts, ip);
    let mut line = AccessLine::new(edge.log.as_ref(), &head);
    let mut response = answer(&edge.gateway, &head, body, &mut line).await;
    if let Ok(id) = HeaderValue::from_str(head.id.as_str()) {
        response.headers_mut().insert(problem::REQUEST_ID, id);
    }
    line.answered(response.status());
    response.map(Body::new)
}

/// A panic is a bug: it is answered and logged, and nothing else is touched by it.
async fn answer(gateway: &Gateway, head: &Head, body: Body, line: &mut AccessLine<'_>) -> HttpResponse {
    let mut note = Note::default();
    let answered = AssertUnwindSafe(gateway.handle(head, body, &mut note)).catch_unwind().await;
    let response = answered.unwrap_or_else(|_| {
        let problem = Problem::new(Code::Internal, "this is a fault of the gateway").because("panic");
        let response = problem.response(head.id.as_str());
        note.problem = Some(problem);
        response
    });
    line.note(note.operation, note.problem);
    response
}
