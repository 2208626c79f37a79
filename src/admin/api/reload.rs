//! `/api/reload`: builds the configuration anew from its files, and tells what came of it.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use serde_json::{Value, json};

use super::super::Admin;
use super::rfc3339;
use crate::gateway::reload::{Cause, Outcome, Reload};

pub(super) async fn answer(State(admin): State<Admin>) -> Response {
    // Whoever asks may go away: what has begun comes to its end, and is told as the last reload.
    let reloader = admin.reloader;
    let reload = tokio::spawn(async move { reloader.reload(Cause::Api).await }).await;
    match reload {
        Ok(reload) => (status(reload.outcome), Json(document(&reload))).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn status(outcome: Outcome) -> StatusCode {
    match outcome {
        Outcome::Applied | Outcome::Unchanged => StatusCode::OK,
        Outcome::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Outcome::RestartRequired => StatusCode::CONFLICT,
    }
}

/// One reload, as it is told.
pub(super) fn document(reload: &Reload) -> Value {
    json!({
        "result": reload.outcome.name(),
        "at": rfc3339(reload.at),
        "cause": reload.cause.name(),
        "duration_ms": reload.took.as_millis() as u64,
        "generation": reload.generation,
        "needs_restart": reload.needs_restart,
        "added": reload.added,
        "removed": reload.removed,
        "errors": reload.errors,
        "warnings": reload.warnings,
        "report": reload.report,
        "diagnostics": reload.diagnostics,
    })
}
