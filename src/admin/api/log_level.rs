//! `/api/log-level`: what is logged, and a change of it for as long as the process runs.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;

use super::super::Admin;
use super::{body, refused};
use crate::problem::{Code, Problem};

const EXAMPLE: &str = r#"{"level": "natsgate=debug,info"}"#;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    level: String,
}

pub(super) async fn answer(State(admin): State<Admin>) -> Response {
    match &admin.log {
        Some(log) => Json(json!({ "level": log.level() })).into_response(),
        None => refused(&without_log()),
    }
}

pub(super) async fn set(State(admin): State<Admin>, body: Body) -> Response {
    match change(&admin, body).await {
        Ok(level) => Json(json!({ "level": level })).into_response(),
        Err(problem) => refused(&problem),
    }
}

async fn change(admin: &Admin, body: Body) -> Result<String, Problem> {
    let log = admin.log.as_ref().ok_or_else(without_log)?;
    let Wanted { level } = body::read(body, EXAMPLE).await?;
    let former = log.level();
    log.set_level(&level).map_err(|fault| {
        let next = "write error, warn, info, debug, trace or off, or a filter such as info,natsgate=debug";
        Problem::new(Code::InvalidBody, format!("{fault}: {next}"))
    })?;
    let level = log.level();
    tracing::info!(former, level, "the log level was changed by the admin API");
    Ok(level)
}

fn without_log() -> Problem {
    Problem::new(Code::NotFound, "this process writes no log")
}
