//! What a reload came to, for the log, the metrics and the admin API.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use serde_json::Value;

use crate::diagnostic::{Diagnostics, Severity};
use crate::gateway::compile::Compiled;

/// Most problems that are written to the log one by one.
const MOST_TOLD: usize = 20;

/// Why a reload was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// SIGHUP.
    Signal,
    /// Files have changed.
    Files,
    /// The admin API.
    Api,
}

impl Cause {
    /// As it stands in logs and answers.
    pub fn name(self) -> &'static str {
        match self {
            Cause::Signal => "signal",
            Cause::Files => "files",
            Cause::Api => "api",
        }
    }
}

/// What a reload came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// The new configuration is in place.
    Applied,
    /// Files were touched, and say what they said.
    Unchanged,
    /// There are errors; what ran runs on.
    Invalid,
    /// Keys have changed that are read at start; what ran runs on.
    RestartRequired,
}

impl Outcome {
    /// Each of them.
    pub const ALL: [Outcome; 4] =
        [Outcome::Applied, Outcome::Unchanged, Outcome::Invalid, Outcome::RestartRequired];

    /// As it stands in logs, labels and answers.
    pub fn name(self) -> &'static str {
        match self {
            Outcome::Applied => "applied",
            Outcome::Unchanged => "unchanged",
            Outcome::Invalid => "invalid",
            Outcome::RestartRequired => "restart_required",
        }
    }
}

/// Whether what is written is what runs, as of the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Agreement {
    /// It is.
    pub holds: bool,
    /// When that was last so.
    pub since: SystemTime,
}

impl Agreement {
    /// What a reload makes of it: also files that were put right again by hand agree.
    pub(super) fn after(self, outcome: Outcome, at: SystemTime) -> Agreement {
        match outcome {
            Outcome::Applied | Outcome::Unchanged => Agreement { holds: true, since: at },
            Outcome::Invalid | Outcome::RestartRequired => Agreement { holds: false, ..self },
        }
    }
}

/// One reload.
#[derive(Debug, Clone)]
pub struct Reload {
    /// When it began.
    pub at: SystemTime,
    /// Why.
    pub cause: Cause,
    /// What it came to.
    pub outcome: Outcome,
    /// How long it took to build.
    pub took: Duration,
    /// The number of the table that is in place now.
    pub generation: u64,
    /// Keys that have changed and are read at start, such as `server.drain`.
    pub needs_restart: Vec<String>,
    /// Operations that there were not before.
    pub added: Vec<String>,
    /// Operations that are no more.
    pub removed: Vec<String>,
    /// Errors that were found.
    pub errors: usize,
    /// Warnings that were found.
    pub warnings: usize,
    /// All that was found, as a terminal shows it.
    pub report: String,
    /// The same for machines.
    pub diagnostics: Value,
    /// Errors in one line each, for the log.
    lines: Vec<String>,
}

impl Reload {
    pub(super) fn new(at: SystemTime, cause: Cause) -> Reload {
        Reload {
            at,
            cause,
            outcome: Outcome::Invalid,
            took: Duration::ZERO,
            generation: 0,
            needs_restart: Vec::new(),
            added: Vec::new(),
            removed: Vec::new(),
            errors: 0,
            warnings: 0,
            report: String::new(),
            diagnostics: Value::Null,
            lines: Vec::new(),
        }
    }

    /// Whether the files say what runs.
    pub fn is_success(&self) -> bool {
        matches!(self.outcome, Outcome::Applied | Outcome::Unchanged)
    }

    pub(super) fn found(&mut self, diagnostics: &Diagnostics) {
        self.errors = diagnostics.count(Severity::Error);
        self.warnings = diagnostics.count(Severity::Warning);
        self.report = diagnostics.render();
        self.diagnostics = diagnostics.to_json();
        let errors = diagnostics.sorted().into_iter().filter(|one| one.severity == Severity::Error);
        let line = |message: &str, place| match place {
            Some(place) => format!("{}: {message}", diagnostics.locate(place)),
            None => message.to_owned(),
        };
        self.lines = errors.take(MOST_TOLD).map(|one| line(&one.message, one.place)).collect();
    }

    /// A fault of the gateway's own kept it from being built.
    pub(super) fn crashed(&mut self) {
        "the configuration could not be compiled: this is a fault of the gateway"
            .clone_into(&mut self.report);
        (self.errors, self.lines) = (1, vec![self.report.clone()]);
    }

    /// Notes which operations have come and gone.
    pub(super) fn compare(&mut self, before: &Compiled, after: &Compiled) {
        let names = |table: &Compiled| -> BTreeSet<String> {
            table.operations.iter().map(|operation| operation.name.to_string()).collect()
        };
        let (before, after) = (names(before), names(after));
        self.added = after.difference(&before).cloned().collect();
        self.removed = before.difference(&after).cloned().collect();
    }

    pub(super) fn tell(&self) {
        let (cause, took_ms) = (self.cause.name(), self.took.as_millis() as u64);
        match self.outcome {
            Outcome::Applied => {
                let (generation, warnings) = (self.generation, self.warnings);
                let (added, removed) = (self.added.join(", "), self.removed.join(", "));
                tracing::info!(
                    cause,
                    generation,
                    warnings,
                    added,
                    removed,
                    took_ms,
                    "the configuration was reloaded"
                );
            }
            Outcome::Unchanged => tracing::info!(cause, took_ms, "the files say again what runs"),
            Outcome::RestartRequired => {
                let keys = self.needs_restart.join(", ");
                tracing::warn!(cause, keys, "the configuration was not reloaded: these keys need a restart");
            }
            Outcome::Invalid => {
                for problem in &self.lines {
                    tracing::error!(cause, problem, "the configuration is not valid");
                }
                let errors = self.errors;
                tracing::error!(
                    cause,
                    errors,
                    "the configuration was not reloaded: the former one stays; `natsgate check` shows all of it"
                );
            }
        }
    }
}
