//! Does what a plan says, and proves that it took effect: streams before consumers, each read again right before it is
//! written and right after.
//!
//! The API has no condition on a write, so between the reading and the writing another client may still come; the time
//! for that is one round trip.

mod outcome;
mod restore;
mod table;
mod write;

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::{Map, Value};
use tokio::time::{Instant, sleep};

use super::effective::Around;
use super::field::Kind;
use super::live::{self, explain};
use super::plan::{Action, Class, FieldChange, Plan, Planned, compare, messages};
use crate::nats::{ApiFailure, Failure, Nats};

pub use outcome::{Applied, Edit, Outcome};
pub use table::render;

/// How long a server may take to tell what was written.
const TOLD_WITHIN: Duration = Duration::from_secs(2);
/// How often it is asked.
const ASKED_EVERY: Duration = Duration::from_millis(100);

/// How long creating may take after deleting.
const CREATED_WITHIN: Duration = Duration::from_secs(15);

/// What may be done.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Changes that delete data, or that can never be undone.
    pub allow_destructive: bool,
    /// Deleting and creating again what the server never changes.
    pub replace: bool,
    /// Nothing that exists is touched.
    pub create_only: bool,
}

/// Does everything that the plan says and the options allow, all of it by the deadline. The result has a row for every
/// declaration, in the order of the plan: nothing but a failed stream keeps anything else from being tried.
pub async fn apply(nats: &Nats, plan: &Plan, options: Options, deadline: Instant) -> Vec<Applied> {
    let mut applied: Vec<Applied> = Vec::new();
    let mut replaced = BTreeSet::new();
    for planned in &plan.assets {
        let stream = &planned.declared.stream;
        let failed =
            applied.iter().any(|row| row.kind == Kind::Stream && row.name == *stream && row.lacks_base());
        let step = Step { nats, plan, planned, options, deadline, gone: replaced.contains(stream) };
        let outcome = match planned.declared.kind {
            Kind::Consumer if failed => Outcome::Skipped(format!("its stream {stream} failed")),
            _ => step.run().await.unwrap_or_else(|failure| Outcome::Failed(explain(&failure))),
        };
        let is_new = matches!(
            (planned.action, &outcome),
            (_, Outcome::Replaced(_)) | (Action::Replace, Outcome::NotKept(_))
        );
        if planned.declared.kind == Kind::Stream && is_new {
            replaced.insert(stream.clone());
        }
        applied.push(Applied { kind: planned.declared.kind, name: planned.declared.title(), outcome });
    }
    applied
}

struct Step<'a> {
    nats: &'a Nats,
    plan: &'a Plan,
    planned: &'a Planned,
    options: Options,
    deadline: Instant,
    /// Its stream was deleted a moment ago, and it with it.
    gone: bool,
}

impl Step<'_> {
    async fn run(&self) -> Result<Outcome, ApiFailure> {
        let planned = self.planned;
        if let Some(impossible) = self.impossible() {
            return Ok(impossible);
        }
        if self.gone {
            return self.write(Action::Create).await;
        }
        if let Some(held_back) = self.held_back() {
            return Ok(held_back);
        }
        let live = live::config(self.nats, &planned.declared, self.deadline).await?;
        match (&planned.live, &live) {
            (Some(then), Some(now)) if same(then, now) => {}
            (None, None) => {}
            // Whoever else wrote it wrote what is declared.
            (_, Some(now)) if self.differences(now).is_empty() => return Ok(Outcome::Exists),
            (None, Some(now)) => return Ok(Outcome::Conflict(Edit::Created, self.differences(now))),
            (Some(_), None) => return Ok(Outcome::Conflict(Edit::Deleted, Vec::new())),
            (Some(then), Some(now)) => return Ok(Outcome::Conflict(Edit::Changed, self.edited(then, now))),
        }
        match planned.action {
            Action::None => Ok(Outcome::Exists),
            Action::Replace => match self.filled().await? {
                Some(filled) => Ok(filled),
                None => self.replace().await,
            },
            action => self.write(action).await,
        }
    }

    /// What was empty when it was planned may have got messages since, whose loss nobody has allowed.
    async fn filled(&self) -> Result<Option<Outcome>, ApiFailure> {
        let declared = &self.planned.declared;
        if declared.kind == Kind::Consumer || self.options.allow_destructive {
            return Ok(None);
        }
        let count = live::messages(self.nats, &declared.stream, self.deadline).await?;
        Ok((count > 0).then(|| {
            let lost = messages(count);
            Outcome::Refused(format!(
                "it was empty when it was planned, and replacing it now would delete {lost}; plan again"
            ))
        }))
    }

    /// Deletes and creates again. What the server does not take is not found out before, so what was there is put back.
    async fn replace(&self) -> Result<Outcome, ApiFailure> {
        if let Err(failure) = write::delete(self.nats, &self.planned.declared, self.deadline).await {
            return match failure.is_temporary() {
                true => Ok(Outcome::Failed(format!(
                    "{}; nobody can tell whether it was deleted: look, and apply again",
                    explain(&failure)
                ))),
                false => Err(failure),
            };
        }
        // What is gone has to come again, whatever time everything else has taken.
        let step = Step { deadline: Instant::now() + CREATED_WITHIN, ..*self };
        loop {
            let failure = match step.write(Action::Replace).await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            if !failure.is_temporary() || Instant::now() + ASKED_EVERY >= step.deadline {
                return Ok(Outcome::Failed(self.not_created(&failure).await));
            }
            // To create the same twice is no mistake.
            sleep(ASKED_EVERY).await;
        }
    }

    async fn not_created(&self, failure: &ApiFailure) -> String {
        let came = match failure {
            ApiFailure::Refused(_) | ApiFailure::Send(Failure::Denied { .. }) => {
                restore::restore(self.nats, self.plan, self.planned, Instant::now() + CREATED_WITHIN).await
            }
            _ => "and nobody can tell whether it was created: look, and apply again".to_owned(),
        };
        format!("{}; it was deleted already, {came}", explain(failure))
    }

    /// What the server cannot do, whatever is allowed.
    fn impossible(&self) -> Option<Outcome> {
        let problem = self.planned.problems.first()?;
        let parts = [Some(problem.message.as_str()), problem.reason.as_deref(), problem.help.as_deref()];
        let parts: Vec<&str> = parts.into_iter().flatten().collect();
        Some(Outcome::Refused(parts.join("; ")))
    }

    /// What the options or the manifest do not allow.
    fn held_back(&self) -> Option<Outcome> {
        let (planned, options) = (self.planned, self.options);
        if matches!(planned.action, Action::None | Action::Create) {
            return None;
        }
        if options.create_only {
            return Some(Outcome::Differs(planned.changes.clone()));
        }
        if let Some(field) = planned.prevented() {
            return Some(Outcome::Prevented(field, planned.changes.clone()));
        }
        let missing: Vec<_> = [
            (planned.action == Action::Replace && !options.replace, "--replace"),
            (planned.is_destructive() && !options.allow_destructive, "--allow-destructive"),
        ]
        .into_iter()
        .filter_map(|(missing, flag)| missing.then_some(flag))
        .collect();
        (!missing.is_empty()).then(|| Outcome::Refused(self.needs(&missing.join(" "))))
    }

    fn needs(&self, flags: &str) -> String {
        let planned = self.planned;
        let costly = planned.changes.iter().filter(|change| change.class == planned.class());
        let fields: Vec<_> = costly.map(|change| change.shown.as_str()).collect();
        let fields = fields.join(", ");
        let costs = match (planned.action, &planned.loses) {
            (Action::Replace, Some(loses)) => format!("means deleting and creating it again, with {loses}"),
            (Action::Replace, None) => "means deleting and creating it again".to_owned(),
            _ => "deletes data, or can never be undone".to_owned(),
        };
        format!("changing {fields} {costs}; {flags} allows it")
    }

    /// Writes, and reads back what came of it.
    async fn write(&self, action: Action) -> Result<Outcome, ApiFailure> {
        let declared = &self.planned.declared;
        let nothing = Map::new();
        let live = self.planned.live.as_ref().filter(|_| action != Action::Create).unwrap_or(&nothing);
        write::write(self.nats, self.plan, declared, live, action, self.deadline).await?;
        let Some(left) = self.read_back().await? else {
            let reason = "the server took it, and does not have it; is somebody deleting it?";
            return Ok(Outcome::Failed(reason.to_owned()));
        };
        let changes = self.planned.changes.clone();
        Ok(match action {
            _ if !left.is_empty() => Outcome::NotKept(left),
            Action::Create => Outcome::Created,
            Action::Replace => Outcome::Replaced(changes),
            Action::Update | Action::None => Outcome::Updated(changes),
        })
    }

    /// What is still not as declared; none if it is not there at all. In a cluster, what was written may take a moment to
    /// be told by whoever answers.
    async fn read_back(&self) -> Result<Option<Vec<FieldChange>>, ApiFailure> {
        let until = self.deadline.min(Instant::now() + TOLD_WITHIN);
        loop {
            let now = live::config(self.nats, &self.planned.declared, self.deadline).await?;
            let left = now.map(|now| self.differences(&now));
            if left.as_ref().is_some_and(Vec::is_empty) || Instant::now() >= until {
                return Ok(left);
            }
            sleep(ASKED_EVERY).await;
        }
    }

    fn differences(&self, now: &Map<String, Value>) -> Vec<FieldChange> {
        let declared = &self.planned.declared;
        compare(declared.kind, &declared.config, now, &self.around(), self.plan.version)
    }

    fn around(&self) -> Around<'_> {
        self.plan.around(self.planned)
    }

    /// What was there when it was planned against what is there now. What it cost is done.
    fn edited(&self, then: &Map<String, Value>, now: &Map<String, Value>) -> Vec<FieldChange> {
        let changes = compare(self.planned.declared.kind, now, then, &self.around(), self.plan.version);
        changes.into_iter().map(|change| FieldChange { class: Class::InPlace, why: None, ..change }).collect()
    }
}

/// The server's own notes in the metadata are nobody's edit.
fn same(then: &Map<String, Value>, now: &Map<String, Value>) -> bool {
    let plain = |config: &Map<String, Value>| {
        let mut config = config.clone();
        if let Some(Value::Object(metadata)) = config.get_mut("metadata") {
            metadata.retain(|key, _| !key.starts_with("_nats."));
        }
        config.retain(|_, value| !value.as_object().is_some_and(Map::is_empty));
        config
    };
    plain(then) == plain(now)
}
