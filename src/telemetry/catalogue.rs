//! Everything that `/metrics` can say, in one table: the scrape, `docs/metrics.md`, and the tests of dashboard and alerts
//! are made from it.

use std::fmt::Write as _;

/// One metric.
#[derive(Debug)]
pub struct Metric {
    /// Its whole name.
    pub name: &'static str,
    /// Of what kind it is.
    pub kind: Kind,
    /// The names of its labels. Their values are names out of the configuration and words of our own, never what a caller
    /// has sent.
    pub labels: &'static [&'static str],
    /// What it says.
    pub help: &'static str,
    /// What to do about it, or with it.
    pub action: &'static str,
}

/// The kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in buckets.
    Histogram,
}

impl Kind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        }
    }
}

macro_rules! catalogue {
    ($($id:ident $kind:ident $name:literal [$($label:literal),*] $help:literal, $action:literal;)*) => {
        $(
            #[doc = $help]
            pub const $id: &Metric =
                &Metric { name: $name, kind: Kind::$kind, labels: &[$($label),*], help: $help, action: $action };
        )*

        /// All of them, in the order of the reference.
        pub const CATALOGUE: &[&Metric] = &[$($id),*];
    };
}

catalogue! {
    HTTP_REQUESTS Counter "natsgate_http_requests_total" ["operation", "method", "status", "code"]
        "requests that were answered, refused ones and those that their client did not wait for (499) among them",
        "errors by `code`: what each means stands in [problems](problems.md); an empty `operation` is a path that leads nowhere";
    HTTP_DURATION Histogram "natsgate_http_request_duration_seconds" ["operation"]
        "from the complete head of a request to its answer",
        "compare with `natsgate_nats_request_duration_seconds`: the difference is the gateway and its clients";
    IN_FLIGHT Gauge "natsgate_in_flight" ["operation"]
        "requests of an operation that are in flight",
        "near `natsgate_in_flight_limit`, what is behind the operation is slow, or `limits.in_flight` is small";
    IN_FLIGHT_LIMIT Gauge "natsgate_in_flight_limit" ["operation"]
        "requests of an operation that may be in flight; one more is answered `overloaded`",
        "see `limits.in_flight`";
    IN_FLIGHT_ALL Gauge "natsgate_in_flight_all" []
        "requests of all operations together that are in flight",
        "near `natsgate_in_flight_all_limit`, add instances or find the slow operation";
    IN_FLIGHT_ALL_LIMIT Gauge "natsgate_in_flight_all_limit" []
        "requests that may be in flight together; one more is answered `overloaded`",
        "see `server.in_flight`";
    CONNECTIONS Gauge "natsgate_connections" []
        "open connections of the public listener",
        "near `server.max_connections`, those that rest longest are closed for new ones";
    OPERATION_READY Gauge "natsgate_operation_ready" ["operation"]
        "1 if what the operation needs is there, 0 if something is missing; absent while that is not known",
        "at 0, `/ready` and the log say what is missing";
    NATS_DURATION Histogram "natsgate_nats_request_duration_seconds" ["operation"]
        "from sending a message to its reply or acknowledgement, every try of it included",
        "if it grows, look at the service or the stream behind the operation";
    UPSTREAM_DURATION Histogram "natsgate_upstream_request_duration_seconds" ["operation"]
        "from handing a request to a legacy service to the head of its answer, every try of it included",
        "beside `natsgate_nats_request_duration_seconds` it shows the two sides of an operation; if it grows, look at the service";
    NATS_CONNECTED Gauge "natsgate_nats_connected" []
        "1 if every connection to NATS stands, else 0",
        "at 0, requests are answered `nats_unavailable`; `/ready` has the last error";
    RECONNECTS Counter "natsgate_reconnects_total" []
        "connections to NATS that were replaced",
        "if it grows steadily, look at the servers' logs: evictions, restarts, a network that drops connections";
    WAITING_REPLIES Gauge "natsgate_waiting_replies" []
        "messages that wait for their reply or acknowledgement",
        "if it grows and traffic does not, what is behind NATS is slow";
    PUBLISH Counter "natsgate_publish_total" ["stream", "result"]
        "messages for a stream, by what came of them: `stored`, `duplicate`, `abandoned` (its client did not wait), or the code of the problem",
        "what a code means stands in [problems](problems.md)";
    MIGRATION_STAGE Gauge "natsgate_migration_stage" ["operation", "stage"]
        "1 for the stage in which an operation with two sides is: `legacy`, `shadow`, `canary`, `mirror` or `nats`",
        "`natsgate migration status` says whether it may be moved on";
    MIGRATION_SERVED Counter "natsgate_migration_served_total" ["operation", "side"]
        "requests of an operation with two sides, by the side that answered in the end: `legacy` or `nats`",
        "the share of `nats` is how far the operation has moved";
    MIGRATION_FALLBACKS Counter "natsgate_migration_fallbacks_total" ["operation", "code"]
        "requests that were for NATS and that the legacy service had, by what NATS failed with",
        "clients see none of them, so look at what is behind NATS before the legacy service goes; what a code means stands in [problems](problems.md)";
    MIGRATION_BREAKER Gauge "natsgate_migration_breaker_open" ["operation"]
        "1 while NATS is left alone, since one request after another failed there, else 0",
        "at 1, the legacy service has every request: is the responder running?";
    MIGRATION_COMPARISONS Counter "natsgate_migration_comparisons_total" ["operation", "result"]
        "pairs of answers of the two sides by what came of them: `match`, `mismatch`, `candidate_error`, `candidate_timeout`, `skipped`",
        "`natsgate migration status OPERATION` shows which fields differ, with an example";
    MIGRATION_DROPPED Counter "natsgate_migration_dropped_total" ["operation"]
        "copies of requests that were not made, since too many were on their way",
        "the side that gets the copies is slow; lower `migration.shadow.sample`";
    UPSTREAM_IN_FLIGHT Gauge "natsgate_upstream_in_flight" ["upstream"]
        "requests that a legacy service has, or whose answer still comes from it",
        "if it grows and traffic does not, the legacy service is slow";
    UPSTREAM_CONNECTIONS Gauge "natsgate_upstream_connections" ["upstream"]
        "open connections to a legacy service, those that rest among them",
        "near `max_connections` of each address, requests wait for a free one";
    UPSTREAM_FAILURES Counter "natsgate_upstream_failures_total" ["upstream", "kind"]
        "requests that a legacy service did not answer: `unreachable`, `busy` (every connection in use), `reset`, `timeout`, or `client` (its body never came whole)",
        "`unreachable` was not executed; `reset` and `timeout` may have been: look at the legacy service's log";
    UPSTREAM_BROKEN Counter "natsgate_upstream_broken_bodies_total" ["upstream"]
        "answers of a legacy service that broke off in the middle of their body",
        "the log names each with its request id; clients see their connection closed";
    UPSTREAM_LEFT_ALONE Gauge "natsgate_upstream_addresses_left_alone" ["upstream"]
        "addresses of a legacy service that have failed, and are left alone for a while",
        "`/ready` names them";
    STREAM_MESSAGES Gauge "natsgate_stream_messages" ["stream"]
        "messages that a stream holds, of the streams that operations publish to",
        "near the stream's limit, it refuses messages or drops old ones, as it is declared";
    STREAM_BYTES Gauge "natsgate_stream_bytes" ["stream"]
        "bytes that a stream holds",
        "as for messages";
    CONSUMER_PENDING Gauge "natsgate_consumer_pending" ["stream", "consumer"]
        "messages that a durable consumer has still to deliver: its lag",
        "if it grows, add workers or find out why they are slow";
    CONSUMER_ACK_PENDING Gauge "natsgate_consumer_ack_pending" ["stream", "consumer"]
        "messages that a consumer has delivered, and whose acknowledgement is missing",
        "at the consumer's `maxAckPending`, nothing more is delivered until workers acknowledge";
    CONSUMER_REDELIVERED Gauge "natsgate_consumer_redelivered" ["stream", "consumer"]
        "unacknowledged messages that were delivered more than once",
        "workers fail on them or take longer than `ackWait`: look at the workers' logs";
    CONSUMER_WAITING Gauge "natsgate_consumer_waiting" ["stream", "consumer"]
        "requests for messages that workers have open at a pull consumer",
        "at 0 while messages are pending, no worker is asking";
    CONSUMER_STALLED Gauge "natsgate_consumer_stalled" ["stream", "consumer"]
        "1 if a consumer has messages, and for a minute delivered no new one and was acknowledged none, else 0",
        "is any worker running, and is it subscribed? A paused consumer is not stalled";
    CONSUMER_LAST_DELIVERY Gauge "natsgate_consumer_last_delivery_timestamp_seconds" ["stream", "consumer"]
        "when a consumer last delivered a message; absent if it never has",
        "`time() -` this is how long it has been still";
    STREAM_WATCH_SUCCESS Gauge "natsgate_stream_watch_success" ["stream"]
        "1 if the state of a stream and of its consumers could be read at the last look, else 0",
        "at 0, the series of this stream are absent; the log says why";
    STREAM_WATCH_CUT Gauge "natsgate_stream_watch_cut" ["stream"]
        "1 if a stream has more consumers than are looked at, else 0",
        "durable consumers come first; those beyond them are not in the metrics";
    STREAM_WATCH_TIMESTAMP Gauge "natsgate_stream_watch_timestamp_seconds" []
        "when the streams were last looked at",
        "older than a minute, the consumers' series are not current";
    STREAM_DRIFT Gauge "natsgate_stream_drift" ["stream", "consumer"]
        "1 where the server is not as the manifests declare, else 0",
        "`natsgate streams drift` names each field that differs; an empty `consumer` is the stream itself";
    STREAM_DRIFT_SUCCESS Gauge "natsgate_stream_drift_check_success" []
        "1 if the last comparison of the server with the manifests could be made, else 0",
        "`natsgate streams drift` with the gateway's credentials tells why";
    STREAM_DRIFT_TIMESTAMP Gauge "natsgate_stream_drift_check_timestamp_seconds" []
        "when the server was last compared with the manifests",
        "older than a few times `streams.watch`, a comparison hangs";
    VERIFIER_ENTRIES Gauge "natsgate_verifier_entries" ["verifier", "issuer"]
        "keys or users that a verifier knows",
        "at 0, nobody is let in by it; `issuer` is empty for API keys and passwords";
    VERIFIER_AGE Gauge "natsgate_verifier_age_seconds" ["verifier", "issuer"]
        "since a verifier's keys or users were last read; absent if they never were",
        "key sets are fetched about every 5 minutes: much older, and the issuer cannot be reached";
    VERIFIER_FAILING Gauge "natsgate_verifier_failing" ["verifier", "issuer"]
        "1 if a verifier's keys or users could not be read at the last try, else 0",
        "the former ones stay in use; `/ready` and the log say what is wrong";
    CONFIG_RELOADS Counter "natsgate_config_reloads_total" ["result"]
        "reloads by result: `applied`, `unchanged`, `invalid`, `restart_required`",
        "after `invalid` and `restart_required` the former configuration is in use; the log says why";
    CONFIG_SUCCESS Gauge "natsgate_config_last_reload_success" []
        "1 if the configuration that is written is the one in use, as of the last reload, else 0",
        "at 0, `natsgate check` shows what is wrong with the files";
    CONFIG_SUCCESS_TIMESTAMP Gauge "natsgate_config_last_reload_success_timestamp_seconds" []
        "when the configuration that is written was last known to be the one in use",
        "instances that differ run on different configurations";
    LOG_LINES_LOST Counter "natsgate_log_lines_lost_total" []
        "log lines that were lost, since nobody read them in time",
        "whatever takes the log from standard output is too slow: sample access lines, or make it faster";
    TRACE_SPANS Counter "natsgate_trace_spans_total" ["result"]
        "spans of sampled requests: `sent` to the collector, `failed` to reach it, `dropped` for want of room",
        "after `failed`, look at the collector; after `dropped`, lower `telemetry.traces.sample`";
    BUILD_INFO Gauge "natsgate_build_info" ["version"]
        "1; the version stands in its label",
        "tells which instances have been upgraded";
    START_TIMESTAMP Gauge "natsgate_start_timestamp_seconds" []
        "when the process began",
        "if it changes often, the process is restarted: look at the end of its log";
}

const HEAD: &str =
    "<!-- Generated from src/telemetry/catalogue.rs; a test keeps it current (UPDATE_GOLDEN=1 rewrites it). -->

# Metrics

`GET /metrics` on the admin listener answers in the text format of Prometheus. Everything counts from the start of the
process, and lives on over reloads: an operation keeps its series as long as it keeps its name, and loses them when it
leaves the configuration.

Labels have a bounded set of values: names out of the configuration (`operation`, `stream`, `verifier`, `issuer`), names
that the server has (`consumer`, up to a limit for each stream), and words of the gateway's own. Paths, queries, callers and
subjects are never labels. A service that answers with many statuses gets a count for the first 60 or so; what comes
after that is counted under `status=\"0\"`, `code=\"other\"`.

Every instance tells of the streams and consumers that it sees, and all see the same: use `max by (stream, consumer)`,
not `sum`.

The dashboard `deploy/observability/dashboard.json` and the alerts `deploy/observability/alerts.yaml` use these names.

| metric | type | labels | what it says | what to do |
| --- | --- | --- | --- | --- |
";

/// The page for people: `docs/metrics.md`.
pub fn reference() -> String {
    let mut page = HEAD.to_owned();
    for Metric { name, kind, labels, help, action } in CATALOGUE {
        let labels: Vec<String> = labels.iter().map(|label| format!("`{label}`")).collect();
        let _ = writeln!(page, "| `{name}` | {} | {} | {help} | {action} |", kind.name(), labels.join(", "));
    }
    page
}
