//! Acknowledgements, the waits for them, and how often a message is delivered.

use super::{ConsumerRule, Reader, Server};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{AckPolicy, Consumer, GoDuration, Limit, Retention};
use crate::jetstream::rule::{
    ACK_FIELDS_WITHOUT_ACK, ACK_PENDING_WITHOUT_ACK, ACK_POLICY_MISSING, ACK_WAIT_MISSING, ACK_WAIT_SHORT,
    BACKOFF_ABOVE_MAX_DELIVER, BACKOFF_EQUALS_MAX_DELIVER, BACKOFF_OVERRIDES_ACK_WAIT, MAX_DELIVER_UNLIMITED,
};
use crate::yaml::Located;

pub(super) const RULES: &[ConsumerRule] = &[
    backoff_overrides_ack_wait,
    backoff_above_max_deliver,
    backoff_equals_max_deliver,
    ack_wait_missing,
    ack_wait_short,
    ack_policy_missing,
    ack_fields_without_ack,
    ack_pending_without_ack,
    max_deliver_unlimited,
];

/// Work that takes less time than this is rare.
const SHORT: i64 = 1_000_000_000;

/// What the consumer's messages wait for; the resource's default is nothing.
pub(super) fn policy(consumer: &Consumer) -> AckPolicy {
    consumer.ack_policy.as_ref().map_or(AckPolicy::None, |policy| policy.value)
}

/// The retention of the consumer's stream, where it is known.
pub(super) fn retention(reader: &Reader<'_>) -> Option<Retention> {
    let stream = reader.stream?;
    Some(stream.retention.as_ref().map_or(Retention::Limits, |retention| retention.value))
}

fn backoff(consumer: &Consumer) -> Option<&[Located<GoDuration>]> {
    consumer.backoff.as_deref().filter(|list| !list.is_empty())
}

fn backoff_overrides_ack_wait(reader: &Reader<'_>) -> Option<Diagnostic> {
    let first = backoff(reader.consumer)?.first()?;
    let wait = reader.consumer.ack_wait.as_ref()?;
    if wait.value == first.value || wait.value.nanoseconds() == 0 {
        return None;
    }
    let message = format!("`ackWait: {}` never holds: backoff makes it {}", wait.value, first.value);
    let (longer, first_text) = (wait.value.max(first.value), first.value);
    Some(
        BACKOFF_OVERRIDES_ACK_WAIT
            .at(wait.place, message)
            .also(first.place, format!("the first delivery waits {first_text} for its acknowledgement"))
            .help(format!(
                "remove `backoff` and let workers delay a retry with a negative acknowledgement; or write `ackWait: {longer}` and begin the backoff with {longer}"
            )),
    )
}

/// The number of entries with the last one's place, and the bound of deliveries.
fn lengths(consumer: &Consumer) -> Option<(usize, Place, &Located<Limit>, usize)> {
    let list = backoff(consumer)?;
    let most = consumer.max_deliver.as_ref()?;
    let bound = usize::try_from(most.value.get()).ok().filter(|bound| *bound > 0)?;
    Some((list.len(), list.last()?.place, most, bound))
}

fn backoff_above_max_deliver(reader: &Reader<'_>) -> Option<Diagnostic> {
    let (entries, last, most, bound) = lengths(reader.consumer)?;
    (entries > bound).then(|| {
        BACKOFF_ABOVE_MAX_DELIVER
            .at(last, format!("backoff has {entries} entries, and maxDeliver is {bound}"))
            .also(most.place, "the bound stands here")
            .help(format!(
                "write at most {bound} entries, or `maxDeliver: {}`; the last entry repeats",
                entries + 1
            ))
    })
}

fn backoff_equals_max_deliver(reader: &Reader<'_>) -> Option<Diagnostic> {
    let (entries, last, most, bound) = lengths(reader.consumer)?;
    (reader.options.server == Server::V2_10 && entries == bound).then(|| {
        BACKOFF_EQUALS_MAX_DELIVER
            .at(last, format!("backoff has {entries} entries, as many as maxDeliver"))
            .also(most.place, "the bound stands here")
            .help(format!("write `maxDeliver: {}`, or one entry less; the last one repeats", bound + 1))
    })
}

fn ack_wait_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let policy = consumer.ack_policy.as_ref().filter(|policy| policy.value != AckPolicy::None)?;
    if consumer.ack_wait.is_some() || backoff(consumer).is_some() {
        return None;
    }
    let message = format!("the consumer `{}` has no ackWait", consumer.durable_name.as_str());
    Some(
        ACK_WAIT_MISSING
            .at(policy.place, message)
            .help("add `ackWait: 30s`, or longer than the slowest message takes"),
    )
}

fn ack_wait_short(reader: &Reader<'_>) -> Option<Diagnostic> {
    let wait = reader.consumer.ack_wait.as_ref()?;
    let effective = backoff(reader.consumer).is_none() && policy(reader.consumer) != AckPolicy::None;
    (effective && (1..SHORT).contains(&wait.value.nanoseconds())).then(|| {
        ACK_WAIT_SHORT.at(wait.place, format!("every message has {} to be acknowledged", wait.value)).help(
            "write longer than the slowest message takes; workers can ask for more time while they work",
        )
    })
}

fn ack_policy_missing(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    // A work queue refuses it, which is said by its own rule.
    if consumer.ack_policy.is_some() || retention(reader) == Some(Retention::Workqueue) {
        return None;
    }
    let message = format!("the consumer `{}` has no ackPolicy", consumer.durable_name.as_str());
    Some(ACK_POLICY_MISSING.at(consumer.durable_name.place, message).help(
        "add `ackPolicy: explicit`, and acknowledge after the work is done; `ackPolicy: none` says that loss is meant",
    ))
}

/// Where no policy is written, that is said instead.
fn ack_fields_without_ack(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    consumer.ack_policy.as_ref().filter(|policy| policy.value == AckPolicy::None)?;
    let fields = [
        ("ackWait", consumer.ack_wait.as_ref().map(|field| field.place)),
        ("backoff", backoff(consumer).and_then(|list| list.first()).map(|first| first.place)),
        (
            "maxDeliver",
            consumer.max_deliver.as_ref().filter(|most| most.value.get() > 0).map(|most| most.place),
        ),
    ];
    let (name, place) = fields.into_iter().find_map(|(name, place)| Some((name, place?)))?;
    Some(
        ACK_FIELDS_WITHOUT_ACK
            .at(place, format!("`{name}` has no effect without acknowledgements"))
            .help(format!("write `ackPolicy: explicit`, or remove `{name}`")),
    )
}

fn ack_pending_without_ack(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let pending = consumer.max_ack_pending.as_ref().filter(|pending| pending.value > 0)?;
    (policy(consumer) == AckPolicy::None && super::deliver::is_push(consumer)).then(|| {
        ACK_PENDING_WITHOUT_ACK
            .at(pending.place, "a push consumer without acknowledgements cannot have `maxAckPending`")
            .help("write `ackPolicy: explicit`, or remove `maxAckPending`")
    })
}

fn max_deliver_unlimited(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let bounded = consumer.max_deliver.as_ref().is_some_and(|most| most.value.get() > 0);
    if bounded || retention(reader) != Some(Retention::Workqueue) || policy(consumer) == AckPolicy::None {
        return None;
    }
    let place = consumer.max_deliver.as_ref().map_or(consumer.durable_name.place, |most| most.place);
    let message =
        format!("the consumer `{}` of a work queue has no maxDeliver", consumer.durable_name.as_str());
    Some(MAX_DELIVER_UNLIMITED.at(place, message).help(
        "add `maxDeliver: 5`; the server reports a message that has exhausted it, and keeps it for a person to look at",
    ))
}
