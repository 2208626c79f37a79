//! Single mismatches, stored in a stream of their own as far as they may be shown.

use serde_json::{Value, json};
use tokio::time::Instant;

use super::keep::explained;
use super::{Gateway, Keeper};
use crate::gateway::operation::Operation;
use crate::migrate::{Evidence, Mismatch};
use crate::nats::bucket::{ensure, token};
use crate::nats::{Outgoing, headers, publication, publish_once};

/// Mismatches that are stored in a second, of all operations together; of the others the rows tell.
const MOST: usize = 50;
/// Of one operation that are kept.
const KEPT: u32 = 1000;

impl Keeper {
    /// Stores the mismatches that wait.
    pub(super) async fn tell(&self, gateway: &Gateway, until: Instant) {
        if gateway.nats().is_connected() {
            let done = self.tell_all(gateway, until).await;
            self.told.note("mismatches of migrations", done.err());
        }
    }

    async fn tell_all(&self, gateway: &Gateway, until: Instant) -> Result<(), String> {
        let table = gateway.table();
        let mut left = MOST;
        for operation in &table.operations {
            let Some(migration) = operation.migration.as_ref().filter(|one| one.evidence.has_mismatches())
            else {
                continue;
            };
            let mut rounds = self.rounds.lock().await;
            if !rounds.stream_is_there {
                self.stream(gateway, until).await?;
                rounds.stream_is_there = true;
            }
            for mismatch in migration.evidence.mismatches(left) {
                left -= 1;
                let message = self.message(operation, &migration.evidence, &mismatch);
                let stored = match message {
                    Some(message) => publish_once(gateway.nats(), message, until).await.map(drop),
                    None => Ok(()),
                };
                if let Err(failure) = stored {
                    rounds.stream_is_there = false;
                    return Err(failure.to_string());
                }
            }
        }
        Ok(())
    }

    async fn stream(&self, gateway: &Gateway, until: Instant) -> Result<(), String> {
        let wanted = json!({
            "name": &self.place.mismatches.value,
            "subjects": ["natsgate.mismatch.>"],
            "retention": "limits",
            "discard": "old",
            "storage": "file",
            "max_age": u64::try_from(self.place.max_age.0.as_nanos()).unwrap_or(u64::MAX),
            "max_bytes": self.place.max_bytes.0,
            "max_msgs_per_subject": KEPT,
            "num_replicas": self.place.replicas.value,
            "allow_direct": true,
        });
        ensure(gateway.nats(), &wanted, until).await.map(drop).map_err(|failure| explained(&failure))
    }

    fn message(&self, operation: &Operation, evidence: &Evidence, mismatch: &Mismatch) -> Option<Outgoing> {
        let difference = &mismatch.difference;
        let said: Value = json!({
            "time": humantime::format_rfc3339_millis(mismatch.at).to_string(),
            "operation": &*operation.name,
            "epoch": evidence.epoch(),
            "instance": &self.instance,
            "served": mismatch.served.name(),
            "pointers": &difference.pointers,
            "legacy": &difference.example.legacy,
            "nats": &difference.example.nats,
        });
        let mut map = headers::Headers::default();
        map.insert("Content-Type", "application/json");
        let message = Outgoing {
            subject: subject(operation).into(),
            headers: map.into_map(),
            payload: serde_json::to_vec(&said).ok()?.into(),
        };
        publication(message, &nuid::next(), &self.place.mismatches.value)
    }

    /// Removes the mismatches of an operation.
    pub(super) async fn forget(
        &self,
        gateway: &Gateway,
        operation: &Operation,
        until: Instant,
    ) -> Result<(), String> {
        let api = format!("STREAM.PURGE.{}", self.place.mismatches.value);
        let body = json!({ "filter": subject(operation) });
        match gateway.nats().api(&api, &body, until).await {
            // There may never have been one.
            Ok(_) | Err(crate::nats::ApiFailure::Refused(_)) => Ok(()),
            Err(failure) => Err(explained(&failure)),
        }
    }
}

fn subject(operation: &Operation) -> String {
    format!("natsgate.mismatch.{}", token(&operation.name))
}
