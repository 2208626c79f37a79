//! Creates on a server what the manifests declare and it does not have. Changes and deletes nothing: what exists with
//! another configuration is reported field by field and left as it is.

mod difference;
mod table;

use serde_json::{Map, Value, json};
use tokio::time::Instant;

use crate::jetstream::manifest::{Consumer, Manifests, Stream};
use crate::nats::{ApiError, ApiFailure, Failure, Nats, stream_info};

pub use difference::Difference;
pub use table::render;

const CONSUMER_NOT_FOUND: u64 = 10_014;
const NO_CLUSTER_FOR_REPLICAS: u64 = 10_074;

/// How to create.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Takes the place of every stream's number of replicas: 1 where production's manifests meet a single server.
    pub replicas: Option<u32>,
}

/// What became of one declaration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// Which of both `name` means.
    pub kind: Kind,
    /// `STREAM`, or `STREAM > CONSUMER`.
    pub name: String,
    /// Where the server stands now.
    pub outcome: Outcome,
}

/// What a manifest can declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A `Stream` resource.
    Stream,
    /// A `Consumer` resource; created after its stream.
    Consumer,
}

/// How the server's state compares with the declaration after the attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was missing. Now it is there, with everything that is declared.
    Created,
    /// It was there, with everything that is declared.
    Exists,
    /// It is there, not as declared, and was left as it is. Of something new: the server is too old for these fields.
    Differs(Vec<Difference>),
    /// It is not there, or nobody could tell. The text says why and what to do.
    Failed(String),
    /// Not tried, and why.
    Skipped(String),
}

impl Applied {
    /// Whether the server still lacks it.
    pub fn is_failure(&self) -> bool {
        matches!(self.outcome, Outcome::Failed(_) | Outcome::Skipped(_))
    }
}

/// Creates what is missing, streams before consumers, all of it by the deadline. The result has a row for every
/// declaration, in this order.
pub async fn create_missing(
    nats: &Nats,
    manifests: &Manifests,
    options: &Options,
    deadline: Instant,
) -> Vec<Applied> {
    let server = Server { nats, replicas: options.replicas, deadline };
    let mut applied = Vec::new();
    for stream in &manifests.streams {
        let outcome =
            server.stream(stream).await.unwrap_or_else(|failure| Outcome::Failed(explain(&failure)));
        applied.push(Applied { kind: Kind::Stream, name: stream.name.as_str().to_owned(), outcome });
    }
    for consumer in &manifests.consumers {
        let stream = consumer.stream_name.as_str();
        let outcome = match applied.iter().find(|row| row.kind == Kind::Stream && row.name == stream) {
            Some(row) if row.is_failure() => Outcome::Skipped(format!("its stream {stream} failed")),
            _ => server.consumer(consumer).await.unwrap_or_else(|failure| Outcome::Failed(explain(&failure))),
        };
        let name = format!("{stream} > {}", consumer.durable_name.as_str());
        applied.push(Applied { kind: Kind::Consumer, name, outcome });
    }
    applied
}

struct Server<'a> {
    nats: &'a Nats,
    replicas: Option<u32>,
    deadline: Instant,
}

impl Server<'_> {
    async fn stream(&self, stream: &Stream) -> Result<Outcome, ApiFailure> {
        let (name, config) = (stream.name.as_str(), stream.config(self.replicas));
        match stream_info(self.nats, name, self.deadline).await? {
            Some(info) => Ok(compare(&config, &info)),
            None => {
                let made = self.nats.api(&format!("STREAM.CREATE.{name}"), &config, self.deadline).await?;
                Ok(created(&config, &made))
            }
        }
    }

    async fn consumer(&self, consumer: &Consumer) -> Result<Outcome, ApiFailure> {
        let (stream, name) = (consumer.stream_name.as_str(), consumer.durable_name.as_str());
        let config = consumer.config(self.replicas);
        let info = self.nats.api(&format!("CONSUMER.INFO.{stream}.{name}"), &json!({}), self.deadline).await;
        match info {
            Ok(info) => Ok(compare(&config, &info)),
            Err(ApiFailure::Refused(error)) if error.err_code == CONSUMER_NOT_FOUND => {
                // Without the action, the server would change a consumer that somebody has created since.
                let body = json!({ "stream_name": stream, "config": config, "action": "create" });
                let made =
                    self.nats.api(&format!("CONSUMER.CREATE.{stream}.{name}"), &body, self.deadline).await?;
                Ok(created(&config, &made))
            }
            Err(failure) => Err(failure),
        }
    }
}

fn compare(declared: &Map<String, Value>, info: &Value) -> Outcome {
    let differences = difference::between(declared, info.get("config").unwrap_or(&Value::Null));
    if differences.is_empty() { Outcome::Exists } else { Outcome::Differs(differences) }
}

/// A server that is older than a field ignores it without a word, so what it made is compared too.
fn created(declared: &Map<String, Value>, made: &Value) -> Outcome {
    match compare(declared, made) {
        Outcome::Exists => Outcome::Created,
        other => other,
    }
}

fn explain(failure: &ApiFailure) -> String {
    match failure {
        ApiFailure::Send(Failure::NoResponders) => {
            "nobody answers for JetStream: it is off for this account, or has no leader right now".to_owned()
        }
        ApiFailure::Refused(ApiError { err_code: NO_CLUSTER_FOR_REPLICAS, description, .. }) => {
            format!("{description}: a single server keeps one replica, which `--replicas 1` asks for")
        }
        other => other.to_string(),
    }
}
