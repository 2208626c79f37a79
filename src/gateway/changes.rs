//! What those who look at the server again and again wait for: time, or a reason to look sooner.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::Gateway;

/// Connections that come or go, and tables that are replaced, from now on.
#[derive(Debug)]
pub(super) struct Changes {
    connections: watch::Receiver<u64>,
    tables: watch::Receiver<u64>,
}

impl Changes {
    pub(super) fn of(gateway: &Gateway) -> Changes {
        Changes { connections: gateway.nats().changes(), tables: gateway.generation() }
    }

    /// Waits for the next one, or until the pause is over; `false`: there will be none, since the gateway has gone.
    pub(super) async fn next(&mut self, pause: Duration) -> bool {
        tokio::select! {
            () = sleep(pause) => true,
            changed = self.connections.changed() => changed.is_ok(),
            changed = self.tables.changed() => changed.is_ok(),
        }
    }
}
