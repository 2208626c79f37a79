//! `/api/migrations`: how far the operations have come that move from a legacy service to NATS.

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::super::Admin;
use super::refused;
use crate::gateway::Gateway;
use crate::migrate::next;
use crate::migrate::status::Status;
use crate::problem::{Code, Problem};

pub(super) async fn all(State(admin): State<Admin>) -> Json<Value> {
    Json(json!({ "migrations": told(&admin.gateway) }))
}

pub(super) async fn one(State(admin): State<Admin>, Path(operation): Path<String>) -> Response {
    match admin.gateway.migration(&operation) {
        Some(status) => Json(document(&status)).into_response(),
        None => refused(&unknown(&admin.gateway)),
    }
}

pub(super) async fn reset(State(admin): State<Admin>, Path(operation): Path<String>) -> Response {
    match admin.gateway.reset_evidence(&operation).await {
        Ok(true) => {
            tracing::info!(operation, "the evidence of a migration begins anew, by the admin API");
            Json(json!({ "operation": operation })).into_response()
        }
        Ok(false) => refused(&unknown(&admin.gateway)),
        Err(reason) => {
            let detail = format!("the evidence could not be reset: {reason}");
            refused(&Problem::new(Code::NatsUnavailable, detail))
        }
    }
}

/// What grows with what differs: told of one operation alone.
const OF_ONE: [&str; 3] = ["fields", "noise_fields", "skipped_by"];

/// All of them, for the document of everything too.
pub(super) fn told(gateway: &Gateway) -> Vec<Value> {
    let brief = |status: &Status| {
        let mut document = document(status);
        if let Value::Object(members) = &mut document {
            members.retain(|name, _| !OF_ONE.contains(&name.as_str()));
        }
        document
    };
    gateway.migrations().iter().map(brief).collect()
}

fn document(status: &Status) -> Value {
    let mut document = serde_json::to_value(status).unwrap_or_default();
    if let Value::Object(members) = &mut document {
        members.insert("next".to_owned(), json!(next::steps(status)));
    }
    document
}

fn unknown(gateway: &Gateway) -> Problem {
    let names: Vec<String> = gateway.migrations().into_iter().map(|status| status.operation).collect();
    let detail = match names.is_empty() {
        true => "no operation has a `migration`".to_owned(),
        false => format!("no operation of that name has a `migration`; there are {}", names.join(", ")),
    };
    Problem::new(Code::NotFound, detail)
}
