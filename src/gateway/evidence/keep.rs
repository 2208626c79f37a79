//! Rounds of adding what this process has seen to what all have, a compare-and-set for each operation: no two instances
//! lose each other's counts, and nothing is added twice, whatever became of an earlier try.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use super::{Gateway, Keeper, NOT_CONNECTED, key, name};
use crate::gateway::operation::Operation;
use crate::migrate::summary::Summary;
use crate::migrate::{Evidence, Migration};
use crate::nats::bucket::{Bucket, Entry, token};
use crate::nats::{ApiFailure, PublishFailure};

/// Tries to be faster than the other instances.
const TRIES: usize = 8;
/// How often it is looked for what nobody needs any more.
const TIDY: Duration = Duration::from_secs(3600);
/// Keys that are looked at then.
const LOOKED_AT: usize = 256;
/// The key of an operation's stage ends like this, where those of evidence have a digest.
const STAGE: &str = "stage";

/// What is known of earlier rounds.
#[derive(Debug, Default)]
pub(super) struct Rounds {
    /// How many messages the bucket had had.
    last: Option<u64>,
    tidied: Option<Instant>,
    /// The table that has been read for.
    generation: u64,
    pub(super) stream_is_there: bool,
}

/// The stage of an operation, for all instances.
#[derive(Debug, Serialize, Deserialize)]
struct Record {
    stage: String,
    since: String,
}

impl Keeper {
    /// Adds what is new, and reads what others have added.
    pub(super) async fn round(&self, gateway: &Gateway, until: Instant) {
        let table = gateway.table();
        let migrating: Vec<_> =
            table.operations.iter().filter_map(|one| Some((one, one.migration.as_ref()?))).collect();
        if migrating.is_empty() {
            return;
        }
        let mut rounds = self.rounds.lock().await;
        let done = self.whole_round(gateway, &migrating, &mut rounds, until).await;
        if done.is_err() {
            // What has been read may be a part.
            (rounds.last, rounds.stream_is_there) = (None, false);
        }
        self.kept.note("evidence of migrations", done.err());
    }

    async fn whole_round(
        &self,
        gateway: &Gateway,
        migrating: &[(&Arc<Operation>, &Migration)],
        rounds: &mut Rounds,
        until: Instant,
    ) -> Result<(), String> {
        if !gateway.nats().is_connected() {
            return Err(NOT_CONNECTED.to_owned());
        }
        let bucket = self.bucket(gateway);
        let had =
            bucket.ensure(self.place.replicas.value, until).await.map_err(|failure| explained(&failure))?;
        let generation = *gateway.generation().borrow();
        let news = rounds.last != Some(had) || rounds.generation != generation;
        for (operation, migration) in migrating {
            self.stage(bucket, operation, migration, until).await?;
            if news || migration.evidence.sending().is_some() {
                let key = key(operation, migration.evidence.epoch());
                self.settle(bucket, &key, &migration.evidence, until).await?;
            }
        }
        (rounds.last, rounds.generation) = (Some(had), generation);
        if rounds.tidied.is_none_or(|tidied| tidied.elapsed() >= TIDY) {
            rounds.tidied = Some(Instant::now());
            self.tidy(bucket, migrating, until).await?;
        }
        Ok(())
    }

    pub(super) fn bucket<'a>(&'a self, gateway: &'a Gateway) -> Bucket<'a> {
        Bucket::new(gateway.nats(), &self.place.bucket.value)
    }

    /// Adds what is new of an operation to what is stored.
    async fn settle(
        &self,
        bucket: Bucket<'_>,
        key: &str,
        evidence: &Evidence,
        until: Instant,
    ) -> Result<(), String> {
        for _ in 0..TRIES {
            let found = bucket.get(key, until).await.map_err(|failure| explained(&failure))?;
            let (stored, revision) = match &found {
                Some(entry) => (
                    read(entry).map_err(|error| {
                        format!("{key} cannot be read: {error}; a reset of the operation begins anew")
                    })?,
                    entry.revision,
                ),
                // It was there once, if anything is known of it.
                None => (evidence.known(), 0),
            };
            let Some(part) = evidence.sending() else {
                evidence.read(stored, &self.instance);
                return Ok(());
            };
            let Some(sum) = evidence.with(stored.clone(), &part, &self.instance, SystemTime::now()) else {
                evidence.settled(stored);
                continue;
            };
            match bucket.set(key, sum.to_json().into(), revision, until).await {
                Ok(_) => {
                    evidence.settled(sum);
                    return Ok(());
                }
                // Somebody else was faster.
                Err(PublishFailure::PreconditionFailed(_)) => {}
                Err(failure) => return Err(failure.to_string()),
            }
        }
        // The next round tries again: nothing is lost.
        Ok(())
    }

    /// Agrees with the other instances on since when an operation is in its stage: the first one that sees it says so.
    async fn stage(
        &self,
        bucket: Bucket<'_>,
        operation: &Operation,
        migration: &Migration,
        until: Instant,
    ) -> Result<(), String> {
        let Some(known) = self.in_stage(operation) else { return Ok(()) };
        if known.agreed || known.stage != migration.stage {
            return Ok(());
        }
        let key = format!("{}.{STAGE}", token(&operation.name));
        for _ in 0..TRIES {
            let found = bucket.get(&key, until).await.map_err(|failure| explained(&failure))?;
            let record = found.as_ref().and_then(|entry| serde_json::from_slice::<Record>(&entry.value).ok());
            let since = record
                .filter(|record| record.stage == name(known.stage))
                .and_then(|record| humantime::parse_rfc3339(&record.since).ok());
            if let Some(since) = since {
                self.agreed(operation, known.stage, since);
                return Ok(());
            }
            let since = humantime::format_rfc3339_seconds(known.since).to_string();
            let record = Record { stage: name(known.stage).to_owned(), since };
            let value = serde_json::to_vec(&record).unwrap_or_default();
            let revision = found.map_or(0, |entry| entry.revision);
            match bucket.set(&key, value.into(), revision, until).await {
                Ok(_) => {
                    self.agreed(operation, known.stage, known.since);
                    return Ok(());
                }
                Err(PublishFailure::PreconditionFailed(_)) => {}
                Err(failure) => return Err(failure.to_string()),
            }
        }
        Ok(())
    }

    /// Removes what nobody has written for long, and nobody here needs: evidence for what was written once.
    async fn tidy(
        &self,
        bucket: Bucket<'_>,
        migrating: &[(&Arc<Operation>, &Migration)],
        until: Instant,
    ) -> Result<(), String> {
        let needed: HashSet<String> = migrating
            .iter()
            .flat_map(|(operation, migration)| {
                [key(operation, migration.evidence.epoch()), key(operation, STAGE)]
            })
            .collect();
        let failed = |failure: ApiFailure| explained(&failure);
        let keys = bucket.keys(until).await.map_err(failed)?;
        let before = SystemTime::now() - self.place.max_age.0;
        for key in keys.iter().filter(|key| !needed.contains(*key)).take(LOOKED_AT) {
            let Some(entry) = bucket.get(key, until).await.map_err(failed)? else { continue };
            if humantime::parse_rfc3339(&entry.time).is_ok_and(|written| written < before) {
                bucket.remove(key, until).await.map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Begins anew with an operation.
    pub(super) async fn reset(
        &self,
        gateway: &Gateway,
        operation: &Operation,
        migration: &Migration,
    ) -> Result<(), String> {
        // Not in the middle of a round, which would bring back what it has read.
        let _alone = self.rounds.lock().await;
        migration.evidence.reset();
        let until = Instant::now() + super::WITHIN;
        let bucket = self.bucket(gateway);
        let key = key(operation, migration.evidence.epoch());
        for _ in 0..TRIES {
            let Some(entry) = bucket.get(&key, until).await.map_err(|failure| explained(&failure))? else {
                return Ok(());
            };
            // Who has written stays known, so that nothing is added a second time.
            let writers = read(&entry).unwrap_or_default().writers;
            let empty = Summary { writers, ..Summary::default() };
            match bucket.set(&key, empty.to_json().into(), entry.revision, until).await {
                Ok(_) => return self.forget(gateway, operation, until).await,
                Err(PublishFailure::PreconditionFailed(_)) => {}
                Err(failure) => return Err(failure.to_string()),
            }
        }
        Err("other instances were faster, again and again".to_owned())
    }
}

/// What is stored. A key that was deleted has nothing.
fn read(entry: &Entry) -> Result<Summary, String> {
    let read = |value: &Bytes| serde_json::from_slice(value).map_err(|error| error.to_string());
    if entry.value.is_empty() { Ok(Summary::default()) } else { read(&entry.value) }
}

pub(super) fn explained(failure: &ApiFailure) -> String {
    if failure.is_jetstream_off() {
        return "JetStream is off for the account, or has no leader right now".to_owned();
    }
    failure.to_string()
}
