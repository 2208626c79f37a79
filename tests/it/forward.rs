//! What passes through to a legacy service, and what does not.

mod around;
mod bodies;
mod headers;
mod memory;
mod outcomes;
mod protocols;
mod upgrades;

use crate::support::gateway::Gateway;

/// Nobody listens there.
pub(crate) const NO_NATS: &str = "nats://127.0.0.1:1";

/// A gateway that needs no NATS.
pub(crate) async fn gateway(yaml: &str) -> Gateway {
    Gateway::start_unconnected(NO_NATS, yaml, &[]).await
}
