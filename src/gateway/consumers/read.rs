//! One stream and its consumers as the server tells them.

use std::time::SystemTime;

use serde_json::{Value, json};
use tokio::time::Instant;

use crate::jetstream::live;
use crate::nats::{ApiFailure, Nats, stream_info};

/// Consumers of one stream that are kept: those that are durable first.
const MOST: usize = 256;
/// Consumers of one stream that are read.
const MOST_READ: usize = 2048;

/// A stream that operations publish to.
#[derive(Debug, Clone, Default)]
pub struct Stream {
    /// Its name.
    pub name: String,
    /// How many messages it holds.
    pub messages: u64,
    /// How many bytes.
    pub bytes: u64,
    /// Its consumers, by name; those that are durable first.
    pub consumers: Vec<Consumer>,
    /// It has more of them than stand here.
    pub cut: bool,
    /// Why nothing is known of it.
    pub failure: Option<String>,
}

/// A consumer of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Consumer {
    /// Its name.
    pub name: String,
    /// It stays when its clients go; the names of others come and go.
    pub durable: bool,
    /// Messages that it has still to deliver.
    pub pending: u64,
    /// Messages that it has delivered and that are not acknowledged.
    pub ack_pending: u64,
    /// Those among them that it has delivered more than once.
    pub redelivered: u64,
    /// Open requests of workers, where it is a pull consumer.
    pub waiting: u64,
    /// Where it is a push consumer: whether anybody listens.
    pub push_bound: Option<bool>,
    /// The last message that it has delivered, by its sequence in the stream.
    pub delivered: u64,
    /// The last message up to which all are acknowledged.
    pub acknowledged: u64,
    /// When it last delivered one.
    pub last_delivery: Option<SystemTime>,
    /// When one was last acknowledged.
    pub last_ack: Option<SystemTime>,
    /// Somebody has paused it.
    pub paused: bool,
    /// It has messages, and has not moved for a while.
    pub stalled: bool,
}

/// Reads a stream and its consumers. What goes wrong stands in what is returned.
pub(super) async fn stream(nats: &Nats, name: &str, deadline: Instant) -> Stream {
    match state(nats, name, deadline).await {
        Ok(Some(stream)) => stream,
        Ok(None) => unknown(name, "the stream does not exist".to_owned()),
        Err(failure) => unknown(name, live::explain(&failure)),
    }
}

fn unknown(name: &str, failure: String) -> Stream {
    Stream { name: name.to_owned(), failure: Some(failure), ..Stream::default() }
}

async fn state(nats: &Nats, name: &str, deadline: Instant) -> Result<Option<Stream>, ApiFailure> {
    let Some(info) = stream_info(nats, name, deadline).await? else { return Ok(None) };
    let (mut consumers, total) = consumers(nats, name, deadline).await?;
    consumers.sort_by(|a, b| (!a.durable, &a.name).cmp(&(!b.durable, &b.name)));
    consumers.truncate(MOST);
    Ok(Some(Stream {
        name: name.to_owned(),
        messages: number(&info, "/state/messages"),
        bytes: number(&info, "/state/bytes"),
        cut: total > consumers.len() as u64,
        consumers,
        failure: None,
    }))
}

/// Up to so many as are read, and how many there are.
async fn consumers(nats: &Nats, stream: &str, deadline: Instant) -> Result<(Vec<Consumer>, u64), ApiFailure> {
    let mut out = Vec::new();
    loop {
        let body = json!({ "offset": out.len() });
        let page = nats.api(&format!("CONSUMER.LIST.{stream}"), &body, deadline).await?;
        let total = number(&page, "/total");
        let items = page["consumers"].as_array().map(Vec::as_slice).unwrap_or_default();
        out.extend(items.iter().map(consumer));
        if items.is_empty() || out.len() as u64 >= total || out.len() >= MOST_READ {
            return Ok((out, total));
        }
    }
}

fn consumer(info: &Value) -> Consumer {
    let config = &info["config"];
    let is_push = config["deliver_subject"].as_str().is_some_and(|subject| !subject.is_empty());
    Consumer {
        name: info["name"].as_str().unwrap_or_default().to_owned(),
        durable: config["durable_name"].as_str().is_some_and(|name| !name.is_empty()),
        pending: number(info, "/num_pending"),
        ack_pending: number(info, "/num_ack_pending"),
        redelivered: number(info, "/num_redelivered"),
        waiting: number(info, "/num_waiting"),
        push_bound: is_push.then(|| info["push_bound"].as_bool().unwrap_or(false)),
        delivered: number(info, "/delivered/stream_seq"),
        acknowledged: number(info, "/ack_floor/stream_seq"),
        last_delivery: time(info, "/delivered/last_active"),
        last_ack: time(info, "/ack_floor/last_active"),
        paused: info["paused"].as_bool().unwrap_or(false),
        stalled: false,
    }
}

fn number(value: &Value, pointer: &str) -> u64 {
    value.pointer(pointer).and_then(Value::as_u64).unwrap_or(0)
}

fn time(value: &Value, pointer: &str) -> Option<SystemTime> {
    humantime::parse_rfc3339(value.pointer(pointer)?.as_str()?).ok()
}
