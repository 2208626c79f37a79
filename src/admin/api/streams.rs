//! The streams that operations name, with their consumers, and what is not as the manifests declare.

use serde_json::{Value, json};

use super::rfc3339;
use crate::gateway::Gateway;
use crate::gateway::consumers::{Consumer, Stream};
use crate::gateway::drift::Seen;

/// What is known of them.
pub(super) fn document(gateway: &Gateway) -> Value {
    let (seen, drift) = (gateway.consumers(), gateway.drift());
    let drifted = drift.assets.iter().filter(|asset| asset.drifted);
    let drifted = drifted.map(|asset| json!({ "stream": asset.stream, "consumer": asset.consumer }));
    json!({
        "streams": seen.streams.iter().map(|one| stream(one, &drift)).collect::<Vec<_>>(),
        "looked_at": seen.at.map(rfc3339),
        "failure": seen.failure,
        "drift": {
            "compared_at": drift.at.map(rfc3339),
            "failure": drift.failure,
            "drifted": drifted.collect::<Vec<_>>(),
        },
    })
}

fn stream(stream: &Stream, drift: &Seen) -> Value {
    json!({
        "name": stream.name,
        "messages": stream.messages,
        "bytes": stream.bytes,
        "failure": stream.failure,
        "consumers_left_out": stream.cut,
        "drifted": drifted(drift, &stream.name, None),
        "consumers": stream.consumers.iter().map(|one| {
            let mut row = consumer(one);
            row["drifted"] = drifted(drift, &stream.name, Some(&one.name));
            row
        }).collect::<Vec<_>>(),
    })
}

fn consumer(consumer: &Consumer) -> Value {
    json!({
        "name": consumer.name,
        "pending": consumer.pending,
        "ack_pending": consumer.ack_pending,
        "redelivered": consumer.redelivered,
        "waiting": consumer.waiting,
        "push_bound": consumer.push_bound,
        "delivered": consumer.delivered,
        "acknowledged": consumer.acknowledged,
        "last_delivery": consumer.last_delivery.map(rfc3339),
        "last_ack": consumer.last_ack.map(rfc3339),
        "stalled": consumer.stalled,
        "paused": consumer.paused,
    })
}

/// Null where no manifest declares it, or nothing has been compared.
fn drifted(drift: &Seen, stream: &str, consumer: Option<&str>) -> Value {
    let is = |asset: &&crate::gateway::drift::Asset| {
        asset.stream == stream && asset.consumer.as_deref() == consumer
    };
    drift.assets.iter().find(is).map_or(Value::Null, |asset| json!(asset.drifted))
}
