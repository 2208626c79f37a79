//! The server held against the manifests, again and again: what is not as declared is told in the log, and stands in the
//! metrics. Nothing is changed.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;

use super::Gateway;
use super::changes::Changes;
use crate::jetstream::drift::{Drifted, drift};
use crate::jetstream::live;
use crate::jetstream::plan::{Action, plan};

/// How long the server may take for one comparison.
const WITHIN: Duration = Duration::from_secs(30);

/// The outcome of comparisons.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// Each stream and consumer of the manifests, and whether it is not as declared, when the server last told.
    pub assets: Vec<Asset>,
    /// When the server last told.
    pub at: Option<SystemTime>,
    /// Why the last comparison could not be made.
    pub failure: Option<String>,
}

/// A stream, or a consumer of it.
#[derive(Debug, Clone)]
pub struct Asset {
    /// The stream's name.
    pub stream: String,
    /// The consumer's name; a stream has none.
    pub consumer: Option<String>,
    /// Whether it is not as declared.
    pub drifted: bool,
}

/// Compares, forever. Also when a connection has come or gone, and when the configuration has been replaced.
pub async fn watch(gateway: Arc<Gateway>, every: Duration) {
    let mut changes = Changes::of(&gateway);
    let mut told = Vec::new();
    loop {
        told = round(&gateway, told).await;
        if !changes.next(every).await {
            return;
        }
    }
}

/// One comparison. What was told before is not told again; what has been told now is handed back.
async fn round(gateway: &Gateway, told: Vec<Drifted>) -> Vec<Drifted> {
    let before = gateway.drift();
    let fails = |failure: String| {
        gateway.drift.store(Arc::new(Seen { failure: Some(failure), ..Seen::clone(&before) }));
    };
    if !gateway.nats().is_connected() {
        // The connection tells of itself.
        fails("not connected".to_owned());
        return told;
    }
    let table = gateway.table();
    let live = match live::read(gateway.nats(), &table.declared, Instant::now() + WITHIN).await {
        Ok(live) => live,
        Err(failure) => {
            let failure = live::explain(&failure);
            if before.failure.as_ref() != Some(&failure) {
                tracing::warn!(failure, "streams could not be held against their manifests");
            }
            fails(failure);
            return told;
        }
    };
    let plan = plan(table.declared.clone(), &live);
    let assets = plan.assets.iter().map(|planned| Asset {
        stream: planned.declared.stream.clone(),
        consumer: planned.declared.consumer.clone(),
        drifted: planned.action != Action::None,
    });
    let seen = Seen { assets: assets.collect(), at: Some(SystemTime::now()), failure: None };
    gateway.drift.store(Arc::new(seen));
    let drifted = drift(&plan);
    if drifted != told {
        tell(&drifted);
    }
    drifted
}

fn tell(drifted: &[Drifted]) {
    for one in drifted {
        let fields: Vec<_> = one.fields.iter().map(|(change, _)| change.shown.as_str()).collect();
        let (name, missing, fields) = (&one.name, one.missing, fields.join(", "));
        tracing::warn!(
            name,
            missing,
            fields,
            "not as the manifests declare; `natsgate streams drift` says why"
        );
    }
    if drifted.is_empty() {
        tracing::info!("the streams are as the manifests declare");
    }
}
