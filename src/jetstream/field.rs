//! Every field of a stream and of a consumer that the server has: how it is written, what changing it does, which server
//! knows it first. The one table that plans, applies and drift reports are made from.
//!
//! Each `Change` was seen on real servers from 2.10 to 2.15, not taken from documentation.

use super::version::Version;

/// What is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A stream, also one behind a bucket.
    Stream,
    /// A durable consumer.
    Consumer,
}

impl Kind {
    /// As it stands in tables and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Stream => "stream",
            Kind::Consumer => "consumer",
        }
    }

    /// Its fields.
    pub fn fields(self) -> &'static [Field] {
        match self {
            Kind::Stream => STREAM,
            Kind::Consumer => CONSUMER,
        }
    }

    /// The field of this name of the server's; none if no version is known to have it.
    pub fn field(self, name: &str) -> Option<&'static Field> {
        self.fields().iter().find(|field| field.name == name)
    }
}

/// One field.
#[derive(Debug)]
pub struct Field {
    /// The server's name.
    pub name: &'static str,
    /// The manifests' name; none where manifests cannot write it, so that what the server has is kept.
    pub manifest: Option<&'static str>,
    /// How its value is read and shown.
    pub form: Form,
    /// What becomes of a change.
    pub change: Change,
    /// The first server that knows it. Older ones ignore it or refuse the request.
    pub since: Version,
    /// NACK's update keeps the server's value when the manifest stops writing it.
    pub sticky: bool,
}

/// How a value is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// As it stands.
    Plain,
    /// Nanoseconds.
    Duration,
    /// Nanoseconds, several.
    Durations,
    /// A number of which zero and less mean that there is no bound.
    Limit,
    /// A list whose order means nothing.
    Set,
    /// A moment in RFC 3339.
    Moment,
    /// A word whose resting value is this one, which servers may leave out.
    Word(&'static str),
    /// An object, or objects.
    Tree,
}

/// What the server makes of a changed value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Takes it.
    InPlace,
    /// Never takes it: delete and create.
    Replace,
    /// Never takes it before this version.
    ReplaceBefore(Version),
    /// Never takes it from this version on.
    ReplaceFrom(Version),
    /// A bound: a lower one deletes what lies beyond it.
    Bound,
    /// Can be turned on, and never off.
    OnlyOn,
    /// What is captured: what is not any more is lost from then on.
    Subjects,
    /// What a consumer takes: a stream of interest deletes what no consumer takes any more.
    Filter,
    /// When messages go: to and from a work queue never; to interest deletes what no consumer waits for.
    Retention,
    /// A mirror can be cut off from 2.12 on, and nothing else.
    Mirror,
    /// Push to pull and back never.
    DeliverSubject,
    /// Final, and ends all writing.
    Seal,
    /// Counts only at creation.
    AtCreation,
    /// Bounds for consumers, which those that exist may be beyond.
    ConsumerBounds,
}

const V2_10: Version = Version(2, 10, 0);
const V2_11: Version = Version(2, 11, 0);
const V2_12: Version = Version(2, 12, 0);
const V2_14: Version = Version(2, 14, 0);

const fn field(name: &'static str, manifest: &'static str, form: Form, change: Change) -> Field {
    Field { name, manifest: Some(manifest), form, change, since: V2_10, sticky: false }
}

impl Field {
    const fn since(mut self, version: Version) -> Field {
        self.since = version;
        self
    }

    const fn sticky(mut self) -> Field {
        self.sticky = true;
        self
    }

    const fn server_only(mut self) -> Field {
        self.manifest = None;
        self
    }
}

use Change::{
    AtCreation, Bound, ConsumerBounds, DeliverSubject, Filter, InPlace, Mirror, OnlyOn, Replace,
    ReplaceBefore, ReplaceFrom, Retention, Seal, Subjects,
};
use Form::{Duration, Durations, Limit, Moment, Plain, Set, Tree, Word};

const STREAM: &[Field] = &[
    field("name", "name", Plain, Replace),
    field("description", "description", Plain, InPlace),
    field("subjects", "subjects", Set, Subjects),
    field("retention", "retention", Word("limits"), Retention),
    field("max_consumers", "maxConsumers", Limit, ReplaceBefore(V2_12)),
    field("max_msgs", "maxMsgs", Limit, Bound),
    field("max_bytes", "maxBytes", Limit, Bound),
    field("max_age", "maxAge", Duration, Bound).sticky(),
    field("max_msgs_per_subject", "maxMsgsPerSubject", Limit, Bound).sticky(),
    field("max_msg_size", "maxMsgSize", Limit, InPlace),
    field("storage", "storage", Word("file"), Replace),
    field("discard", "discard", Word("old"), InPlace),
    field("discard_new_per_subject", "discardPerSubject", Plain, InPlace).sticky(),
    field("num_replicas", "replicas", Plain, InPlace),
    field("no_ack", "noAck", Plain, InPlace).sticky(),
    field("duplicate_window", "duplicateWindow", Duration, InPlace).sticky(),
    field("placement", "placement", Tree, InPlace),
    field("mirror", "mirror", Tree, Mirror),
    field("sources", "sources", Tree, InPlace).sticky(),
    field("sealed", "sealed", Plain, Seal),
    field("deny_delete", "denyDelete", Plain, OnlyOn),
    field("deny_purge", "denyPurge", Plain, OnlyOn),
    field("allow_rollup_hdrs", "allowRollup", Plain, InPlace).sticky(),
    field("compression", "compression", Word("none"), InPlace).sticky(),
    field("first_seq", "firstSequence", Plain, AtCreation),
    field("subject_transform", "subjectTransform", Tree, InPlace).sticky(),
    field("republish", "republish", Tree, InPlace).sticky(),
    field("allow_direct", "allowDirect", Plain, InPlace).sticky(),
    field("mirror_direct", "mirrorDirect", Plain, InPlace),
    field("allow_msg_ttl", "allowMsgTtl", Plain, OnlyOn).since(V2_11).sticky(),
    field("subject_delete_marker_ttl", "subjectDeleteMarkerTtl", Duration, InPlace).since(V2_11),
    field("allow_msg_counter", "allowMsgCounter", Plain, Replace).since(V2_12),
    field("allow_atomic", "allowAtomicPublish", Plain, InPlace).since(V2_12).sticky(),
    field("allow_msg_schedules", "allowMsgSchedules", Plain, OnlyOn).since(V2_12).sticky(),
    field("persist_mode", "persistMode", Word("default"), Replace).since(V2_12),
    field("consumer_limits", "consumerLimits", Tree, ConsumerBounds),
    field("metadata", "metadata", Tree, InPlace),
    field("allow_batched", "", Plain, InPlace).since(V2_14).server_only(),
    field("template_owner", "", Plain, InPlace).server_only(),
];

const CONSUMER: &[Field] = &[
    field("name", "durableName", Plain, Replace),
    field("durable_name", "durableName", Plain, Replace),
    field("description", "description", Plain, InPlace),
    field("deliver_policy", "deliverPolicy", Word("all"), Replace),
    field("opt_start_seq", "optStartSeq", Plain, Replace),
    field("opt_start_time", "optStartTime", Moment, Replace),
    field("deliver_subject", "deliverSubject", Plain, DeliverSubject),
    field("deliver_group", "deliverGroup", Plain, InPlace),
    field("ack_policy", "ackPolicy", Word("none"), Replace),
    field("ack_wait", "ackWait", Duration, InPlace),
    field("max_deliver", "maxDeliver", Limit, InPlace).sticky(),
    field("backoff", "backoff", Durations, InPlace).sticky(),
    field("filter_subject", "filterSubject", Plain, Filter).sticky(),
    field("filter_subjects", "filterSubjects", Set, Filter).sticky(),
    field("replay_policy", "replayPolicy", Word("instant"), Replace),
    field("sample_freq", "sampleFreq", Plain, InPlace),
    field("max_waiting", "maxWaiting", Plain, Replace),
    field("max_ack_pending", "maxAckPending", Plain, InPlace),
    field("rate_limit_bps", "rateLimitBps", Plain, InPlace),
    field("flow_control", "flowControl", Plain, Replace).sticky(),
    field("idle_heartbeat", "heartbeatInterval", Duration, Replace).sticky(),
    field("headers_only", "headersOnly", Plain, InPlace).sticky(),
    field("max_batch", "maxRequestBatch", Plain, InPlace),
    field("max_expires", "maxRequestExpires", Duration, InPlace),
    field("max_bytes", "maxRequestMaxBytes", Plain, InPlace),
    field("inactive_threshold", "inactiveThreshold", Duration, InPlace).sticky(),
    field("num_replicas", "replicas", Plain, InPlace),
    field("mem_storage", "memStorage", Plain, ReplaceFrom(V2_14)).sticky(),
    field("pause_until", "pauseUntil", Moment, InPlace).since(V2_11).sticky(),
    field("priority_policy", "priorityPolicy", Word("none"), InPlace).since(V2_11),
    field("priority_timeout", "pinnedTtl", Duration, InPlace).since(V2_11),
    field("priority_groups", "priorityGroups", Set, InPlace).since(V2_11),
    field("metadata", "metadata", Tree, InPlace),
];

/// Values that came later than their field: field, value, first server.
pub const VALUES: &[(&str, &str, Version)] = &[("priority_policy", "prioritized", V2_12)];

/// The keys of an object that manifests can write, by the object's name; none where every key is theirs.
pub fn children(name: &str) -> Option<&'static [&'static str]> {
    Some(match name {
        "placement" => &["cluster", "tags"],
        "mirror" | "sources" => {
            &["name", "opt_start_seq", "opt_start_time", "filter_subject", "external", "subject_transforms"]
        }
        "external" => &["api", "deliver"],
        "subject_transforms" | "subject_transform" | "republish" => &["src", "dest"],
        "consumer_limits" => &["inactive_threshold", "max_ack_pending"],
        _ => return None,
    })
}
