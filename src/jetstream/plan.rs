//! Declared against live: what would have to be done, and what each step costs. Pure: nothing here talks to a server.

mod change;
mod class;
mod kept;
mod loss;
mod path;
mod problems;
mod report;
mod table;

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::declared::Declared;
use super::effective::{Around, effective};
use super::field::Kind;
use super::live::Live;
use super::version::Version;
use crate::diagnostic::{Diagnostic, Diagnostics};

pub use change::{FieldChange, Op, compare};
pub use class::Class;
pub use kept::target;
pub(super) use loss::messages;
pub use path::show;
pub(super) use problems::sendable;
pub(super) use report::change as change_to_json;
pub(super) use table::lines;

/// What to do with every declaration, in the order in which it has to be done.
#[derive(Debug, Clone)]
pub struct Plan {
    /// Of the server that this holds for.
    pub version: Version,
    /// The account's bound, which consumers get that declare none.
    pub max_ack_pending: Option<i64>,
    /// Streams, then consumers.
    pub assets: Vec<Planned>,
    /// What the server has and no manifest declares, by title. It is left alone.
    pub unmanaged: Vec<(Kind, String)>,
}

/// One declaration.
#[derive(Debug, Clone)]
pub struct Planned {
    /// What it asks for.
    pub declared: Declared,
    /// What the server had when this was planned.
    pub live: Option<Map<String, Value>>,
    /// What has to be done.
    pub action: Action,
    /// The fields that differ; of something that is missing none, since everything does.
    pub changes: Vec<FieldChange>,
    /// What the server has and manifests cannot write, with its way. It stays.
    pub kept: Vec<(String, Value)>,
    /// Why it cannot be done at all.
    pub problems: Vec<Diagnostic>,
    /// What would be lost with it if it were deleted and created again.
    pub loses: Option<String>,
    /// The stream of a consumer as it will be.
    pub stream: Option<Map<String, Value>>,
}

/// What has to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Nothing.
    None,
    /// It is missing.
    Create,
    /// The server takes the changes.
    Update,
    /// The server never takes one of the changes: delete and create.
    Replace,
}

impl Action {
    /// As it stands in tables and in JSON.
    pub fn word(self) -> &'static str {
        match self {
            Action::None => "as declared",
            Action::Create => "create",
            Action::Update => "update",
            Action::Replace => "replace",
        }
    }
}

impl Planned {
    /// The costliest of its changes.
    pub fn class(&self) -> Class {
        self.changes.iter().map(|change| change.class).max().unwrap_or(Class::InPlace)
    }

    /// Whether doing it loses data, or can never be undone.
    pub fn is_destructive(&self) -> bool {
        self.loses.is_some() || self.changes.iter().any(|change| change.class == Class::Destructive)
    }

    /// What the manifest forbids of what would have to be done: the name of its field.
    pub fn prevented(&self) -> Option<&'static str> {
        match self.action {
            Action::Update | Action::Replace if self.declared.prevent_update => Some("preventUpdate"),
            Action::Replace if self.declared.prevent_delete => Some("preventDelete"),
            _ => None,
        }
    }
}

impl Plan {
    /// Whether anything would have to be done.
    pub fn has_differences(&self) -> bool {
        self.assets.iter().any(|planned| planned.action != Action::None)
    }

    /// Whether anything cannot be done.
    pub fn has_problems(&self) -> bool {
        self.assets.iter().any(|planned| !planned.problems.is_empty())
    }

    /// What a declaration's meaning depends on.
    pub(super) fn around<'a>(&self, planned: &'a Planned) -> Around<'a> {
        Around { stream: planned.stream.as_ref(), max_ack_pending: self.max_ack_pending, ..Around::default() }
    }

    /// The plan as a table for a terminal.
    pub fn render(&self) -> String {
        table::render(self)
    }

    /// The plan for machines.
    pub fn to_json(&self, diagnostics: &Diagnostics) -> Value {
        report::json(self, diagnostics)
    }
}

/// Holds every declaration against the server.
pub fn plan(declared: Vec<Declared>, live: &Live) -> Plan {
    let mut plan = Plan {
        version: live.version,
        max_ack_pending: live.max_ack_pending,
        assets: Vec::new(),
        unmanaged: unmanaged(&declared, live),
    };
    let streams: Vec<_> = declared.iter().filter(|one| one.kind == Kind::Stream).cloned().collect();
    let known: BTreeSet<String> = declared.iter().map(Declared::title).collect();
    for one in declared {
        let mut planned = planned(one, &streams, live);
        planned.loses = (planned.action == Action::Replace)
            .then(|| loss::of(&planned.declared, live.streams.get(&planned.declared.stream)?, &known))
            .flatten();
        planned.problems = problems::of(&planned, &streams, live);
        plan.assets.push(planned);
    }
    // What gives up a subject goes before what may take it.
    plan.assets.sort_by_key(|planned| (planned.declared.kind, !gives_up_subjects(planned)));
    plan
}

fn planned(declared: Declared, streams: &[Declared], live: &Live) -> Planned {
    let stream = live.streams.get(&declared.stream);
    let config = match &declared.consumer {
        None => stream.map(|stream| stream.config.clone()),
        Some(consumer) => stream.and_then(|stream| stream.consumers.get(consumer)).cloned(),
    };
    let around_stream = declared.consumer.as_ref().and_then(|_| stream_of(&declared, streams, live));
    let around = Around {
        stream: around_stream.as_ref(),
        stream_now: stream.map(|stream| &stream.config),
        live: None,
        max_ack_pending: live.max_ack_pending,
    };
    let (changes, kept) = match &config {
        Some(config) => (
            compare(declared.kind, &declared.config, config, &around, live.version),
            kept::kept(declared.kind, &declared.config, config),
        ),
        None => (Vec::new(), Vec::new()),
    };
    let action = match (&config, changes.iter().map(|change| change.class).max()) {
        (None, _) => Action::Create,
        (_, None) => Action::None,
        (_, Some(Class::Replace)) => Action::Replace,
        _ => Action::Update,
    };
    Planned {
        declared,
        live: config,
        action,
        changes,
        kept,
        problems: Vec::new(),
        loses: None,
        stream: around_stream,
    }
}

/// A consumer's stream as it will be.
fn stream_of(consumer: &Declared, streams: &[Declared], live: &Live) -> Option<Map<String, Value>> {
    let declared =
        streams.iter().find(|stream| stream.stream == consumer.stream).map(|stream| &stream.config);
    let config = declared.or_else(|| live.streams.get(&consumer.stream).map(|stream| &stream.config))?;
    Some(effective(Kind::Stream, config, &Around::default()))
}

fn gives_up_subjects(planned: &Planned) -> bool {
    planned.changes.iter().any(|change| change.field == "subjects" && change.class == Class::Destructive)
}

fn unmanaged(declared: &[Declared], live: &Live) -> Vec<(Kind, String)> {
    let known: BTreeSet<String> = declared.iter().map(Declared::title).collect();
    let mut out = Vec::new();
    for (name, stream) in &live.streams {
        if !known.contains(name) {
            out.push((Kind::Stream, name.clone()));
        }
        for consumer in stream.consumers.keys() {
            let title = super::declared::title(name, Some(consumer));
            if !known.contains(&title) {
                out.push((Kind::Consumer, title));
            }
        }
    }
    out
}
