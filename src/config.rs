//! The configuration as it is written: one YAML file, its includes, and nothing that was derived from them.
//!
//! [`load()`] reads everything in one run and reports every problem that needs neither a contract nor a server.
//! What the operations become is the compiler's business; `${…}` placeholders stay text here. The doc
//! comments of these types are the help text of editors and of the reference page.

mod check;
mod cors;
mod elsewhere;
mod file;
mod hide;
mod include;
mod later;
mod load;
mod nats;
mod operation;
mod overrides;
mod scalar;
mod schema;
mod secret;
mod security;
mod server;
mod streams;

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::yaml::{Entries, Located};

pub use cors::Cors;
pub use load::load;
pub use nats::{JetStream, Nats, StartChecks, Tls};
pub use operation::{
    Binding, Case, Defaults, Idempotency, Limits, Operation, OperationKey, ProblemCase, Publish, Request,
    SecurityAlternative, Validation,
};
pub use overrides::Overrides;
pub use scalar::{ByteSize, Network, Rate, TimeSpan};
pub use schema::schema;
pub use secret::{Credentials, Secret, SecretError};
pub use security::{Algorithm, ApiKeys, BasicUsers, JwtIssuer, Verifier};
pub use server::{ReadyRequirement, Server, ServerTls, Timeouts};
pub use streams::Streams;

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
