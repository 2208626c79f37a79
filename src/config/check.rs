//! What is wrong with a configuration by itself: no contract, no server is needed to see it.

mod cors;
mod header;
mod limits;
mod migration;
mod nats;
mod operation;
mod security;
mod server;
mod streams;
mod telemetry;
mod upstream;

use std::net::SocketAddr;
use std::time::Duration;

use super::{ByteSize, Config, Server, TimeSpan};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::yaml::{Located, Node};

pub(super) use limits::without_rate;
pub(super) use operation::{binding, key, operation};

/// Checks everything but the operations. The tree has the places of lists.
pub(super) fn process(config: &Config, tree: &Node, diagnostics: &mut Diagnostics) {
    let server = &config.server;
    at_least_one("in_flight", Some(&server.in_flight), diagnostics);
    listeners(server, tree, diagnostics);
    limits::proxies(&server.trusted_proxies, diagnostics);
    server::check(server, diagnostics);
    if let Some(cors) = &config.cors {
        cors::check(cors, tree, diagnostics);
    }
    nats::check(&config.nats, tree, diagnostics);
    streams::check(config, diagnostics);
    telemetry::check(&config.telemetry, diagnostics);
    migration::evidence(&config.migration, diagnostics);
    security::check(&config.security, tree, diagnostics);
    upstream::check(config, tree, diagnostics);
    let defaults = &config.defaults;
    above_zero("timeout", Some(&defaults.timeout), diagnostics);
    some_bytes("max_body", Some(&defaults.max_body), diagnostics);
    at_least_one("in_flight", Some(&defaults.in_flight), diagnostics);
    header::travelling(&defaults.forward_headers, diagnostics);
    header::credentials(&defaults.forward_headers, diagnostics);
    for contract in &config.contracts {
        base_path(contract.base_path.as_ref(), diagnostics);
    }
}

fn listeners(Server { listen, admin, .. }: &Server, tree: &Node, diagnostics: &mut Diagnostics) {
    // What is written and could not be read has been told, and the default stands in its place.
    let unread = |key, place: Place| {
        place.line == 0 && tree.get("server").and_then(|server| server.get(key)).is_some()
    };
    if unread("listen", listen.place) || unread("admin", admin.place) || !collide(**listen, **admin) {
        return;
    }
    // At least one of them is written: the defaults differ.
    let (at, other) = if admin.place.line > 0 { (admin, listen) } else { (listen, admin) };
    let diagnostic = Diagnostic::error(at.place, "`listen` and `admin` cannot share an address and port")
        .reason(format!("the other one is {}", **other))
        .help("give each its own: 0.0.0.0:8080 and 127.0.0.1:9090");
    diagnostics.push(diagnostic);
}

/// Whether two listeners cannot be bound together. Port 0 is another one each time.
fn collide(a: SocketAddr, b: SocketAddr) -> bool {
    let same_ip = a.ip() == b.ip() || a.ip().is_unspecified() || b.ip().is_unspecified();
    a.port() != 0 && a.port() == b.port() && same_ip
}

fn base_path(path: Option<&Located<String>>, diagnostics: &mut Diagnostics) {
    let Some(path) = path else { return };
    if !path.starts_with('/') || path.contains(['?', '#', '{', '}']) || path.contains(char::is_whitespace) {
        diagnostics.push(
            Diagnostic::error(path.place, format!("`{}` is not a base path", path.value))
                .help("write a plain path from its first slash: /api/v1"),
        );
    }
}

/// A duration that must not be nothing.
fn above_zero(name: &str, span: Option<&Located<TimeSpan>>, diagnostics: &mut Diagnostics) {
    if let Some(span) = span.filter(|span| span.0 == Duration::ZERO) {
        diagnostics.push(
            Diagnostic::error(span.place, format!("`{name}` must be longer than nothing"))
                .help("write 2s, say"),
        );
    }
}

/// A limit that must let something through.
fn at_least_one(name: &str, limit: Option<&Located<u32>>, diagnostics: &mut Diagnostics) {
    if let Some(limit) = limit.filter(|limit| limit.value == 0) {
        diagnostics.push(
            Diagnostic::error(limit.place, format!("`{name}` must be at least 1"))
                .reason("with 0 every request would be refused")
                .help(format!("write a number, or remove `{name}` for the default")),
        );
    }
}

/// A size that must let something through.
fn some_bytes(name: &str, size: Option<&Located<ByteSize>>, diagnostics: &mut Diagnostics) {
    if let Some(size) = size.filter(|size| size.0 == 0) {
        diagnostics.push(
            Diagnostic::error(size.place, format!("`{name}` must be at least one byte"))
                .help(format!("write a size such as 64KiB, or remove `{name}` for the default")),
        );
    }
}
