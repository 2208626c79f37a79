//! The requests that change a server. Whole configurations, so that what a manifest does not write goes away.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::jetstream::declared::Declared;
use crate::jetstream::effective::at_rest;
use crate::jetstream::live::soon;
use crate::jetstream::plan::{Action, Plan, sendable, target};
use crate::nats::{ApiFailure, Nats};

/// Creates or updates. `live` is what is there, or was; empty if nothing was.
pub(super) async fn write(
    nats: &Nats,
    plan: &Plan,
    declared: &Declared,
    live: &Map<String, Value>,
    action: Action,
    deadline: Instant,
) -> Result<(), ApiFailure> {
    let mut config = sendable(declared.kind, target(declared.kind, &declared.config, live), plan.version);
    let creates = matches!(action, Action::Create | Action::Replace);
    if declared.consumer.is_none() && config.get("sealed").is_some_and(|sealed| *sealed == true) {
        // The seal has brought these with it, and the server refuses to take them back.
        config.insert("deny_delete".to_owned(), true.into());
        config.insert("deny_purge".to_owned(), true.into());
    }
    match &declared.consumer {
        _ if creates => create(nats, declared, &config, deadline).await,
        Some(name) => update_consumer(nats, &declared.stream, name, &config, live, deadline).await,
        None => {
            nats.api(&format!("STREAM.UPDATE.{}", declared.stream), &config, soon(deadline)).await.map(drop)
        }
    }
}

/// Deletes it, with everything that it has.
pub(super) async fn delete(nats: &Nats, declared: &Declared, deadline: Instant) -> Result<(), ApiFailure> {
    let subject = match &declared.consumer {
        Some(consumer) => format!("CONSUMER.DELETE.{}.{consumer}", declared.stream),
        None => format!("STREAM.DELETE.{}", declared.stream),
    };
    nats.api(&subject, &json!({}), soon(deadline)).await.map(drop)
}

/// Creates it with exactly this configuration.
pub(super) async fn create(
    nats: &Nats,
    declared: &Declared,
    config: &Map<String, Value>,
    deadline: Instant,
) -> Result<(), ApiFailure> {
    let stream = &declared.stream;
    let done = match &declared.consumer {
        // Without the action, the server would change a consumer that somebody has created since.
        Some(name) => {
            let body = json!({ "stream_name": stream, "config": config, "action": "create" });
            nats.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &body, soon(deadline)).await
        }
        None => nats.api(&format!("STREAM.CREATE.{stream}"), config, soon(deadline)).await,
    };
    done.map(drop)
}

/// A configuration as a server told it, without its own notes: it adds them again.
pub(super) fn plain(config: &Map<String, Value>) -> Map<String, Value> {
    let mut config = config.clone();
    if let Some(Value::Object(metadata)) = config.get_mut("metadata") {
        metadata.retain(|key, _| !key.starts_with("_nats."));
    }
    config
}

async fn update_consumer(
    nats: &Nats,
    stream: &str,
    name: &str,
    config: &Map<String, Value>,
    live: &Map<String, Value>,
    deadline: Instant,
) -> Result<(), ApiFailure> {
    // Without the action, the server would create a consumer that somebody has deleted.
    let body = json!({ "stream_name": stream, "config": config, "action": "update" });
    nats.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &body, soon(deadline)).await?;
    let (to, from) = (config.get("pause_until"), live.get("pause_until"));
    if to != from && (to.is_some_and(|to| !at_rest(to)) || from.is_some()) {
        // An update leaves the pause as it is.
        let body = to.map_or_else(|| json!({}), |until| json!({ "pause_until": until }));
        nats.api(&format!("CONSUMER.PAUSE.{stream}.{name}"), &body, soon(deadline)).await?;
    }
    Ok(())
}
