//! Logs: text for people, JSON for machines, written by a thread of their own.

use std::io::{IsTerminal, stdout};

use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// Starts logging to standard output. Lines are written when the guard is dropped at the latest.
///
/// Without a format, a terminal gets text and everything else JSON. A reader that does not keep up loses lines
/// rather than stopping requests.
///
/// # Errors
/// If `level` is no filter such as `info` or `natsgate=debug`, or logging has been started before.
pub fn start(format: Option<LogFormat>, level: &str) -> anyhow::Result<WorkerGuard> {
    let filter = EnvFilter::try_new(level)?;
    let (writer, guard) = NonBlockingBuilder::default().lossy(true).finish(stdout());
    let terminal = stdout().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer).with_target(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(terminal).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok(guard)
}
