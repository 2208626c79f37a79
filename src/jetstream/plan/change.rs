//! Declared against live configuration, field by field, and what each change would do. Pure.

use serde_json::{Map, Value};

use super::class::{self, Class};
use super::kept;
use super::path::{Leaf, leaves};
use crate::jetstream::effective::{Around, effective};
use crate::jetstream::field::Kind;
use crate::jetstream::version::Version;

/// What happens to a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    /// The server has it at rest, the manifest asks for more.
    Add,
    /// Both have a value of their own.
    Change,
    /// The server has a value that no manifest writes: it returns to the default.
    Remove,
}

impl Op {
    /// As it stands in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Op::Add => "add",
            Op::Change => "change",
            Op::Remove => "remove",
        }
    }
}

/// One field that the server has otherwise than declared.
#[derive(Debug, Clone, PartialEq)]
pub struct FieldChange {
    /// The server's name, with the way into it: `consumer_limits.max_ack_pending`.
    pub field: String,
    /// The same as manifests write it: `consumerLimits.maxAckPending`.
    pub shown: String,
    /// Whether it comes, changes or goes.
    pub op: Op,
    /// The value that the server would have; null for none.
    pub declared: Value,
    /// The value that it has; null for none.
    pub live: Value,
    /// What the change costs.
    pub class: Class,
    /// Why it costs that, or what to know about it.
    pub why: Option<String>,
}

/// The fields in which the server differs from what is declared, after its defaults, in the order of the table.
pub fn compare(
    kind: Kind,
    declared: &Map<String, Value>,
    live: &Map<String, Value>,
    around: &Around<'_>,
    version: Version,
) -> Vec<FieldChange> {
    let around = Around { live: Some(live), ..*around };
    let target = kept::target(kind, declared, live);
    let (wanted, has) = (effective(kind, &target, &around), effective(kind, live, &around));
    let nothing = effective(kind, &nothing_but_names(&target), &around);
    let (wanted_leaves, has_leaves) = (leaves(kind, &wanted), leaves(kind, &has));
    let resting = leaves(kind, &nothing);
    let mut ways: Vec<&String> = wanted_leaves.keys().chain(has_leaves.keys()).collect();
    ways.sort_by_key(|way| order(kind, way));
    ways.dedup();
    let mut changes = Vec::new();
    for way in ways {
        // A durable consumer has its name twice.
        if kind == Kind::Consumer && way == "name" {
            continue;
        }
        let (to, from) = (wanted_leaves.get(way), has_leaves.get(way));
        if value(to) == value(from) {
            continue;
        }
        let Some(leaf) = to.or(from) else { continue };
        let rest = value(resting.get(way));
        let written = target.contains_key(&leaf.root)
            || (leaf.root == "filter_subjects" && target.contains_key("filter_subject"));
        let (class, why) = class::of(kind, &leaf.root, &wanted, &has, &around, version);
        changes.push(FieldChange {
            field: way.clone(),
            shown: leaf.shown.clone(),
            op: op(to, from, &rest, written),
            declared: value(to),
            live: value(from),
            class,
            why,
        });
    }
    changes
}

fn op(to: Option<&Leaf>, from: Option<&Leaf>, rest: &Value, written: bool) -> Op {
    if to.is_none() || (!written && value(to) == *rest) {
        return Op::Remove;
    }
    // A bound of -1 is none; any other default is a value of its own.
    let unbounded = value(from) == *rest && rest.as_i64() == Some(-1);
    if from.is_none() || unbounded { Op::Add } else { Op::Change }
}

fn value(leaf: Option<&Leaf>) -> Value {
    leaf.map_or(Value::Null, |leaf| leaf.value.clone())
}

/// What shapes the defaults of other fields.
fn nothing_but_names(target: &Map<String, Value>) -> Map<String, Value> {
    let shaping = ["name", "durable_name", "ack_policy", "deliver_subject", "priority_policy", "mirror"];
    let fields = target.iter().filter(|(name, _)| shaping.contains(&name.as_str()));
    fields.map(|(name, value)| (name.clone(), value.clone())).collect()
}

fn order(kind: Kind, way: &str) -> (usize, String) {
    let root = way.split(['.', '[']).next().unwrap_or_default();
    let known = kind.fields().iter().position(|field| field.name == root);
    (known.unwrap_or(usize::MAX), way.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::show;
    use super::*;

    const NEWEST: Version = Version(2, 15, 0);

    fn told(kind: Kind, declared: &Value, live: &Value) -> Vec<String> {
        let object = |value: &Value| value.as_object().cloned().expect("an object");
        let changes = compare(kind, &object(declared), &object(live), &Around::default(), NEWEST);
        let text = |change: &FieldChange, value| show(kind, &change.field, value);
        changes
            .iter()
            .map(|change| {
                let (to, from) = (text(change, &change.declared), text(change, &change.live));
                format!("{} {}: {from} → {to}", change.op.word(), change.shown)
            })
            .collect()
    }

    #[test]
    fn what_the_server_fills_in_is_no_change() {
        for (kind, declared, live) in [
            (Kind::Stream, json!({}), json!({ "max_bytes": -1, "metadata": { "_nats.ver": "2.15.1" } })),
            (
                Kind::Stream,
                json!({ "max_msgs": 0, "num_replicas": 0 }),
                json!({ "max_msgs": -1, "num_replicas": 1 }),
            ),
            (
                Kind::Stream,
                json!({ "duplicate_window": 0 }),
                json!({ "duplicate_window": 120_000_000_000_u64 }),
            ),
            (
                Kind::Stream,
                json!({ "max_age": 1_000_000_000 }),
                json!({ "max_age": 1_000_000_000, "duplicate_window": 1_000_000_000 }),
            ),
            (
                Kind::Stream,
                json!({ "mirror": { "name": "A" } }),
                json!({ "mirror": { "name": "A" }, "retention": "limits" }),
            ),
            (
                Kind::Stream,
                json!({ "no_ack": false, "compression": "none", "persist_mode": "default" }),
                json!({}),
            ),
            (Kind::Stream, json!({ "name": "A" }), json!({ "name": "A", "subjects": ["A"] })),
            (Kind::Stream, json!({ "subjects": ["b", "a"] }), json!({ "subjects": ["a", "b"] })),
            (
                Kind::Stream,
                json!({ "metadata": { "a": "b" } }),
                json!({ "metadata": { "a": "b", "_nats.level": "1" } }),
            ),
            (Kind::Stream, json!({}), json!({ "consumer_limits": {}, "unheard_of": 5 })),
            (
                Kind::Stream,
                json!({ "placement": { "tags": ["a"] } }),
                json!({ "placement": { "tags": ["a"], "preferred": "n1" } }),
            ),
            (
                Kind::Stream,
                json!({ "sources": [{ "name": "B" }, { "name": "A" }] }),
                json!({ "sources": [{ "name": "A" }, { "name": "B", "consumer": { "name": "c" } }] }),
            ),
            (
                Kind::Stream,
                json!({ "sealed": true, "max_age": 5 }),
                json!({ "sealed": true, "discard": "new", "deny_delete": true, "deny_purge": true }),
            ),
            (
                Kind::Consumer,
                json!({ "priority_policy": "none", "backoff": [] }),
                json!({ "max_waiting": 512, "max_deliver": -1 }),
            ),
            (Kind::Consumer, json!({ "filter_subjects": ["a"] }), json!({ "filter_subject": "a" })),
            (
                Kind::Consumer,
                json!({ "backoff": [1], "ack_wait": 9 }),
                json!({ "backoff": [1], "ack_wait": 1 }),
            ),
            (
                Kind::Consumer,
                json!({ "ack_policy": "explicit" }),
                json!({ "ack_policy": "explicit", "ack_wait": 30_000_000_000_u64, "max_ack_pending": 1000 }),
            ),
            (
                Kind::Consumer,
                json!({ "pause_until": "2026-01-31T13:00:00.50+01:00" }),
                json!({ "pause_until": "2026-01-31T12:00:00.5Z" }),
            ),
            (Kind::Consumer, json!({ "sample_freq": "100%" }), json!({ "sample_freq": "100" })),
        ] {
            assert_eq!(told(kind, &declared, &live), Vec::<String>::new(), "{declared} {live}");
        }
    }

    #[test]
    fn every_change_is_told_as_people_write_it() {
        for (kind, declared, live, expected) in [
            (
                Kind::Consumer,
                json!({ "ack_wait": 1_200_000_000_000_u64 }),
                json!({ "ack_wait": 30_000_000_000_u64 }),
                "change ackWait: 30s → 20m",
            ),
            (Kind::Consumer, json!({}), json!({ "max_deliver": 7 }), "remove maxDeliver: 7 → -1"),
            (
                Kind::Consumer,
                json!({ "max_deliver": 7 }),
                json!({ "max_deliver": -1 }),
                "add maxDeliver: -1 → 7",
            ),
            (
                Kind::Consumer,
                json!({ "filter_subject": "a" }),
                json!({ "filter_subject": "b" }),
                "change filterSubjects: [b] → [a]",
            ),
            (
                Kind::Consumer,
                json!({}),
                json!({ "deliver_subject": "d", "max_waiting": 512 }),
                "remove deliverSubject: d → nothing",
            ),
            (
                Kind::Stream,
                json!({ "allow_direct": false }),
                json!({ "allow_direct": true }),
                "remove allowDirect: true → nothing",
            ),
            (Kind::Stream, json!({ "metadata": { "a": "b" } }), json!({}), "add metadata.a: nothing → b"),
            (
                Kind::Stream,
                json!({ "sources": [{ "name": "A", "external": { "api": "$JS.x" } }] }),
                json!({ "sources": [{ "name": "A" }] }),
                "add sources[A].external.api: nothing → $JS.x",
            ),
            (
                Kind::Stream,
                json!({ "subjects": ["a"] }),
                json!({ "subjects": ["a", "b"] }),
                "change subjects: [a, b] → [a]",
            ),
            (
                Kind::Stream,
                json!({}),
                json!({ "consumer_limits": { "inactive_threshold": 60_000_000_000_u64 } }),
                "remove consumerLimits.inactiveThreshold: 1m → nothing",
            ),
        ] {
            assert_eq!(told(kind, &declared, &live), [expected], "{declared} {live}");
        }
    }
}
