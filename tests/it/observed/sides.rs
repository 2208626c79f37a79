//! What is told of requests that a legacy service has, and of operations between it and NATS: counts, lines and spans.

use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use serde_json::Value;

use super::scrape::Scrape;
use crate::support::collector::{Collector, attribute};
use crate::support::gateway::Gateway;
use crate::support::legacy::Legacy;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;

fn yaml(legacy: &str) -> String {
    format!(
        "upstreams: {{ old: {{ url: '{legacy}/base' }} }}
operations:
  GET /plain: {{ forward: {{ upstream: old }} }}
  GET /x/{{id}}:
    request: {{ subject: 'x.${{path.id}}' }}
    forward: {{ upstream: old }}
    migration: {{ stage: nats, fallback: true, breaker: {{ failures: 2, open_for: 1h }} }}
"
    )
}

#[tokio::test]
async fn sides_fallbacks_and_what_the_legacy_service_takes_are_counted() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("{}").await;
    let _service = Service::saying(&nats.url(), "x.1", "{}").await;
    let gateway = Gateway::start(&nats.url(), &yaml(&legacy.url)).await;
    for path in ["/plain", "/x/1", "/x/1", "/x/2", "/x/2", "/x/2"] {
        assert_eq!(gateway.get(path).await.status, 200, "{path}");
    }
    let moving = ("operation", "GET /x/{id}");
    let count = "natsgate_upstream_request_duration_seconds_count";
    let scrape = Scrape::until(&gateway.admin, count, &[moving], 3.0).await;
    let value = |name: &str, label: (&str, &str)| scrape.value(name, &[moving, label]);
    assert_eq!(scrape.value(count, &[("operation", "GET /plain")]), Some(1.0));
    assert_eq!(value("natsgate_migration_served_total", ("side", "nats")), Some(2.0));
    assert_eq!(value("natsgate_migration_served_total", ("side", "legacy")), Some(3.0));
    assert_eq!(value("natsgate_migration_fallbacks_total", ("code", "no_responders")), Some(2.0));
    assert_eq!(value("natsgate_migration_fallbacks_total", ("code", "breaker_open")), Some(1.0));
    assert_eq!(value("natsgate_migration_stage", ("stage", "nats")), Some(1.0));
    assert_eq!(value("natsgate_migration_comparisons_total", ("result", "match")), Some(0.0));
    assert_eq!(scrape.value("natsgate_migration_breaker_open", &[moving]), Some(1.0));
    assert_eq!(scrape.value("natsgate_migration_dropped_total", &[moving]), Some(0.0));
    assert!(!scrape.text.contains("natsgate_migration_stage{operation=\"GET /plain\""), "it does not move");
}

#[tokio::test]
async fn a_line_says_which_side_it_was_and_why_not_the_other() {
    let nats = NatsServer::start().await;
    let legacy = Legacy::saying("{}").await;
    let _service = Service::saying(&nats.url(), "x.1", "{}").await;
    let process = Process::serve(&nats.url(), &yaml(&legacy.url)).await;
    process.connected().await;
    let line = async |path: &str| {
        assert_eq!(process.send("GET", path, &[]).await.status, 200);
        process.access_lines(path, 1).await.remove(0)
    };
    let (plain, taken, fallen) = (line("/plain").await, line("/x/1").await, line("/x/2").await);
    let told = |line: &Value| (line["side"].clone(), line["fell_back"].clone());
    assert_eq!(told(&plain), (Value::Null, Value::Null), "it has one side alone");
    assert_eq!(told(&taken), ("nats".into(), Value::Null));
    assert_eq!(told(&fallen), ("legacy".into(), "no_responders".into()));
}

#[tokio::test]
async fn what_the_legacy_service_had_is_a_span_of_an_http_client() {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    let legacy = Legacy::saying("{}").await;
    let traces = format!("telemetry: {{ traces: {{ otlp: {{ endpoint: '{}' }} }} }}\n", collector.url);
    let gateway = Gateway::start(&nats.url(), &format!("{traces}{}", yaml(&legacy.url))).await;
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    for path in ["/plain?secret=1", "/x/2?secret=1"] {
        assert_eq!(gateway.send("GET", path, &[("traceparent", parent)], b"").await.status, 200);
    }
    let spans = collector.until(5).await;
    let text = |span: &_, name: &str| attribute(span, name).unwrap_or_default();
    let http: Vec<_> = spans
        .iter()
        .map(|(_, span)| span)
        .filter(|span| span.kind == SpanKind::Client as i32 && !text(span, "natsgate.upstream").is_empty())
        .collect();
    assert_eq!(http.len(), 2, "{spans:?}");
    let port = legacy.url.rsplit(':').next().expect("a port");
    for span in &http {
        assert_eq!(
            (text(span, "http.request.method"), text(span, "natsgate.upstream")),
            ("GET".into(), "old".into())
        );
        assert_eq!(
            (text(span, "server.address"), text(span, "server.port")),
            ("127.0.0.1".into(), port.to_owned())
        );
        assert_eq!(text(span, "http.response.status_code"), "200");
        assert!(text(span, "url.full").starts_with(&format!("{}/base/", legacy.url)), "{span:?}");
        assert!(!text(span, "url.full").contains("secret"), "{span:?}");
    }
    assert_ne!(http[0].span_id, http[1].span_id);
    let plain = http.iter().find(|span| text(span, "url.full").ends_with("/plain")).expect("that of /plain");
    let seen = legacy.seen();
    let sent = seen.iter().find(|seen| seen.head.uri.path() == "/base/plain").expect("the request");
    let id: String = plain.span_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let traceparent = sent.head.headers["traceparent"].to_str().expect("text");
    assert!(traceparent.contains(&id), "the service's own span is below it: {traceparent} {id}");
    let edge = spans.iter().map(|(_, span)| span).filter(|span| span.kind == SpanKind::Server as i32);
    let fell_back: Vec<String> = edge.map(|span| text(span, "natsgate.fell_back")).collect();
    assert!(fell_back.contains(&"no_responders".to_owned()), "{fell_back:?}");
}
