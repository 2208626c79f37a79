//! The requests that change a server. Whole configurations, so that what a manifest does not write goes away.

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::jetstream::declared::Declared;
use crate::jetstream::effective::at_rest;
use crate::jetstream::live::soon;
use crate::jetstream::plan::{Action, Plan, sendable, target};
use crate::nats::{ApiFailure, Nats};

/// Does one step. `live` is what is there, empty if nothing is.
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
    if action == Action::Replace {
        let subject = match &declared.consumer {
            Some(consumer) => format!("CONSUMER.DELETE.{}.{consumer}", declared.stream),
            None => format!("STREAM.DELETE.{}", declared.stream),
        };
        nats.api(&subject, &json!({}), soon(deadline)).await?;
    }
    match &declared.consumer {
        Some(name) => consumer(nats, &declared.stream, name, &config, live, creates, deadline).await,
        None => {
            if config.get("sealed").is_some_and(|sealed| *sealed == true) {
                // The seal has brought these with it, and the server refuses to take them back.
                config.insert("deny_delete".to_owned(), true.into());
                config.insert("deny_purge".to_owned(), true.into());
            }
            let verb = if creates { "CREATE" } else { "UPDATE" };
            nats.api(&format!("STREAM.{verb}.{}", declared.stream), &config, soon(deadline)).await.map(drop)
        }
    }
}

async fn consumer(
    nats: &Nats,
    stream: &str,
    name: &str,
    config: &Map<String, Value>,
    live: &Map<String, Value>,
    creates: bool,
    deadline: Instant,
) -> Result<(), ApiFailure> {
    // Without the action, the server would change a consumer that somebody has created since, or create one that
    // somebody has deleted.
    let action = if creates { "create" } else { "update" };
    let body = json!({ "stream_name": stream, "config": config, "action": action });
    nats.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &body, soon(deadline)).await?;
    let (to, from) = (config.get("pause_until"), live.get("pause_until"));
    if !creates && to != from && (to.is_some_and(|to| !at_rest(to)) || from.is_some()) {
        // An update leaves the pause as it is.
        let body = to.map_or_else(|| json!({}), |until| json!({ "pause_until": until }));
        nats.api(&format!("CONSUMER.PAUSE.{stream}.{name}"), &body, soon(deadline)).await?;
    }
    Ok(())
}
