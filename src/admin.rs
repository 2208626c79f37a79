//! The admin listener: liveness, readiness with the state of everything behind it, metrics, and for those who may use
//! them the API and the console.

pub mod access;
mod api;
mod console;
mod metrics;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use axum::body::Body;
use axum::extract::State;
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{IntoResponse, Response};
use axum::routing::{any, get};
use axum::{Json, Router};
use http::header::CONTENT_SECURITY_POLICY;
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};

use crate::gateway::Gateway;
use crate::gateway::compile::Compiled;
use crate::gateway::operation;
use crate::gateway::reload::Reloader;
use crate::openapi::Docs;
use crate::problem::guard;
use crate::telemetry::Log;
use crate::upstream::AddressState;
use access::Access;
pub use api::facts;

/// Whether the process takes traffic. Clones share.
#[derive(Debug, Clone)]
pub struct Readiness {
    ready: Arc<AtomicBool>,
    needs_nats: bool,
    since: (SystemTime, Instant),
}

impl Readiness {
    /// Ready from the start; `needs_nats`: only while NATS is connected.
    pub fn new(needs_nats: bool) -> Readiness {
        let since = (SystemTime::now(), Instant::now());
        Readiness { ready: Arc::new(AtomicBool::new(true)), needs_nats, since }
    }

    /// Whether the gateway is ready, and whether it drains.
    fn of(&self, gateway: &Gateway) -> (bool, bool) {
        let open = self.ready.load(Ordering::Relaxed);
        (open && (!self.needs_nats || gateway.nats().status().is_connected()), !open)
    }

    /// Since when the process takes traffic, and how long that is.
    fn since(&self) -> (SystemTime, Duration) {
        (self.since.0, self.since.1.elapsed())
    }

    /// From now on not ready: the process is shutting down.
    pub fn end(&self) {
        self.ready.store(false, Ordering::Relaxed);
    }
}

/// What the admin listener tells of, and changes.
#[derive(Debug, Clone)]
pub struct Admin {
    /// Answers requests.
    pub gateway: Arc<Gateway>,
    /// Replaces what it runs on.
    pub reloader: Arc<Reloader>,
    /// Whether the process takes traffic.
    pub readiness: Readiness,
    /// The log, if there is one.
    pub log: Option<Log>,
    /// Who may use the API.
    pub access: Arc<Access>,
    /// What has been read at start, for people.
    pub facts: Arc<Value>,
}

/// The service of the admin listener.
pub fn router(admin: Admin) -> Router {
    Router::new()
        .route("/live", get(|| async { Json(json!({ "live": true })) }))
        .route("/ready", get(ready))
        .route("/metrics", get(scrape))
        .merge(docs(&admin))
        .fallback(|| async {
            (
                StatusCode::NOT_FOUND,
                Json(json!({ "paths": ["/", "/live", "/ready", "/metrics", "/docs", "/api"] })),
            )
        })
        .nest("/api", api::router(&admin))
        .layer(map_response(guarded))
        .merge(console::router())
        .with_state(admin)
}

/// The published document and its page, at `/docs`. The operations are on the other listener, so none can be called here.
/// Whoever may not use the API gets the page alone, in which there is nothing of this gateway.
fn docs<S: Clone + Send + Sync + 'static>(admin: &Admin) -> Router<S> {
    let docs = Docs::new("/docs", false);
    let paths: Vec<String> = docs.paths().collect();
    let gateway = Arc::clone(&admin.gateway);
    let handler = move |method: Method, uri: Uri, headers: HeaderMap| {
        let answer = docs.answer(&gateway.published(), &method, uri.path(), &headers);
        std::future::ready(answer.map(Body::new))
    };
    let guard = from_fn_with_state(Arc::clone(&admin.access), access::guard);
    paths.into_iter().fold(Router::new(), |router, path| {
        let route = any(handler.clone());
        // The document itself; everything else comes out of the binary.
        let is_document = path.ends_with(".json") || path.ends_with(".yaml");
        let route = if is_document { route.layer(guard.clone()) } else { route };
        router.route(&path, route)
    })
}

async fn scrape(State(admin): State<Admin>) -> impl IntoResponse {
    metrics::answer(admin)
}

async fn guarded(mut response: Response) -> Response {
    // The docs have a policy of their own, since browsers show them.
    if !response.headers().contains_key(CONTENT_SECURITY_POLICY) {
        guard(response.headers_mut());
    }
    response
}

async fn ready(State(admin): State<Admin>) -> impl IntoResponse {
    let Admin { gateway, readiness, .. } = admin;
    let (is_ready, draining) = readiness.of(&gateway);
    let table = gateway.table();
    let body = json!({
        "ready": is_ready,
        "draining": draining,
        "in_flight": gateway.in_flight(),
        "nats": nats(&gateway),
        "verifiers": table.verifiers.state(),
        "upstreams": upstreams(&table),
        "operations": operations(&table),
    });
    let status = if is_ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(body))
}

fn nats(gateway: &Gateway) -> Value {
    let nats = gateway.nats().status();
    json!({
        "connected": nats.is_connected(),
        "connections": nats.connections,
        "server": nats.server.map(|server| json!({ "name": server.name, "version": server.version })),
        "max_payload": nats.max_payload,
        "waiting_replies": nats.waiting,
        "reconnects": nats.reconnects,
        "last_error": nats.last_error,
    })
}

/// The addresses of every legacy service, as far as they are known.
fn upstreams(table: &Compiled) -> Value {
    let address =
        |address: AddressState| json!({ "address": address.address, "left_alone": address.left_alone });
    let rows = table.upstreams.all().map(|upstream| {
        let addresses: Vec<Value> = upstream.addresses().into_iter().map(address).collect();
        (upstream.name().to_owned(), json!({ "addresses": addresses }))
    });
    Value::Object(rows.collect())
}

fn operations(table: &Compiled) -> Value {
    let row = |operation: &operation::Operation| {
        let mut row = state(operation);
        if let Some(migration) = &operation.migration {
            row["stage"] = json!(migration.stage.name());
        }
        row
    };
    let rows = table.operations.iter().map(|operation| (operation.name.to_string(), row(operation)));
    Value::Object(rows.collect())
}

fn state(operation: &operation::Operation) -> Value {
    match &*operation.finding.get() {
        operation::State::Unchecked => json!({ "state": "unchecked" }),
        operation::State::Ready => json!({ "state": "ready" }),
        operation::State::Broken(problems) => json!({ "state": "broken", "problems": problems }),
        operation::State::Unknown(reason) => json!({ "state": "unknown", "reason": reason }),
    }
}
