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
    pub name: Located<Name>,
    pub description: Option<Located<String>>,
    pub subjects: Option<Vec<Located<SubjectFilter>>>,
    pub retention: Option<Located<Retention>>,
    pub max_consumers: Option<Located<Limit>>,
    pub max_msgs: Option<Located<Limit>>,
    pub max_bytes: Option<Located<Limit>>,
    pub max_age: Option<Located<GoDuration>>,
    /// Bytes.
    pub max_msg_size: Option<Located<Limit>>,
    pub max_msgs_per_subject: Option<Located<i64>>,
    /// Absent means memory, as the resource says; the server itself would take file.
    pub storage: Option<Located<Storage>>,
    pub discard: Option<Located<Discard>>,
    #[serde(rename(serialize = "discard_new_per_subject"))]
    pub discard_per_subject: Option<Located<bool>>,
    #[serde(rename(serialize = "num_replicas"))]
    pub replicas: Option<Located<u32>>,
    pub no_ack: Option<Located<bool>>,
    pub duplicate_window: Option<Located<GoDuration>>,
    pub placement: Option<Placement>,
    pub mirror: Option<Source>,
    pub sources: Option<Vec<Source>>,
    pub sealed: Option<Located<bool>>,
    pub deny_delete: Option<Located<bool>>,
    pub deny_purge: Option<Located<bool>>,
    #[serde(rename(serialize = "allow_rollup_hdrs"))]
    pub allow_rollup: Option<Located<bool>>,
    pub compression: Option<Located<Compression>>,
    #[serde(rename(serialize = "first_seq"))]
    pub first_sequence: Option<Located<u64>>,
    pub subject_transform: Option<SubjectTransform>,
    pub republish: Option<Republish>,
    pub allow_direct: Option<Located<bool>>,
    pub mirror_direct: Option<Located<bool>>,
    pub allow_msg_ttl: Option<Located<bool>>,
    pub subject_delete_marker_ttl: Option<Located<GoDuration>>,
    pub allow_msg_counter: Option<Located<bool>>,
    #[serde(rename(serialize = "allow_atomic"))]
    pub allow_atomic_publish: Option<Located<bool>>,
    pub allow_msg_schedules: Option<Located<bool>>,
    pub persist_mode: Option<Located<PersistMode>>,
    pub consumer_limits: Option<ConsumerLimits>,
    pub metadata: Option<BTreeMap<String, String>>,

    // For NACK's controller alone: how it connects, and what it may do.
    #[serde(skip_serializing)]
    pub account: Option<Located<String>>,
    #[serde(skip_serializing)]
    pub creds: Option<Located<String>>,
    #[serde(skip_serializing)]
    pub nkey: Option<Located<String>>,
    #[serde(skip_serializing)]
    pub servers: Option<Vec<Located<String>>>,
    #[serde(skip_serializing)]
    pub tls: Option<Tls>,
    #[serde(skip_serializing)]
    pub tls_first: Option<Located<bool>>,
    #[serde(skip_serializing)]
    pub js_domain: Option<Located<String>>,
    #[serde(skip_serializing)]
    pub prevent_delete: Option<Located<bool>>,
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Retention {
    Limits,
    Interest,
    Workqueue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    File,
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Discard {
    Old,
    New,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Compression {
    None,
    S2,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PersistMode {
    Default,
    Async,
}

/// Which servers hold it.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Placement {
    pub cluster: Option<Located<String>>,
    pub tags: Option<Vec<Located<String>>>,
}

/// A stream that is copied from.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Source {
    pub name: Located<Name>,
    pub opt_start_seq: Option<Located<u64>>,
    pub opt_start_time: Option<Located<Timestamp>>,
    pub filter_subject: Option<Located<SubjectFilter>>,
    pub external_api_prefix: Option<Located<String>>,
    pub external_deliver_prefix: Option<Located<String>>,
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

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubjectTransform {
    #[serde(rename(serialize = "src"))]
    pub source: Option<Located<String>>,
    pub dest: Option<Located<String>>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Republish {
    #[serde(rename(serialize = "src"))]
    pub source: Option<Located<String>>,
    #[serde(rename(serialize = "dest"))]
    pub destination: Option<Located<String>>,
}

/// Bounds for all its consumers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"), deny_unknown_fields)]
pub struct ConsumerLimits {
    pub inactive_threshold: Option<Located<GoDuration>>,
    pub max_ack_pending: Option<Located<i64>>,
}
