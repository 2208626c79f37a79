//! The paths of the document. Paths that differ only in the names of their parameters are one for OpenAPI, and so they
//! are published under the names of the first.

use std::collections::{HashMap, HashSet};

use http::Method;
use serde_json::{Map, Value};

use super::operation::{Entry, Known};
use crate::contract::path::Segment;
use crate::contract::{Components, PathTemplate};

/// Every path, and who has which.
#[derive(Default)]
pub(super) struct Paths {
    claimed: HashSet<(Method, Vec<Segment>)>,
    /// By what requests they match: as they are published.
    published: HashMap<Vec<Segment>, PathTemplate>,
    operation_ids: HashSet<String>,
    items: Map<String, Value>,
}

impl Paths {
    /// Whether nobody has a route yet. From now on somebody has.
    pub(super) fn claim(&mut self, method: &Method, path: &PathTemplate) -> bool {
        self.claimed.insert((method.clone(), path.segments().to_vec()))
    }

    /// Adds an operation under its path.
    pub(super) fn insert(&mut self, entry: Entry<'_>, known: &Known, components: &mut Components) {
        // OpenAPI 3.1 has words for these alone.
        let method = entry.method.as_str().to_ascii_lowercase();
        if !matches!(&*method, "get" | "put" | "post" | "delete" | "options" | "head" | "patch" | "trace") {
            return;
        }
        let key = entry.path.segments().to_vec();
        let published = self.published.entry(key).or_insert_with(|| entry.path.clone()).clone();
        let id = self.operation_id(&entry, &published);
        let operation = entry.publish(&id, &published, known, components);
        super::within(&mut self.items, published.as_str(), |item| {
            item.insert(method, Value::Object(operation))
        });
    }

    /// The one that it has, or one made of method and path; each once.
    fn operation_id(&mut self, entry: &Entry<'_>, published: &PathTemplate) -> String {
        let own = entry.json.get("operationId").and_then(Value::as_str);
        let id = own.map_or_else(|| made_of(entry.method, published.as_str()), str::to_owned);
        let mut unique = id.clone();
        let mut number = 2;
        while !self.operation_ids.insert(unique.clone()) {
            unique = format!("{id}_{number}");
            number += 1;
        }
        unique
    }

    pub(super) fn finish(self) -> Value {
        Value::Object(self.items)
    }
}

/// `DELETE /infra/{userhash}/{testId}` is `deleteInfraByUserhashByTestId`.
fn made_of(method: &Method, path: &str) -> String {
    let mut id = method.as_str().to_ascii_lowercase();
    let mut begins = true;
    for character in path.chars() {
        match character {
            '{' => {
                id.push_str("By");
                begins = true;
            }
            c if !c.is_ascii_alphanumeric() => begins = true,
            c if begins => {
                id.push(c.to_ascii_uppercase());
                begins = false;
            }
            c => id.push(c),
        }
    }
    id
}
