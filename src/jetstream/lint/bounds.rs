//! Replicas and limits: what a stream bounds for its consumers, and what bounds the stream.

use std::collections::BTreeMap;

use super::{ConsumerRule, Keeper, Reader, StreamRule};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{Consumer, Manifests, Origin, Retention, Stream};
use crate::jetstream::rule::{
    BUCKET_HISTORY, CONSUMER_LIMITS, CONSUMER_REPLICAS_ABOVE, CONSUMER_REPLICAS_DIFFER, REPLICAS_ABOVE_FIVE,
    REPLICAS_EVEN, TEXT_TOO_LONG, TOO_MANY_CONSUMERS, UNBOUNDED_STREAM,
};

pub(super) const CONSUMER_RULES: &[ConsumerRule] =
    &[consumer_replicas, consumer_limits, consumer_text_too_long];

pub(super) const STREAM_RULES: &[StreamRule] =
    &[replicas_above_five, replicas_even, unbounded_stream, bucket_history, stream_text_too_long];

const MOST_REPLICAS: u32 = 5;
const LONGEST_DESCRIPTION: usize = 4 * 1024;
/// The server counts its own three keys too, some 50 bytes.
const LARGEST_METADATA: usize = 128 * 1024 - 64;
const LONGEST_HISTORY: i64 = 64;

/// How many servers keep a stream: what is not written, and zero, is 1.
pub(super) fn replicas(stream: &Stream) -> u32 {
    stream.replicas.as_ref().map_or(1, |replicas| replicas.value.max(1))
}

fn consumer_replicas(reader: &Reader<'_>) -> Option<Diagnostic> {
    let (stream, own) = (reader.stream?, reader.consumer.replicas.as_ref().filter(|own| own.value > 0)?);
    let of_stream = replicas(stream);
    let counted = matches!(
        stream.retention.as_ref().map(|retention| retention.value),
        Some(Retention::Interest | Retention::Workqueue)
    );
    let (rule, relation) = match own.value {
        own if own > of_stream => (CONSUMER_REPLICAS_ABOVE, "more"),
        own if own < of_stream && counted => (CONSUMER_REPLICAS_DIFFER, "fewer"),
        _ => return None,
    };
    let place = stream.replicas.as_ref().map_or(stream.name.place, |replicas| replicas.place);
    Some(
        rule.at(
            own.place,
            format!("the consumer has {relation} replicas than its stream, {} and {of_stream}", own.value),
        )
        .also(place, format!("the stream `{}` has {of_stream}", stream.name.as_str()))
        .help("remove `replicas` here: a consumer has as many as its stream"),
    )
}

fn consumer_limits(reader: &Reader<'_>) -> Option<Diagnostic> {
    let limits = reader.stream?.consumer_limits.as_ref()?;
    let consumer = reader.consumer;
    let pending = limits.max_ack_pending.as_ref().zip(consumer.max_ack_pending.as_ref());
    let pending = pending.filter(|(most, own)| most.value > 0 && own.value > most.value);
    let threshold = limits.inactive_threshold.as_ref().zip(consumer.inactive_threshold.as_ref());
    let threshold = threshold.filter(|(most, own)| most.value.nanoseconds() > 0 && own.value > most.value);
    let (name, place, most, text) = match (pending, threshold) {
        (Some((most, own)), _) => ("maxAckPending", own.place, most.place, most.value.to_string()),
        (_, Some((most, own))) => ("inactiveThreshold", own.place, most.place, most.value.to_string()),
        _ => return None,
    };
    Some(
        CONSUMER_LIMITS
            .at(place, format!("`{name}` is above the stream's limit of {text}"))
            .also(most, "the stream bounds it here")
            .help(format!("write at most {text}, or raise the stream's limit")),
    )
}

/// Consumers beyond what their stream takes.
pub(super) fn too_many_consumers(manifests: &Manifests) -> Vec<Diagnostic> {
    let bounded = manifests.streams.iter().filter_map(|stream| {
        let most = stream.max_consumers.as_ref()?;
        Some((stream, most, usize::try_from(most.value.get()).ok().filter(|most| *most > 0)?))
    });
    let beyond = bounded.filter_map(|(stream, most, bound)| {
        let of_stream = |consumer: &&Consumer| consumer.stream_name.value == stream.name.value;
        let first = manifests.consumers.iter().filter(of_stream).nth(bound)?;
        Some(
            TOO_MANY_CONSUMERS
                .at(
                    first.durable_name.place,
                    format!(
                        "`{}` is one consumer too many for `{}`",
                        first.durable_name.as_str(),
                        stream.name.as_str()
                    ),
                )
                .also(most.place, format!("the stream takes {bound}"))
                .help("raise `maxConsumers`, or leave it out"),
        )
    });
    beyond.collect()
}

fn replicas_above_five(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let replicas = keeper.stream.replicas.as_ref()?;
    (replicas.value > MOST_REPLICAS).then(|| {
        REPLICAS_ABOVE_FIVE
            .at(replicas.place, format!("{} replicas are too many", replicas.value))
            .help("write 3 or 5")
    })
}

fn replicas_even(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let replicas = keeper.stream.replicas.as_ref()?;
    matches!(replicas.value, 2 | 4).then(|| {
        let (less, more) = (replicas.value - 1, replicas.value + 1);
        REPLICAS_EVEN
            .at(replicas.place, format!("{} replicas are no safer than {less}", replicas.value))
            .help(format!("write `replicas: {less}` or {more}"))
    })
}

fn unbounded_stream(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let limits = [&stream.max_msgs, &stream.max_bytes];
    let bounded = limits.into_iter().flatten().any(|limit| limit.value.get() > 0)
        || stream.max_age.as_ref().is_some_and(|age| age.value.nanoseconds() > 0);
    let kept = stream.retention.as_ref().is_none_or(|retention| retention.value == Retention::Limits);
    if bounded || !kept || stream.mirror.is_some() || stream.origin != Origin::Stream {
        return None;
    }
    let message = format!("nothing bounds the stream `{}`", stream.name.as_str());
    Some(
        UNBOUNDED_STREAM
            .at(stream.name.place, message)
            .help("add `maxAge` or `maxBytes`; with `discard: new` publishers are told when it is full"),
    )
}

fn bucket_history(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let history = keeper.stream.max_msgs_per_subject.as_ref()?;
    (keeper.stream.origin == Origin::KeyValue && history.value > LONGEST_HISTORY).then(|| {
        BUCKET_HISTORY
            .at(history.place, format!("a history of {} is too long", history.value))
            .help("write at most `history: 64`")
    })
}

fn stream_text_too_long(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let description = stream.description.as_ref().map(|text| (text.value.len(), text.place));
    too_long(description, stream.metadata.as_ref(), stream.name.place)
}

fn consumer_text_too_long(reader: &Reader<'_>) -> Option<Diagnostic> {
    let consumer = reader.consumer;
    let description = consumer.description.as_ref().map(|text| (text.value.len(), text.place));
    too_long(description, consumer.metadata.as_ref(), consumer.durable_name.place)
}

fn too_long(
    description: Option<(usize, Place)>,
    metadata: Option<&BTreeMap<String, String>>,
    named_at: Place,
) -> Option<Diagnostic> {
    let size: usize = metadata.into_iter().flatten().map(|(key, value)| key.len() + value.len()).sum();
    let (what, bytes, place) = match description {
        Some((bytes, place)) if bytes > LONGEST_DESCRIPTION => ("description", bytes, place),
        _ if size > LARGEST_METADATA => ("metadata", size, named_at),
        _ => return None,
    };
    Some(TEXT_TOO_LONG.at(place, format!("the {what} has {bytes} bytes")).help("shorten it"))
}
