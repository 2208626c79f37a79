//! The admin listener: liveness, readiness with the state of everything behind it, and metrics.

mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::extract::State;
use axum::middleware::map_response;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use http::StatusCode;
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::gateway::operation;
use crate::problem::guard;

/// Whether the process takes traffic. Clones share.
#[derive(Debug, Clone)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
    needs_nats: bool,
}

impl Readiness {
    /// Ready from the start; `needs_nats`: only while NATS is connected.
    pub fn new(needs_nats: bool) -> Readiness {
        Readiness { ready: Arc::new(AtomicBool::new(true)), needs_nats }
    }

    /// From now on not ready: the process is shutting down.
    pub fn end(&self) {
        self.ready.store(false, Ordering::Relaxed);
    }
}

/// The service of the admin listener.
pub fn router(gateway: Arc<Gateway>, readiness: Readiness) -> Router {
    Router::new()
        .route("/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/ready", get(ready))
        .route("/metrics", get(scrape))
        .fallback(|| async {
            (StatusCode::NOT_FOUND, Json(json!({ "paths": ["/live", "/ready", "/metrics"] })))
        })
        .layer(map_response(guarded))
        .with_state((gateway, readiness))
}

async fn scrape(State((gateway, _)): State<(Arc<Gateway>, Readiness)>) -> impl IntoResponse {
    metrics::answer(&gateway)
}

async fn guarded(mut response: Response) -> Response {
    guard(response.headers_mut());
    response
}

async fn ready(State((gateway, readiness)): State<(Arc<Gateway>, Readiness)>) -> impl IntoResponse {
    let nats = gateway.nats().status();
    let open = readiness.ready.load(Ordering::Relaxed);
    let is_ready = open && (!readiness.needs_nats || nats.is_connected());
    let body = json!({
        "ready": is_ready,
        "draining": !open,
        "in_flight": gateway.in_flight(),
        "nats": {
            "connected": nats.is_connected(),
            "connections": nats.connections,
            "server": nats.server.map(|server| json!({ "name": server.name, "version": server.version })),
            "max_payload": nats.max_payload,
            "waiting_replies": nats.waiting,
            "reconnects": nats.reconnects,
            "last_error": nats.last_error,
        },
        "verifiers": gateway.verifiers().state(),
        "operations": operations(&gateway),
    });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body))
}

fn operations(gateway: &Gateway) -> Value {
    let rows = gateway.operations().iter().map(|operation| {
        let state = match &*operation.finding.get() {
            operation::State::Unchecked => json!({ "state": "unchecked" }),
            operation::State::Ready => json!({ "state": "ready" }),
            operation::State::Broken(problems) => json!({ "state": "broken", "problems": problems }),
            operation::State::Unknown(reason) => json!({ "state": "unknown", "reason": reason }),
        };
        (operation.name.to_string(), state)
    });
    Value::Object(rows.collect())
}
