//! File descriptors: as many as the system allows, and no more connections than there are.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// For everything else: NATS and its reconnects, the admin listener, certificates, the log.
const OTHERS: u64 = 512;

/// Raises the process's limit as far as it may be raised. Says how many connections there can be, if so many are wanted.
pub(super) fn enough_for(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit { current: limit.maximum, maximum: limit.maximum };
    let current = match setrlimit(Resource::Nofile, raised) {
        Ok(()) => raised.current,
        Err(_) => limit.current,
    };
    let Some(files) = current else { return connections };
    // At least half of what little there is.
    let most = files.saturating_sub(OTHERS).max(files / 2).max(1);
    let most = usize::try_from(most).unwrap_or(usize::MAX);
    if most < connections {
        tracing::warn!(
            files,
            max_connections = connections,
            used = most,
            "there are too few file descriptors for server.max_connections: raise the limit of open files"
        );
    }
    most.min(connections)
}
