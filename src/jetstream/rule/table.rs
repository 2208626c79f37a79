//! The table: every rule, by its topic.

use super::Rule;
use crate::diagnostic::Severity::{Error, Warning};

macro_rules! topics {
    ($($topic:ident $title:literal { $($id:ident $name:literal $severity:ident $refused:expr, $why:literal;)+ })+) => {
        /// What a rule is about.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Topic {
            $(#[doc = $title] $topic,)+
        }

        impl Topic {
            pub(super) const ALL: &[Topic] = &[$(Topic::$topic),+];

            pub(super) fn title(self) -> &'static str {
                match self {
                    $(Topic::$topic => $title,)+
                }
            }
        }

        $($(
            pub(crate) const $id: Rule =
                Rule { name: $name, topic: Topic::$topic, severity: $severity, refused: $refused, why: $why };
        )+)+

        const TABLE: &[Rule] = &[$($($id,)+)+];
    };
}

/// Every rule, in the order of the page.
pub fn all() -> std::slice::Iter<'static, Rule> {
    TABLE.iter()
}

topics! {
    Files "Files" {
        UNKNOWN_FIELD "unknown-field" Error None,
            "Kubernetes drops a field that the resource does not have, without a word, and the server never sees it";
        INVALID_FIELD "invalid-field" Error None,
            "the value is not of the field's type, so neither Kubernetes nor the server takes it";
        STREAM_DECLARED_TWICE "stream-declared-twice" Error Some(10058),
            "two declarations of one stream overwrite each other for ever";
        CONSUMER_DECLARED_TWICE "consumer-declared-twice" Error Some(10148),
            "two declarations of one consumer overwrite each other for ever";
        STREAM_NOT_DECLARED "stream-not-declared" Warning Some(10059),
            "the consumer cannot be created unless something else has created its stream";
        TEXT_TOO_LONG "text-too-long" Error Some(10052),
            "a description has at most 4096 bytes, metadata at most 128 KiB (those of a consumer are refused as 10107 and 10135)";
    }
    Acknowledging "Acknowledging and redelivery" {
        BACKOFF_OVERRIDES_ACK_WAIT "backoff-overrides-ack-wait" Error None,
            "with a backoff the server replaces ackWait by the first entry, without a word; work that takes longer is delivered a second time while the first is still at it";
        BACKOFF_ABOVE_MAX_DELIVER "backoff-above-max-deliver" Error Some(10116),
            "each entry is the wait after one delivery, so there cannot be more of them than deliveries";
        ACK_WAIT_MISSING "ack-wait-missing" Error None,
            "NACK then sends 1ns: every message is delivered again before anybody can acknowledge it";
        ACK_WAIT_SHORT "ack-wait-short" Warning None,
            "a message that is not acknowledged in this time is delivered again, also while a worker is busy with it";
        ACK_POLICY_MISSING "ack-policy-missing" Warning None,
            "NACK then sends none: a delivered message counts as done, also when the work on it failed";
        ACK_FIELDS_WITHOUT_ACK "ack-fields-without-ack" Warning None,
            "without acknowledgements nothing is ever delivered again, and the server ignores the field";
        ACK_PENDING_WITHOUT_ACK "ack-pending-without-ack" Error Some(10082),
            "without acknowledgements nothing is pending";
        MAX_DELIVER_UNLIMITED "max-deliver-unlimited" Warning None,
            "a message that no worker can process is delivered for ever, and takes its turn from the others";
    }
    Delivering "Delivering" {
        DELIVER_GROUP_ON_PULL "deliver-group-on-pull" Warning None,
            "only a push consumer has a deliver group; a pull consumer is shared by its durable name, and the server ignores the field";
        DELIVER_GROUP_DIFFERS "deliver-group-differs" Warning None,
            "clients join by the queue's name: nats.py refuses one that differs from the durable's name, nats.go one that differs from the group's";
        DELIVER_GROUP_HEARTBEAT "deliver-group-heartbeat" Warning None,
            "clients refuse a queue subscription to a consumer with heartbeats or flow control";
        PUSH_FIELD_ON_PULL "push-field-on-pull" Error Some(10086),
            "rate limit, heartbeat and flow control are of push consumers alone (refused as 10086, 10088 and 10089)";
        PULL_FIELD_ON_PUSH "pull-field-on-push" Error Some(10080),
            "only pull requests wait, and only they have sizes and times (maxWaiting is refused; the others are ignored)";
        FLOW_CONTROL_WITHOUT_HEARTBEAT "flow-control-without-heartbeat" Error Some(10108),
            "a stalled flow is found by the heartbeat that stays away";
        HEARTBEAT_SHORT "heartbeat-short" Error Some(10083),
            "a heartbeat has at least 100ms";
        REQUEST_EXPIRES_SHORT "request-expires-short" Error Some(10115),
            "a pull request lives for at least 1ms";
        DELIVER_SUBJECT_WILDCARD "deliver-subject-wildcard" Error Some(10079),
            "messages are sent to one subject; it has neither wildcards nor empty tokens (then refused as 10112)";
        DELIVER_SUBJECT_CYCLE "deliver-subject-cycle" Error Some(10081),
            "what is delivered would be stored again, and delivered again";
        START_MISSING "start-missing" Error Some(10094),
            "the policy says that there is a beginning, and not which";
        START_UNUSED "start-unused" Error Some(10094),
            "only byStartSequence has a sequence, and only byStartTime a time";
        LAST_PER_SUBJECT_WITHOUT_FILTER "last-per-subject-without-filter" Error Some(10094),
            "the server wants to know the subjects whose last messages are meant";
        SAMPLE_FREQ_INVALID "sample-freq-invalid" Error Some(10095),
            "it is a whole number of per cent";
    }
    Priorities "Priority groups" {
        PRIORITY_ON_PUSH "priority-on-push" Error Some(10178),
            "members of a priority group are told apart by their pull requests";
        PRIORITY_GROUPS_MISSING "priority-groups-missing" Error Some(10159),
            "a policy without a group applies to nobody";
        PRIORITY_POLICY_MISSING "priority-policy-missing" Error Some(10196),
            "a group without a policy does nothing";
        PRIORITY_GROUP_NAME "priority-group-name" Error Some(10162),
            "a name has 1 to 16 letters, digits or `/_=-` (an empty one is refused as 10161)";
        PINNED_TTL_MISSING "pinned-ttl-missing" Error None,
            "NACK leaves the pinning out without it: every worker gets messages, and the resource says Ready";
    }
    Filters "Filters" {
        FILTER_TWICE "filter-twice" Error Some(10136),
            "a consumer has one filter or a list of them";
        FILTERS_OVERLAP "filters-overlap" Error Some(10138),
            "a message that two filters match would have to be delivered twice";
        FILTER_OUTSIDE_STREAM "filter-outside-stream" Error None,
            "the server accepts a filter that nothing can match, and the consumer waits for ever";
    }
    WorkQueues "Work queues" {
        WORK_QUEUE_ACK_POLICY "work-queue-ack-policy" Error Some(10098),
            "an acknowledgement removes the message, so each needs one of its own (a pull consumer without any is refused as 10084)";
        WORK_QUEUE_DELIVER_POLICY "work-queue-deliver-policy" Error Some(10101),
            "what a consumer skips nobody would ever remove";
        WORK_QUEUE_SHARED "work-queue-shared" Error Some(10100),
            "every message of a work queue has exactly one consumer (two without a filter are refused as 10099)";
    }
    Bounds "Replicas and limits" {
        CONSUMER_REPLICAS_ABOVE "consumer-replicas-above" Error Some(10126),
            "a consumer's state lives on the servers of its stream";
        CONSUMER_REPLICAS_DIFFER "consumer-replicas-differ" Error Some(10134),
            "whether a message may go is decided by its acknowledgements, so they are kept as safely as the messages";
        CONSUMER_LIMITS "consumer-limits" Error Some(10121),
            "the stream bounds its consumers (inactiveThreshold is refused as 10153)";
        TOO_MANY_CONSUMERS "too-many-consumers" Error Some(10026),
            "the stream takes only so many, and the last ones are refused";
        REPLICAS_ABOVE_FIVE "replicas-above-five" Error Some(10052),
            "a stream has at most 5 replicas";
        REPLICAS_EVEN "replicas-even" Warning None,
            "a majority of 2 is 2: an even number survives no more failures than the odd number below it";
        UNBOUNDED_STREAM "unbounded-stream" Warning None,
            "it grows until the disk is full, and then every stream of the server stands still";
    }
    Storage "Storage and age" {
        STORAGE_MISSING "storage-missing" Warning None,
            "NACK then sends memory, whereas the server's own default is file; it cannot be changed later";
        MEMORY_SINGLE_REPLICA "memory-single-replica" Warning None,
            "a restart of its server takes the messages and the stream's definition, and NACK's legacy controller does not create it again";
        DUPLICATE_WINDOW_ABOVE_MAX_AGE "duplicate-window-above-max-age" Error Some(10052),
            "what is gone cannot be compared with";
        DUPLICATE_WINDOW_SHORTENED "duplicate-window-shortened" Warning None,
            "the window is 2m where nothing is written, and never longer than maxAge: a repetition after it is stored a second time";
        TOO_SHORT "too-short" Error Some(10052),
            "maxAge and duplicateWindow have at least 100ms, subjectDeleteMarkerTtl at least 1s";
        MAX_AGE_MISSING "max-age-missing" Warning None,
            "NACK's control loop then creates the stream with a maxAge of one year, the legacy controller without any";
    }
    Subjects "Subjects" {
        SUBJECTS_OVERLAP "subjects-overlap" Error Some(10065),
            "a message is stored by one stream, so no other may capture its subject";
        SUBJECTS_OVERLAP_THEMSELVES "subjects-overlap-themselves" Error Some(10052),
            "a message that two subjects match would be captured twice";
        CAPTURES_EVERYTHING "captures-everything" Error Some(10052),
            "the answers of the server's own interfaces would be captured, and answered";
        REPUBLISH_CYCLE "republish-cycle" Error Some(10052),
            "what is sent on would be stored again, and sent on again";
    }
    Features "What excludes each other" {
        MIRROR_WITH_SUBJECTS "mirror-with-subjects" Error Some(10034),
            "a mirror holds what its origin holds, and takes no messages of its own";
        MIRROR_WITH_SOURCES "mirror-with-sources" Error Some(10031),
            "a mirror is the copy of one stream";
        MIRROR_CONFLICT "mirror-conflict" Error None,
            "a mirror's messages and numbers are its origin's (refused as 10143, 10173, 10186, 10198 or 10052)";
        MIRROR_DIRECT_WITHOUT_MIRROR "mirror-direct-without-mirror" Error Some(10052),
            "only a mirror can answer for its origin";
        COPIES_ITSELF "copies-itself" Error Some(10052),
            "a stream cannot be its own origin";
        SOURCE_TWICE "source-twice" Error Some(10140),
            "the same messages would flow in twice; several entries of one stream need filters or transforms that differ";
        SOURCE_FILTERED_TWICE "source-filtered-twice" Error Some(10144),
            "subjectTransforms filter already";
        DISCARD_PER_SUBJECT "discard-per-subject" Error Some(10052),
            "only a stream that refuses what is new, and counts by subject, can refuse by subject";
        DENY_PURGE_WITH_ROLLUP "deny-purge-with-rollup" Error Some(10052),
            "a rollup is a purge";
        COUNTER_CONFLICT "counter-conflict" Error Some(10052),
            "a counter is the sum of what came, so nothing may be refused, expire or be taken out by a consumer";
        SCHEDULE_CONFLICT "schedule-conflict" Error Some(10052),
            "a schedule replaces its messages, and does so in one stream (sources are refused as 10187)";
        ASYNC_PERSIST_CONFLICT "async-persist-conflict" Error Some(10052),
            "it is for one file on one server, message by message";
        SEALED "sealed" Error Some(10052),
            "a sealed stream takes no message, so it cannot be created as one";
    }
    Controller "NACK and versions" {
        KIND_NOT_RECONCILED "kind-not-reconciled" Warning None,
            "NACK's legacy controller leaves this kind alone: the object exists in Kubernetes, and nothing on the server";
        LEGACY_SAMPLE_FREQ "legacy-sample-freq" Error None,
            "NACK's legacy controller reads a number and fails on the sign";
        LEGACY_IGNORES "legacy-ignores" Warning None,
            "NACK's legacy controller does not send this field";
        PREVENT_UPDATE "prevent-update" Warning None,
            "changes of this file never reach the server, and the resource says Ready";
        NEWER_THAN_SERVER "newer-than-server" Error None,
            "an older server drops the field, or refuses the request";
        BACKOFF_EQUALS_MAX_DELIVER "backoff-equals-max-deliver" Warning None,
            "servers before 2.10.23 refuse as many entries as deliveries (10116)";
    }
    Buckets "Buckets" {
        BUCKET_HISTORY "bucket-history" Error None,
            "clients and NACK keep 1 to 64 values of a key";
    }
    Operations "Operations of the gateway" {
        PUBLISH_NOT_CAPTURED "publish-not-captured" Error None,
            "what no stream captures is not stored, and the client gets an error each time";
        PUBLISH_PARTLY_CAPTURED "publish-partly-captured" Warning None,
            "requests whose parameters lead to other subjects are not stored";
        PUBLISH_OTHER_STREAM "publish-other-stream" Error Some(10060),
            "the stream that captures the subject is not the one that is expected, and refuses";
        PUBLISH_UNACKNOWLEDGED "publish-unacknowledged" Error None,
            "a stream with noAck tells nobody what it stored, so every request ends in a timeout";
        INTEREST_WITHOUT_CONSUMER "interest-without-consumer" Warning None,
            "with retention interest the server acknowledges what no consumer wants, and drops it at once: the client is told that it is stored";
        REQUEST_CAPTURED "request-captured" Error None,
            "the stream's acknowledgement arrives before the service's answer, and the client gets it";
        IDEMPOTENCY_FORGOTTEN "idempotency-forgotten" Warning None,
            "a server that restarts learns the ids from what is still stored: a repetition of what is gone is stored, and done, a second time";
    }
    Helm "Values of the nats Helm chart" {
        SPREAD_CONSTRAINTS_LIST "spread-constraints-list" Error None,
            "the chart has a map with the topology key of each constraint, and renders nothing useful from a list";
        MEMORY_STORE_OFF "memory-store-off" Error None,
            "the chart turns memory storage off unless config.jetstream.memoryStore.enabled is true, and the server refuses the stream";
        JETSTREAM_OFF "jetstream-off" Error None,
            "the chart turns JetStream off unless config.jetstream.enabled is true";
        REPLICAS_ABOVE_SERVERS "replicas-above-servers" Error Some(10074),
            "each replica needs a server of its own (in a cluster that is too small, refused as 10005)";
    }
}
