//! Logs: text for people, JSON for machines, written in batches by a thread of their own.

mod writer;

use std::io::{IsTerminal, stdout};

use tracing_subscriber::EnvFilter;

pub use writer::{LogGuard, LogWriter};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// A log that has been started.
#[derive(Debug, Clone)]
pub struct Log {
    /// Where lines go.
    pub writer: LogWriter,
    /// How they look.
    pub format: LogFormat,
}

/// Starts logging to standard output. Lines are written when the guard is dropped at the latest.
///
/// Without a format, a terminal gets text and everything else JSON.
///
/// # Errors
/// If `level` is no filter such as `info` or `natsgate=debug`, or logging has been started before.
pub fn start(format: Option<LogFormat>, level: &str) -> anyhow::Result<(Log, LogGuard)> {
    let filter = EnvFilter::try_new(level)?;
    let (writer, guard) = writer::start(stdout())?;
    let terminal = stdout().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let builder =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(writer.clone()).with_target(false);
    let started = match format {
        LogFormat::Text => builder.with_ansi(terminal).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok((Log { writer, format }, guard))
}
