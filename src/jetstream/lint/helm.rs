//! The values of the nats Helm chart, held against the streams that its servers are to carry.

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::jetstream::manifest::{Manifests, Stream};
use crate::jetstream::rule::{
    JETSTREAM_OFF, MEMORY_STORE_OFF, REPLICAS_ABOVE_SERVERS, SPREAD_CONSTRAINTS_LIST,
};
use crate::yaml::{Node, Value};

/// How many servers the chart starts where `config.cluster` does not say.
const USUAL_SERVERS: u64 = 3;

/// Notes what the values forbid: of the chart itself, or of an umbrella chart that has them under `nats`.
pub fn lint_values(values: &Node, manifests: &Manifests, diagnostics: &mut Diagnostics) {
    let values = match values.get("nats") {
        Some(inner) if values.get("config").is_none() => inner,
        _ => values,
    };
    let found = [spread_constraints_list(values), jetstream_off(values, manifests)];
    let of_streams = manifests.streams.iter().flat_map(|stream| {
        [memory_store_off(values, stream), replicas_above_servers(values, stream)].into_iter().flatten()
    });
    diagnostics.extend(found.into_iter().flatten().chain(of_streams));
}

fn spread_constraints_list(values: &Node) -> Option<Diagnostic> {
    let node = values.pointer("/podTemplate/topologySpreadConstraints")?;
    matches!(node.value, Value::List(_)).then(|| {
        let (key, _) = values.get("podTemplate").and_then(|pod| pod.entry("topologySpreadConstraints")).unzip();
        SPREAD_CONSTRAINTS_LIST
            .at(key.map_or(node.place, |key| key.place), "`topologySpreadConstraints` is a list")
            .help("write a map: `topologySpreadConstraints: { kubernetes.io/hostname: { maxSkew: 1, whenUnsatisfiable: DoNotSchedule } }`")
    })
}

fn is_on(values: &Node, pointer: &str) -> bool {
    values.pointer(pointer).is_some_and(|node| matches!(node.value, Value::Bool(true)))
}

fn jetstream_off(values: &Node, manifests: &Manifests) -> Option<Diagnostic> {
    let stream = manifests.streams.first()?;
    (!is_on(values, "/config/jetstream/enabled")).then(|| {
        let place = values.pointer("/config/jetstream/enabled").map_or(values.place, |node| node.place);
        JETSTREAM_OFF
            .at(place, "these servers have no JetStream")
            .also(stream.name.place, "the first stream that needs it")
            .help("write `config: { jetstream: { enabled: true } }`")
    })
}

fn memory_store_off(values: &Node, stream: &Stream) -> Option<Diagnostic> {
    let pointer = "/config/jetstream/memoryStore/enabled";
    let jetstream = values.pointer("/config/jetstream")?;
    (super::storage::in_memory(stream) && !is_on(values, pointer)).then(|| {
        let place = stream.storage.as_ref().map_or(stream.name.place, |storage| storage.place);
        let off = values.pointer(pointer).unwrap_or(jetstream).place;
        MEMORY_STORE_OFF
            .at(place, format!("the servers have no memory storage for `{}`", stream.name.as_str()))
            .also(off, "memory storage is off here")
            .help("write `storage: file`, or turn memoryStore on and give it a maxSize")
    })
}

fn replicas_above_servers(values: &Node, stream: &Stream) -> Option<Diagnostic> {
    let config = values.get("config")?;
    let replicas = stream.replicas.as_ref()?;
    let servers = match is_on(config, "/cluster/enabled") {
        true => config.pointer("/cluster/replicas").and_then(number).unwrap_or(USUAL_SERVERS),
        false => 1,
    };
    (u64::from(replicas.value) > servers).then(|| {
        let place = config.pointer("/cluster/replicas").or(config.get("cluster")).unwrap_or(config).place;
        REPLICAS_ABOVE_SERVERS
            .at(
                replicas.place,
                format!(
                    "{} replicas on {servers} server{}",
                    replicas.value,
                    if servers == 1 { "" } else { "s" }
                ),
            )
            .also(place, "the servers are counted here")
            .help(format!(
                "write `config: {{ cluster: {{ enabled: true, replicas: {} }} }}`, or fewer replicas",
                replicas.value
            ))
    })
}

fn number(node: &Node) -> Option<u64> {
    match &node.value {
        Value::Number(number) => number.as_u64(),
        _ => None,
    }
}
