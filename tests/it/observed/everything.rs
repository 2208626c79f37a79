//! One scrape with everything in it: what the catalogue has, as the catalogue has it, and as Prometheus reads it.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use async_nats::jetstream::{self, consumer::pull};
use futures_util::StreamExt;
use natsgate::authenticate::made::hash_key;
use natsgate::gateway::reload::Cause;
use natsgate::telemetry::catalogue::{CATALOGUE, Kind};

use super::scrape::Scrape;
use crate::support::collector::Collector;
use crate::support::gateway::Gateway;
use crate::support::legacy::Legacy;
use crate::support::nats_server::NatsServer;
use crate::support::service::Service;
use crate::support::streams::Streams;

const STREAM: &str = "apiVersion: jetstream.nats.io/v1beta2
kind: Stream
metadata: { name: orders }
spec: { name: ORDERS, subjects: ['orders.>'], storage: memory }
";

fn yaml(collector: &str, legacy: &str) -> String {
    format!(
        "telemetry: {{ traces: {{ otlp: {{ endpoint: '{collector}' }}, sample: 100% }} }}
manifests: [streams.yaml]
streams: {{ watch: 1s }}
upstreams: {{ legacy: {{ url: 'http://127.0.0.1:1' }}, old: {{ url: '{legacy}' }} }}
security: {{ services: {{ api_key: {{ keys: keys.yaml }} }} }}
operations:
  GET /users/{{id}}: {{ request: {{ subject: 'users.${{path.id}}' }}, security: [] }}
  GET /\"odd\\name\": {{ request: {{ subject: odd }}, security: [] }}
  GET /old: {{ forward: {{ upstream: legacy }}, security: [] }}
  GET /mine: {{ request: {{ subject: users.7 }}, security: [services: []] }}
  POST /orders: {{ publish: {{ subject: orders.new, stream: ORDERS }}, security: [] }}
  GET /moving:
    request: {{ subject: moving }}
    forward: {{ upstream: old }}
    migration: {{ stage: nats, fallback: true }}
    security: []
"
    )
}

async fn traffic(gateway: &Gateway, nats: &str) {
    assert_eq!(gateway.get("/users/7").await.status, 200);
    assert_eq!(gateway.get("/users/8").await.status, 503);
    assert_eq!(gateway.get("/nowhere").await.status, 404);
    assert_eq!(gateway.get("/old").await.status, 502);
    assert_eq!(gateway.get("/mine").await.status, 401);
    assert_eq!(gateway.send("GET", "/mine", &[("X-API-Key", "key")], b"").await.status, 200);
    assert_eq!(gateway.send("BREW", "/orders", &[], b"").await.status, 405);
    assert_eq!(gateway.post("/orders", "{}").await.status, 202);
    let client = async_nats::connect(nats).await.expect("connection of the worker");
    let stream = jetstream::new(client).get_stream("ORDERS").await.expect("the stream");
    let durable = pull::Config { durable_name: Some("billing".into()), ..pull::Config::default() };
    let worker = stream.create_consumer(durable).await.expect("a consumer");
    let mut batch = worker.fetch().max_messages(1).messages().await.expect("a batch");
    batch.next().await.expect("a message").expect("a good one");
    assert_eq!(gateway.get("/moving").await.status, 200, "the legacy service answers");
    gateway.reloader.reload(Cause::Api).await;
}

#[tokio::test]
async fn a_scrape_has_everything_and_nothing_else() {
    let (nats, collector) = (NatsServer::start().await, Collector::start().await);
    Streams::of(&nats.url()).await.create("ORDERS", &["orders.>"], serde_json::json!({})).await;
    let _service = Service::saying(&nats.url(), "users.7", "{}").await;
    let legacy = Legacy::saying("{}").await;
    let keys = format!("billing: {}\n", hash_key("key"));
    let files = [("keys.yaml", keys.as_str()), ("streams.yaml", STREAM)];
    let gateway = Gateway::start_with(&nats.url(), &yaml(&collector.url, &legacy.url), &files).await;
    traffic(&gateway, &nats.url()).await;
    let labels = [("stream", "ORDERS"), ("consumer", "billing")];
    Scrape::until(&gateway.admin, "natsgate_consumer_ack_pending", &labels, 1.0).await;
    let scrape = Scrape::until(&gateway.admin, "natsgate_stream_drift_check_success", &[], 1.0).await;

    let mut known = BTreeMap::new();
    for metric in CATALOGUE {
        let kind = format!("# TYPE {} {}\n", metric.name, metric.kind.name());
        assert!(scrape.text.contains(&kind), "{} is not in the scrape:\n{}", metric.name, scrape.text);
        match metric.kind {
            Kind::Histogram => {
                let own = metric.labels.to_vec();
                known.insert(format!("{}_sum", metric.name), own.clone());
                known.insert(format!("{}_count", metric.name), own.clone());
                known.insert(format!("{}_bucket", metric.name), [own, vec!["le"]].concat());
            }
            _ => drop(known.insert(metric.name.to_owned(), metric.labels.to_vec())),
        }
    }
    for series in &scrape.series {
        let labels = known.get(&series.name).unwrap_or_else(|| panic!("{} is in no catalogue", series.name));
        let own: Vec<&str> = series.labels.keys().map(String::as_str).collect();
        let mut labels = labels.clone();
        labels.sort_unstable();
        assert_eq!(own, labels, "{}", series.name);
    }
    let odd = [("operation", "GET /\"odd\\name\"")];
    assert_eq!(scrape.value("natsgate_in_flight", &odd), Some(0.0));
    check_with_promtool(&scrape.text);
}

/// As Prometheus checks it. `make lint-tools` puts promtool where it is looked for.
fn check_with_promtool(text: &str) {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".tools/bin/promtool");
    let promtool = if own.exists() { own } else { "promtool".into() };
    let mut command = Command::new(promtool);
    command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let Ok(mut child) = command.spawn() else {
        eprintln!(
            "SKIPPED: promtool is not here ('make lint-tools'), so that it has not checked the metrics"
        );
        return;
    };
    child.stdin.take().expect("an input").write_all(text.as_bytes()).expect("it reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.trim().is_empty(), "promtool: {said}\n{text}");
}
