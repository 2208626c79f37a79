//! What becomes of a declaration on its way: what NACK's controllers leave out, and what an older server does not know.

use super::{ConsumerRule, Keeper, Options, Reader, Server, StreamRule, Target};
use crate::diagnostic::{Diagnostic, Place};
use crate::jetstream::manifest::{Manifests, Origin, PersistMode, PriorityPolicy};
use crate::jetstream::rule::{
    KIND_NOT_RECONCILED, LEGACY_IGNORES, LEGACY_SAMPLE_FREQ, NEWER_THAN_SERVER, PREVENT_UPDATE,
};
use crate::yaml::Located;

pub(super) const CONSUMER_RULES: &[ConsumerRule] = &[legacy_sample_freq, consumer_prevent_update];
pub(super) const STREAM_RULES: &[StreamRule] = &[legacy_ignores, stream_prevent_update];

/// A field, the first version that knows it, and where it is written.
type Field = (&'static str, Server, Option<Place>);

/// A switch that is off asks nothing of a server.
fn lit(switch: &Option<Located<bool>>) -> Option<Place> {
    switch.as_ref().filter(|switch| switch.value).map(|switch| switch.place)
}

fn at<T>(field: &Option<Located<T>>) -> Option<Place> {
    field.as_ref().map(|field| field.place)
}

/// Buckets where nobody acts on them. Accounts are read by both controllers.
pub(super) fn kinds(manifests: &Manifests, options: &Options) -> Vec<Diagnostic> {
    let ignored = manifests.other_kinds.iter().filter(|kind| kind.value != "Account");
    let told = ignored.filter(|_| options.target == Target::Legacy).map(|kind| {
        KIND_NOT_RECONCILED
            .at(kind.place, format!("`{}` needs NACK's control loop", kind.value))
            .help("start NACK with --control-loop (chart: jetstream.controlLoop), and lint with `--target control-loop`")
    });
    told.collect()
}

fn legacy_sample_freq(reader: &Reader<'_>) -> Option<Diagnostic> {
    let sample = reader.consumer.sample_freq.as_ref()?;
    let number = sample.value.strip_suffix('%')?;
    (reader.options.target == Target::Legacy).then(|| {
        LEGACY_SAMPLE_FREQ
            .at(sample.place, format!("`{}` has a sign", sample.value))
            .help(format!("write `sampleFreq: \"{number}\"`, which both controllers read"))
    })
}

fn legacy_ignores(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    let stream = keeper.stream;
    let limits = stream.consumer_limits.as_ref();
    let limits_at = limits.and_then(|limits| at(&limits.max_ack_pending).or(at(&limits.inactive_threshold)));
    let fields = [("mirrorDirect", lit(&stream.mirror_direct)), ("consumerLimits", limits_at)];
    let concerned = keeper.options.target == Target::Legacy && stream.origin == Origin::Stream;
    let (name, place) = fields.into_iter().find_map(|(name, place)| Some((name, place?)))?;
    concerned.then(|| {
        LEGACY_IGNORES.at(place, format!("`{name}` does not reach the server")).help(
            "apply the file with natsgate, or use NACK's control loop and lint with `--target control-loop`",
        )
    })
}

fn consumer_prevent_update(reader: &Reader<'_>) -> Option<Diagnostic> {
    prevent_update(&reader.consumer.prevent_update)
}

fn stream_prevent_update(keeper: &Keeper<'_>) -> Option<Diagnostic> {
    prevent_update(&keeper.stream.prevent_update)
}

fn prevent_update(switch: &Option<Located<bool>>) -> Option<Diagnostic> {
    let switch = switch.as_ref().filter(|switch| switch.value)?;
    Some(
        PREVENT_UPDATE
            .at(switch.place, "`preventUpdate` leaves the server as it is")
            .help("remove it before you change this file, and look whether the server followed"),
    )
}

/// Every field that came after the oldest server.
pub(super) fn newer_fields_of_stream(keeper: &Keeper<'_>) -> Vec<Diagnostic> {
    let stream = keeper.stream;
    let asynchronous = stream.persist_mode.as_ref().filter(|mode| mode.value == PersistMode::Async);
    newer(
        keeper.options.server,
        &[
            ("allowMsgTtl", Server::V2_11, lit(&stream.allow_msg_ttl)),
            ("subjectDeleteMarkerTtl", Server::V2_11, at(&stream.subject_delete_marker_ttl)),
            ("allowMsgCounter", Server::V2_12, lit(&stream.allow_msg_counter)),
            ("allowAtomicPublish", Server::V2_12, lit(&stream.allow_atomic_publish)),
            ("allowMsgSchedules", Server::V2_12, lit(&stream.allow_msg_schedules)),
            ("persistMode: async", Server::V2_12, asynchronous.map(|mode| mode.place)),
        ],
    )
}

/// The same for consumers.
pub(super) fn newer_fields_of_consumer(reader: &Reader<'_>) -> Vec<Diagnostic> {
    let consumer = reader.consumer;
    let policy = consumer.priority_policy.as_ref();
    let prioritized = policy.is_some_and(|policy| policy.value == PriorityPolicy::Prioritized);
    let (name, since) = match prioritized {
        true => ("priorityPolicy: prioritized", Server::V2_12),
        false => ("priorityPolicy", Server::V2_11),
    };
    newer(
        reader.options.server,
        &[
            ("pauseUntil", Server::V2_11, at(&consumer.pause_until)),
            (name, since, at(&consumer.priority_policy)),
            ("pinnedTtl", Server::V2_11, at(&consumer.pinned_ttl)),
            ("priorityGroups", Server::V2_11, first(&consumer.priority_groups)),
        ],
    )
}

fn first<T>(list: &Option<Vec<Located<T>>>) -> Option<Place> {
    list.as_ref()?.first().map(|one| one.place)
}

fn newer(server: Server, fields: &[Field]) -> Vec<Diagnostic> {
    let written = fields.iter().filter_map(|(name, since, place)| Some((name, since, (*place)?)));
    let too_new = written.filter(|(_, since, _)| server < **since);
    too_new
        .map(|(name, since, place)| {
            let since = version(*since);
            NEWER_THAN_SERVER
                .at(place, format!("`{name}` needs nats-server {since}"))
                .help(format!("remove it, or update the servers and lint with `--server {since}`"))
        })
        .collect()
}

fn version(server: Server) -> &'static str {
    match server {
        Server::V2_10 => "2.10",
        Server::V2_11 => "2.11",
        Server::V2_12 => "2.12",
        Server::V2_14 => "2.14",
        Server::V2_15 => "2.15",
    }
}
