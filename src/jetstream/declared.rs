//! What manifests declare, as configurations that a server takes: streams first, then consumers. Pure.

use serde_json::{Map, Value};

use super::field::Kind;
use super::manifest::{Consumer, Manifests, Stream};
use crate::diagnostic::Place;
use crate::yaml::Located;

/// One stream or consumer.
#[derive(Debug, Clone, PartialEq)]
pub struct Declared {
    /// Which of both.
    pub kind: Kind,
    /// The stream's name; of a consumer, that of its stream.
    pub stream: String,
    /// The consumer's name; a stream has none.
    pub consumer: Option<String>,
    /// As it was written, by the server's names, and the resource's own defaults.
    pub config: Map<String, Value>,
    /// Where its name is written.
    pub place: Place,
    /// Nothing that exists is changed.
    pub prevent_update: bool,
    /// Nothing that exists is deleted.
    pub prevent_delete: bool,
}

impl Declared {
    /// `STREAM`, or `STREAM > CONSUMER`.
    pub fn title(&self) -> String {
        title(&self.stream, self.consumer.as_deref())
    }
}

/// `STREAM`, or `STREAM > CONSUMER`.
pub fn title(stream: &str, consumer: Option<&str>) -> String {
    match consumer {
        Some(consumer) => format!("{stream} > {consumer}"),
        None => stream.to_owned(),
    }
}

/// Everything that the manifests declare. `replicas` takes the place of every stream's number of replicas: 1 where
/// production's manifests meet a single server.
pub fn declared(manifests: &Manifests, replicas: Option<u32>) -> Vec<Declared> {
    let streams = manifests.streams.iter().map(|declared| stream(declared, replicas));
    let consumers = manifests.consumers.iter().map(|declared| consumer(declared, replicas));
    streams.chain(consumers).collect()
}

fn stream(stream: &Stream, replicas: Option<u32>) -> Declared {
    Declared {
        kind: Kind::Stream,
        stream: stream.name.as_str().to_owned(),
        consumer: None,
        config: stream.config(replicas),
        place: stream.name.place,
        prevent_update: set(stream.prevent_update.as_ref()),
        prevent_delete: set(stream.prevent_delete.as_ref()),
    }
}

fn consumer(consumer: &Consumer, replicas: Option<u32>) -> Declared {
    Declared {
        kind: Kind::Consumer,
        stream: consumer.stream_name.as_str().to_owned(),
        consumer: Some(consumer.durable_name.as_str().to_owned()),
        config: consumer.config(replicas),
        place: consumer.durable_name.place,
        prevent_update: set(consumer.prevent_update.as_ref()),
        prevent_delete: set(consumer.prevent_delete.as_ref()),
    }
}

fn set(flag: Option<&Located<bool>>) -> bool {
    flag.is_some_and(|flag| flag.value)
}
