//! What a server has, as raw JSON: fields that nobody here knows survive being read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::declared::Declared;
use super::version::Version;
use crate::nats::{ApiError, ApiFailure, Failure, Nats, stream_info};

/// Nothing of this name: a consumer, or its stream.
const NOT_FOUND: [u64; 2] = [10_014, 10_059];
const NO_CLUSTER_FOR_REPLICAS: u64 = 10_074;
/// How long one answer may take: a user who may not ask gets none at all.
const ANSWERED_WITHIN: Duration = Duration::from_secs(10);
/// Pages that are read at most; an account with more is told incompletely.
const MOST_PAGES: usize = 200;

/// The state of a server as far as manifests can say anything about it.
#[derive(Debug, Clone)]
pub struct Live {
    /// Of the server that answered.
    pub version: Version,
    /// The account's bound on unacknowledged messages of one consumer.
    pub max_ack_pending: Option<i64>,
    /// Every stream of the account.
    pub streams: BTreeMap<String, LiveStream>,
}

/// A stream.
#[derive(Debug, Clone, Default)]
pub struct LiveStream {
    /// As the server tells it.
    pub config: Map<String, Value>,
    /// How many messages it holds.
    pub messages: u64,
    /// Its durable consumers, read for the streams that manifests name.
    pub consumers: BTreeMap<String, Map<String, Value>>,
}

/// Reads everything that a plan of these declarations needs.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn read(nats: &Nats, declared: &[Declared], deadline: Instant) -> Result<Live, ApiFailure> {
    let account = nats.api("INFO", &json!({}), soon(deadline)).await?;
    let max_ack_pending = account.pointer("/limits/max_ack_pending").and_then(Value::as_i64);
    let mut streams: BTreeMap<_, _> = BTreeMap::new();
    for info in pages(nats, "STREAM.LIST", "streams", deadline).await? {
        streams.extend(stream(&info));
    }
    let named: BTreeSet<&str> = declared.iter().map(|one| one.stream.as_str()).collect();
    for name in named {
        // A list leaves out streams that have no leader right now, so those that matter are asked for by name.
        let Some((name, mut found)) =
            stream_info(nats, name, soon(deadline)).await?.and_then(|info| stream(&info))
        else {
            continue;
        };
        for info in pages(nats, &format!("CONSUMER.LIST.{name}"), "consumers", deadline).await? {
            found.consumers.extend(consumer(&info));
        }
        for one in declared.iter().filter(|one| one.stream == name) {
            let Some(consumer) = &one.consumer else { continue };
            match config(nats, one, deadline).await? {
                Some(config) => drop(found.consumers.insert(consumer.clone(), config)),
                None => drop(found.consumers.remove(consumer)),
            }
        }
        streams.insert(name, found);
    }
    let version = nats.status().server.map_or(Version::UNKNOWN, |server| Version::parse(&server.version));
    Ok(Live { version, max_ack_pending: max_ack_pending.filter(|most| *most > 0), streams })
}

/// What the server has of one declaration right now; none if it is not there.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn config(
    nats: &Nats,
    of: &Declared,
    deadline: Instant,
) -> Result<Option<Map<String, Value>>, ApiFailure> {
    let subject = match &of.consumer {
        Some(consumer) => format!("CONSUMER.INFO.{}.{consumer}", of.stream),
        None => format!("STREAM.INFO.{}", of.stream),
    };
    match nats.api(&subject, &json!({}), soon(deadline)).await {
        Ok(mut info) => Ok(Some(object(info.get_mut("config").map(Value::take)))),
        Err(ApiFailure::Refused(ApiError { err_code, .. })) if NOT_FOUND.contains(&err_code) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// How many messages a stream holds right now; none if it is not there.
///
/// # Errors
/// See [`ApiFailure`].
pub async fn messages(nats: &Nats, name: &str, deadline: Instant) -> Result<u64, ApiFailure> {
    let info = stream_info(nats, name, soon(deadline)).await?;
    Ok(info.and_then(|info| stream(&info)).map_or(0, |(_, stream)| stream.messages))
}

async fn pages(nats: &Nats, subject: &str, list: &str, deadline: Instant) -> Result<Vec<Value>, ApiFailure> {
    let mut out = Vec::new();
    for _ in 0..MOST_PAGES {
        let mut page = nats.api(subject, &json!({ "offset": out.len() }), soon(deadline)).await?;
        let total = page.get("total").and_then(Value::as_u64).unwrap_or(0);
        let Some(Value::Array(items)) = page.get_mut(list).map(Value::take) else { break };
        let last = items.is_empty();
        out.extend(items);
        if last || out.len() as u64 >= total {
            break;
        }
    }
    Ok(out)
}

fn stream(info: &Value) -> Option<(String, LiveStream)> {
    let config = object(info.get("config").cloned());
    let name = config.get("name")?.as_str()?.to_owned();
    let messages = info.pointer("/state/messages").and_then(Value::as_u64).unwrap_or(0);
    Some((name, LiveStream { config, messages, consumers: BTreeMap::new() }))
}

/// Consumers that are not durable come and go with their clients.
fn consumer(info: &Value) -> Option<(String, Map<String, Value>)> {
    let config = object(info.get("config").cloned());
    let name = config.get("durable_name")?.as_str()?.to_owned();
    Some((name, config))
}

/// When to give up on one answer.
pub(super) fn soon(deadline: Instant) -> Instant {
    deadline.min(Instant::now() + ANSWERED_WITHIN)
}

fn object(value: Option<Value>) -> Map<String, Value> {
    match value {
        Some(Value::Object(fields)) => fields,
        _ => Map::new(),
    }
}

/// What a failure means, and what to do.
pub fn explain(failure: &ApiFailure) -> String {
    match failure {
        ApiFailure::Send(Failure::NoResponders) => {
            "nobody answers for JetStream: it is off for this account, or has no leader right now".to_owned()
        }
        ApiFailure::Refused(ApiError { err_code: NO_CLUSTER_FOR_REPLICAS, description, .. }) => {
            format!("{description}: a single server keeps one replica, which `--replicas 1` asks for")
        }
        other => other.to_string(),
    }
}
