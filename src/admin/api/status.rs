//! `/api/status`: everything that the console shows, in one document, of one moment.

use std::sync::atomic::Ordering;

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::{Admin, nats};
use super::{config, figures, migrations, operations, problems, rfc3339, streams};

pub(super) async fn answer(State(admin): State<Admin>) -> Json<Value> {
    let gateway = &admin.gateway;
    let table = gateway.table();
    let (ready, draining) = admin.readiness.of(gateway);
    let (started, up) = admin.readiness.since();
    Json(json!({
        "gateway": {
            "version": env!("CARGO_PKG_VERSION"),
            "started": rfc3339(started),
            // The clock by which two of these documents are compared.
            "uptime_ms": up.as_millis() as u64,
            "ready": ready,
            "draining": draining,
            "in_flight": gateway.in_flight(),
            "connections": gateway.figures().connections().load(Ordering::Relaxed),
            "log_lines_lost": gateway.figures().log_lines_lost(),
            "token_required": admin.access.by_token(),
        },
        "config": config::running(&admin),
        "nats": nats(gateway),
        "operations": operations::running(gateway, &table),
        "unmatched": figures::unmatched(gateway),
        "latency_bounds_ms": figures::bounds(),
        "streams": streams::document(gateway),
        "verifiers": table.verifiers.state(),
        "migrations": migrations::told(gateway),
        "problems": problems::newest(gateway.recent()),
        "log": { "level": admin.log.as_ref().map(|log| log.level()) },
    }))
}
