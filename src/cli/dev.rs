//! `natsgate dev`.

use std::time::Duration;

use anyhow::Context;
use clap::Args;
use tokio::time::Instant;

use super::load::load_or_tell;
use super::serve::{Source, overrides, serve};
use super::streams::compared;
use super::{ConfigArgs, DONE, FAILED, INVALID, ListenArgs};
use crate::dev::nats_server::{NatsServer, find_binary};
use crate::gateway::connect;
use crate::jetstream::apply::{self, Applied, apply};
use crate::jetstream::manifest::Manifests;
use crate::nats::Options;
use crate::telemetry::{self, LogFormat};

/// How long the server may take to create everything.
const PREPARED: Duration = Duration::from_secs(30);

/// What is served, and on what.
#[derive(Debug, Args)]
pub(super) struct DevArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    listen: ListenArgs,
    /// Port of the nats-server that is started. Default: one that is free, another each time.
    #[arg(long, value_name = "PORT", conflicts_with = "nats", value_parser = clap::value_parser!(u16).range(1..))]
    nats_port: Option<u16>,
    /// Replicas of every stream, whatever its manifest says: one server can hold one.
    #[arg(long, default_value_t = 1, value_name = "N")]
    replicas: u32,
}

pub(super) async fn run(args: DevArgs) -> anyhow::Result<u8> {
    let own = match &args.config.nats {
        Some(servers) => {
            println!("nats-server  {servers}, which is expected to run");
            None
        }
        None => Some(start_server(args.nats_port).await?),
    };
    let mut overrides = overrides(&args.config, &args.listen);
    if let Some(server) = &own {
        overrides.nats = Some(server.url().to_owned());
    }
    let Some(mut loaded) = load_or_tell(&args.config.config, &overrides) else { return Ok(INVALID) };
    // Production's replicas are not what a single server has.
    loaded.config.streams.watch = None;
    if !prepare(connect::options(&loaded.config.nats), &loaded.manifests, args.replicas).await? {
        return Ok(FAILED);
    }
    let (log, _guard) = telemetry::start(args.listen.log_format.or(Some(LogFormat::Text)), &args.listen.log)?;
    let source = Source { path: args.config.config, overrides };
    let served = serve(loaded, source, log, args.listen.ready_file.as_deref()).await;
    if let Some(server) = own {
        server.stop().await.context("the nats-server of this command did not end")?;
    }
    served.map(|()| DONE)
}

async fn start_server(port: Option<u16>) -> anyhow::Result<NatsServer> {
    let binary = find_binary().await?;
    let store = tempfile::Builder::new().prefix("natsgate-dev-").tempdir()?;
    let server = NatsServer::start(&binary, store, port).await?;
    println!(
        "nats-server  {} ({}), gone with everything in it when this ends",
        server.url(),
        binary.display()
    );
    Ok(server)
}

/// Creates the streams and consumers that the manifests declare and the server lacks; `false` if any failed.
async fn prepare(options: Options, manifests: &Manifests, replicas: u32) -> anyhow::Result<bool> {
    let next = "without --nats a server is started";
    let (nats, plan, deadline) = compared(options, manifests, Some(replicas), PREPARED, next).await?;
    // The server may be shared: what exists on it is not this command's to change.
    let options = apply::Options { create_only: true, ..apply::Options::default() };
    let applied = apply(&nats, &plan, options, deadline).await;
    print!("{}", apply::render(&applied));
    nats.shutdown(Instant::now() + Duration::from_secs(1)).await;
    Ok(!applied.iter().any(Applied::is_failure))
}
