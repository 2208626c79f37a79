//! `natsgate serve`.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::Context;
use clap::Args;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::load::load_or_tell;
use super::{ConfigArgs, DONE, INVALID, ListenArgs};
use crate::config::Overrides;
use crate::gateway::load::Loaded;
use crate::gateway::reload::Reloader;
use crate::gateway::{Gateway, connect};
use crate::nats::Nats;
use crate::serve::{Process, Server, Settings, reload_on_signal, stop_on_signal};
use crate::telemetry::{self, Log};

/// What is served, and where.
#[derive(Debug, Args)]
pub(super) struct ServeArgs {
    #[command(flatten)]
    config: ConfigArgs,
    #[command(flatten)]
    listen: ListenArgs,
}

pub(super) async fn run(args: ServeArgs) -> anyhow::Result<u8> {
    let overrides = overrides(&args.config, &args.listen);
    let Some(loaded) = load_or_tell(&args.config.config, &overrides) else { return Ok(INVALID) };
    let (log, _guard) = telemetry::start(args.listen.log_format, &args.listen.log)?;
    let source = Source { path: args.config.config, overrides };
    serve(loaded, source, log, args.listen.ready_file.as_deref()).await?;
    Ok(DONE)
}

/// What flags and variables say instead of the file.
pub(super) fn overrides(config: &ConfigArgs, listen: &ListenArgs) -> Overrides {
    Overrides { listen: listen.listen.clone(), admin: listen.admin_listen.clone(), nats: config.nats.clone() }
}

/// Where a configuration was loaded from, and will be again.
pub(super) struct Source {
    pub(super) path: PathBuf,
    pub(super) overrides: Overrides,
}

/// Serves until a signal.
pub(super) async fn serve(
    loaded: Loaded,
    source: Source,
    log: Log,
    ready_file: Option<&Path>,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_on_signal(stop.clone())?;
    let origin = loaded.origin();
    let Loaded { config, table, .. } = loaded;
    let server = Server::bind(Settings::of(&config)).await?;
    let bound = server.bound()?;
    let options = connect::options(&config.nats);
    let servers = options.servers.join(",");
    let gateway = Arc::new(Gateway::new(table, Nats::start(options)?));
    let reloader = Arc::new(Reloader::new(Arc::clone(&gateway), source.path, source.overrides, origin));
    reload_on_signal(Arc::clone(&reloader))?;
    tracing::info!(public = %bound.public, admin = %bound.admin, operations = gateway.table().operations.len(), "serving");
    if let Some(path) = ready_file {
        let scheme = if config.server.tls.is_some() { "https" } else { "http" };
        let document = json!({
            "http": format!("{scheme}://{}", bound.public),
            "admin": format!("http://{}", bound.admin),
            "nats": servers,
        });
        write_whole(path, &document.to_string())?;
    }
    server.run(Process { gateway, reloader, log: Some(log) }, stop).await;
    Ok(())
}

/// Whoever waits for the file never sees half of it.
fn write_whole(path: &Path, text: &str) -> anyhow::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)
        .with_context(|| format!("cannot write {}", path.display()))?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.persist(path).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(())
}
