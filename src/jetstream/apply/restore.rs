//! Puts back what was deleted to be created again, where the server refuses what was to come.

use tokio::time::Instant;

use super::write::{create, plain};
use crate::jetstream::field::Kind;
use crate::jetstream::live::explain;
use crate::jetstream::plan::{Plan, Planned};
use crate::nats::{ApiFailure, Nats};

/// Creates it as it was, and with a stream its declared consumers. Says what came of it.
pub(super) async fn restore(nats: &Nats, plan: &Plan, planned: &Planned, deadline: Instant) -> String {
    let of_stream = planned.declared.kind == Kind::Stream;
    let lost =
        |one: &Planned| one.declared.consumer.is_some() && one.declared.stream == planned.declared.stream;
    let consumers = plan.assets.iter().filter(|one| of_stream && lost(one));
    for one in std::iter::once(planned).chain(consumers) {
        if let Err(failure) = as_before(nats, one, deadline).await {
            let name = one.declared.title();
            return format!("and {name} could not be put back: {}; apply again", explain(&failure));
        }
    }
    let empty = if of_stream { ", empty" } else { "" };
    format!("and was put back as it was before{empty}; correct the manifest")
}

async fn as_before(nats: &Nats, planned: &Planned, deadline: Instant) -> Result<(), ApiFailure> {
    let Some(config) = &planned.live else { return Ok(()) };
    create(nats, &planned.declared, &plain(config), deadline).await
}
