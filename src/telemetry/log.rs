//! The log: text for people, JSON for machines, at a level that can be changed while the process runs.

use std::fmt;
use std::io::{IsTerminal, Write, stdout};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::Dispatch;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::util::SubscriberInitExt;

use super::writer::{self, LogGuard, LogWriter};

/// How log lines look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One object a line.
    Json,
}

/// A log that has been started. Clones share.
#[derive(Debug, Clone)]
pub struct Log {
    /// Where lines go.
    pub writer: LogWriter,
    /// How they look.
    pub format: LogFormat,
    level: Arc<Level>,
}

/// What is logged.
struct Level {
    written: Mutex<String>,
    change: Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync>,
}

impl fmt::Debug for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.written.fmt(f)
    }
}

impl Log {
    /// What is logged: `info`, say, or `info,natsgate::nats=debug`.
    pub fn level(&self) -> String {
        self.level.written.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Logs something else from now on. Of two that come together one is in force, and told by [`Log::level`].
    ///
    /// # Errors
    /// If it is no filter, in words for whoever has asked for it.
    pub fn set_level(&self, level: &str) -> Result<(), String> {
        let filter = filter(level)?;
        let mut written = self.level.written.lock().unwrap_or_else(PoisonError::into_inner);
        (self.level.change)(filter)?;
        level.clone_into(&mut written);
        Ok(())
    }
}

/// A filter that says something: an empty one would be silence, and so would a name that is no level.
fn filter(level: &str) -> Result<EnvFilter, String> {
    let help =
        "write error, warn, info, debug or trace, or `info,natsgate::nats=debug` for a part of the gateway";
    let is_filter = !level.trim().is_empty() && level.split(',').all(names_a_level);
    if !is_filter {
        return Err(format!("this is no level: {help}"));
    }
    parse(level).map_err(|error| format!("{error}: {help}"))
}

/// Reads a filter. The value of a field in it is compared as it stands: an expression of a line can take hours to be made
/// ready, and the thread with it.
fn parse(level: &str) -> Result<EnvFilter, tracing_subscriber::filter::ParseError> {
    EnvFilter::builder().with_regex(false).parse(level)
}

fn names_a_level(directive: &str) -> bool {
    let level = directive.rsplit_once('=').map_or(directive, |(_, level)| level);
    let levels = ["off", "error", "warn", "info", "debug", "trace"];
    levels.iter().any(|known| known.eq_ignore_ascii_case(level))
}

/// Starts logging to standard output. Lines are written when the guard is dropped at the latest.
///
/// Without a format, a terminal gets text and everything else JSON.
///
/// # Errors
/// If `level` is no filter such as `info` or `natsgate=debug`, or logging has been started before.
pub fn start(format: Option<LogFormat>, level: &str) -> anyhow::Result<(Log, LogGuard)> {
    let terminal = stdout().is_terminal();
    let format = format.unwrap_or(if terminal { LogFormat::Text } else { LogFormat::Json });
    let (subscriber, log, guard) = build(stdout(), format, terminal, level)?;
    subscriber.try_init().map_err(|error| anyhow::anyhow!("logging cannot be started: {error}"))?;
    Ok((log, guard))
}

fn build(
    out: impl Write + Send + 'static,
    format: LogFormat,
    ansi: bool,
    level: &str,
) -> anyhow::Result<(Dispatch, Log, LogGuard)> {
    let first = parse(level)?;
    let (writer, guard) = writer::start(out)?;
    let builder =
        tracing_subscriber::fmt().with_env_filter(first).with_writer(writer.clone()).with_target(false);
    let (subscriber, change) = match format {
        LogFormat::Text => {
            let builder = builder.with_ansi(ansi).with_filter_reloading();
            let handle = builder.reload_handle();
            (Dispatch::new(builder.finish()), changing(move |filter| handle.reload(filter)))
        }
        LogFormat::Json => {
            let builder = builder.json().flatten_event(true).with_filter_reloading();
            let handle = builder.reload_handle();
            (Dispatch::new(builder.finish()), changing(move |filter| handle.reload(filter)))
        }
    };
    let level = Arc::new(Level { written: Mutex::new(level.to_owned()), change });
    Ok((subscriber, Log { writer, format, level }, guard))
}

fn changing<E: fmt::Display>(
    reload: impl Fn(EnvFilter) -> Result<(), E> + Send + Sync + 'static,
) -> Box<dyn Fn(EnvFilter) -> Result<(), String> + Send + Sync> {
    Box::new(move |filter| reload(filter).map_err(|error| error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_level_that_means_nothing_is_refused() {
        for level in ["info", "DEBUG", "info,natsgate::nats=debug", "off", "warn,natsgate=trace"] {
            assert!(filter(level).is_ok(), "{level}");
        }
        for level in ["", " ", "verbose", "info,", "natsgate=loud", "natsgate", "info\n", "=[]{info"] {
            assert!(filter(level).is_err(), "{level}");
        }
    }

    #[test]
    fn a_filter_is_ready_at_once_whatever_stands_in_it() {
        let start = std::time::Instant::now();
        assert!(filter(&format!("[{{field=(a|b)*a{}}}]=info", "(a|b)".repeat(200))).is_ok());
        assert!(start.elapsed() < std::time::Duration::from_secs(5));
    }

    #[derive(Clone, Default)]
    struct Sink(Arc<Mutex<Vec<u8>>>);

    impl Write for Sink {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn the_level_can_be_changed_and_is_told() {
        for format in [LogFormat::Text, LogFormat::Json] {
            let sink = Sink::default();
            let (subscriber, log, guard) = build(sink.clone(), format, false, "info").unwrap();
            tracing::dispatcher::with_default(&subscriber, || {
                let write = |word| tracing::debug!(word, "a detail");
                write("before");
                log.set_level("debug").unwrap();
                write("between");
                assert!(log.set_level("loud").is_err());
                assert_eq!(log.level(), "debug");
                log.set_level("error").unwrap();
                write("after");
            });
            drop(guard);
            let written = String::from_utf8(sink.0.lock().unwrap().clone()).unwrap();
            assert!(written.contains("between"), "{written}");
            assert!(!written.contains("before") && !written.contains("after"), "{written}");
        }
    }
}
