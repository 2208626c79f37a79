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
    /// The stream that it reads. It goes into the request's subject, not into the configuration.
    #[serde(skip_serializing)]
    pub stream_name: Located<Name>,
    /// Unique in the stream, and final: renaming it declares a new consumer that begins afresh.
    pub durable_name: Located<Name>,
    /// For people; at most 4 KiB.
    pub description: Option<Located<String>>,
    /// Where it begins to read. Absent: at the first message. Cannot be changed later.
    pub deliver_policy: Option<Located<DeliverPolicy>>,
    /// The first number to deliver; needed by `byStartSequence` and by nothing else.
    pub opt_start_seq: Option<Located<u64>>,
    /// The earliest moment to deliver from; needed by `byStartTime` and by nothing else.
    pub opt_start_time: Option<Located<Timestamp>>,
    /// Absent: a pull consumer.
    pub deliver_subject: Option<Located<String>>,
    /// Queue group among which a push consumer's messages are shared. A pull consumer ignores it.
    pub deliver_group: Option<Located<String>>,
    /// Absent means none.
    pub ack_policy: Option<Located<AckPolicy>>,
    /// Absent: NACK sends one nanosecond. The server's 30 seconds are left in place here, with a warning.
    pub ack_wait: Option<Located<GoDuration>>,
    /// How often a message is delivered at most, the first time included. Absent or zero: without end.
    pub max_deliver: Option<Located<Limit>>,
    /// Waits before the second, third, … delivery; the last one repeats. The first takes the place of `ack_wait`.
    /// Works on missing acknowledgements, not on plain refusals, and is at most as long as `max_deliver`.
    pub backoff: Option<Vec<Located<GoDuration>>>,
    /// Delivers only what matches. Absent: everything. Excludes `filter_subjects`.
    pub filter_subject: Option<Located<SubjectFilter>>,
    /// Delivers what matches any of them; they may not overlap. Excludes `filter_subject`.
    pub filter_subjects: Option<Vec<Located<SubjectFilter>>>,
    /// How fast it delivers what is already stored. Absent: at once. Cannot be changed later.
    pub replay_policy: Option<Located<ReplayPolicy>>,
    /// Per cent, with or without the sign.
    pub sample_freq: Option<Located<String>>,
    /// How many pull requests may wait at once. Absent: 512. For pull consumers alone.
    pub max_waiting: Option<Located<i64>>,
    /// How many messages may be out unacknowledged; delivery pauses there. Absent: 1000, or no bound without
    /// acknowledgements. -1: no bound.
    pub max_ack_pending: Option<Located<i64>>,
    /// Bits a second.
    pub rate_limit_bps: Option<Located<u64>>,
    /// Pauses until the subscriber has caught up. Needs `heartbeat_interval`; for push consumers alone.
    pub flow_control: Option<Located<bool>>,
    /// Silence after which a push consumer says that it is alive, at least 100 ms. Absent: never.
    #[serde(rename(serialize = "idle_heartbeat"))]
    pub heartbeat_interval: Option<Located<GoDuration>>,
    /// Delivers headers and the payload's size instead of the payload.
    pub headers_only: Option<Located<bool>>,
    /// How many messages one pull request may ask for. Absent: any number.
    #[serde(rename(serialize = "max_batch"))]
    pub max_request_batch: Option<Located<i64>>,
    /// How long one pull request may wait, at least 1 ms. Absent: as long as it asks for.
    #[serde(rename(serialize = "max_expires"))]
    pub max_request_expires: Option<Located<GoDuration>>,
    /// How many bytes one pull request may ask for. Absent: any number.
    #[serde(rename(serialize = "max_bytes"))]
    pub max_request_max_bytes: Option<Located<i64>>,
    /// Removes the consumer after this long without use. Absent: a durable one stays for ever.
    pub inactive_threshold: Option<Located<GoDuration>>,
    /// How many servers keep its state; at most the stream's number, and equal to it with retention `interest` or
    /// `workqueue`. Absent: as many as the stream.
    #[serde(rename(serialize = "num_replicas"))]
    pub replicas: Option<Located<u32>>,
    /// Keeps its state in memory, whatever the stream's storage. Cannot be changed from 2.14 on.
    pub mem_storage: Option<Located<bool>>,
    /// Delivers nothing before this moment. Absent: delivers. Servers from 2.11.
    pub pause_until: Option<Located<Timestamp>>,
    /// How members of a priority group share the messages. Needs `priority_groups`; pull consumers alone.
    pub priority_policy: Option<Located<PriorityPolicy>>,
    /// With `pinned_client`: silence after which another client is pinned. Absent: the server takes 2 minutes, but
    /// NACK leaves the pinning out.
    #[serde(rename(serialize = "priority_timeout"))]
    pub pinned_ttl: Option<Located<GoDuration>>,
    /// Names that pull requests have to give, of up to 16 letters, digits or `/_=-`.
    pub priority_groups: Option<Vec<Located<String>>>,
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
    /// The consumer stays when its resource is deleted.
    #[serde(skip_serializing)]
    pub prevent_delete: Option<Located<bool>>,
    /// Changes of the resource never reach the server, although the controller reports it as ready.
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

/// Which message a new consumer begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all(deserialize = "camelCase", serialize = "snake_case"))]
pub enum DeliverPolicy {
    /// The first that the stream has.
    All,
    /// The last that matches, then what follows.
    Last,
    /// The first one stored after the consumer was created.
    New,
    /// The one numbered [`Consumer::opt_start_seq`], or the next that there is.
    ByStartSequence,
    /// The first one stored at [`Consumer::opt_start_time`] or later.
    ByStartTime,
    /// The last of each subject, then what follows. Needs a filter.
    LastPerSubject,
}

/// What a delivered message waits for. Cannot be changed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum AckPolicy {
    /// Nothing: delivered counts as done, and nothing is delivered again.
    None,
    /// An acknowledgement, which covers all earlier messages too.
    All,
    /// An acknowledgement of its own. The only one that a work queue allows.
    Explicit,
}

/// The pace of delivery while the consumer catches up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplayPolicy {
    /// As fast as the subscriber takes it.
    Instant,
    /// With the pauses between messages with which they were stored.
    Original,
}

/// Which member of a priority group a message goes to. Servers from 2.11.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PriorityPolicy {
    /// There are no groups.
    None,
    /// A member with thresholds gets messages only while so many are pending or unacknowledged.
    Overflow,
    /// One member gets everything, until it falls silent.
    PinnedClient,
    /// The waiting member of the highest priority. Servers from 2.12.
    Prioritized,
}
