//! Streams with retention `workqueue`: every message has one consumer, which acknowledges it.

use super::ack::{policy, retention};
use super::filter::filters;
use super::{ConsumerRule, Reader};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{AckPolicy, Consumer, DeliverPolicy, Manifests, Retention};
use crate::jetstream::rule::{WORK_QUEUE_ACK_POLICY, WORK_QUEUE_DELIVER_POLICY, WORK_QUEUE_SHARED};
use crate::subject::overlaps;

pub(super) const RULES: &[ConsumerRule] = &[ack_policy, deliver_policy];

fn ack_policy(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    if retention(reader) != Some(Retention::Workqueue) || policy(consumer) == AckPolicy::Explicit {
        return None;
    }
    let place = consumer.ack_policy.as_ref().map_or(consumer.durable_name.place, |policy| policy.place);
    let retention_at = reader.stream?.retention.as_ref()?.place;
    let message = match &consumer.ack_policy {
        Some(_) => "a work queue needs `ackPolicy: explicit`".to_owned(),
        None => {
            format!("the consumer `{}` has no ackPolicy, which means none", consumer.durable_name.as_str())
        }
    };
    Some(
        WORK_QUEUE_ACK_POLICY
            .at(place, message)
            .also(retention_at, "the stream is a work queue")
            .help("write `ackPolicy: explicit` and an `ackWait`; acknowledge after the work is done"),
    )
}

fn deliver_policy(reader: &Reader<'_>) -> Option<Diagnostic> {
    let written =
        reader.consumer.deliver_policy.as_ref().filter(|policy| policy.value != DeliverPolicy::All)?;
    let retention_at = reader.stream?.retention.as_ref()?.place;
    (retention(reader) == Some(Retention::Workqueue)).then(|| {
        WORK_QUEUE_DELIVER_POLICY
            .at(written.place, "a consumer of a work queue begins at the first message")
            .also(retention_at, "the stream is a work queue")
            .help("write `deliverPolicy: all`, or leave it out")
    })
}

/// Each consumer that takes what an earlier one takes too.
pub(super) fn between_consumers(manifests: &Manifests) -> Vec<Diagnostic> {
    let is_queue = |consumer: &&Consumer| {
        let stream = manifests.stream(consumer.stream_name.as_str());
        let retention = stream.and_then(|stream| stream.retention.as_ref());
        retention.is_some_and(|retention| retention.value == Retention::Workqueue)
    };
    let consumers: Vec<&Consumer> = manifests.consumers.iter().filter(is_queue).collect();
    let clash = |(at, one): (usize, &&Consumer)| {
        let rivals = consumers[..at].iter().filter(|other| same_queue_other_name(one, other));
        rivals.filter_map(|other| shared(one, other)).next()
    };
    consumers.iter().enumerate().filter_map(clash).collect()
}

fn same_queue_other_name(one: &Consumer, other: &Consumer) -> bool {
    one.stream_name.value == other.stream_name.value && one.durable_name.value != other.durable_name.value
}

/// A filter with its place; a consumer without filters has all subjects, and stands where it is named.
fn taken(consumer: &Consumer) -> Vec<(&str, Place)> {
    let filters: Vec<_> = filters(consumer).map(|filter| (filter.value.as_str(), filter.place)).collect();
    if filters.is_empty() { vec![(">", consumer.durable_name.place)] } else { filters }
}

fn shared(one: &Consumer, other: &Consumer) -> Option<Diagnostic> {
    let others = taken(other);
    let (place, other_place) = taken(one).into_iter().find_map(|(subject, place)| {
        others.iter().find(|(taken, _)| overlaps(subject, taken)).map(|(_, other)| (place, *other))
    })?;
    let (name, other) = (one.durable_name.as_str(), other.durable_name.as_str());
    Some(
        WORK_QUEUE_SHARED
            .at(place, format!("`{name}` and `{other}` would take the same messages of a work queue"))
            .also(other_place, format!("`{other}` takes them here"))
            .help(
                "let workers share one consumer, give each a filter of its own, or use retention `interest`",
            ),
    )
}
