//! Push and pull: who shares a consumer by which name, and which fields belong to which of both.

use super::{ConsumerRule, Reader};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::Consumer;
use crate::jetstream::rule::{
    DELIVER_GROUP_DIFFERS, DELIVER_GROUP_HEARTBEAT, DELIVER_GROUP_ON_PULL, DELIVER_SUBJECT_CYCLE,
    DELIVER_SUBJECT_WILDCARD, FLOW_CONTROL_WITHOUT_HEARTBEAT, HEARTBEAT_SHORT, PULL_FIELD_ON_PUSH,
    PUSH_FIELD_ON_PULL, REQUEST_EXPIRES_SHORT, SAMPLE_FREQ_INVALID,
};
use crate::subject::overlaps;
use crate::yaml::Located;

pub(super) const RULES: &[ConsumerRule] = &[
    deliver_group_on_pull,
    deliver_group_differs,
    deliver_group_heartbeat,
    push_field_on_pull,
    pull_field_on_push,
    flow_control_without_heartbeat,
    heartbeat_short,
    request_expires_short,
    deliver_subject_wildcard,
    deliver_subject_cycle,
    sample_freq_invalid,
];

const SHORTEST_HEARTBEAT: i64 = 100_000_000;
const SHORTEST_EXPIRY: i64 = 1_000_000;

fn written(text: &Option<Located<String>>) -> Option<&Located<String>> {
    text.as_ref().filter(|text| !text.value.is_empty())
}

pub(super) fn is_push(consumer: &Consumer) -> bool {
    written(&consumer.deliver_subject).is_some()
}

fn deliver_group_on_pull(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let group = written(&consumer.deliver_group).filter(|_| !is_push(consumer))?;
    Some(DELIVER_GROUP_ON_PULL.at(group.place, "a pull consumer has no deliver group").help(format!(
        "remove `deliverGroup`: workers share `{}` by pulling from it; or add `deliverSubject`",
        consumer.durable_name.as_str()
    )))
}

fn deliver_group_differs(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let group = written(&consumer.deliver_group).filter(|_| is_push(consumer))?;
    let durable = consumer.durable_name.as_str();
    (group.value != durable).then(|| {
        DELIVER_GROUP_DIFFERS
            .at(group.place, format!("the deliver group `{}` is not named as the durable `{durable}`", group.value))
            .also(consumer.durable_name.place, "the durable is named here")
            .help(format!(
                "write `deliverGroup: {durable}`, and the same name as the queue in every client; or make it a pull consumer, which needs no group"
            ))
    })
}

fn deliver_group_heartbeat(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    written(&consumer.deliver_group).filter(|_| is_push(consumer))?;
    let heartbeat = consumer.heartbeat_interval.as_ref().map(|field| ("heartbeatInterval", field.place));
    let flow = consumer.flow_control.as_ref().filter(|flow| flow.value);
    let (name, place) = heartbeat.or(flow.map(|flow| ("flowControl", flow.place)))?;
    Some(
        DELIVER_GROUP_HEARTBEAT
            .at(place, format!("`{name}` does not go with a deliver group"))
            .help("remove heartbeatInterval and flowControl, or make it a pull consumer"),
    )
}

fn push_field_on_pull(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    if is_push(consumer) {
        return None;
    }
    let fields: [(&str, Option<Place>); 3] = [
        (
            "rateLimitBps",
            consumer.rate_limit_bps.as_ref().filter(|rate| rate.value > 0).map(|rate| rate.place),
        ),
        (
            "heartbeatInterval",
            consumer
                .heartbeat_interval
                .as_ref()
                .filter(|beat| beat.value.nanoseconds() > 0)
                .map(|beat| beat.place),
        ),
        ("flowControl", consumer.flow_control.as_ref().filter(|flow| flow.value).map(|flow| flow.place)),
    ];
    let (name, place) = fields.into_iter().find_map(|(name, place)| Some((name, place?)))?;
    Some(
        PUSH_FIELD_ON_PULL
            .at(place, format!("`{name}` is for push consumers, and there is no deliverSubject"))
            .help(format!("remove `{name}`: workers that pull set their own pace")),
    )
}

fn pull_field_on_push(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    if !is_push(consumer) {
        return None;
    }
    let positive = |field: &Option<Located<i64>>| field.as_ref().filter(|n| n.value > 0).map(|n| n.place);
    let fields = [
        ("maxWaiting", positive(&consumer.max_waiting)),
        ("maxRequestBatch", positive(&consumer.max_request_batch)),
        ("maxRequestExpires", consumer.max_request_expires.as_ref().map(|expires| expires.place)),
        ("maxRequestMaxBytes", positive(&consumer.max_request_max_bytes)),
    ];
    let (name, place) = fields.into_iter().find_map(|(name, place)| Some((name, place?)))?;
    Some(
        PULL_FIELD_ON_PUSH
            .at(place, format!("`{name}` is for pull consumers, and this one pushes"))
            .help(format!("remove `{name}`, or remove `deliverSubject`")),
    )
}

fn flow_control_without_heartbeat(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let flow = consumer.flow_control.as_ref().filter(|flow| flow.value && is_push(consumer))?;
    let beats = consumer.heartbeat_interval.as_ref().is_some_and(|beat| beat.value.nanoseconds() > 0);
    (!beats).then(|| {
        FLOW_CONTROL_WITHOUT_HEARTBEAT
            .at(flow.place, "flow control needs heartbeats")
            .help("add `heartbeatInterval: 5s`")
    })
}

fn heartbeat_short(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let beat = consumer.heartbeat_interval.as_ref().filter(|_| is_push(consumer))?;
    (1..SHORTEST_HEARTBEAT).contains(&beat.value.nanoseconds()).then(|| {
        HEARTBEAT_SHORT
            .at(beat.place, format!("{} is too short for a heartbeat", beat.value))
            .help("write `heartbeatInterval: 5s`")
    })
}

fn request_expires_short(reader: &Reader<'_>) -> Option<Diagnostic> {
    let expires = reader.consumer.max_request_expires.as_ref()?;
    (1..SHORTEST_EXPIRY).contains(&expires.value.nanoseconds()).then(|| {
        REQUEST_EXPIRES_SHORT
            .at(expires.place, format!("{} is too short for a pull request", expires.value))
            .help("write `maxRequestExpires: 30s`, or leave it out")
    })
}

fn deliver_subject_wildcard(reader: &Reader<'_>) -> Option<Diagnostic> {
    let subject = written(&reader.consumer.deliver_subject)?;
    let bad = |token: &str| matches!(token, "" | "*" | ">") || token.contains(char::is_whitespace);
    subject.value.split('.').any(bad).then(|| {
        DELIVER_SUBJECT_WILDCARD
            .at(subject.place, format!("`{}` is not one subject", subject.value))
            .help("write tokens with single dots between them, as in `deliver.orders`")
    })
}

fn deliver_subject_cycle(reader: &Reader<'_>) -> Option<Diagnostic> {
    let subject = written(&reader.consumer.deliver_subject)?;
    let captured =
        reader.stream?.subjects().into_iter().find(|(captured, _)| overlaps(captured, &subject.value));
    let (captured, place) = captured?;
    Some(
        DELIVER_SUBJECT_CYCLE
            .at(subject.place, format!("the consumer's own stream captures `{}`", subject.value))
            .also(place, format!("it captures `{captured}` here"))
            .help("deliver to a subject that no stream captures"),
    )
}

fn sample_freq_invalid(reader: &Reader<'_>) -> Option<Diagnostic> {
    let sample = written(&reader.consumer.sample_freq)?;
    let number = sample.value.strip_suffix('%').unwrap_or(&sample.value);
    let is_number = number.parse::<u32>().is_ok() && number.bytes().all(|byte| byte.is_ascii_digit());
    (!is_number).then(|| {
        SAMPLE_FREQ_INVALID
            .at(sample.place, format!("`{}` is no frequency", sample.value))
            .help("write `sampleFreq: \"100\"` for every acknowledgement, or a smaller whole number")
    })
}
