//! What a configuration amounts to: defaults filled in, several ways of writing the same made one. Pure.
//!
//! Two configurations mean the same to the server exactly when their effective forms are equal, so this is where
//! everything belongs that the server fills in, derives or writes differently.

use std::fmt::Write as _;

use serde_json::{Map, Value, json};
use time::UtcOffset;

use super::field::{Form, Kind};
use super::manifest::moment;

const SECOND: i64 = 1_000_000_000;

/// What a configuration's meaning depends on beside itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct Around<'a> {
    /// The stream of a consumer, in its effective form.
    pub stream: Option<&'a Map<String, Value>>,
    /// The same as the server has it now.
    pub stream_now: Option<&'a Map<String, Value>>,
    /// What the server has: where versions differ in what they fill in, it decides.
    pub live: Option<&'a Map<String, Value>>,
    /// The account's bound on unacknowledged messages; none if there is none.
    pub max_ack_pending: Option<i64>,
}

/// The effective form. Fields that are at rest are absent from it, numbers and words stand there with their defaults.
pub fn effective(kind: Kind, config: &Map<String, Value>, around: &Around<'_>) -> Map<String, Value> {
    let mut out: Map<String, Value> = config
        .iter()
        .map(|(name, value)| (name.clone(), canonical(kind, name, value)))
        .filter(|(_, value)| !at_rest(value))
        .collect();
    match kind {
        Kind::Stream => stream(&mut out, around),
        Kind::Consumer => consumer(&mut out, around),
    }
    words(kind, &mut out);
    out
}

/// Whether a value asks for nothing.
pub(super) fn at_rest(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(number) => number.as_i64() == Some(0),
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn canonical(kind: Kind, name: &str, value: &Value) -> Value {
    let form = kind.field(name).map_or(Form::Plain, |field| field.form);
    match (form, value) {
        (Form::Set, Value::Array(items)) => Value::Array(sorted(items)),
        (Form::Moment, Value::String(text)) => utc(text).into(),
        (Form::Limit, Value::Number(number)) if number.as_i64().is_some_and(|n| n <= 0) => json!(-1),
        (Form::Tree, value) => tree(name, value),
        (_, Value::String(text)) if name == "sample_freq" => text.trim_end_matches('%').into(),
        (_, value) => value.clone(),
    }
}

/// Objects without what is at rest; lists of objects by name, since the server keeps no order among sources.
fn tree(name: &str, value: &Value) -> Value {
    match value {
        Value::Object(fields) => fields
            .iter()
            .filter(|(key, _)| name != "metadata" || !key.starts_with("_nats."))
            .map(|(key, value)| {
                (key.clone(), if name == "metadata" { value.clone() } else { tree(key, value) })
            })
            .filter(|(_, value)| name == "metadata" || !at_rest(value))
            .collect::<Map<_, _>>()
            .into(),
        Value::Array(items) if name == "sources" => by_name(items).into(),
        Value::Array(items) if name == "tags" => sorted(items).into(),
        Value::Array(items) => items.iter().map(|item| tree("", item)).collect(),
        Value::String(text) if name == "opt_start_time" => utc(text).into(),
        other => other.clone(),
    }
}

fn by_name(items: &[Value]) -> Map<String, Value> {
    let mut out = Map::new();
    for item in items {
        let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
        // One stream may be named twice, with other filters.
        let mut key = name.to_owned();
        let mut count = 1;
        while out.contains_key(&key) {
            count += 1;
            key = format!("{name}#{count}");
        }
        out.insert(key, tree("mirror", item));
    }
    out
}

fn sorted(items: &[Value]) -> Vec<Value> {
    let mut items = items.to_vec();
    items.sort_by_key(Value::to_string);
    items.dedup();
    items
}

/// The same moment in UTC, written in one way.
fn utc(text: &str) -> String {
    let Some(moment) = moment(text).map(|moment| moment.to_offset(UtcOffset::UTC)) else {
        return text.to_owned();
    };
    let (date, time) = (moment.date(), moment.time());
    let mut out = format!("{:04}-{:02}-{:02}T", date.year(), u8::from(date.month()), date.day());
    // Writing into a String cannot fail.
    let _ = write!(out, "{:02}:{:02}:{:02}", time.hour(), time.minute(), time.second());
    if time.nanosecond() > 0 {
        let _ = write!(out, ".{}", format!("{:09}", time.nanosecond()).trim_end_matches('0'));
    }
    out + "Z"
}

fn stream(out: &mut Map<String, Value>, around: &Around<'_>) {
    for name in ["max_consumers", "max_msgs", "max_bytes", "max_msgs_per_subject", "max_msg_size"] {
        default(out, name, json!(-1));
    }
    default(out, "num_replicas", json!(1));
    let copies = ["mirror", "sources"].map(|name| out.contains_key(name));
    if !copies.contains(&true) {
        let name = out.get("name").cloned().unwrap_or_default();
        default(out, "subjects", json!([name]));
    }
    if out.contains_key("subject_delete_marker_ttl") {
        default(out, "allow_msg_ttl", json!(true));
        default(out, "allow_rollup_hdrs", json!(true));
    }
    if out.contains_key("allow_msg_schedules") {
        default(out, "allow_rollup_hdrs", json!(true));
    }
    if out.contains_key("sealed") {
        sealed(out);
    }
    window(out, copies, around);
}

/// A sealed stream keeps what it has, whatever it was told before.
fn sealed(out: &mut Map<String, Value>) {
    out.remove("max_age");
    out.remove("allow_rollup_hdrs");
    out.insert("discard".to_owned(), "new".into());
    out.insert("deny_delete".to_owned(), true.into());
    out.insert("deny_purge".to_owned(), true.into());
}

/// Two minutes, or the age that messages reach. Mirrors have none; what copies has one on servers before 2.14 alone.
fn window(out: &mut Map<String, Value>, [mirror, sources]: [bool; 2], around: &Around<'_>) {
    let lacks = |live: &Map<String, Value>| live.get("duplicate_window").is_none_or(at_rest);
    if mirror || (sources && around.live.is_some_and(lacks)) {
        return;
    }
    let age = out.get("max_age").and_then(Value::as_i64).unwrap_or(i64::MAX);
    default(out, "duplicate_window", json!(age.min(120 * SECOND)));
}

fn consumer(out: &mut Map<String, Value>, around: &Around<'_>) {
    if let Some(filter) = out.remove("filter_subject") {
        default(out, "filter_subjects", json!([filter]));
    }
    if let Some(name) = out.get("durable_name").cloned() {
        default(out, "name", name);
    }
    default(out, "max_deliver", json!(-1));
    if !out.contains_key("deliver_subject") {
        default(out, "max_waiting", json!(512));
    }
    let acks = out.get("ack_policy").is_some_and(|policy| policy != "none");
    if let Some(first) = out.get("backoff").and_then(|list| list.get(0)).cloned() {
        out.insert("ack_wait".to_owned(), first);
    } else if acks {
        default(out, "ack_wait", json!(30 * SECOND));
    }
    if out.get("priority_policy").is_some_and(|policy| policy == "pinned_client") {
        default(out, "priority_timeout", json!(120 * SECOND));
    }
    let limits = around.stream.and_then(|stream| stream.get("consumer_limits"));
    let limit = |name: &str| limits.and_then(|limits| limits.get(name)).cloned();
    let pending = limit("max_ack_pending").or(acks.then(|| around.max_ack_pending.unwrap_or(1000).into()));
    default(out, "max_ack_pending", pending.unwrap_or_default());
    default(out, "inactive_threshold", limit("inactive_threshold").unwrap_or_default());
    let replicas = around.stream.and_then(|stream| stream.get("num_replicas")).cloned();
    default(out, "num_replicas", replicas.unwrap_or_default());
}

fn words(kind: Kind, out: &mut Map<String, Value>) {
    for field in kind.fields() {
        match field.form {
            // At rest wherever a server does not know them.
            Form::Word(word) if matches!(word, "none" | "default") && field.name != "ack_policy" => {
                out.retain(|name, value| name != field.name || value != word);
            }
            Form::Word(word) => default(out, field.name, word.into()),
            _ => {}
        }
    }
}

fn default(out: &mut Map<String, Value>, name: &str, value: Value) {
    if !at_rest(&value) && !out.contains_key(name) {
        out.insert(name.to_owned(), value);
    }
}
