//! The lag of consumers, as the streams that operations publish to have it.

use std::time::Duration;

use async_nats::jetstream::{self, consumer::pull};
use futures_util::StreamExt;

use natsgate::gateway::reload::Cause;

use super::scrape::Scrape;
use crate::support::gateway::Gateway;
use crate::support::nats_server::NatsServer;
use crate::support::streams::Streams;

const YAML: &str = "operations:
  POST /orders: { publish: { subject: orders.new, stream: ORDERS } }
  POST /lost: { publish: { subject: lost.new, stream: LOST } }
";
const PENDING: &str = "natsgate_consumer_pending";

async fn consumer(nats: &str, config: pull::Config) -> jetstream::consumer::PullConsumer {
    let client = async_nats::connect(nats).await.expect("connection of the worker");
    let stream = jetstream::new(client).get_stream("ORDERS").await.expect("the stream");
    stream.create_consumer(config).await.expect("a consumer")
}

/// Another table is a reason to look at once.
async fn look_again(gateway: &Gateway) {
    let before = gateway.inner.consumers().at;
    gateway.reloader.reload(Cause::Api).await;
    crate::requests::until("another look", || gateway.inner.consumers().at > before).await;
}

#[tokio::test]
async fn what_waits_and_what_comes_back_is_told_of_durable_consumers() {
    let nats = NatsServer::start().await;
    let streams = Streams::of(&nats.url()).await;
    streams.create("ORDERS", &["orders.>"], serde_json::json!({})).await;
    let durable = pull::Config {
        durable_name: Some("billing".into()),
        ack_wait: Duration::from_millis(50),
        max_ack_pending: 1,
        ..pull::Config::default()
    };
    let worker = consumer(&nats.url(), durable).await;
    consumer(&nats.url(), pull::Config { name: Some("passer_by".into()), ..pull::Config::default() }).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    for _ in 0..5 {
        assert_eq!(gateway.post("/orders", "{}").await.status, 202);
    }
    for _ in 0..2 {
        // The second time it comes because nobody has acknowledged it.
        let mut batch = worker.fetch().max_messages(1).messages().await.expect("a batch");
        batch.next().await.expect("a message").expect("a good one");
    }
    look_again(&gateway).await;

    let labels = [("stream", "ORDERS"), ("consumer", "billing")];
    let scrape = Scrape::of(&gateway.admin).await;
    assert_eq!(scrape.value(PENDING, &labels), Some(4.0));
    assert_eq!(scrape.value("natsgate_consumer_ack_pending", &labels), Some(1.0));
    assert_eq!(scrape.value("natsgate_consumer_redelivered", &labels), Some(1.0));
    assert_eq!(scrape.value("natsgate_consumer_stalled", &labels), Some(0.0));
    assert!(!scrape.text.contains("passer_by"), "names that are made up are no labels:\n{}", scrape.text);
    let stream = [("stream", "ORDERS")];
    assert_eq!(scrape.value("natsgate_stream_messages", &stream), Some(5.0));
    assert!(scrape.value("natsgate_stream_bytes", &stream).is_some_and(|bytes| bytes > 0.0));
    assert_eq!(scrape.value("natsgate_stream_watch_success", &stream), Some(1.0));
    assert_eq!(scrape.value("natsgate_stream_watch_success", &[("stream", "LOST")]), Some(0.0));
    assert_eq!(scrape.value("natsgate_stream_messages", &[("stream", "LOST")]), None);
    let stored = [("stream", "ORDERS"), ("result", "stored")];
    assert_eq!(scrape.value("natsgate_publish_total", &stored), Some(5.0));
    let seen = gateway.inner.consumers();
    let orders = seen.streams.iter().find(|stream| stream.name == "ORDERS").expect("the stream");
    let names: Vec<&str> = orders.consumers.iter().map(|consumer| consumer.name.as_str()).collect();
    assert_eq!(names.first(), Some(&"billing"));
}

#[tokio::test]
async fn without_a_connection_nothing_old_is_told_as_if_it_were_so() {
    let nats = NatsServer::start().await;
    Streams::of(&nats.url()).await.create("ORDERS", &["orders.>"], serde_json::json!({})).await;
    let gateway = Gateway::start(&nats.url(), YAML).await;
    let stream = [("stream", "ORDERS")];
    Scrape::until(&gateway.admin, "natsgate_stream_watch_success", &stream, 1.0).await;
    drop(nats);
    let scrape = Scrape::until(&gateway.admin, "natsgate_stream_watch_success", &stream, 0.0).await;
    assert_eq!(scrape.value("natsgate_stream_messages", &stream), None);
    assert_eq!(scrape.value("natsgate_nats_connected", &[]), Some(0.0));
}
