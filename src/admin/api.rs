//! The API of the admin listener, `/api/…`: what the console shows and does, as JSON. `docs/admin-api.md` describes it.

mod body;
mod config;
mod figures;
mod log_level;
mod migrations;
mod operations;
mod problems;
mod reload;
mod status;
mod streams;

use std::sync::Arc;
use std::time::SystemTime;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http::HeaderValue;
use http::header::ALLOW;
use serde_json::{Value, json};

use super::Admin;
use super::access::guard;
use crate::head::RequestId;
use crate::problem::{Code, Problem};
pub use config::facts;

/// The routes, each behind the guard; whatever is not there is told to nobody else either.
pub(super) fn router(admin: &Admin) -> Router<Admin> {
    Router::new()
        .route("/status", get(status::answer).fallback(|| only("GET, HEAD")))
        .route("/problems", get(problems::answer).fallback(|| only("GET, HEAD")))
        .route("/config", get(config::answer).fallback(|| only("GET, HEAD")))
        .route("/reload", post(reload::answer).fallback(|| only("POST")))
        .route("/migrations", get(migrations::all).fallback(|| only("GET, HEAD")))
        .route("/migrations/{operation}", get(migrations::one).fallback(|| only("GET, HEAD")))
        .route("/migrations/{operation}/reset", post(migrations::reset).fallback(|| only("POST")))
        .route("/log-level", get(log_level::answer).put(log_level::set).fallback(|| only("GET, HEAD, PUT")))
        .fallback(unknown)
        .layer(from_fn_with_state(Arc::clone(&admin.access), guard))
}

async fn unknown() -> Response {
    let detail = "the API has /api/status, /api/problems, /api/config, /api/migrations, /api/reload (POST) and \
         /api/log-level";
    refused(&Problem::new(Code::NotFound, detail))
}

async fn only(methods: &'static str) -> Response {
    let mut response = refused(&Problem::new(Code::MethodNotAllowed, format!("this path takes {methods}")));
    response.headers_mut().insert(ALLOW, HeaderValue::from_static(methods));
    response
}

/// What is wrong with a request, as a problem.
fn refused(problem: &Problem) -> Response {
    problem.response(RequestId::new(SystemTime::now()).as_str()).into_response()
}

/// A time as it stands in documents.
fn rfc3339(time: SystemTime) -> Value {
    json!(humantime::format_rfc3339_millis(time).to_string())
}
