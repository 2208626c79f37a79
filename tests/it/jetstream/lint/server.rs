//! The server decides: every case is sent to a real one, which refuses what the case says and takes the rest.

use std::time::Duration;

use natsgate::diagnostic::Diagnostics;
use natsgate::jetstream::manifest;
use natsgate::yaml::Located;
use serde_json::{Map, Value, json};

use super::{Case, FOLDER, package, release};
use crate::support::cluster::Cluster;
use crate::support::nats_server::NatsServer;

/// The JetStream API with its answers as they come.
struct Api(async_nats::Client);

impl Api {
    async fn call(&self, subject: &str, body: &Value) -> Value {
        let request = self.0.request(format!("$JS.API.{subject}"), body.to_string().into());
        let answer = tokio::time::timeout(Duration::from_secs(10), request)
            .await
            .expect("in time")
            .expect("an answer");
        serde_json::from_slice(&answer.payload).expect("JSON")
    }

    /// The code with which the server refuses, if it does.
    async fn refusal(&self, subject: &str, body: &Value) -> Option<u64> {
        self.call(subject, body).await["error"]["err_code"].as_u64()
    }

    async fn empty(&self) {
        let names = self.call("STREAM.NAMES", &json!({})).await;
        for name in names["streams"].as_array().into_iter().flatten().filter_map(Value::as_str) {
            assert_eq!(self.refusal(&format!("STREAM.DELETE.{name}"), &json!({})).await, None, "{name}");
        }
    }

    /// The files of a stream of this name that has just been deleted may still be on their way out.
    async fn create_stream(&self, config: Map<String, Value>) -> Option<u64> {
        const NO_STORE: u64 = 10_049;
        let subject = format!("STREAM.CREATE.{}", config["name"].as_str().expect("a name"));
        let config = Value::from(config);
        for _ in 0..100 {
            match self.refusal(&subject, &config).await {
                Some(NO_STORE) => tokio::time::sleep(Duration::from_millis(20)).await,
                other => return other,
            }
        }
        Some(NO_STORE)
    }

    async fn create_consumer(&self, stream: &str, config: Map<String, Value>) -> Option<u64> {
        let subject = format!("CONSUMER.CREATE.{stream}.{}", config["name"].as_str().expect("a name"));
        self.refusal(&subject, &json!({ "stream_name": stream, "config": config, "action": "create" })).await
    }
}

/// Everything that the server refused of a case.
async fn refused(api: &Api, case: &Case) -> Vec<(String, u64)> {
    let file = package(FOLDER).join(format!("{}.yaml", case.name));
    let mut diagnostics = Diagnostics::default();
    let manifests = manifest::load(&[Located::default_of(file)], &mut diagnostics);
    let mut refused = Vec::new();
    for stream in &manifests.streams {
        let code = api.create_stream(stream.config(None)).await;
        refused.extend(code.map(|code| (stream.name.as_str().to_owned(), code)));
    }
    for consumer in &manifests.consumers {
        let stream = consumer.stream_name.as_str();
        let code = api.create_consumer(stream, consumer.config(None)).await;
        refused.extend(code.map(|code| (format!("{stream} > {}", consumer.durable_name.as_str()), code)));
    }
    api.empty().await;
    refused
}

async fn compare(api: &Api, cases: impl Iterator<Item = Case>) {
    let version = api.0.server_info().version;
    let version = release(version.split('-').next().expect("numbers"));
    let mut wrong = Vec::new();
    for case in cases {
        let (mut expected, mut actual) = (case.refused(version), refused(api, &case).await);
        expected.sort();
        actual.sort();
        if expected != actual {
            wrong.push(format!("{}: the case says {expected:?}, the server {actual:?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[tokio::test]
async fn a_server_refuses_what_the_cases_say_and_takes_the_rest() {
    let server = NatsServer::start().await;
    let api = Api(server.client().await);
    compare(&api, Case::all().into_iter().filter(|case| !case.says("cluster") && !case.says("read"))).await;
}

#[tokio::test]
async fn a_cluster_refuses_replicas_that_do_not_fit() {
    let cluster = Cluster::start(3).await;
    let api = Api(cluster.nodes[0].client().await);
    compare(&api, Case::all().into_iter().filter(|case| case.says("cluster"))).await;
}

/// The reason of `backoff-overrides-ack-wait`.
#[tokio::test]
async fn the_first_entry_of_a_backoff_is_the_wait_that_holds() {
    let server = NatsServer::start().await;
    let api = Api(server.client().await);
    api.call("STREAM.CREATE.S", &json!({ "name": "S" })).await;
    let config = json!({ "name": "C", "durable_name": "C", "ack_policy": "explicit", "ack_wait": 30_000_000_000_u64,
        "backoff": [1_000_000_000, 5_000_000_000_u64] });
    let made = api.call("CONSUMER.CREATE.S.C", &json!({ "stream_name": "S", "config": config })).await;
    assert_eq!(made["config"]["ack_wait"], json!(1_000_000_000), "{made}");
}

/// The reasons of `memory-single-replica` and `idempotency-forgotten`.
#[tokio::test]
async fn a_restart_takes_streams_in_memory_and_the_ids_of_what_is_gone() {
    let mut server = NatsServer::start().await;
    let client = server.client().await;
    let api = Api(client.clone());
    for (name, storage, retention) in
        [("MEMORY", "memory", "limits"), ("QUEUE", "file", "workqueue"), ("LOG", "file", "limits")]
    {
        let config = json!({ "name": name, "storage": storage, "retention": retention, "duplicate_window": 600_000_000_000_u64 });
        assert_eq!(api.refusal(&format!("STREAM.CREATE.{name}"), &config).await, None);
        assert_eq!(publish(&client, name).await["duplicate"], Value::Null);
    }
    // As a worker does that acknowledges it.
    assert_eq!(api.refusal("STREAM.MSG.DELETE.QUEUE", &json!({ "seq": 1 })).await, None);
    assert_eq!(
        publish(&client, "QUEUE").await["duplicate"],
        json!(true),
        "before the restart it is remembered"
    );
    server.restart().await;
    let client = server.client().await;
    let api = Api(client.clone());
    assert_eq!(api.refusal("STREAM.INFO.MEMORY", &json!({})).await, Some(10_059));
    assert_eq!(publish(&client, "QUEUE").await["duplicate"], Value::Null, "processed, and stored again");
    assert_eq!(publish(&client, "LOG").await["duplicate"], json!(true));
}

/// The reason of `interest-without-consumer`.
#[tokio::test]
async fn what_no_consumer_wants_is_acknowledged_and_dropped() {
    let server = NatsServer::start().await;
    let client = server.client().await;
    let api = Api(client.clone());
    assert_eq!(api.refusal("STREAM.CREATE.S", &json!({ "name": "S", "retention": "interest" })).await, None);
    assert_eq!(publish(&client, "S").await["seq"], json!(1));
    assert_eq!(api.call("STREAM.INFO.S", &json!({})).await["state"]["messages"], json!(0));
}

async fn publish(client: &async_nats::Client, subject: &'static str) -> Value {
    let mut headers = async_nats::HeaderMap::new();
    headers.insert("Nats-Msg-Id", "once");
    let answer = client.request_with_headers(subject, headers, "x".into()).await.expect("an acknowledgement");
    serde_json::from_slice(&answer.payload).expect("JSON")
}
