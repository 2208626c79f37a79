//! What can be wrong between manifests: names given twice, streams that nobody declares, waits that nobody meant.

use std::collections::HashMap;

use super::{AckPolicy, Consumer, Manifests};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};

pub(super) fn check(manifests: &Manifests, diagnostics: &mut Diagnostics) {
    streams_twice(manifests, diagnostics);
    consumers_twice(manifests, diagnostics);
    for consumer in &manifests.consumers {
        if !manifests.incomplete && manifests.stream(consumer.stream_name.as_str()).is_none() {
            diagnostics.push(no_such_stream(consumer));
        }
        diagnostics_of_ack_wait(consumer, diagnostics);
    }
}

fn streams_twice(manifests: &Manifests, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for stream in &manifests.streams {
        let name = stream.name.as_str();
        match seen.get(name) {
            Some(first) => {
                diagnostics.push(twice(&format!("the stream `{name}`"), stream.name.place, *first));
            }
            None => drop(seen.insert(name, stream.name.place)),
        }
    }
}

fn consumers_twice(manifests: &Manifests, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<(&str, &str), Place> = HashMap::new();
    for consumer in &manifests.consumers {
        let (stream, name) = (consumer.stream_name.as_str(), consumer.durable_name.as_str());
        match seen.get(&(stream, name)) {
            Some(first) => {
                let what = format!("the consumer `{name}` of the stream `{stream}`");
                diagnostics.push(twice(&what, consumer.durable_name.place, *first));
            }
            None => drop(seen.insert((stream, name), consumer.durable_name.place)),
        }
    }
}

fn twice(what: &str, place: Place, first: Place) -> Diagnostic {
    Diagnostic::error(place, format!("{what} is declared twice"))
        .also(first, "declared here first")
        .help("remove one, or give it another name; name only the manifests of one NATS account")
}

fn no_such_stream(consumer: &Consumer) -> Diagnostic {
    let message = format!("no manifest declares the stream `{}`", consumer.stream_name.as_str());
    Diagnostic::warning(consumer.stream_name.place, message)
        .reason("the consumer cannot be created unless something else has created its stream")
        .help("name the stream's manifest too, or correct the name")
}

fn diagnostics_of_ack_wait(consumer: &Consumer, diagnostics: &mut Diagnostics) {
    let has_backoff = consumer.backoff.as_ref().is_some_and(|list| !list.is_empty());
    let Some(policy) = &consumer.ack_policy else { return };
    if policy.value != AckPolicy::None && consumer.ack_wait.is_none() && !has_backoff {
        let message = format!("the consumer `{}` has no ackWait", consumer.durable_name.as_str());
        diagnostics.push(
            Diagnostic::warning(policy.place, message)
                .reason("NACK then sends 1ns, so that every message is delivered again at once; natsgate sends nothing, and the server takes 30s")
                .help("add `ackWait: 30s`, or how long the slowest message takes"),
        );
    }
}
