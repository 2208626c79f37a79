//! What became of each declaration.

use serde_json::Value;

use crate::jetstream::field::Kind;
use crate::jetstream::plan::{FieldChange, change_to_json};

/// What became of one declaration.
#[derive(Debug, Clone, PartialEq)]
pub struct Applied {
    /// Which of both `name` means.
    pub kind: Kind,
    /// `STREAM`, or `STREAM > CONSUMER`.
    pub name: String,
    /// Where the server stands now.
    pub outcome: Outcome,
}

/// How the server's state compares with the declaration after the attempt.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// It was missing. Now it is there, as declared.
    Created,
    /// It was there, as declared.
    Exists,
    /// These fields were changed, and read back as declared.
    Updated(Vec<FieldChange>),
    /// It was deleted and created again, as declared.
    Replaced(Vec<FieldChange>),
    /// It is there, not as declared, and only what is missing was to be created.
    Differs(Vec<FieldChange>),
    /// It is there, not as declared, and the manifest forbids the change by this field.
    Prevented(&'static str, Vec<FieldChange>),
    /// Nothing was sent. The text says why and what to do.
    Refused(String),
    /// Nothing was sent, since somebody else has written it after it was planned.
    Conflict(Edit, Vec<FieldChange>),
    /// It was written, and the server keeps these fields otherwise than declared.
    NotKept(Vec<FieldChange>),
    /// It was tried, and the server refused, or nobody could tell. The text says why and what to do.
    Failed(String),
    /// Not tried, and why.
    Skipped(String),
}

/// What somebody else did between plan and write.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    /// It was missing, and is there now; the fields are what it lacks of what is declared.
    Created,
    /// The fields are as they were planned with, and as they are now.
    Changed,
    /// It was there, and is not any more.
    Deleted,
}

impl Outcome {
    /// As it stands in JSON.
    pub fn word(&self) -> &'static str {
        match self {
            Outcome::Created => "created",
            Outcome::Exists => "exists",
            Outcome::Updated(_) => "updated",
            Outcome::Replaced(_) => "replaced",
            Outcome::Differs(_) => "differs",
            Outcome::Prevented(..) => "prevented",
            Outcome::Refused(_) => "refused",
            Outcome::Conflict(..) => "conflict",
            Outcome::NotKept(_) => "not_kept",
            Outcome::Failed(_) => "failed",
            Outcome::Skipped(_) => "skipped",
        }
    }

    /// The fields that it is about.
    pub fn changes(&self) -> &[FieldChange] {
        match self {
            Outcome::Updated(changes)
            | Outcome::Replaced(changes)
            | Outcome::Differs(changes)
            | Outcome::Prevented(_, changes)
            | Outcome::Conflict(_, changes)
            | Outcome::NotKept(changes) => changes,
            _ => &[],
        }
    }

    /// Why nothing came of it.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Outcome::Refused(reason) | Outcome::Failed(reason) | Outcome::Skipped(reason) => Some(reason),
            Outcome::Prevented(field, _) => Some(field),
            _ => None,
        }
    }
}

impl Applied {
    /// Whether it did not end as it was meant to.
    pub fn is_failure(&self) -> bool {
        matches!(
            self.outcome,
            Outcome::Refused(_)
                | Outcome::Conflict(..)
                | Outcome::NotKept(_)
                | Outcome::Failed(_)
                | Outcome::Skipped(_)
        )
    }

    /// Whether nothing may be built on it: it is not there, or not as it was meant to become. What the server keeps
    /// otherwise by a limit of its own is there, and will never be otherwise.
    pub(super) fn lacks_base(&self) -> bool {
        self.is_failure() && !matches!(self.outcome, Outcome::NotKept(_))
    }

    /// Whether the server was left otherwise than declared, on purpose.
    pub fn is_difference(&self) -> bool {
        matches!(self.outcome, Outcome::Prevented(..) | Outcome::Differs(_))
    }

    /// For machines.
    pub fn to_json(&self) -> Value {
        let changes: Vec<_> =
            self.outcome.changes().iter().map(|change| change_to_json(self.kind, change)).collect();
        serde_json::json!({
            "kind": self.kind.word(),
            "name": self.name,
            "outcome": self.outcome.word(),
            "reason": self.outcome.reason(),
            "changes": changes,
        })
    }
}
