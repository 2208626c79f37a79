//! Operations against manifests: what is published must be captured, what is requested must not be. Pure.

use crate::diagnostic::{Diagnostic, Diagnostics, Place};
use crate::jetstream::lint::filters;
use crate::jetstream::manifest::{Consumer, Manifests, Retention, Storage, Stream};
use crate::jetstream::rule::{
    IDEMPOTENCY_FORGOTTEN, INTEREST_WITHOUT_CONSUMER, PUBLISH_NOT_CAPTURED, PUBLISH_OTHER_STREAM,
    PUBLISH_PARTLY_CAPTURED, PUBLISH_UNACKNOWLEDGED, REQUEST_CAPTURED,
};
use crate::subject::{covers, overlaps};

/// Where an operation sends.
#[derive(Debug, Clone, Copy)]
pub struct Sending<'a> {
    /// The operation's name.
    pub operation: &'a str,
    /// Its subject, with `*` for every token that is filled for each request.
    pub pattern: &'a str,
    /// The stream of a publish; none for a request.
    pub stream: Option<&'a str>,
    /// Where the subject is written.
    pub place: Place,
    /// Where an Idempotency-Key is demanded, if it is.
    pub key_required: Option<Place>,
}

/// Notes every operation that cannot work with the declared streams. Streams that no manifest declares are judged only
/// by the subjects that they leave to others: something else may create them.
pub fn check_operations(manifests: &Manifests, operations: &[Sending<'_>], diagnostics: &mut Diagnostics) {
    for sending in operations {
        match sending.stream {
            Some(name) => match manifests.stream(name) {
                Some(stream) => {
                    diagnostics.extend(interest_without_consumer(sending, stream, manifests));
                    check_publish(sending, stream, diagnostics);
                }
                None => check_undeclared(sending, name, manifests, diagnostics),
            },
            None => check_request(sending, manifests, diagnostics),
        }
    }
}

fn check_publish(sending: &Sending<'_>, stream: &Stream, diagnostics: &mut Diagnostics) {
    let subjects = stream.subjects();
    if let Some(no_ack) = stream.no_ack.as_ref().filter(|_| stream.stays_silent()) {
        diagnostics.push(never_acknowledged(sending, stream, no_ack.place));
    }
    diagnostics.extend(idempotency_forgotten(sending, stream));
    if subjects.iter().any(|(subject, _)| covers(subject, sending.pattern)) {
        return;
    }
    let declared_at = subjects.first().map_or(stream.name.place, |(_, place)| *place);
    let in_part = subjects.iter().any(|(subject, _)| overlaps(subject, sending.pattern));
    diagnostics.push(not_captured(sending, stream, declared_at, in_part));
}

/// A server lets one stream capture a subject, so another that is expected to store it never does.
fn check_undeclared(
    sending: &Sending<'_>,
    expected: &str,
    manifests: &Manifests,
    diagnostics: &mut Diagnostics,
) {
    let covering = |stream: &Stream| {
        stream
            .subjects()
            .into_iter()
            .find(|(subject, _)| covers(subject, sending.pattern))
            .map(|(_, place)| place)
    };
    // What acknowledges nothing stores a copy beside the stream that is expected.
    let mut loud = manifests.streams.iter().filter(|stream| !stream.stays_silent());
    let capturing = loud.find_map(|stream| Some((stream, covering(stream)?)));
    let Some((stream, place)) = capturing else { return };
    let (pattern, name) = (sending.pattern, stream.name.as_str());
    diagnostics.push(
        PUBLISH_OTHER_STREAM
            .at(
                sending.place,
                format!("no manifest declares `{expected}`, and `{name}` captures `{pattern}`"),
            )
            .also(place, format!("the stream `{name}` captures it here"))
            .reason(format!("operation {} would be refused: it expects `{expected}`", sending.operation))
            .help(format!("write `stream: {name}`, or another subject")),
    );
}

/// Some overlap may be all there is to it, where a parameter takes few values; none at all never works.
fn not_captured(sending: &Sending<'_>, stream: &Stream, declared_at: Place, in_part: bool) -> Diagnostic {
    let (pattern, name) = (sending.pattern, stream.name.as_str());
    let diagnostic = match in_part {
        true => PUBLISH_PARTLY_CAPTURED
            .at(sending.place, format!("the stream `{name}` captures only part of `{pattern}`")),
        false => PUBLISH_NOT_CAPTURED
            .at(sending.place, format!("the stream `{name}` does not capture `{pattern}`")),
    };
    diagnostic
        .also(declared_at, format!("the stream `{name}` says here what it captures"))
        .reason(format!(
            "operation {} publishes to it, and what is not captured is not stored",
            sending.operation
        ))
        .help("add the subject to the stream, or correct the operation's subject or stream")
}

fn never_acknowledged(sending: &Sending<'_>, stream: &Stream, no_ack: Place) -> Diagnostic {
    let name = stream.name.as_str();
    PUBLISH_UNACKNOWLEDGED
        .at(sending.place, format!("the stream `{name}` never acknowledges what it stores"))
        .also(no_ack, format!("the stream `{name}` turns acknowledgements off here"))
        .reason(format!(
            "operation {} would time out each time, its message stored or not",
            sending.operation
        ))
        .help("remove `noAck`, or publish to another stream")
}

/// Consumers may be made by programs too, so this is no more than a question.
fn interest_without_consumer(
    sending: &Sending<'_>,
    stream: &Stream,
    manifests: &Manifests,
) -> Option<Diagnostic> {
    let retention = stream.retention.as_ref().filter(|retention| retention.value == Retention::Interest)?;
    let name = stream.name.as_str();
    let takes = |consumer: &Consumer| {
        let mut filters = filters(consumer).peekable();
        filters.peek().is_none() || filters.any(|filter| overlaps(filter.as_str(), sending.pattern))
    };
    let mut consumers = manifests.consumers.iter().filter(|consumer| consumer.stream_name.as_str() == name);
    (!consumers.any(takes)).then(|| {
        INTEREST_WITHOUT_CONSUMER
            .at(sending.place, format!("no consumer of `{name}` takes `{}`", sending.pattern))
            .also(retention.place, "messages that no consumer wants are dropped")
            .help("declare the consumer, or use retention `limits` or `workqueue`")
    })
}

/// Ids are remembered in memory. After a restart a server knows those of the messages that it still has, and no others.
fn idempotency_forgotten(sending: &Sending<'_>, stream: &Stream) -> Option<Diagnostic> {
    let place = sending.key_required?;
    let single = stream.replicas.as_ref().is_none_or(|replicas| replicas.value <= 1);
    let in_memory = stream.storage.as_ref().is_none_or(|storage| storage.value == Storage::Memory);
    let retention = stream.retention.as_ref().filter(|retention| retention.value != Retention::Limits);
    let (because, also) = match (retention, &stream.storage) {
        (Some(retention), _) => ("what has been processed is removed", retention.place),
        (None, storage) if in_memory && single => (
            "what is in memory goes with its server",
            storage.as_ref().map_or(stream.name.place, |one| one.place),
        ),
        _ => return None,
    };
    let name = stream.name.as_str();
    Some(
        IDEMPOTENCY_FORGOTTEN
            .at(place, format!("the stream `{name}` may forget the keys that it has seen"))
            .also(also, because)
            .help("keep a record of the work where it is done, by the message's id; or use retention `limits` with `storage: file` and a maxAge of at least the duplicateWindow"),
    )
}

fn check_request(sending: &Sending<'_>, manifests: &Manifests, diagnostics: &mut Diagnostics) {
    // A stream that acknowledges nothing stores a copy and keeps quiet, which is how requests are recorded.
    for stream in manifests.streams.iter().filter(|stream| !stream.stays_silent()) {
        let captured = stream.subjects().into_iter().find(|(subject, _)| overlaps(subject, sending.pattern));
        if let Some((subject, place)) = captured {
            diagnostics.push(answered_by_stream(sending, stream, subject, place));
        }
    }
}

fn answered_by_stream(sending: &Sending<'_>, stream: &Stream, subject: &str, place: Place) -> Diagnostic {
    let (pattern, name) = (sending.pattern, stream.name.as_str());
    REQUEST_CAPTURED
        .at(sending.place, format!("the stream `{name}` captures the request subject `{pattern}`"))
        .also(place, format!("the stream `{name}` captures `{subject}` here"))
        .reason(format!("its PubAck would answer operation {} in place of the service", sending.operation))
        .help("take the subject out of the stream, or make the operation a `publish`")
}
