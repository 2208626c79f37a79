//! What makes a set of manifests ambiguous: names given twice, streams that nobody declares.

use std::collections::HashMap;

use super::{Consumer, Manifests};
use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::jetstream::rule::{CONSUMER_DECLARED_TWICE, Rule, STREAM_DECLARED_TWICE, STREAM_NOT_DECLARED};

pub(super) fn check(manifests: &Manifests, diagnostics: &mut Diagnostics) {
    streams_twice(manifests, diagnostics);
    consumers_twice(manifests, diagnostics);
    for consumer in &manifests.consumers {
        if !manifests.incomplete && manifests.stream(consumer.stream_name.as_str()).is_none() {
            diagnostics.push(no_such_stream(consumer));
        }
    }
}

fn streams_twice(manifests: &Manifests, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<&str, Place> = HashMap::new();
    for stream in &manifests.streams {
        let name = stream.name.as_str();
        match seen.get(name) {
            Some(first) => {
                diagnostics.push(twice(
                    STREAM_DECLARED_TWICE,
                    &format!("the stream `{name}`"),
                    stream.name.place,
                    *first,
                ));
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
                diagnostics.push(twice(CONSUMER_DECLARED_TWICE, &what, consumer.durable_name.place, *first));
            }
            None => drop(seen.insert((stream, name), consumer.durable_name.place)),
        }
    }
}

fn twice(rule: Rule, what: &str, place: Place, first: Place) -> Diagnostic {
    rule.at(place, format!("{what} is declared twice"))
        .also(first, "declared here first")
        .help("remove one, or give it another name; name only the manifests of one NATS account")
}

fn no_such_stream(consumer: &Consumer) -> Diagnostic {
    let message = format!("no manifest declares the stream `{}`", consumer.stream_name.as_str());
    STREAM_NOT_DECLARED
        .at(consumer.stream_name.place, message)
        .help("name the stream's manifest too, or correct the name")
}
