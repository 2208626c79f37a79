//! Declared against live configuration, by the server's field names. What the server fills in is no difference. Pure.

use serde_json::{Map, Value};

use crate::jetstream::manifest::{GoDuration, moment};

/// One field that is not as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The server's name, with its way: `consumer_limits.max_ack_pending`.
    pub field: String,
    /// As a person writes it: durations in Go's notation.
    pub declared: String,
    /// What the server has, in the same notation.
    pub live: String,
}

/// Fields of nanoseconds.
const DURATIONS: [&str; 9] = [
    "max_age",
    "duplicate_window",
    "subject_delete_marker_ttl",
    "ack_wait",
    "backoff",
    "idle_heartbeat",
    "max_expires",
    "inactive_threshold",
    "priority_timeout",
];

/// Fields whose zero asks for the server's own choice, which is then what it reports.
const ZERO_MEANS_DEFAULT: [&str; 12] = [
    "max_consumers",
    "max_msgs",
    "max_msgs_per_subject",
    "max_bytes",
    "max_msg_size",
    "num_replicas",
    "duplicate_window",
    "ack_wait",
    "max_deliver",
    "max_ack_pending",
    "max_waiting",
    "priority_timeout",
];

/// Lists whose order means nothing.
const SETS: [&str; 4] = ["subjects", "filter_subjects", "tags", "priority_groups"];

/// Everything declared that the live configuration has otherwise. What is live and not declared is left alone.
pub(super) fn between(declared: &Map<String, Value>, live: &Value) -> Vec<Difference> {
    let mut declared = one_kind_of_filter(declared.clone());
    let live = live.as_object().cloned().map(one_kind_of_filter).map_or(Value::Null, Value::Object);
    if declared.get("backoff").and_then(Value::as_array).is_some_and(|list| !list.is_empty()) {
        // Its first entry takes the place of the ack wait.
        declared.remove("ack_wait");
    }
    let mut differences = Vec::new();
    object("", &declared, &live, &mut differences);
    differences
}

/// One filter may stand in either of two fields.
fn one_kind_of_filter(mut config: Map<String, Value>) -> Map<String, Value> {
    match config.remove("filter_subject") {
        Some(Value::String(filter)) if !filter.is_empty() => {
            config.insert("filter_subjects".to_owned(), Value::Array(vec![filter.into()]));
        }
        _ => {}
    }
    config
}

fn object(way: &str, declared: &Map<String, Value>, live: &Value, out: &mut Vec<Difference>) {
    for (key, declared) in declared {
        let field = if way.is_empty() { key.clone() } else { format!("{way}.{key}") };
        value(&field, key, declared, live.get(key).unwrap_or(&Value::Null), out);
    }
}

fn value(field: &str, key: &str, declared: &Value, live: &Value, out: &mut Vec<Difference>) {
    match (declared, live) {
        (Value::Object(fields), _) => object(field, fields, live, out),
        (Value::Array(items), Value::Array(others))
            if items.len() == others.len() && items.iter().any(Value::is_object) =>
        {
            for (index, (item, other)) in items.iter().zip(others).enumerate() {
                value(&format!("{field}[{index}]"), key, item, other, out);
            }
        }
        _ if same(key, declared, live) => {}
        _ => {
            let (declared, live) = (shown(key, declared), shown(key, live));
            out.push(Difference { field: field.to_owned(), declared, live });
        }
    }
}

fn same(key: &str, declared: &Value, live: &Value) -> bool {
    if declared == live || (live.is_null() && asks_for_nothing(declared)) {
        return true;
    }
    match (declared, live) {
        (Value::Number(number), _) => number.as_i64() == Some(0) && ZERO_MEANS_DEFAULT.contains(&key),
        (Value::Array(items), Value::Array(others)) => SETS.contains(&key) && sorted(items) == sorted(others),
        (Value::String(text), Value::String(other)) => match key {
            "opt_start_time" | "pause_until" => moment(text).is_some() && moment(text) == moment(other),
            "sample_freq" => text.trim_end_matches('%') == other.trim_end_matches('%'),
            _ => false,
        },
        _ => false,
    }
}

/// The server leaves out what is at rest.
fn asks_for_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => matches!(text.as_str(), "" | "none" | "default"),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn sorted(items: &[Value]) -> Vec<String> {
    let mut texts: Vec<_> = items.iter().map(Value::to_string).collect();
    texts.sort_unstable();
    texts
}

fn shown(key: &str, value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| shown(key, item)).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Number(number) if DURATIONS.contains(&key) => number
            .as_i64()
            .map_or_else(|| number.to_string(), |n| GoDuration::from_nanoseconds(n).to_string()),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(declared: Value, live: &Value) -> Vec<String> {
        let Value::Object(declared) = declared else { panic!("an object") };
        let differences = between(&declared, live).into_iter();
        differences.map(|d| format!("{}: {} | {}", d.field, d.declared, d.live)).collect()
    }

    #[test]
    fn what_the_server_fills_in_is_no_difference() {
        for (declared, live) in [
            (json!({}), json!({ "max_bytes": -1, "metadata": { "_nats.ver": "2.15.1" } })),
            (json!({ "max_msgs": 0, "num_replicas": 0 }), json!({ "max_msgs": -1, "num_replicas": 1 })),
            (json!({ "duplicate_window": 0 }), json!({ "duplicate_window": 120_000_000_000_u64 })),
            (json!({ "no_ack": false, "priority_policy": "none", "backoff": [] }), json!({})),
            (json!({ "subjects": ["b", "a"] }), json!({ "subjects": ["a", "b"] })),
            (json!({ "filter_subjects": ["a"] }), json!({ "filter_subject": "a" })),
            (json!({ "backoff": [1], "ack_wait": 9 }), json!({ "backoff": [1], "ack_wait": 1 })),
            (
                json!({ "pause_until": "2026-01-31T13:00:00+01:00" }),
                json!({ "pause_until": "2026-01-31T12:00:00Z" }),
            ),
            (json!({ "sample_freq": "100%" }), json!({ "sample_freq": "100" })),
            (json!({ "metadata": { "a": "b" } }), json!({ "metadata": { "a": "b", "_nats.level": "1" } })),
        ] {
            assert_eq!(told(declared.clone(), &live), Vec::<String>::new(), "{declared} {live}");
        }
    }

    #[test]
    fn every_difference_is_told_as_people_write_it() {
        for (declared, live, expected) in [
            (
                json!({ "ack_wait": 1_200_000_000_000_u64 }),
                json!({ "ack_wait": 30_000_000_000_u64 }),
                "ack_wait: 20m | 30s",
            ),
            (json!({ "backoff": [1_000_000_000, 0] }), json!({}), "backoff: [1s, 0s] | nothing"),
            (json!({ "allow_direct": false }), json!({ "allow_direct": true }), "allow_direct: false | true"),
            (json!({ "backoff": [1, 2] }), json!({ "backoff": [2, 1] }), "backoff: [1ns, 2ns] | [2ns, 1ns]"),
            (
                json!({ "max_msgs_per_subject": 5 }),
                json!({ "max_msgs_per_subject": -1 }),
                "max_msgs_per_subject: 5 | -1",
            ),
            (json!({ "metadata": { "a": "b" } }), json!({}), "metadata.a: b | nothing"),
            (
                json!({ "sources": [{ "name": "A", "external": { "api": "$JS.x" } }] }),
                json!({ "sources": [{ "name": "A" }] }),
                "sources[0].external.api: $JS.x | nothing",
            ),
            (json!({ "subjects": ["a"] }), json!({ "subjects": ["a", "b"] }), "subjects: [a] | [a, b]"),
            (
                json!({ "filter_subject": "a" }),
                json!({ "filter_subject": "b" }),
                "filter_subjects: [a] | [b]",
            ),
        ] {
            assert_eq!(told(declared, &live), [expected]);
        }
    }
}
