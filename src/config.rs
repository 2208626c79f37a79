//! The configuration as it is written: one YAML file, its includes, and nothing that was derived from them.
//!
//! [`load()`] reads everything in one run and reports every problem that needs neither a contract nor a server.
//! What the operations become is the compiler's business; `${…}` placeholders stay text here. The doc
//! comments of these types are the help text of editors and of the reference page.

mod check;
mod cors;
mod elsewhere;
mod hide;
mod include;
mod later;
mod load;
mod migration;
mod nats;
mod operation;
mod overrides;
mod reference;
mod scalar;
mod schema;
mod secret;
mod security;
mod server;
mod share;
mod streams;
mod telemetry;
mod upstream;
mod written;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{Entries, Located};

pub use cors::Cors;
pub use load::load;
pub use migration::{Breaker, Compare, Evidence, Migration, Noise, PromoteWhen, Shadow, Stage, Writes};
pub use nats::{JetStream, Nats, StartChecks, Tls};
pub use operation::{
    Binding, Case, Defaults, Forward, Idempotency, Limits, Operation, OperationKey, ProblemCase, Publish,
    Request, SecurityAlternative, Validation,
};
pub use overrides::Overrides;
pub use reference::reference;
pub use scalar::{ByteSize, Network, Rate, TimeSpan};
pub use schema::schema;
pub use secret::{Credentials, Secret, SecretError, token_fault};
pub use security::{Algorithm, ApiKeys, BasicUsers, JwtIssuer, Verifier};
pub use server::{ReadyRequirement, Server, ServerTls, Timeouts};
pub use share::Share;
pub use streams::Streams;
pub use telemetry::{AccessLog, Otlp, OtlpProtocol, Telemetry, Traces};
pub use upstream::{Fallback, Forwarded, HttpVersion, Upstream, UpstreamTls};
pub use written::{Digest, Written};

/// Configuration of natsgate. Paths are relative to the file in which they stand.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The process: addresses, draining, limits of all operations together. Read once, at start.
    pub server: Server,
    /// The connection to NATS. Read once, at start; secrets are read again at every reconnect.
    pub nats: Nats,
    /// More files with an `operations:` map each, as paths or patterns: `[operations/*.yaml]`.
    /// An operation that is named twice is an error.
    pub include: Vec<Located<String>>,
    /// OpenAPI documents (3.0 or 3.1, YAML or JSON): what HTTP clients see.
    pub contracts: Vec<Located<Contract>>,
    /// Stream and Consumer manifests (files, or folders of `*.yaml`) that the operations are checked against.
    pub manifests: Vec<Located<PathBuf>>,
    /// What is done about them while the gateway serves. Read once, at start.
    pub streams: Streams,
    /// The legacy services over HTTP, by names of your own: `forward` and `fallback` name them.
    pub upstreams: Entries<Located<Upstream>>,
    /// Where a request goes that no operation matches. Default: it is answered 404 `not_found`, or 501 `not_bound` if a
    /// contract has it.
    pub fallback: Option<Located<Fallback>>,
    /// Where the evidence of migrations is kept. Read once, at start.
    pub migration: Evidence,
    /// What the process tells of requests, beside its metrics. Read once, at start.
    pub telemetry: Telemetry,
    /// Which web pages may call the operations. Default: none but those of the gateway's own origin.
    pub cors: Option<Located<Cors>>,
    /// Verifiers, by names of your own: who says whether a caller is who it claims to be. Contracts map their security
    /// schemes to them.
    pub security: Entries<Located<Verifier>>,
    /// What holds for every operation that does not say otherwise.
    pub defaults: Defaults,
    /// The operations, by the `operationId` of a contract, or by method and path (`DELETE /infra/{id}`)
    /// where there is no contract yet.
    pub operations: Entries<Operation>,
    /// Digests of what was written.
    #[serde(skip)]
    pub written: Written,
}

impl Config {
    /// Files beside the configuration that are read once for each version of it, and are no text of it: secrets and
    /// authorities of verifiers. Files of keys and users are looked at all the time.
    pub fn beside(&self) -> Vec<PathBuf> {
        let issuers = self.security.0.iter().filter_map(|(_, verifier)| verifier.value.jwt.as_ref());
        let files = issuers.flat_map(|issuers| issuers.value.iter()).flat_map(|issuer| {
            let secret = issuer.secret.as_ref().and_then(|secret| match &secret.value {
                Secret::File(path) => Some(path.clone()),
                Secret::Literal(_) | Secret::Env(_) => None,
            });
            [secret, issuer.ca.as_ref().map(|path| path.value.clone())]
        });
        files.flatten().collect()
    }
}

/// An OpenAPI document.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// Path of the document, relative to this file.
    pub file: Located<PathBuf>,
    /// Prefix of all its paths. Default: `/`.
    #[serde(default)]
    pub base_path: Option<Located<String>>,
    /// The contract's security schemes, and the verifier of each: `{ bearerAuth: people }`. A scheme that is not named
    /// here has the verifier of its own name.
    #[serde(default)]
    pub security: Entries<Located<String>>,
}
