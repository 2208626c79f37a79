//! The evidence of migrations, kept in NATS for all instances together and over restarts, and read from there. Without
//! JetStream it stays in memory, and nothing else suffers.

mod keep;
mod tell;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwapOption;
use tokio::time::{Instant, sleep};

use super::Gateway;
use super::operation::Operation;
use crate::config::{self, Stage};
use crate::migrate::status::Status;
use crate::nats::bucket::token;

/// How often mismatches are stored, at most.
const PULSE: Duration = Duration::from_secs(1);
const NOT_CONNECTED: &str = "not connected";
/// How long one round may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Keeps evidence.
#[derive(Debug)]
pub struct Keeper {
    place: config::Evidence,
    /// Of this process, and of no other.
    instance: String,
    /// One round at a time.
    rounds: tokio::sync::Mutex<keep::Rounds>,
    stages: Mutex<HashMap<Arc<str>, InStage>>,
    /// Why evidence is not kept.
    kept: Trouble,
    /// Why single mismatches are not.
    told: Trouble,
}

/// What is wrong, told once when it begins and once when it is over.
#[derive(Debug, Default)]
struct Trouble(ArcSwapOption<String>);

impl Trouble {
    fn note(&self, what: &'static str, trouble: Option<String>) {
        let before = self.0.swap(trouble.clone().map(Arc::new));
        // The connection tells of itself.
        let is_news =
            |trouble: &str| trouble != NOT_CONNECTED && before.as_deref().is_none_or(|one| one != trouble);
        match trouble {
            Some(trouble) if is_news(&trouble) => {
                tracing::warn!(what, trouble, "not kept beyond this process");
            }
            None if before.is_some_and(|before| *before != NOT_CONNECTED) => {
                tracing::info!(what, "kept again");
            }
            _ => {}
        }
    }

    /// Whether a connection is all that was missing.
    fn is_for_a_connection(&self) -> bool {
        self.0.load().as_deref().is_some_and(|trouble| *trouble == NOT_CONNECTED)
    }

    fn text(&self) -> Option<String> {
        self.0.load().as_deref().cloned()
    }
}

/// Since when an operation is in its stage.
#[derive(Debug, Clone, Copy)]
struct InStage {
    stage: Stage,
    since: SystemTime,
    /// It is known to be what all instances say.
    agreed: bool,
}

/// Keeps evidence for as long as the gateway is there.
pub async fn watch(gateway: Arc<Gateway>, place: config::Evidence) {
    let every = place.every.0;
    let keeper = Arc::new(Keeper {
        place,
        instance: nuid::next().to_string(),
        rounds: tokio::sync::Mutex::default(),
        stages: Mutex::default(),
        kept: Trouble::default(),
        told: Trouble::default(),
    });
    if gateway.keeper.set(Arc::clone(&keeper)).is_err() {
        return;
    }
    let mut generation = gateway.generation();
    let mut next = Instant::now();
    loop {
        keeper.notice(&gateway);
        // What waited for nothing but the connection need not wait any longer.
        if Instant::now() >= next || keeper.kept.is_for_a_connection() && gateway.nats().is_connected() {
            next = Instant::now() + every;
            keeper.round(&gateway, Instant::now() + WITHIN).await;
        }
        keeper.tell(&gateway, Instant::now() + WITHIN).await;
        tokio::select! {
            () = sleep(every.min(PULSE)) => {}
            changed = generation.changed() => match changed {
                Ok(()) => next = Instant::now(),
                Err(_) => return,
            },
        }
    }
}

/// Stores what is not stored yet, before the process ends.
pub async fn flush(gateway: &Gateway, until: Instant) {
    let Some(keeper) = gateway.keeper.get() else { return };
    let last = async {
        keeper.round(gateway, until).await;
        keeper.tell(gateway, until).await;
    };
    let _late = tokio::time::timeout_at(until, last).await;
}

impl Gateway {
    /// How far the operations have come that have two sides.
    pub fn migrations(&self) -> Vec<Status> {
        self.table().operations.iter().filter_map(|operation| self.status(operation)).collect()
    }

    /// How far an operation has come; none: it has not two sides.
    pub fn migration(&self, operation: &str) -> Option<Status> {
        let table = self.table();
        let named = table.operations.iter().find(|one| *one.name == *operation);
        named.and_then(|operation| self.status(operation))
    }

    /// Begins anew with the evidence of an operation, for all instances. False: it has not two sides.
    ///
    /// # Errors
    /// Why what is kept could not be removed. That of this process is gone in any case.
    pub async fn reset_evidence(&self, operation: &str) -> Result<bool, String> {
        let table = self.table();
        let Some(operation) = table.operations.iter().find(|one| *one.name == *operation) else {
            return Ok(false);
        };
        let Some(migration) = &operation.migration else { return Ok(false) };
        match self.keeper.get() {
            Some(keeper) => keeper.reset(self, operation, migration).await,
            None => {
                migration.evidence.reset();
                Ok(())
            }
        }
        .map(|()| true)
    }

    fn status(&self, operation: &Operation) -> Option<Status> {
        let migration = operation.migration.as_ref()?;
        let keeper = self.keeper.get();
        let breaker = migration.breaker.as_ref();
        Some(Status {
            operation: operation.name.to_string(),
            method: operation.method.to_string(),
            path: operation.path.clone(),
            stage: name(migration.stage).to_owned(),
            percent: percent(migration.share),
            since: keeper.and_then(|keeper| keeper.since(operation)),
            breaker: breaker.map(|one| if one.is_open() { "open" } else { "closed" }.to_owned()),
            not_kept: keeper.and_then(|keeper| keeper.kept.text()),
            ..migration.evidence.status(SystemTime::now())
        })
    }
}

impl Keeper {
    /// Notes the stages of a table that has just come.
    fn notice(&self, gateway: &Gateway) {
        let table = gateway.table();
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let migrating =
            |name: &str| table.operations.iter().any(|one| *one.name == *name && one.migration.is_some());
        stages.retain(|name, _| migrating(name));
        for operation in &table.operations {
            let Some(migration) = &operation.migration else { continue };
            let stage = migration.stage;
            let known = stages.get(&operation.name).is_some_and(|known| known.stage == stage);
            if !known {
                let since = SystemTime::now();
                stages.insert(Arc::clone(&operation.name), InStage { stage, since, agreed: false });
            }
        }
    }

    fn in_stage(&self, operation: &Operation) -> Option<InStage> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner).get(&operation.name).copied()
    }

    fn since(&self, operation: &Operation) -> Option<String> {
        let since = self.in_stage(operation)?.since;
        Some(humantime::format_rfc3339_seconds(since).to_string())
    }

    /// All instances say that the operation is in a stage since then.
    fn agreed(&self, operation: &Operation, stage: Stage, since: SystemTime) {
        let mut stages = self.stages.lock().unwrap_or_else(PoisonError::into_inner);
        let known = stages.get_mut(&operation.name).filter(|known| known.stage == stage);
        if let Some(known) = known {
            *known = InStage { stage, since, agreed: true };
        }
    }
}

/// As the configuration has it.
fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Legacy => "legacy",
        Stage::Shadow => "shadow",
        Stage::Canary => "canary",
        Stage::Mirror => "mirror",
        Stage::Nats => "nats",
    }
}

/// Of 2^64, in hundredths of a percent.
fn percent(share: u64) -> f64 {
    (share as f64 / 2f64.powi(64) * 1e4).round() / 1e2
}

/// Where the evidence of an operation is kept, by what is written of it.
fn key(operation: &Operation, epoch: &str) -> String {
    format!("{}.{epoch}", token(&operation.name))
}
