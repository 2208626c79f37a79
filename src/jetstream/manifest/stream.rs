//! `Stream`: every field of NACK's v1beta2 resource, and the configuration that `STREAM.CREATE` takes.
//!
//! One type is both: read by the manifest's names, written by the server's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

use super::GoDuration;
use super::values::{Limit, Name, SubjectFilter, Timestamp, Tls, declared};
use crate::diagnostic::Place;
use crate::yaml::Located;

/// A declared stream. What is absent was not written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"), deny_unknown_fields)]
pub struct Stream {
    /// The kind of resource that declares it.
    #[serde(skip)]
    pub origin: Origin,
    /// Unique in the account, and final: renaming it declares a new stream and leaves the old one with its data.
    pub name: Located<Name>,
    /// For people; at most 4 KiB.
    pub description: Option<Located<String>>,
    /// What it captures; no other stream may overlap. Absent: its own name, or nothing if it copies others.
    pub subjects: Option<Vec<Located<SubjectFilter>>>,
    /// When messages go. Absent: by the limits alone.
    pub retention: Option<Located<Retention>>,
    /// How many consumers it may have. Absent: any number.
    pub max_consumers: Option<Located<Limit>>,
    /// How many messages it keeps. Absent: any number. Lowering it deletes messages.
    pub max_msgs: Option<Located<Limit>>,
    /// How many bytes it keeps, headers and overhead included. Absent: no bound; some accounts demand one.
    pub max_bytes: Option<Located<Limit>>,
    /// How long a message is kept, at least 100 ms. Absent or zero: without end.
    pub max_age: Option<Located<GoDuration>>,
    /// Bytes.
    pub max_msg_size: Option<Located<Limit>>,
    /// How many messages of one subject it keeps. Absent, zero or -1: any number.
    pub max_msgs_per_subject: Option<Located<i64>>,
    /// Absent means memory, as the resource says; the server itself would take file.
    pub storage: Option<Located<Storage>>,
    /// Which messages a full stream gives up. Absent: the oldest.
    pub discard: Option<Located<Discard>>,
    /// With discard `new`: refuses what exceeds `max_msgs_per_subject` instead of dropping the oldest of the subject.
    #[serde(rename(serialize = "discard_new_per_subject"))]
    pub discard_per_subject: Option<Located<bool>>,
    /// How many servers keep a copy, 1 to 5; above 1 needs a cluster. Absent: 1.
    #[serde(rename(serialize = "num_replicas"))]
    pub replicas: Option<Located<u32>>,
    /// Stores without answering the publisher, who then never learns whether it is stored. Absent: it answers.
    pub no_ack: Option<Located<bool>>,
    /// How long a message id is remembered, at least 100 ms and at most `max_age`. Absent: 2 minutes, or `max_age` if
    /// that is shorter. A repeat after it is stored a second time.
    pub duplicate_window: Option<Located<GoDuration>>,
    /// Absent: the server chooses.
    pub placement: Option<Placement>,
    /// The one stream that this is a copy of. It then has no subjects and no sources of its own.
    pub mirror: Option<Source>,
    /// The streams whose messages flow into this one, beside what it captures itself.
    pub sources: Option<Vec<Source>>,
    /// Takes no message and loses none any more. Cannot be undone.
    pub sealed: Option<Located<bool>>,
    /// Nobody can delete single messages through the API. Cannot be undone.
    pub deny_delete: Option<Located<bool>>,
    /// Nobody can purge it through the API. Cannot be undone; conflicts with `allow_rollup`.
    pub deny_purge: Option<Located<bool>>,
    /// A message with `Nats-Rollup` replaces all earlier ones, of its subject or of the whole stream.
    #[serde(rename(serialize = "allow_rollup_hdrs"))]
    pub allow_rollup: Option<Located<bool>>,
    /// Of file storage alone. Absent: none.
    pub compression: Option<Located<Compression>>,
    /// The number of the first message. Absent: 1. Of use only when the stream is created.
    #[serde(rename(serialize = "first_seq"))]
    pub first_sequence: Option<Located<u64>>,
    /// Stores messages under another subject than they came with.
    pub subject_transform: Option<SubjectTransform>,
    /// Sends on what has been stored, to plain subscribers.
    pub republish: Option<Republish>,
    /// Any replica may answer reads, which is faster, and may be a moment behind the leader.
    pub allow_direct: Option<Located<bool>>,
    /// This mirror answers direct reads that are meant for its origin too.
    pub mirror_direct: Option<Located<bool>>,
    /// Messages may bring their own lifetime in `Nats-TTL`. Cannot be turned off again. Servers from 2.11.
    pub allow_msg_ttl: Option<Located<bool>>,
    /// When the last message of a subject expires, a marker says so for this long, at least 1 s. Implies
    /// `allow_msg_ttl` and `allow_rollup`. Servers from 2.11.
    pub subject_delete_marker_ttl: Option<Located<GoDuration>>,
    /// Each subject is a counter: messages carry increments, and the stream stores the sums. Servers from 2.12.
    pub allow_msg_counter: Option<Located<bool>>,
    /// Takes batches that are stored as a whole or not at all. Servers from 2.12.
    #[serde(rename(serialize = "allow_atomic"))]
    pub allow_atomic_publish: Option<Located<bool>>,
    /// Messages may ask to be published later. Cannot be turned off again. Servers from 2.12.
    pub allow_msg_schedules: Option<Located<bool>>,
    /// When a message counts as stored. Absent: once it is written.
    pub persist_mode: Option<Located<PersistMode>>,
    /// Absent: only the account's limits hold.
    pub consumer_limits: Option<ConsumerLimits>,
    /// Free labels, at most 128 KiB. Keys that begin with `_nats.` are the server's own.
    pub metadata: Option<BTreeMap<String, String>>,

    // For NACK's controller alone: how it connects, and what it may do.
    /// Name of the `Account` resource that the controller connects by.
    #[serde(skip_serializing)]
    pub account: Option<Located<String>>,
    /// Path of a credentials file in the controller's pod.
    #[serde(skip_serializing)]
    pub creds: Option<Located<String>>,
    /// Path of an nkey seed in the controller's pod.
    #[serde(skip_serializing)]
    pub nkey: Option<Located<String>>,
    /// URLs that the controller connects to. natsgate uses its own configuration's.
    #[serde(skip_serializing)]
    pub servers: Option<Vec<Located<String>>>,
    /// Certificates of the controller's connection.
    #[serde(skip_serializing)]
    pub tls: Option<Tls>,
    /// The controller begins TLS before the server's greeting.
    #[serde(skip_serializing)]
    pub tls_first: Option<Located<bool>>,
    /// JetStream domain that the controller talks to. natsgate uses its own configuration's.
    #[serde(skip_serializing)]
    pub js_domain: Option<Located<String>>,
    /// The stream stays when its resource is deleted.
    #[serde(skip_serializing)]
    pub prevent_delete: Option<Located<bool>>,
    /// Changes of the resource never reach the server, although the controller reports it as ready.
    #[serde(skip_serializing)]
    pub prevent_update: Option<Located<bool>>,
}

impl Stream {
    /// The subjects that it captures, each with its place. Without any it captures its own name, unless it copies others.
    pub fn subjects(&self) -> Vec<(&str, Place)> {
        let copies = self.mirror.is_some() || self.sources.as_ref().is_some_and(|list| !list.is_empty());
        match self.subjects.as_deref() {
            Some(subjects @ [_, ..]) => subjects.iter().map(|s| (s.as_str(), s.place)).collect(),
            _ if copies => Vec::new(),
            _ => vec![(self.name.as_str(), self.name.place)],
        }
    }

    /// Whether it stores without telling the publisher.
    pub fn stays_silent(&self) -> bool {
        self.no_ack.as_ref().is_some_and(|no_ack| no_ack.value)
    }

    /// The server's configuration: what is declared, and the storage that the resource defaults to.
    /// `replicas` takes the place of the declared number.
    pub fn config(&self, replicas: Option<u32>) -> Map<String, Value> {
        let mut config = declared(self);
        config.entry("storage").or_insert_with(|| "memory".into());
        if let Some(replicas) = replicas {
            config.insert("num_replicas".to_owned(), replicas.into());
        }
        config
    }
}

/// Which kind of resource declares a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Origin {
    /// `Stream`.
    #[default]
    Stream,
    /// `KeyValue`: the stream `KV_<bucket>`.
    KeyValue,
    /// `ObjectStore`: the stream `OBJ_<bucket>`.
    ObjectStore,
}

/// What makes the server delete a message, beside the limits. Into or out of `workqueue` there is no change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    /// Nothing but the limits: consumers do not matter.
    Limits,
    /// Goes once every consumer has acknowledged it; without consumers it goes at once.
    Interest,
    /// Goes with its first acknowledgement, so each message has one consumer.
    Workqueue,
}

/// Where messages are kept. Cannot be changed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// On disk: survives a restart.
    File,
    /// Fast and gone with the server; one without replicas loses even its definition at a restart.
    Memory,
}

/// What a full stream does with the next message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discard {
    /// Takes it, and deletes the oldest to make room.
    Old,
    /// Refuses it, and the publisher learns so.
    New,
}

/// How blocks are kept on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    /// As they came.
    None,
    /// Smaller, at the price of some processor time on writing and reading.
    S2,
}

/// Whether the acknowledgement waits for the disk. Servers from 2.12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersistMode {
    /// Acknowledged after the write.
    Default,
    /// Acknowledged before the write: faster, and a crash loses what was acknowledged. File storage with 1 replica
    /// only.
    Async,
}

/// Which servers hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    /// Name of the cluster. Absent: the one that the request reaches.
    pub cluster: Option<Located<String>>,
    /// A server has to carry all of them. Absent: any server.
    pub tags: Option<Vec<Located<String>>>,
}

/// A stream that is copied from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    /// The stream at the origin; nobody checks here that it exists.
    pub name: Located<Name>,
    /// Copies from this number on. Absent: from the first. Excludes `opt_start_time`.
    pub opt_start_seq: Option<Located<u64>>,
    /// Copies from this moment on. Absent: from the first message.
    pub opt_start_time: Option<Located<Timestamp>>,
    /// Copies only what matches. Absent: everything.
    pub filter_subject: Option<Located<SubjectFilter>>,
    /// Where the JetStream API of another account or domain answers. Absent: the origin is in the same.
    pub external_api_prefix: Option<Located<String>>,
    /// Under which the other account delivers the copies. Absent: where the server would choose.
    pub external_deliver_prefix: Option<Located<String>>,
    /// Rename what is copied, and filter it; exclude `filter_subject`.
    pub subject_transforms: Option<Vec<SubjectTransform>>,
}

/// The manifest has the prefixes flat, the server has them in one object.
impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let external = External { api: &self.external_api_prefix, deliver: &self.external_deliver_prefix };
        SourceConfig {
            name: &self.name,
            opt_start_seq: &self.opt_start_seq,
            opt_start_time: &self.opt_start_time,
            filter_subject: &self.filter_subject,
            subject_transforms: &self.subject_transforms,
            external: (external.api.is_some() || external.deliver.is_some()).then_some(external),
        }
        .serialize(serializer)
    }
}

#[derive(Serialize)]
struct SourceConfig<'a> {
    name: &'a Located<Name>,
    opt_start_seq: &'a Option<Located<u64>>,
    opt_start_time: &'a Option<Located<Timestamp>>,
    filter_subject: &'a Option<Located<SubjectFilter>>,
    subject_transforms: &'a Option<Vec<SubjectTransform>>,
    external: Option<External<'a>>,
}

#[derive(Serialize)]
struct External<'a> {
    api: &'a Option<Located<String>>,
    deliver: &'a Option<Located<String>>,
}

/// One rule by which subjects are renamed.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectTransform {
    /// What the rule applies to, wildcards included. Absent: every subject.
    #[serde(rename(serialize = "src"))]
    pub source: Option<Located<String>>,
    /// The new subject; `{{wildcard(1)}}` stands for what the first wildcard matched. In a source, empty keeps the
    /// subject.
    pub dest: Option<Located<String>>,
}

/// Which stored messages are sent on, and where to. Must not lead back into the stream.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Republish {
    /// Which subjects. Absent: all.
    #[serde(rename(serialize = "src"))]
    pub source: Option<Located<String>>,
    /// The subject to send to; may use what the wildcards of `source` matched.
    #[serde(rename(serialize = "dest"))]
    pub destination: Option<Located<String>>,
}

/// Bounds for all its consumers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"), deny_unknown_fields)]
pub struct ConsumerLimits {
    /// The longest time that a consumer may stay unused before it is removed. Absent: no bound.
    pub inactive_threshold: Option<Located<GoDuration>>,
    /// The most messages that a consumer may have out unacknowledged. Absent: no bound.
    pub max_ack_pending: Option<Located<i64>>,
}
