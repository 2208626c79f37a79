//! A compiled operation: what each stage needs, immutable, shared by every request.

use std::collections::BTreeSet;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::ArcSwap;
use http::Method;

use crate::admit::{InFlight, RateLimit};
use crate::authenticate::{Access, Authorize};
use crate::dispatch::Binding;
use crate::forward::Forward;
use crate::migrate::Migration;
use crate::problem::Problem;
use crate::telemetry::{Figures, Published, Traffic};
use crate::translate::Seen;
use crate::translate::answer::Answering;
use crate::translate::outbound::Mapping;
use crate::translate::problem::ProblemCase;
use crate::validate::Input;

/// What is done with a request on NATS.
#[derive(Debug)]
pub struct OnNats {
    /// How it becomes a message.
    pub mapping: Mapping,
    /// Where that goes.
    pub binding: Binding,
    /// How the reply becomes an answer.
    pub answering: Answering,
}

/// One method and path, and where it goes: at least to one of the two sides.
#[derive(Debug)]
pub struct Operation {
    /// Its name: the `operationId`, or method and path.
    pub name: Arc<str>,
    /// Its method.
    pub method: Method,
    /// The path as it is declared, with its parameters: `/users/{id}`.
    pub path: String,
    /// From the complete head to the answer.
    pub timeout: Duration,
    /// How many requests may be in flight together.
    pub in_flight: InFlight,
    /// At what rate they may come.
    pub rate: Option<RateLimit>,
    /// Who may call it.
    pub access: Access,
    /// What must hold of the caller beside that.
    pub authorize: Option<Authorize>,
    /// What a request must bring.
    pub input: Input,
    /// Its side on NATS.
    pub nats: Option<OnNats>,
    /// Its side at the legacy service.
    pub legacy: Option<Forward>,
    /// How the two share its requests.
    pub migration: Option<Migration>,
    /// It only reads: repeating it does no harm.
    pub safe: bool,
    /// What is looked at before the legacy service has a request.
    pub inspects: Inspects,
    /// The error bodies that legacy clients parse.
    pub problems: Vec<ProblemCase>,
    /// What the start checks have found.
    pub finding: Finding,
    /// Where its requests are counted.
    pub counters: Counters,
}

impl Operation {
    /// Whether a caller's `Prefer: wait=N` lowers the deadline: a message that a stream has taken is not taken
    /// back by less patience.
    pub fn waits_as_preferred(&self) -> bool {
        matches!(self.binding(), Some(Binding::Request(_)))
    }

    /// Whether it is a plain way to the legacy service: nothing is demanded of a request, and nobody looks at it.
    pub fn passes_everything(&self) -> bool {
        let plain = self.legacy.as_ref().is_some_and(|to| to.path.is_none() && to.longest == u64::MAX);
        plain
            && self.nats.is_none()
            && self.inspects == Inspects::Nothing
            && self.authorize.is_none()
            && self.rate.is_none()
            && !self.access.may_refuse()
    }

    /// Where it goes on NATS.
    pub fn binding(&self) -> Option<&Binding> {
        self.nats.as_ref().map(|nats| &nats.binding)
    }

    /// How its requests become messages.
    pub fn mapping(&self) -> Option<&Mapping> {
        self.nats.as_ref().map(|nats| &nats.mapping)
    }

    /// The subject of its messages, with `*` where a value of the request stands.
    pub fn subject(&self) -> Option<&str> {
        self.mapping().map(|mapping| mapping.subject.pattern())
    }

    /// The stream that it publishes to.
    pub fn stream(&self) -> Option<&str> {
        match self.binding()? {
            Binding::Publish(publish) => Some(&publish.stream),
            Binding::Request(_) => None,
        }
    }

    /// Decides on the caller: as soon as what its condition reads is known, and once.
    ///
    /// # Errors
    /// `forbidden`.
    pub fn authorize(&self, stage: Stage, seen: Seen<'_>) -> Result<(), Problem> {
        match &self.authorize {
            Some(authorize) if authorize.reads("body") == (stage == Stage::Body) => {
                authorize.check(&seen.scope(None, None))
            }
            _ => Ok(()),
        }
    }
}

/// What is looked at of a request before the legacy service has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inspects {
    /// Nothing: its body streams, and nobody reads its parameters.
    Nothing,
    /// Its parameters, for a condition on the caller. Its body streams.
    Parameters,
    /// All of it.
    Everything,
}

/// Where the requests of an operation are counted, once it has been [adopted](adopt).
#[derive(Debug, Default)]
pub struct Counters(OnceLock<(Arc<Traffic>, Option<Arc<Published>>)>);

impl Counters {
    /// Those of its name.
    pub fn traffic(&self) -> Option<&Traffic> {
        self.0.get().map(|(traffic, _)| &**traffic)
    }

    /// Those of the stream that it publishes to.
    pub fn published(&self) -> Option<&Published> {
        self.0.get().and_then(|(_, published)| published.as_deref())
    }
}

/// Gives each operation the counters that its name and its stream have, and forgets those of names that are not among
/// them. To be called for a table before requests meet it.
pub fn adopt(figures: &Figures, operations: &[Arc<Operation>]) {
    let (mut names, mut streams) = (BTreeSet::new(), BTreeSet::new());
    for operation in operations {
        names.insert(&*operation.name);
        streams.extend(operation.stream());
        let traffic = figures.of_operation(&operation.name);
        let published = operation.stream().map(|stream| figures.of_stream(stream));
        // Those that are there already are the same.
        let _ = operation.counters.0.set((traffic, published));
    }
    figures.retain(&names, &streams);
}

/// How much of a request is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Its parameters.
    Parameters,
    /// Its body too.
    Body,
}

/// What a path and method lead to.
#[derive(Debug, Clone)]
pub enum Route {
    /// An operation that is bound.
    Bound(Arc<Operation>),
    /// An operation of a contract that nothing binds.
    Unbound(String),
}

/// What the start checks know of an operation. Cheap to clone; clones share.
#[derive(Debug, Clone, Default)]
pub struct Finding(Arc<ArcSwap<State>>);

/// The state of an operation as the live server shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum State {
    /// Not looked at yet.
    #[default]
    Unchecked,
    /// What it needs is there.
    Ready,
    /// What is wrong, each with what to do.
    Broken(Vec<String>),
    /// The server does not say.
    Unknown(String),
}

impl Finding {
    /// What is known.
    pub fn get(&self) -> Arc<State> {
        self.0.load_full()
    }

    /// Replaces what is known; says whether it differs.
    pub fn set(&self, state: State) -> bool {
        let new = Arc::new(state);
        *self.0.swap(Arc::clone(&new)) != *new
    }
}
