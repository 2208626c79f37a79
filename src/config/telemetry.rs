//! `telemetry:` as written.

use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;

use super::elsewhere;
use super::scalar::TimeSpan;
use super::secret::Secret;
use super::share::Share;
use crate::yaml::{Entries, Located};

/// What the process tells of requests, beside its metrics.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Telemetry {
    /// Spans for a collector of OpenTelemetry: one for each request, and one for what NATS had of it. Without this key
    /// none are made, unless the variable `OTEL_EXPORTER_OTLP_ENDPOINT` names a collector.
    pub traces: Option<Located<Traces>>,
    /// The lines that the log has of requests.
    pub access_log: AccessLog,
}

/// Spans for a collector of OpenTelemetry.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Traces {
    /// The collector.
    pub otlp: Otlp,
    /// Which part of the traces that begin here is recorded. Where a caller has begun the trace, it has decided by the flag
    /// of its `traceparent`. Default: `10%`.
    pub sample: Located<Share>,
    /// The name of this service. Default: the variable `OTEL_SERVICE_NAME`, or `natsgate`.
    pub service: Option<String>,
}

impl Default for Traces {
    fn default() -> Traces {
        Traces { otlp: Otlp::default(), sample: Located::default_of(Traces::SAMPLE), service: None }
    }
}

impl Traces {
    /// What is recorded where nobody says otherwise.
    pub const SAMPLE: Share = Share::TENTH;
}

/// A collector that is spoken to by OTLP.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct Otlp {
    /// Its URL: `http://collector:4318`, to which `http` adds `/v1/traces` where it has no path. Default: the variable
    /// `OTEL_EXPORTER_OTLP_TRACES_ENDPOINT` or `OTEL_EXPORTER_OTLP_ENDPOINT`, or the protocol's port on this machine.
    pub endpoint: Option<Located<String>>,
    /// How it is spoken to: `http` (protobuf) or `grpc`. Default: the variable `OTEL_EXPORTER_OTLP_PROTOCOL`, or `http`.
    pub protocol: Option<OtlpProtocol>,
    /// What it wants to see, such as a token: `{ authorization: { env: OTLP_AUTHORIZATION } }`.
    #[schemars(schema_with = "headers")]
    pub headers: Entries<Located<Secret>>,
    /// How long it may take for one batch. Default: the variable `OTEL_EXPORTER_OTLP_TIMEOUT`, or `10s`.
    pub timeout: Option<Located<TimeSpan>>,
    /// Certificate authorities (PEM) of the collector. Default: those of the system.
    pub ca: Option<Located<PathBuf>>,
}

/// How a collector is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum OtlpProtocol {
    /// Protobuf over HTTP, port 4318 by the standard.
    Http,
    /// gRPC, port 4317 by the standard.
    Grpc,
}

/// The lines that the log has of requests.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
#[schemars(transform = elsewhere::in_schema)]
pub struct AccessLog {
    /// Which part of the requests that went well has a line. Those that did not, and those that are traced, always have
    /// one. Default: `100%`.
    pub sample: Located<Share>,
}

impl Default for AccessLog {
    fn default() -> AccessLog {
        AccessLog { sample: Located::default_of(Share::ALL) }
    }
}

fn headers(_: &mut SchemaGenerator) -> Schema {
    json_schema!({
        "type": "object",
        "additionalProperties": { "anyOf": [{ "type": "string" }, { "$ref": "#/$defs/Elsewhere" }] }
    })
}
