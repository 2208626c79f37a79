//! The published document: what clients may call, and every answer that the gateway really gives.
//!
//! Pure: configuration, contracts and compiled operations → one OpenAPI 3.1 document. It is the union of the contracts,
//! with entries for the operations that only the configuration knows. An operation of a contract that nothing binds is
//! in it too, with the 501 that it is answered, or as the fallback answers it: a client that is generated today keeps its
//! shape when the operation is bound. What a legacy service answers is what its contract says of it, and nothing is added
//! but the problems that the gateway has of its own. Nothing internal is in it: no subjects, files, upstreams, servers or extensions.

mod answer;
mod codes;
mod content;
mod docs;
mod header;
mod info;
mod input;
mod operation;
mod paths;
mod problem;
mod published;
mod security;
mod words;
mod yaml;

use std::collections::HashMap;

use http::Method;
use serde_json::{Map, Value, json};

use crate::config::{self, Config};
use crate::contract::{Bundler, Components, Contract, Operation as Declared, PathTemplate, Section};
use crate::gateway::operation::Operation;
use crate::jetstream::manifest::Manifests;
use crate::translate::answer::receipt_schema;
pub use docs::Docs;
use operation::{Entry, Known};
use paths::Paths;
pub use published::Published;

/// What is published.
pub struct Source<'a> {
    /// The configuration.
    pub config: &'a Config,
    /// What it says of the streams that operations publish to.
    pub manifests: &'a Manifests,
    /// Its contracts, in its order.
    pub contracts: &'a [&'a Contract],
    /// The operations that are bound, in its order.
    pub bound: &'a [Bound<'a>],
    /// Who answers what nothing binds. By itself it is no operation that could be published.
    pub fallback: Option<&'a Operation>,
}

/// An operation that is bound.
#[derive(Clone, Copy)]
pub struct Bound<'a> {
    /// Its method.
    pub method: &'a Method,
    /// Its path.
    pub path: &'a PathTemplate,
    /// What its contract says; without one, only the configuration knows it.
    pub declared: Option<&'a Declared>,
    /// What the configuration says.
    pub written: &'a config::Operation,
    /// What it became.
    pub operation: &'a Operation,
}

/// Makes the document.
pub fn document(source: &Source<'_>) -> Value {
    let mut components = Components::default();
    let mut paths = Paths::default();
    // Whatever the order of the documents is, a route belongs to the operation that is bound.
    for bound in source.bound {
        paths.claim(bound.method, bound.path);
    }
    let bound: HashMap<*const Declared, &Bound<'_>> =
        source.bound.iter().filter_map(|bound| Some((std::ptr::from_ref(bound.declared?), bound))).collect();
    let mut entries: Vec<Entry<'_>> = Vec::new();
    for contract in source.contracts {
        let mut bundler = Bundler::new(contract, &mut components);
        for declared in contract.operations() {
            let bound = bound.get(&std::ptr::from_ref(declared)).copied();
            let Some(path) = &declared.template else { continue };
            if bound.is_some() || paths.claim(&declared.method, path) {
                let json = bundler.operation(declared);
                entries.push(Entry {
                    method: &declared.method,
                    path,
                    declared: Some(declared),
                    bound: bound.copied(),
                    fallback: source.fallback,
                    json,
                });
            }
        }
    }
    for bound in source.bound.iter().filter(|bound| bound.declared.is_none()) {
        let json = security::of(bound, source.config, &mut components);
        entries.push(Entry {
            method: bound.method,
            path: bound.path,
            declared: None,
            bound: Some(*bound),
            fallback: None,
            json,
        });
    }
    let known = Known::new(source.manifests, &mut components);
    let mut document = info::head(source.contracts);
    for entry in entries {
        paths.insert(entry, &known, &mut components);
    }
    document.insert("paths".to_owned(), paths.finish());
    components.finish(&mut document);
    Value::Object(document)
}

/// A part of the gateway's own: under the name that it has by itself, or another where a contract has that.
fn own(components: &mut Components, name: &str, schema: Value) -> Value {
    let name = match components.wants(Section::Schemas, name) {
        true => format!("Gateway{name}"),
        false => name.to_owned(),
    };
    json!({ "$ref": components.share(Section::Schemas, &name, schema) })
}

/// The schemas of the gateway's own answers, as references.
struct Own {
    problem: Value,
    receipt: Value,
}

impl Own {
    fn new(components: &mut Components) -> Own {
        let problem = own(components, "Problem", crate::problem::schema());
        Own { problem, receipt: own(components, "Receipt", receipt_schema()) }
    }
}

/// Changes the map under a name of an object, which is made where there is none.
fn within<R>(
    object: &mut Map<String, Value>,
    name: &str,
    change: impl FnOnce(&mut Map<String, Value>) -> R,
) -> R {
    let mut members = match object.get_mut(name).map(Value::take) {
        Some(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let changed = change(&mut members);
    object.insert(name.to_owned(), Value::Object(members));
    changed
}
