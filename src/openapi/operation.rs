//! One operation as it is published: what the contract says, and beside it what the gateway adds.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use http::Method;
use serde_json::{Map, Value, json};

use super::answer::Answers;
use super::header::References;
use super::{Bound, Own, input};
use crate::contract::{Components, Operation as Declared, PathTemplate};
use crate::gateway::operation::Operation;
use crate::jetstream::manifest::{Manifests, Stream};
use crate::problem::Code;

/// An operation on its way into the document.
pub(super) struct Entry<'a> {
    pub(super) method: &'a Method,
    pub(super) path: &'a PathTemplate,
    pub(super) declared: Option<&'a Declared>,
    pub(super) bound: Option<Bound<'a>>,
    /// Who answers what nothing binds.
    pub(super) fallback: Option<&'a Operation>,
    /// What is said of it so far.
    pub(super) json: Map<String, Value>,
}

/// What a response of no contract says: its status, its problems, whether there is a quota, and whether a service that nobody
/// describes can answer so too.
pub(super) type Said = (String, Vec<Code>, bool, bool);

/// What all operations have in common.
pub(super) struct Known {
    pub(super) own: Own,
    pub(super) headers: References,
    /// Responses that are the gateway's alone, by what they say.
    pub(super) responses: RefCell<HashMap<Said, Value>>,
    /// By streams: for how long a message is known again, in words.
    windows: HashMap<String, String>,
}

impl Known {
    pub(super) fn new(manifests: &Manifests, components: &mut Components) -> Known {
        let window = |stream: &Stream| {
            let nanoseconds =
                stream.duplicate_window.as_ref().map_or(DEFAULT_WINDOW, |window| window.nanoseconds());
            let window = std::time::Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0));
            (stream.name.as_str().to_owned(), humantime::format_duration(window).to_string())
        };
        Known {
            own: Own::new(components),
            headers: References::new(components),
            responses: RefCell::default(),
            windows: manifests.streams.iter().map(window).collect(),
        }
    }

    /// For how long the stream of an operation knows a message again; `None`: nobody says.
    pub(super) fn window(&self, bound: &Bound<'_>) -> Option<&str> {
        self.windows.get(bound.operation.stream()?).map(String::as_str)
    }
}

/// The server's own, in nanoseconds.
const DEFAULT_WINDOW: i64 = 120_000_000_000;

/// Said of what nothing binds.
const NOT_BOUND: &str = "Not served yet: every request is answered 501.";

impl Entry<'_> {
    /// The operation that answers its requests, if one does.
    pub(super) fn served(&self) -> Option<&Operation> {
        self.bound.as_ref().map(|bound| bound.operation).or(self.fallback)
    }

    /// The operation object, under a path that may name its parameters otherwise.
    pub(super) fn publish(
        mut self,
        id: &str,
        published: &PathTemplate,
        known: &Known,
        components: &mut Components,
    ) -> Map<String, Value> {
        let responses = self.json.shift_remove("responses");
        let names: Vec<(&Arc<str>, &Arc<str>)> = self.path.names().iter().zip(published.names()).collect();
        let parameters = input::parameters(&self, &names, known, components);
        let mut operation = std::mem::take(&mut self.json);
        operation.insert("operationId".to_owned(), json!(id));
        if !parameters.is_empty() {
            operation.insert("parameters".to_owned(), Value::Array(parameters));
        }
        if let Some(body) = self.bound.as_ref().filter(|bound| bound.declared.is_none()).and_then(input::body)
        {
            operation.insert("requestBody".to_owned(), body);
        }
        let responses = Answers::of(&self, known).beside(responses, components);
        operation.insert("responses".to_owned(), Value::Object(responses));
        if self.served().is_none() {
            let said = operation.get("description").and_then(Value::as_str).unwrap_or_default();
            let text = if said.is_empty() { NOT_BOUND.to_owned() } else { format!("{NOT_BOUND}\n\n{said}") };
            operation.insert("description".to_owned(), json!(text));
        }
        in_order(operation)
    }
}

/// The members as people expect them.
fn in_order(mut operation: Map<String, Value>) -> Map<String, Value> {
    const ORDER: [&str; 9] = [
        "operationId",
        "tags",
        "summary",
        "description",
        "externalDocs",
        "deprecated",
        "security",
        "parameters",
        "requestBody",
    ];
    let mut ordered = Map::with_capacity(operation.len());
    for key in ORDER {
        ordered.extend(operation.shift_remove(key).map(|value| (key.to_owned(), value)));
    }
    ordered.extend(operation);
    ordered
}
