//! A real server, and what the commands do to it, through the library.

use std::time::Duration;

use natsgate::jetstream::apply::{Applied, Options, apply};
use natsgate::jetstream::declared::declared;
use natsgate::jetstream::live;
use natsgate::jetstream::manifest::Manifests;
use natsgate::jetstream::plan::{FieldChange, Plan, plan};
use natsgate::jetstream::version::Version;
use natsgate::nats::{self, ApiFailure, Nats};
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::support::command::{Run, natsgate};
use crate::support::nats_server::NatsServer;

/// Everything that flags can allow.
pub(super) const ALL: Options = Options { allow_destructive: true, replace: true, create_only: false };
/// What happens without a flag.
pub(super) const NONE: Options = Options { allow_destructive: false, replace: false, create_only: false };

pub(super) fn deadline() -> Instant {
    Instant::now() + Duration::from_secs(20)
}

pub(super) struct Bench {
    pub(super) server: NatsServer,
    pub(super) nats: Nats,
}

impl Bench {
    pub(super) async fn start() -> Bench {
        Self::on(NatsServer::start().await).await
    }

    pub(super) async fn on(server: NatsServer) -> Bench {
        let nats = Self::connect(&server).await;
        Bench { server, nats }
    }

    pub(super) async fn connect(server: &NatsServer) -> Nats {
        let options = nats::Options { servers: vec![server.url()], ..nats::Options::default() };
        let nats = Nats::start(options).expect("options are right");
        assert!(nats.connected(deadline()).await, "not connected: {:?}", nats.status());
        nats
    }

    pub(super) fn version(&self) -> Version {
        Version::parse(&self.nats.status().server.expect("connected").version)
    }

    /// Whether the server is as new as this; says so loudly if a test has to be left out.
    pub(super) fn is_from(&self, major: u32, minor: u32, what: &str) -> bool {
        let version = self.version();
        let new_enough = version >= Version(major, minor, 0);
        if !new_enough {
            eprintln!("SKIPPED on nats-server {version}: {what} needs {major}.{minor}");
        }
        new_enough
    }

    pub(super) async fn plan(&self, manifests: &Manifests) -> Plan {
        self.plan_with(manifests, None).await
    }

    pub(super) async fn plan_with(&self, manifests: &Manifests, replicas: Option<u32>) -> Plan {
        let declared = declared(manifests, replicas);
        let live = live::read(&self.nats, &declared, deadline()).await.expect("the server answers");
        plan(declared, &live)
    }

    /// Plans and applies.
    pub(super) async fn apply(&self, manifests: &Manifests, options: Options) -> Vec<Applied> {
        let plan = self.plan(manifests).await;
        self.apply_plan(&plan, options).await
    }

    pub(super) async fn apply_plan(&self, plan: &Plan, options: Options) -> Vec<Applied> {
        apply(&self.nats, plan, options, deadline()).await
    }

    /// What somebody else's client does.
    pub(super) async fn api(&self, subject: &str, body: Value) -> Result<Value, ApiFailure> {
        self.nats.api(subject, &body, deadline()).await
    }

    /// The configuration that the server has.
    pub(super) async fn config(&self, subject: &str) -> Value {
        self.api(subject, json!({})).await.expect("it exists")["config"].clone()
    }

    /// `natsgate streams …` with these manifests in a file.
    pub(super) async fn command(&self, manifests: &str, args: &[&str]) -> Run {
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("streams.yaml"), manifests).expect("manifests");
        let url = self.server.url();
        let args: Vec<String> = args.iter().map(|arg| (*arg).to_owned()).collect();
        let run = tokio::task::spawn_blocking(move || {
            let mut all = vec!["streams", &args[0], "streams.yaml", "--nats", &url];
            all.extend(args[1..].iter().map(String::as_str));
            natsgate(folder.path().to_str().expect("UTF-8"), &all)
        });
        run.await.expect("a run")
    }
}

/// The fields of the changes of all assets.
pub(super) fn fields(plan: &Plan) -> Vec<&str> {
    changes(plan).map(|change| change.field.as_str()).collect()
}

pub(super) fn changes(plan: &Plan) -> impl Iterator<Item = &FieldChange> {
    plan.assets.iter().flat_map(|planned| &planned.changes)
}

/// Manifests as text: a stream of these fields, and consumers of these.
pub(super) fn text(stream: &str, consumers: &[&str]) -> String {
    let resource = |kind: &str, spec: &str| {
        format!("---\napiVersion: jetstream.nats.io/v1beta2\nkind: {kind}\nspec: {{ {spec} }}\n")
    };
    let consumers: String = consumers.iter().map(|spec| resource("Consumer", spec)).collect();
    resource("Stream", stream) + &consumers
}

/// The same, read.
pub(super) fn manifests(stream: &str, consumers: &[&str]) -> Manifests {
    super::declared(&text(stream, consumers))
}
