//! `operations:` and `defaults:` as written. Placeholders stay text; compiling them is not done here.

mod key;

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::migration::Migration;
use super::scalar::{ByteSize, Rate, TimeSpan};
use super::schema;
use super::written::Digest;
use crate::yaml::{Entries, Located, Node};

pub use key::OperationKey;

/// What holds for every operation that does not say otherwise.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Defaults {
    /// Deadline of an operation, from the complete head to the answer. Default: `2s`.
    pub timeout: Located<TimeSpan>,
    /// Largest request body; what NATS takes (`max_payload`) is a limit too. Default: `1MiB`.
    pub max_body: Located<ByteSize>,
    /// Requests in flight of one operation; one more is answered 503 `overloaded` at once. Default: 1024.
    #[schemars(range(min = 1))]
    pub in_flight: Located<u32>,
    /// Request headers that travel on to NATS, for operations without a `forward_headers` of their own.
    /// Default: none.
    pub forward_headers: Vec<Located<String>>,
}

impl Default for Defaults {
    fn default() -> Defaults {
        Defaults {
            timeout: Located::default_of(TimeSpan(Duration::from_secs(2))),
            max_body: Located::default_of(ByteSize(1 << 20)),
            in_flight: Located::default_of(1024),
            forward_headers: Vec::new(),
        }
    }
}

/// One method and path, and where it goes: `request` or `publish`, or `forward`, or one of the first two and `forward`
/// while it moves (`migration`).
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Operation {
    /// Ask a NATS responder, and answer with its reply.
    pub request: Option<Located<Request>>,
    /// Store a message in a JetStream stream, and answer once the stream has acknowledged it.
    pub publish: Option<Located<Publish>>,
    /// Hand the request to the legacy service, and its answer back, as they come.
    pub forward: Option<Located<Forward>>,
    /// How `forward` and the NATS binding share the requests, where both stand.
    pub migration: Option<Located<Migration>>,
    /// The operation only reads, whatever its method: it may be tried again, shadowed and mirrored like a GET. Default:
    /// true for GET and HEAD.
    pub safe: Option<Located<bool>>,
    /// How a reply or an acknowledgement is answered: the first case that holds wins. Without any, a reply
    /// is passed on as it came.
    pub reply: Vec<Located<Case>>,
    /// Reply headers that reach the client. Only on `request`. Default: Content-Type, Content-Language, `ETag`,
    /// Last-Modified, Location, Cache-Control, Link, Retry-After.
    pub reply_headers: Option<Vec<Located<String>>>,
    /// The error bodies that legacy clients parse: the first case that holds replaces the problem document.
    /// The headers `Natsgate-Code` and `Natsgate-Outcome` keep the truth.
    pub problem: Vec<Located<ProblemCase>>,
    /// Limits of this operation.
    pub limits: Limits,
    /// Who may call it, where there is no contract: alternatives, each with verifiers of `security` that must all
    /// hold, and the scopes that each must grant: `[{ people: [write] }, { services: [] }]`. `[]` is open to everybody,
    /// `{}` as an alternative to whoever sends no credentials. Needed once `security` has a verifier.
    pub security: Option<Located<Vec<SecurityAlternative>>>,
    /// Condition on the caller, as an expression: `${claims.org == path.org}`. False is answered 403, and so is one that
    /// cannot be decided. Decided before the body is read, unless it reads the body. Default: no condition.
    pub authorize: Option<Located<String>>,
    /// What is done with a request that violates the contract: its parameters, its body, its media type, its `Accept`.
    /// Whatever is set, what an expression needs must be there. Default: `enforce`; `off` where the legacy service answers.
    pub validate: Option<Located<Validation>>,
    /// What is done with a reply that violates them, as the client would get it: a status or a media type that the
    /// contract does not declare is a violation too. Default: `off`.
    pub validate_replies: Option<Located<Validation>>,
    /// Of what was written, but for who answers.
    #[serde(skip)]
    pub written: Digest,
}

/// Verifiers that must all hold, each with the scopes that it must grant.
pub type SecurityAlternative = Entries<Vec<Located<String>>>;

/// What is done with what violates a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Validation {
    /// A request is refused with everything that is wrong with it; a reply is answered 502 `bad_reply`.
    Enforce,
    /// It is told in the log, and passes as it came.
    Log,
    /// Nobody looks; parameters are still read in their types where they fit.
    Off,
}

/// The legacy service.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Forward {
    /// The name of one of `upstreams`.
    pub upstream: Located<String>,
    /// The path there, with placeholders, each of which becomes one segment: `/v2/users/${path.id}`. The query stays.
    /// Default: the path as it came.
    #[serde(default)]
    pub path: Option<Located<String>>,
}

/// Where an operation goes on NATS.
#[derive(Debug, Clone, Copy)]
pub enum Binding<'a> {
    /// Request and reply.
    Request(&'a Located<Request>),
    /// An acknowledged publish into a stream.
    Publish(&'a Located<Publish>),
}

impl Operation {
    /// Where it goes on NATS. [`super::load()`] keeps only operations that go somewhere, and there at most once.
    pub fn binding(&self) -> Option<Binding<'_>> {
        match (&self.request, &self.publish) {
            (Some(request), None) => Some(Binding::Request(request)),
            (None, Some(publish)) => Some(Binding::Publish(publish)),
            _ => None,
        }
    }
}

/// NATS request and reply.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Subject, with placeholders: `users.${path.userId}.get`. Every placeholder must render one legal token, else
    /// the client gets 400; `${token(path.email)}` percent-encodes what is not legal.
    pub subject: Located<String>,
    /// The JSON to send: any YAML with placeholders. Without it the body travels on, byte for byte.
    #[serde(default, deserialize_with = "as_written")]
    pub payload: Option<Node>,
    /// NATS headers to set: name and text with placeholders. Not `Nats-*`, not `Natsgate-*`.
    #[serde(default)]
    #[schemars(transform = schema::texts)]
    pub headers: Entries<Located<String>>,
    /// Request headers that travel on. Default: `defaults.forward_headers`.
    #[serde(default)]
    pub forward_headers: Option<Vec<Located<String>>>,
    /// Deadline from the complete head to the answer; a client's smaller `Prefer: wait=N` lowers it.
    /// Default: `defaults.timeout`.
    #[serde(default)]
    pub timeout: Option<Located<TimeSpan>>,
    /// How long, inside the deadline, a request that provably reached nobody is held and tried again.
    /// Default: `0s`.
    #[serde(default)]
    pub retry_for: Option<Located<TimeSpan>>,
}

impl Request {
    /// `retry_for` where nothing is written.
    pub const RETRY_FOR: Duration = Duration::ZERO;
}

/// An acknowledged publish into a JetStream stream.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Publish {
    /// Subject, with placeholders: `stack.delete`. Every placeholder must render one legal token, else the client
    /// gets 400; `${token(path.email)}` percent-encodes what is not legal.
    pub subject: Located<String>,
    /// The stream that must store the message; another one that captures the subject is an error.
    pub stream: Located<String>,
    /// The JSON to store: any YAML with placeholders. Without it the body is stored, byte for byte.
    #[serde(default, deserialize_with = "as_written")]
    pub payload: Option<Node>,
    /// NATS headers to set: name and text with placeholders. Not `Nats-*`, not `Natsgate-*`.
    #[serde(default)]
    #[schemars(transform = schema::texts)]
    pub headers: Entries<Located<String>>,
    /// Request headers that travel on. Default: `defaults.forward_headers`.
    #[serde(default)]
    pub forward_headers: Option<Vec<Located<String>>>,
    /// Deadline from the complete head to the answer. Default: `defaults.timeout`.
    #[serde(default)]
    pub timeout: Option<Located<TimeSpan>>,
    /// How long, inside the deadline, a message that provably was not stored is held and tried again. A lost
    /// leader takes 4 to 6 s to replace. Default: `500ms`.
    #[serde(default)]
    pub retry_for: Option<Located<TimeSpan>>,
    /// What makes two messages the same one, as a list of templates: `["${path.id}", "${body.version}"]`. Inside
    /// the stream's `duplicate_window` the second is not stored.
    #[serde(default)]
    #[schemars(length(min = 1))]
    pub message_id: Option<Vec<Located<String>>>,
    /// What a client's `Idempotency-Key` header does. Default: `optional`.
    #[serde(default)]
    pub idempotency: Option<Located<Idempotency>>,
}

impl Publish {
    /// `retry_for` where nothing is written.
    pub const RETRY_FOR: Duration = Duration::from_millis(500);
}

/// What a client's `Idempotency-Key` header does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Idempotency {
    /// Nothing.
    Off,
    /// A request with a key is stored once, however often it comes.
    #[default]
    Optional,
    /// As `optional`, and a request without a key is refused with 400.
    Required,
}

/// One way to answer.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Case {
    /// Condition, as an expression: `${reply.?success.orValue(false) != true}`. Without it the case always holds.
    pub when: Option<Located<String>>,
    /// Status of the answer, 200 to 599.
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<Located<u16>>,
    /// Headers of the answer: name and text with placeholders. Not `Natsgate-*`.
    #[schemars(transform = schema::texts)]
    pub headers: Entries<Located<String>>,
    /// Body of the answer: any YAML with placeholders, sent as JSON. Without it the reply's body is passed on.
    #[serde(deserialize_with = "as_written")]
    pub body: Option<Node>,
}

/// One error body that legacy clients parse.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProblemCase {
    /// Condition, as an expression: `${problem.code == "timeout"}`. Without it the case always holds.
    pub when: Option<Located<String>>,
    /// Status of the answer, 200 to 599. Default: the problem's own.
    #[schemars(range(min = 200, max = 599))]
    pub status: Option<Located<u16>>,
    /// Headers of the answer: name and text with placeholders. Not `Natsgate-*`.
    #[schemars(transform = schema::texts)]
    pub headers: Entries<Located<String>>,
    /// Content type of the body. Default: `application/json`.
    pub content_type: Option<Located<String>>,
    /// Body of the answer: any YAML with placeholders, sent as JSON. Without it the problem document is sent.
    #[serde(deserialize_with = "as_written")]
    pub body: Option<Node>,
}

/// Limits of one operation.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Largest request body. Default: `defaults.max_body`.
    pub max_body: Option<Located<ByteSize>>,
    /// Requests in flight; one more is answered 503 `overloaded` at once. Default: `defaults.in_flight`.
    #[schemars(range(min = 1))]
    pub in_flight: Option<Located<u32>>,
    /// Requests of one caller in a time: `100/s`, `30/m`, `1000/h`; one more is answered 429 `rate_limited`. Every
    /// instance counts for itself. Default: any number.
    pub rate: Option<Located<Rate>>,
    /// Requests that may come at once before `rate` counts. Default: as many as `rate` has in its time, at most 1000.
    #[schemars(range(min = 1))]
    pub burst: Option<Located<u32>>,
    /// Whose requests `rate` counts together: `ip` (before anybody is authenticated), `caller` (the address where nobody
    /// is), or an expression over `claims`, `caller`, `header`, `path` and `request`: `${claims.org}`; without a value
    /// it counts for the caller. Of an IPv6 address the first 64 bits count. Default: `caller`.
    pub per: Option<Located<String>>,
}

/// A body or payload that is written as `null` is JSON's null, and not a key that is missing.
fn as_written<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Node>, D::Error> {
    Node::deserialize(deserializer).map(Some)
}
