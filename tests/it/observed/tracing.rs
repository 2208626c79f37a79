//! A trace that a client begins goes through the gateway to whoever answers behind NATS, and is one trace; and nothing
//! that a collector does keeps a request from its answer.

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{
    ResourceSpans, ScopeSpans, Span, span::SpanKind, status::StatusCode,
};
use prost::Message;

use super::scrape::Scrape;
use crate::support::collector::{Collector, attribute};
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::process::Process;
use crate::support::service::Service;
use crate::support::streams::Streams;
use crate::support::tls::Certificates;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CLIENTS: &str = "00f067aa0ba902b7";
const OPERATIONS: &str = "operations:
  GET /users/{id}: { request: { subject: 'users.${path.id}' } }
  POST /orders: { publish: { subject: orders.new, stream: ORDERS } }
";

fn yaml(otlp: &str, rest: &str) -> String {
    format!("telemetry:\n  traces:\n    otlp: {otlp}\n{rest}{OPERATIONS}")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A service that makes a span of its own of each message, and tells a collector of it.
async fn traced_service(nats: &str, collector: &str) -> Service {
    let to = format!("{collector}/v1/traces");
    Service::start(nats, "users.*", move |message| {
        let headers = message.headers.clone().expect("headers");
        let parent = headers.get("traceparent").expect("a traceparent").as_str().to_owned();
        let to = to.clone();
        tokio::spawn(async move {
            let batch = span_of_service(&parent);
            let sent = reqwest::Client::new().post(to).body(batch.encode_to_vec()).send().await;
            sent.expect("the collector answers");
        });
        Some((async_nats::HeaderMap::new(), "{}".into()))
    })
    .await
}

fn span_of_service(parent: &str) -> ExportTraceServiceRequest {
    let parts: Vec<&str> = parent.split('-').collect();
    assert_eq!(parts[3], "01", "the service shall record: {parent}");
    let bytes = |text: &str| -> Vec<u8> {
        (0..text.len() / 2)
            .map(|at| u8::from_str_radix(&text[2 * at..2 * at + 2], 16).expect("hex"))
            .collect()
    };
    let span = Span {
        trace_id: bytes(parts[1]),
        parent_span_id: bytes(parts[2]),
        span_id: vec![7; 8],
        name: "answer".into(),
        kind: SpanKind::Server as i32,
        ..Span::default()
    };
    let service = AnyValue { value: Some(any_value::Value::StringValue("users".into())) };
    let name = KeyValue { key: "service.name".into(), value: Some(service), ..KeyValue::default() };
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(Resource { attributes: vec![name], ..Resource::default() }),
            scope_spans: vec![ScopeSpans { spans: vec![span], ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

#[tokio::test]
async fn a_collector_is_reached_by_tls_if_the_right_authority_vouches_for_it() {
    let (nats, certificates) = (NatsServer::start().await, Certificates::new());
    let ca = certificates.path("ca.pem");
    for protocol in ["http", "grpc"] {
        let collector = Collector::secured(&certificates).await;
        let otlp = |rest: &str| format!("{{ endpoint: '{}', protocol: {protocol}{rest} }}", collector.url);
        let trusted = yaml(&otlp(&format!(", ca: {}", ca.display())), "    sample: 100%\n");
        let gateway = Gateway::start(&nats.url(), &trusted).await;
        assert_eq!(gateway.get("/users/7").await.status, 503);
        collector.until(2).await;

        let stranger = yaml(&otlp(""), "    sample: 100%\n");
        let gateway = Gateway::start(&nats.url(), &stranger).await;
        assert_eq!(gateway.get("/users/7").await.status, 503);
        let failed = [("result", "failed")];
        Scrape::until(&gateway.admin, "natsgate_trace_spans_total", &failed, 2.0).await;
        assert_eq!(collector.spans().len(), 2);
    }
}

#[tokio::test]
async fn the_variables_of_opentelemetry_stand_in_for_what_is_not_written() {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    let environment = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url.as_str()),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-tenant=green"),
        ("OTEL_SERVICE_NAME", "shop"),
    ];
    for (protocol, path) in [("http/protobuf", "/v1/traces"), ("grpc", "/opentelemetry.proto")] {
        let mut environment = environment.to_vec();
        environment.push(("OTEL_EXPORTER_OTLP_PROTOCOL", protocol));
        let before = collector.spans().len();
        let process = Process::serve_in(&nats.url(), OPERATIONS, &environment).await;
        process.connected().await;
        let parent = format!("00-{TRACE}-{CLIENTS}-01");
        assert_eq!(process.send("GET", "/users/7", &[("traceparent", &parent)]).await.status, 503);
        let spans = collector.until(before + 2).await;
        assert!(spans.iter().all(|(service, _)| service == "shop"), "{spans:?}");
        let (last, headers) = collector.heads().pop().expect("a batch");
        assert!(last.starts_with(path) && headers["x-tenant"] == "green", "{last} {headers:?}");
    }
    let mut off = environment.to_vec();
    off.push(("OTEL_SDK_DISABLED", "true"));
    let process = Process::serve_in(&nats.url(), OPERATIONS, &off).await;
    process.connected().await;
    let parent = format!("00-{TRACE}-{CLIENTS}-01");
    assert_eq!(process.send("GET", "/users/7", &[("traceparent", &parent)]).await.status, 503);
    assert_eq!(collector.spans().len(), 4);
}

async fn one_trace(protocol: &str) {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    let _service = traced_service(&nats.url(), &collector.url).await;
    let otlp =
        format!("{{ endpoint: '{}', protocol: {protocol}, headers: {{ x-tenant: blue }} }}", collector.url);
    let gateway = Gateway::start(&nats.url(), &yaml(&otlp, "    sample: 0%\n    service: edge\n")).await;
    let parent = format!("00-{TRACE}-{CLIENTS}-01");
    let answer = gateway.send("GET", "/users/7", &[("traceparent", &parent)], b"").await;
    assert_eq!(answer.status, 200);

    let spans = collector.until(3).await;
    assert!(spans.iter().all(|(_, span)| hex(&span.trace_id) == TRACE), "{spans:?}");
    let of = |kind: SpanKind, service: &str| {
        let mut found = spans.iter().filter(|(of, span)| of == service && span.kind == kind as i32);
        let (_, span) = found.next().unwrap_or_else(|| panic!("no span of {service}: {spans:?}"));
        span
    };
    let (edge, sent) = (of(SpanKind::Server, "edge"), of(SpanKind::Client, "edge"));
    let answered = of(SpanKind::Server, "users");
    assert_eq!(hex(&edge.parent_span_id), CLIENTS);
    assert_eq!(sent.parent_span_id, edge.span_id);
    assert_eq!(answered.parent_span_id, sent.span_id);
    assert_eq!((edge.name.as_str(), sent.name.as_str()), ("GET /users/{id}", "request users.*"));
    let is = |span, name, value: &str| assert_eq!(attribute(span, name).as_deref(), Some(value), "{name}");
    is(edge, "http.request.method", "GET");
    is(edge, "http.route", "/users/{id}");
    is(edge, "url.scheme", "http");
    is(edge, "url.path", "/users/7");
    is(edge, "network.protocol.version", "1.1");
    is(edge, "http.response.status_code", "200");
    is(edge, "natsgate.operation", "GET /users/{id}");
    is(edge, "natsgate.request_id", answer.header("natsgate-request-id").expect("a request id"));
    is(sent, "messaging.system", "nats");
    is(sent, "messaging.destination.name", "users.*");
    assert_eq!((attribute(edge, "error.type"), attribute(sent, "error.type")), (None, None));
    assert!(edge.start_time_unix_nano <= sent.start_time_unix_nano);
    assert!(sent.end_time_unix_nano <= edge.end_time_unix_nano);
    let heads = collector.heads();
    assert!(heads.iter().any(|(_, headers)| headers.get("x-tenant").is_some_and(|tenant| tenant == "blue")));
    Scrape::until(&gateway.admin, "natsgate_trace_spans_total", &[("result", "sent")], 2.0).await;
}

#[tokio::test]
async fn from_a_client_to_a_service_it_is_one_trace_over_http() {
    one_trace("http").await;
}

#[tokio::test]
async fn from_a_client_to_a_service_it_is_one_trace_over_grpc() {
    one_trace("grpc").await;
}

#[tokio::test]
async fn a_failure_is_named_and_whoever_does_not_record_is_left_alone() {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    let otlp = format!("{{ endpoint: '{}' }}", collector.url);
    let gateway = Gateway::start(&nats.url(), &yaml(&otlp, "    sample: 100%\n")).await;
    let unrecorded = format!("00-{TRACE}-{CLIENTS}-00");
    assert_eq!(gateway.send("GET", "/users/7", &[("traceparent", &unrecorded)], b"").await.status, 503);
    let answer = gateway.get("/users/7").await;
    let spans = collector.until(2).await;
    assert!(spans.iter().all(|(service, span)| service == "natsgate" && hex(&span.trace_id) != TRACE));
    let edge = spans.iter().find(|(_, span)| span.kind == SpanKind::Server as i32).expect("a span");
    assert_eq!(attribute(&edge.1, "error.type").as_deref(), Some("no_responders"));
    assert_eq!(attribute(&edge.1, "natsgate.outcome").as_deref(), Some("not_executed"));
    let id = answer.header("natsgate-request-id").expect("a request id").to_owned();
    assert_eq!(attribute(&edge.1, "natsgate.request_id"), Some(id));
    let failed =
        |span: &Span| span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32);
    assert!(spans.iter().all(|(_, span)| failed(span)), "{spans:?}");
}

#[tokio::test]
async fn a_message_is_below_the_span_of_its_publish_and_a_repetition_is_still_known() {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    let streams = Streams::of(&nats.url()).await;
    streams.create("ORDERS", &["orders.>"], serde_json::json!({})).await;
    let otlp = format!("{{ endpoint: '{}' }}", collector.url);
    let gateway = Gateway::start(&nats.url(), &yaml(&otlp, "    sample: 100%\n")).await;
    let answer = gateway.post("/orders", "{}").await;
    assert_eq!(answer.status, 202);
    let spans = collector.until(2).await;
    let sent = spans.iter().find(|(_, span)| span.kind == SpanKind::Producer as i32).expect("a span");
    assert_eq!(sent.1.name, "publish orders.new");
    assert_eq!(attribute(&sent.1, "natsgate.stream").as_deref(), Some("ORDERS"));
    let stored = &streams.messages("ORDERS").await[0];
    let parent = format!("00-{}-{}-01", hex(&sent.1.trace_id), hex(&sent.1.span_id));
    assert_eq!(stored.header("traceparent"), Some(parent.as_str()));

    for repeated in [false, true] {
        let key = [("Idempotency-Key", "k1"), ("Content-Type", "application/json")];
        let answer = gateway.send("POST", "/orders", &key, b"{}").await;
        assert_eq!((answer.status, &answer.json()["duplicate"]), (202, &repeated.into()));
    }
}

#[tokio::test]
async fn the_last_spans_are_sent_before_the_end() {
    let nats = NatsServer::start().await;
    // Whoever does not wait for it is gone before it has taken anything.
    let collector = Collector::slow(std::time::Duration::from_millis(500)).await;
    let otlp = format!("{{ endpoint: '{}' }}", collector.url);
    let mut process = Process::serve(&nats.url(), &yaml(&otlp, "    sample: 100%\n")).await;
    process.connected().await;
    for _ in 0..20 {
        assert_eq!(process.send("GET", "/users/7", &[]).await.status, 503);
    }
    process.terminate().await;
    assert_eq!(process.exit_code().await, Some(0));
    assert_eq!(collector.spans().len(), 40);
}

#[tokio::test]
async fn a_collector_that_is_away_keeps_nobody_waiting() {
    let nats = NatsServer::start().await;
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let away = silent.local_addr().expect("its address");
    let otlp = format!("{{ endpoint: 'http://{away}', timeout: 200ms }}");
    let mut process = Process::serve(&nats.url(), &yaml(&otlp, "    sample: 100%\n")).await;
    process.connected().await;
    for _ in 0..50 {
        let answer = process.send("GET", "/users/7", &[]).await;
        assert_eq!(answer.status, 503);
        assert!(answer.took < std::time::Duration::from_secs(5), "{:?}", answer.took);
    }
    Scrape::until(&process.admin, "natsgate_trace_spans_total", &[("result", "failed")], 100.0).await;
    let told = || {
        let log = process.log();
        log.iter().filter(|line| line["message"] == "spans do not reach their collector").count()
    };
    crate::requests::until("it is told", || told() > 0).await;
    assert_eq!(told(), 1, "once");
    let before = std::time::Instant::now();
    process.terminate().await;
    assert_eq!(process.exit_code().await, Some(0));
    assert!(before.elapsed() < std::time::Duration::from_secs(8));
}
