//! The signals of the process: SIGTERM and Ctrl-C end it, SIGHUP loads its configuration again.

use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::gateway::reload::{Cause, Reloader};

/// Reloads the configuration at SIGHUP, one time for all signals that come while it does.
///
/// # Errors
/// If the system lets no signal handler be set.
pub fn reload_on_signal(reloader: Arc<Reloader>) -> anyhow::Result<()> {
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::spawn(async move {
        while hangup.recv().await.is_some() {
            reloader.reload(Cause::Signal).await;
        }
    });
    Ok(())
}

/// Cancels the token at SIGTERM or Ctrl-C; a second one ends the process at once.
///
/// # Errors
/// If the system lets no signal handler be set.
pub fn stop_on_signal(stop: CancellationToken) -> anyhow::Result<()> {
    let mut term = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        for second in [false, true] {
            tokio::select! {
                _ = term.recv() => {}
                _ = interrupt.recv() => {}
            }
            if second {
                std::process::exit(1);
            }
            stop.cancel();
        }
    });
    Ok(())
}
