//! The spans of one request, as OpenTelemetry's conventions for HTTP and for messaging name things: one at the edge, and
//! below it one for what NATS had of it, and one for what a legacy service had. They are made when the request is over, and only for those that are recorded.

use std::borrow::Cow;
use std::time::SystemTime;

use http::Version;
use opentelemetry::trace::{SpanContext, SpanId, SpanKind, Status, TraceFlags, TraceId, TraceState};
use opentelemetry::{InstrumentationScope, KeyValue};
use opentelemetry_sdk::trace::{SpanData, SpanEvents, SpanLinks};
use tokio::time::Instant;

use super::access::{Entry, shown_path};
use crate::dispatch::Binding;
use crate::gateway::{Forwarded, Note, Returned, Sent};
use crate::head::{Head, Recorded};
use crate::telemetry::{Tracer, known};

/// Hands over the spans of a request that is over.
pub(super) fn record(tracer: &Tracer, of: &Recorded, secure: bool, entry: &Entry<'_>) {
    tracer.record(at_the_edge(of, secure, entry));
    if let Some(sent) = &entry.note.sent {
        tracer.record(at_nats(of, sent, entry));
    }
    if let Some(forwarded) = &entry.note.forwarded {
        tracer.record(at_the_upstream(of, forwarded, entry));
    }
}

fn at_the_edge(of: &Recorded, secure: bool, entry: &Entry<'_>) -> SpanData {
    let Entry { head, note, status, .. } = *entry;
    let method = method(head);
    let mut attributes = vec![
        KeyValue::new("http.request.method", method),
        KeyValue::new("url.scheme", if secure { "https" } else { "http" }),
        KeyValue::new("url.path", shown_path(head).to_owned()),
        KeyValue::new("http.response.status_code", i64::from(status)),
        KeyValue::new("network.protocol.version", version(head.parts.version)),
        KeyValue::new("client.address", head.ip.to_string()),
        KeyValue::new("natsgate.request_id", head.id.as_str().to_owned()),
    ];
    let mut name = Cow::Borrowed(if method == "_OTHER" { "HTTP" } else { method });
    if let Some(operation) = &note.operation {
        attributes.push(KeyValue::new("http.route", operation.path.clone()));
        attributes.push(KeyValue::new("natsgate.operation", operation.name.to_string()));
        name = format!("{name} {}", operation.path).into();
    }
    if let Some(side) = note.served {
        attributes.push(KeyValue::new("natsgate.side", side.name()));
    }
    if let Some(why) = note.fell_back {
        attributes.push(KeyValue::new("natsgate.fell_back", why.name()));
    }
    if let Some(problem) = &note.problem {
        attributes.push(KeyValue::new("error.type", problem.code.name()));
        attributes.push(KeyValue::new("natsgate.outcome", problem.outcome().name()));
    } else if entry.is_abandoned {
        attributes.push(KeyValue::new("error.type", "abandoned"));
    }
    let ids = (of.trace, of.span, of.parent.unwrap_or_default());
    SpanData {
        parent_span_is_remote: of.parent.is_some(),
        status: if status >= 500 { Status::error("") } else { Status::Unset },
        ..span(ids, SpanKind::Server, name, (head.time, at(head, entry.now)), attributes)
    }
}

/// As the conventions have it.
fn method(head: &Head) -> &'static str {
    match known(head.method()) {
        "other" => "_OTHER",
        method => method,
    }
}

/// As the conventions have it: `2`, and not `2.0`.
fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        _ => "1.1",
    }
}

fn at_nats(of: &Recorded, sent: &Sent, entry: &Entry<'_>) -> SpanData {
    let (kind, verb, attributes) = messaging(entry.note);
    let mut attributes = attributes;
    let target =
        entry.note.operation.as_ref().map_or("", |operation| operation.subject().unwrap_or_default());
    attributes.push(KeyValue::new("messaging.system", "nats"));
    attributes.push(KeyValue::new("messaging.operation.type", "send"));
    attributes.push(KeyValue::new("messaging.operation.name", verb));
    attributes.push(KeyValue::new("messaging.destination.name", target.to_owned()));
    attributes.push(KeyValue::new("messaging.destination.template", target.to_owned()));
    let mut status = Status::Unset;
    let failed = sent.ended.map(|ended| ended.code.map(crate::problem::Code::name));
    if let Some(failure) = failed.unwrap_or(Some("abandoned")) {
        attributes.push(KeyValue::new("error.type", failure));
        status = Status::error("");
    }
    let ended = sent.ended.map_or(entry.now, |ended| ended.at);
    let times = (at(entry.head, sent.at), at(entry.head, ended));
    let name = format!("{verb} {target}").into();
    SpanData { status, ..span((of.trace, of.sent, of.span), kind, name, times, attributes) }
}

/// An HTTP client's span, without the query, which may hold what is nobody's business.
fn at_the_upstream(of: &Recorded, forwarded: &Forwarded, entry: &Entry<'_>) -> SpanData {
    let Entry { head, note, now, .. } = *entry;
    let method = method(head);
    let mut attributes = vec![KeyValue::new("http.request.method", method)];
    if let Some(legacy) = note.operation.as_ref().and_then(|operation| operation.legacy.as_ref()) {
        attributes.push(KeyValue::new("natsgate.upstream", legacy.upstream.name().to_owned()));
        // Of several addresses nobody says which one it was.
        if let [url] = legacy.upstream.options().urls.as_slice() {
            let host = url.host_str().unwrap_or_default().to_owned();
            attributes.push(KeyValue::new("server.address", host));
            attributes.extend(
                url.port_or_known_default().map(|port| KeyValue::new("server.port", i64::from(port))),
            );
            let full = format!("{}{}", url.as_str().trim_end_matches('/'), shown_path(head));
            attributes.push(KeyValue::new("url.full", full));
        }
    }
    let (ended, failure) = match forwarded.ended {
        None => (now, Some("abandoned".into())),
        Some(Returned { at, status: Err(code) }) => (at, Some(code.name().into())),
        Some(Returned { at, status: Ok(status) }) => {
            attributes.push(KeyValue::new("http.response.status_code", i64::from(status.as_u16())));
            (at, (status.as_u16() >= 400).then(|| Cow::Owned(status.as_u16().to_string())))
        }
    };
    let status = if failure.is_some() { Status::error("") } else { Status::Unset };
    attributes.extend(failure.map(|failure: Cow<'static, str>| KeyValue::new("error.type", failure)));
    // NATS has had the request first, and has the id of what is sent.
    let id = if note.sent.is_some() { fastrand::u64(1..) } else { of.sent };
    let times = (at(head, forwarded.at), at(head, ended));
    let name = Cow::Borrowed(if method == "_OTHER" { "HTTP" } else { method });
    SpanData { status, ..span((of.trace, id, of.span), SpanKind::Client, name, times, attributes) }
}

fn messaging(note: &Note) -> (SpanKind, &'static str, Vec<KeyValue>) {
    match note.operation.as_ref().and_then(|operation| operation.binding()) {
        Some(Binding::Publish(publish)) => {
            (SpanKind::Producer, "publish", vec![KeyValue::new("natsgate.stream", publish.stream.clone())])
        }
        _ => (SpanKind::Client, "request", Vec::new()),
    }
}

/// A moment by the wall clock, as far from the request's beginning as it was.
fn at(head: &Head, moment: Instant) -> SystemTime {
    head.time + moment.saturating_duration_since(head.received)
}

fn span(
    (trace, id, parent): (u128, u64, u64),
    span_kind: SpanKind,
    name: Cow<'static, str>,
    (start_time, end_time): (SystemTime, SystemTime),
    attributes: Vec<KeyValue>,
) -> SpanData {
    let (trace, id) = (TraceId::from_bytes(trace.to_be_bytes()), SpanId::from_bytes(id.to_be_bytes()));
    SpanData {
        span_context: SpanContext::new(trace, id, TraceFlags::SAMPLED, false, TraceState::default()),
        parent_span_id: SpanId::from_bytes(parent.to_be_bytes()),
        parent_span_is_remote: false,
        span_kind,
        name,
        start_time,
        end_time,
        attributes,
        dropped_attributes_count: 0,
        events: SpanEvents::default(),
        links: SpanLinks::default(),
        status: Status::Unset,
        instrumentation_scope: InstrumentationScope::builder("natsgate").build(),
    }
}
