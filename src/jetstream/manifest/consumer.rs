//! `Consumer`: every field of NACK's v1beta2 resource, and the configuration that `CONSUMER.CREATE` takes.
//!
//! One type is both: read by the manifest's names, written by the server's.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::GoDuration;
use super::values::{Limit, Name, SubjectFilter, Timestamp, Tls, declared};
use crate::yaml::Located;

/// A declared durable consumer. What is absent was not written.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"), deny_unknown_fields)]
pub struct Consumer {
    #[serde(skip_serializing)]
    pub stream_name: Located<Name>,
    pub durable_name: Located<Name>,
    pub description: Option<Located<String>>,
    pub deliver_policy: Option<Located<DeliverPolicy>>,
    pub opt_start_seq: Option<Located<u64>>,
    pub opt_start_time: Option<Located<Timestamp>>,
    /// Absent: a pull consumer.
    pub deliver_subject: Option<Located<String>>,
    pub deliver_group: Option<Located<String>>,
    /// Absent means none.
    pub ack_policy: Option<Located<AckPolicy>>,
    /// Absent: NACK sends one nanosecond. The server's 30 seconds are left in place here, with a warning.
    pub ack_wait: Option<Located<GoDuration>>,
    pub max_deliver: Option<Located<Limit>>,
    pub backoff: Option<Vec<Located<GoDuration>>>,
    pub filter_subject: Option<Located<SubjectFilter>>,
    pub filter_subjects: Option<Vec<Located<SubjectFilter>>>,
    pub replay_policy: Option<Located<ReplayPolicy>>,
    /// Per cent, with or without the sign.
    pub sample_freq: Option<Located<String>>,
    pub max_waiting: Option<Located<i64>>,
    pub max_ack_pending: Option<Located<i64>>,
    /// Bits a second.
    pub rate_limit_bps: Option<Located<u64>>,
    pub flow_control: Option<Located<bool>>,
    #[serde(rename(serialize = "idle_heartbeat"))]
    pub heartbeat_interval: Option<Located<GoDuration>>,
    pub headers_only: Option<Located<bool>>,
    #[serde(rename(serialize = "max_batch"))]
    pub max_request_batch: Option<Located<i64>>,
    #[serde(rename(serialize = "max_expires"))]
    pub max_request_expires: Option<Located<GoDuration>>,
    #[serde(rename(serialize = "max_bytes"))]
    pub max_request_max_bytes: Option<Located<i64>>,
    pub inactive_threshold: Option<Located<GoDuration>>,
    #[serde(rename(serialize = "num_replicas"))]
    pub replicas: Option<Located<u32>>,
    pub mem_storage: Option<Located<bool>>,
    pub pause_until: Option<Located<Timestamp>>,
    pub priority_policy: Option<Located<PriorityPolicy>>,
    #[serde(rename(serialize = "priority_timeout"))]
    pub pinned_ttl: Option<Located<GoDuration>>,
    pub priority_groups: Option<Vec<Located<String>>>,
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

impl Consumer {
    /// The server's configuration: what is declared, and the ack policy that the resource defaults to.
    /// A declared number of replicas is lowered to `replicas`, since a stream of fewer could not carry it.
    pub fn config(&self, replicas: Option<u32>) -> Map<String, Value> {
        let mut config = declared(self);
        config.insert("name".to_owned(), self.durable_name.as_str().into());
        config.entry("ack_policy").or_insert_with(|| "none".into());
        if let (Some(most), Some(own)) = (replicas, &self.replicas)
            && own.value > most
        {
            config.insert("num_replicas".to_owned(), most.into());
        }
        config
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"))]
pub enum DeliverPolicy {
    All,
    Last,
    New,
    ByStartSequence,
    ByStartTime,
    LastPerSubject,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AckPolicy {
    None,
    All,
    Explicit,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayPolicy {
    Instant,
    Original,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorityPolicy {
    None,
    Overflow,
    PinnedClient,
    Prioritized,
}
