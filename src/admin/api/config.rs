//! `/api/config`: what runs, as far as it may be shown. Secrets are not known here.

use axum::Json;
use axum::extract::State;
use serde_json::{Value, json};

use super::super::Admin;
use super::{operations, reload};
use crate::config::{Config, Nats, ReadyRequirement, Server, StartChecks};
use crate::upstream::Upstream;

pub(super) async fn answer(State(admin): State<Admin>) -> Json<Value> {
    let mut document = running(&admin);
    let table = admin.gateway.table();
    document["operations"] = operations::configured(&table);
    document["upstreams"] = table.upstreams.all().map(|upstream| self::upstream(upstream)).collect();
    document["at_start"] = Value::clone(&admin.facts);
    Json(document)
}

/// Which configuration runs.
pub(super) fn running(admin: &Admin) -> Value {
    let counts = admin.reloader.counts().map(|(outcome, count)| (outcome.name().to_owned(), json!(count)));
    json!({
        "file": admin.reloader.path().display().to_string(),
        "generation": *admin.gateway.generation().borrow(),
        "reloads": Value::Object(counts.into_iter().collect()),
        "last_reload": admin.reloader.last().map(|last| reload::document(&last)),
    })
}

/// A legacy service: where it is, without a name and a password that may stand there.
fn upstream(upstream: &Upstream) -> Value {
    let urls = upstream.options().urls.iter().cloned().map(|mut url| {
        let _ = url.set_username("");
        let _ = url.set_password(None);
        url.to_string()
    });
    json!({ "name": upstream.name(), "urls": urls.collect::<Vec<_>>() })
}

/// What is read once, at start: of `server` and `nats`.
pub fn facts(config: &Config) -> Value {
    json!({ "server": server(&config.server), "nats": nats(&config.nats) })
}

fn server(server: &Server) -> Value {
    let needs_nats = server.ready_requires.contains(&ReadyRequirement::Nats);
    json!({
        "listen": server.listen.value.to_string(),
        "admin": server.admin.value.to_string(),
        "admin_token": server.admin_token.is_some(),
        "tls": server.tls.is_some(),
        "client_certificates": server.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some()),
        "drain_delay_ms": server.drain_delay.0.as_millis() as u64,
        "drain_ms": server.drain.0.as_millis() as u64,
        "in_flight": server.in_flight.value,
        "max_connections": server.max_connections.value,
        "trusted_proxies": server.trusted_proxies.len(),
        "ready_requires": if needs_nats { vec!["nats"] } else { Vec::new() },
    })
}

fn nats(nats: &Nats) -> Value {
    let authentication = match nats {
        Nats { credentials: Some(_), .. } => "credentials",
        Nats { nkey: Some(_), .. } => "nkey",
        Nats { token: Some(_), .. } => "token",
        Nats { user: Some(_), .. } => "password",
        _ => "none",
    };
    json!({
        "servers": nats.servers.iter().map(|server| &server.value).collect::<Vec<_>>(),
        "name": nats.name,
        "authentication": authentication,
        "tls": nats.tls.is_some(),
        "connections": nats.connections.value,
        "inbox_prefix": nats.inbox_prefix.value,
        "start_checks": nats.start_checks == StartChecks::Warn,
    })
}
